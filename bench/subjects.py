"""The works, the subjects, and the command that runs one work of one subject: see README.md.

A subject is a folder of programs, one a work: bench/SUBJECT/WORK.{c,cpp,erl,mjs}. C and C++ programs are
built by CMake (BUILD/bench/SUBJECT/WORK); those that need no library of this project are compiled here
when CMake has not built them.
"""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SUBJECTS = ["troupe", "nng", "caf", "erlang", "node", "floor"]
SUFFIX = {"troupe": "c", "nng": "c", "floor": "c", "caf": "cpp", "erlang": "erl", "node": "mjs"}

# The count of a full run, the same for every subject; --quick divides by 10, or takes what QUICK says.
COUNTS = {
    "pingpong": 2000000, "pingpong_threads": 100000, "pingpong_inproc": 50000,
    "pingpong_processes": 50000, "oneway_processes": 1000000, "payload_processes": 2000,
    "fanin": 2000000, "fanout": 2000000, "publish": 2000000, "ring": 1000000, "big": 1200000,
    "chameneos": 500000, "spawn": 300000, "fjcreate": 40000, "fib": 25, "skynet": 1000000, "ask": 1000000,
    "imbalance": 20000, "payload": 20000, "timers": 1000000, "memory": 1000000, "idle": 5,
    "scale": 10000000, "restart": 100000, "shared_wait": 50000, "start_processes": 30, "idle_processes": 5,
}
QUICK = {"fib": 20, "idle": 1, "idle_processes": 1, "skynet": 100000, "scale": 200000}
WORKS = list(COUNTS)

# The second argument of a program: one run each.
VARIANTS = {"fanin": ["1", "5", "64"], "fanout": ["1", "8", "64"], "publish": ["64"], "imbalance": ["1", "2"],
            "start_processes": ["fork", "spawn", "crash", "fork_from_2GiB"], "idle_processes": ["200"],
            "scale": [f"{n}:{to}" for to in ("any", "partner") for n in (10, 1000, 100000, 1000000)]}
VARIANTS_OF = {("memory", "erlang"): ["plain", "hibernate"],
               # More of them take it minutes where random ones are sent to.
               ("scale", "caf"): [v for v in VARIANTS["scale"] if not v.startswith("100000")],
               ("pingpong_threads", "troupe"): ["asleep", "spinning"],
               ("shared_wait", "troupe"): ["threads", "processes", "messages"],
               ("restart", "troupe"): ["failed", "done", "process"],
               ("restart", "erlang"): ["failed", "done"],
               ("fanin", "node"): ["1", "5"]}  # 64 worker threads would be a test of the machine

# Works of a single scheduler thread, in every subject.
ONE_WORKER = {"pingpong", "spawn", "ask", "timers", "memory", "payload", "restart"}
MANY_PROCESSES = {"skynet", "memory", "fjcreate", "fib", "scale"}  # more than Erlang's limit of 262144

# CAF has two schedulers; where there are several threads both run, and each is a row.
CAF_POLICIES = ["stealing", "sharing"]


class Missing(Exception):
    """A subject that cannot run here, and why."""


def version_of(subject):
    def text(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            return ""
    if subject == "troupe":
        with open(os.path.join(ROOT, "include/troupe/version.h")) as header:
            return re.search(r'TROUPE_VERSION "([^"]+)"', header.read()).group(1)
    if subject == "node":
        return text("node", "--version").lstrip("v")
    package = {"nng": "libnng-dev", "caf": "libcaf-dev", "erlang": "erlang-base"}.get(subject)
    return text("dpkg-query", "-W", "-f", "${Version}", package) if package else ""


def source_of(subject, work):
    return os.path.join(HERE, subject, f"{work}.{SUFFIX[subject]}")


def newer(target, *sources):
    return os.path.exists(target) and all(
        os.path.getmtime(target) >= os.path.getmtime(s) for s in sources)


def headers_of(subject):
    return [os.path.join(folder, f) for folder in (HERE, os.path.join(HERE, subject))
            for f in os.listdir(folder) if f.endswith((".h", ".hpp"))]


def compile_with(command, needs):
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise Missing(f"does not build ({needs}): {reason}")


def native(subject, work, build, scratch):
    """A program in C or C++: from CMake, else compiled here."""
    found = os.path.join(build, "bench", subject, work)
    if os.access(found, os.X_OK):
        return found
    if subject == "troupe":
        raise Missing(f"not built: cmake --build {os.path.relpath(build, ROOT)} --target bench")
    source, out = source_of(subject, work), os.path.join(scratch, f"{subject}-{work}")
    if not newer(out, source, *headers_of(subject)):
        if subject == "caf":
            compile_with(["c++", "-std=c++17", "-O2", "-DNDEBUG", "-w", source, "-o", out,
                          "-lcaf_core", "-lpthread"], "libcaf-dev")
        else:
            compile_with(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-DNDEBUG", source, "-o", out]
                         + (["-lnng"] if subject == "nng" else []) + ["-lpthread"],
                         "libnng-dev" if subject == "nng" else "cc")
    return out


def erlang(work, variant, scratch):
    source = source_of("erlang", work)
    if not newer(os.path.join(scratch, f"{work}.beam"), source):
        compile_with(["erlc", "-o", scratch, source], "erlang-base")
    command = ["erl", "-noshell", "-pa", scratch]
    if work in ONE_WORKER:
        command += ["+S", "1:1"]
    if work == "imbalance":
        command += ["+S", f"{variant}:{variant}"]
    if work in MANY_PROCESSES:
        command += ["+P", "4000000"]
    return command + ["-run", work, "main"]


def commands_of(subject, work, build, scratch, count):
    """[(command, environment)]: one for each variant and scheduler. Raises Missing."""
    found = []
    for variant in VARIANTS_OF.get((work, subject), VARIANTS.get(work, [None])):
        if work == "scale" and int(variant.split(":")[0]) > count:
            continue  # each actor sends at least one message
        if work == "start_processes" and variant == "fork_from_2GiB" and count < COUNTS[work]:
            continue  # not every machine has them to spare
        if work == "idle_processes" and count < COUNTS[work]:
            variant = str(int(variant) // 10)
        if subject == "erlang":
            command = erlang(work, variant, scratch)
        elif subject == "node":
            if shutil.which("node") is None:
                raise Missing("node is not installed")
            command = ["node", source_of(subject, work)]
        else:
            command = [native(subject, work, build, scratch)]
        command += [str(count)] + ([variant] if variant else [])
        several = subject == "caf" and work not in ONE_WORKER
        for policy in CAF_POLICIES if several else [None]:
            found.append((command, {"BENCH_CAF_POLICY": policy} if policy else {}))
    return found
