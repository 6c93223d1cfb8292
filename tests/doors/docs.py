#!/usr/bin/env python3
"""The documentation and the project agree: links lead somewhere, and the code shown is code that is tested.

A block of code that follows a line naming a file of examples/ in backquotes, with a colon at its end, is
that file, to the byte. A page that walks through a whole folder shows each file of it. A path of the
project in backquotes is one that exists. A row of a table that begins with a name and a file of tests/, both in
backquotes, is about a test of that name that this file runs. Prints how many links, paths, blocks and tests it
compared; none of links, blocks or tests is a failure.
"""
import os
import re
import sys

LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:actor|transport|include|examples|tests|docs|scripts|cmake|bench)/[\w./-]*)`")
SHOWN = re.compile(r"`(examples/[^`]+)`[^`]*:\n\n```\w*\n(.*?)```", re.DOTALL)
TEST = re.compile(r"^\| `(\w+)` \| `(tests/[\w/]+\.c)` \|", re.MULTILINE)

COMPLETE = {"docs/tutorial.md": "examples/tutorial"}


def pages(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")))
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def broken_links(root, page, text):
    for link in LINK.findall(text):
        if not re.match(r"[a-z]+:", link):
            target = os.path.join(os.path.dirname(page), link)
            yield None if os.path.exists(target) else f"{os.path.relpath(page, root)}: no {link}"


def lost_paths(root, page, text):
    for path in PATH.findall(text):
        known = os.path.exists(os.path.join(root, path))
        yield None if known else f"{os.path.relpath(page, root)}: there is no {path}"


def stale_code(root, page, text):
    for path, code in SHOWN.findall(text):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            same = file.read() == code
        yield None if same else f"{os.path.relpath(page, root)}: not what stands in {path}"


def not_shown(root, page, text):
    folder = COMPLETE.get(os.path.relpath(page, root))
    shown = {path for path, _ in SHOWN.findall(text)}
    for name in sorted(os.listdir(os.path.join(root, folder))) if folder else []:
        if f"{folder}/{name}" not in shown:
            yield f"{os.path.relpath(page, root)}: does not show {folder}/{name}"


def lost_tests(root, page, text):
    for name, path in TEST.findall(text):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            runs = re.search(rf"cmocka_unit_test\({name}\)", file.read())
        yield None if runs else f"{os.path.relpath(page, root)}: {path} runs no test {name}"


def main():
    root = os.environ["TROUPE_SOURCE_DIR"]
    links, paths, blocks, tests = [], [], [], []
    for page in pages(root):
        with open(page, encoding="utf-8") as file:
            text = file.read()
        links += broken_links(root, page, text)
        paths += lost_paths(root, page, text)
        blocks += stale_code(root, page, text)
        blocks += not_shown(root, page, text)
        tests += lost_tests(root, page, text)
    mistakes = [mistake for mistake in links + paths + blocks + tests if mistake]
    for mistake in mistakes:
        print(mistake)
    print(f"docs: {len(links)} links, {len(paths)} paths, {len(blocks)} blocks of code, "
          f"{len(tests)} tests, {len(mistakes)} mistakes")
    return 1 if mistakes or not links or not blocks or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
