#!/usr/bin/env python3
"""Does the test of the doors notice? A small house that is in order, then one wall broken at a time."""
import os
import subprocess
import sys
import tempfile

DOORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "doors.py")

HOUSE = {
    "include/troupe.h": "#include <troupe/actor.h>\n",
    "include/troupe/actor.h": "#include <stdint.h>\n",
    "actor/base/bytes.h": "#include <stddef.h>\n",
    "actor/base/pack.c": '#include "base/bytes.h"\n#include <msgpack.h>\n',
    "actor/core/cell.h": '#include "base/bytes.h"\n',
    "actor/core/cell.c": '#include "core/cell.h"\n#include <troupe/actor.h>\n',
    "actor/services/ask.h": '#include "core/cell.h"\n',
    "actor/config/config.h": '#include "base/bytes.h"\n',
    "actor/place/node.h": '#include "transport/wire.h"\n#include "config/config.h"\n'
                          '#include "services/ask.h"\n',
    "actor/cluster/listener.h": '#include "services/ask.h"\n#include "transport/wire.h"\n',
    "actor/app/main.c": '#include "place/node.h"\n#include "cluster/listener.h"\n'
                        '#include "config/config.h"\n',
    "transport/wire.h": '#include "base/bytes.h"\n',
    "transport/wire.c": '#include "transport/wire.h"\n#include <nng/nng.h>\n',
    "examples/hello/hello.c": '#include <troupe.h>\n#include "own.h"\n',
    "examples/hello/own.h": "#include <stdio.h>\n",
    "examples/other/other.h": "#include <stdio.h>\n",
    "bench/bench.h": "#include <stdio.h>\n",
    "bench/nng/bare.c": "#include <nng/nng.h>\n",
    "bench/troupe/ping.c": '#include <troupe.h>\n#include "../bench.h"\n',
    "tools/show.c": "#include <troupe.h>\n",
}

# What is added to which file, and the mistake expected there.
WALLS = [
    ("actor/base/bytes.h", '#include "core/cell.h"', "no door leads from base to core"),
    ("actor/core/cell.c", '#include "services/ask.h"', "no door leads from core to services"),
    ("actor/core/cell.c", '#include "transport/wire.h"', "no door leads from core to transport"),
    ("actor/services/ask.h", '#include "place/node.h"', "no door leads from services to place"),
    ("actor/services/ask.h", '#include "config/config.h"', "no door leads from services to config"),
    ("actor/config/config.h", '#include "core/cell.h"', "no door leads from config to core"),
    ("actor/place/node.h", '#include "app/main.c"', "no door leads from place to app"),
    ("actor/place/node.h", '#include "cluster/listener.h"', "no door leads from place to cluster"),
    ("actor/cluster/listener.h", '#include "place/node.h"', "no door leads from cluster to place"),
    ("actor/app/main.c", '#include "transport/wire.h"', "no door leads from app to transport"),
    ("transport/wire.h", '#include "core/cell.h"', "no door leads from transport to core"),
    ("transport/wire.h", '#include "../actor/core/cell.h"', "no door leads from transport to core"),
    ("include/troupe/actor.h", '#include "base/bytes.h"', "no door leads from include to base"),
    ("include/troupe/actor.h", "#include <nng/nng.h>", "include never names <nng/nng.h>"),
    ("include/troupe/actor.h", "#include <msgpack.h>", "include never names <msgpack.h>"),
    ("examples/hello/hello.c", '#include "core/cell.h"', "no door leads from examples to core"),
    ("examples/hello/hello.c", '#include "../../actor/core/cell.h"', "no door leads from examples to core"),
    ("examples/hello/hello.c", '#include "../other/other.h"', '"../other/other.h" lies in the folder of'),
    ("bench/bench.h", '#include "core/cell.h"', "no door leads from bench to core"),
    ("tools/show.c", '#include "base/bytes.h"', "no door leads from tools to base"),
    ("bench/troupe/ping.c", '#include "core/cell.h"', "no door leads from bench/troupe to core"),
    ("actor/core/cell.c", "#  include <nng/nng.h>", "nng is included by 2 files"),
    ("actor/core/cell.c", "#include <msgpack.h>", "msgpack is included by 2 files"),
    ("actor/core/cell.c", '#include "core/gone.h"', '"core/gone.h" is no file of this project'),
    ("actor/core/cell.c", "#include <services/ask.h>", "<services/ask.h>: the files of this project"),
    ("actor/core/cell.c", "#include ASK_HEADER", "an include whose file cannot be read"),
    ("actor/attic/box.c", "#include <stdio.h>", "actor/attic is no room"),
]


def build(root, without=()):
    for path, text in HOUSE.items():
        if path not in without:
            write(root, path, text)


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "a", encoding="utf-8") as out:
        out.write(text + "\n")


def doors(root):
    result = subprocess.run([sys.executable, DOORS, root], stdout=subprocess.PIPE, check=False, text=True)
    return result.returncode, result.stdout


def expect(what, root, code, text):
    got, out = doors(root)
    if got == code and text in out:
        return 0
    print(f"{what}: expected exit {code} and '{text}', got exit {got} and:\n{out}")
    return 1


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as root:
        failed += expect("an empty folder", root, 1, "no #include was read")
    with tempfile.TemporaryDirectory() as root:
        build(root)
        failed += expect("a house in order", root, 0, ", 0 through a wall")
    for library, user in [("nng", "transport/wire.c"), ("msgpack", "actor/base/pack.c")]:
        with tempfile.TemporaryDirectory() as root:
            build(root, without=[user])
            failed += expect(f"nobody uses {library}", root, 1, f"nothing includes {library}")
    for path, line, mistake in WALLS:
        with tempfile.TemporaryDirectory() as root:
            build(root)
            write(root, path, line)
            with open(os.path.join(root, path), encoding="utf-8") as text:
                number = next(i for i, found in enumerate(text, 1) if found.strip() == line)
            failed += expect(f"{path}: {line}", root, 1, f"{path}:{number}: {mistake}")
    print(f"doors_test: {len(WALLS)} walls broken, {failed} went unnoticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
