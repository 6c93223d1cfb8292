#!/usr/bin/env python3
"""External programs: told alike in every place, and none is left whichever process is killed, or when."""
import os
import random
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, SLOWNESS, Application, Failure, check, run  # noqa: E402

# A program, and one that it leaves in its group, which ignores what a terminal or a supervisor would say.
FAMILY = "trap '' HUP; sleep 1000 & echo child $!; echo parent $$; wait"
HARDENED = "trap '' TERM HUP INT; sleep 1000 & echo child $!; echo parent $$; sleep 1001"


def boss(line, place="thread", name="boss", **args):
    return {"name": name, "actor": "boss", "place": place, "args": {"line": line, **args}}


def start(*children, **tree):
    return Application("commands", {"tree": {"restarts": 1000, "within": "1s", **tree, "children": list(children)}})


def pid_of(app, pattern):
    """A pidfd, so that the number cannot become another's."""
    return os.pidfd_open(int(app.wait_for(pattern)[0][1]))


def wait_gone(pidfd, what, app, seconds=1):
    gone = select.select([pidfd], [], [], seconds * SLOWNESS)[0]
    os.close(pidfd)
    check(gone, f"{what} is still there", app)


def family_of(app, name="/boss"):
    child = pid_of(app, rf"^{name} out 1 child (\d+)")
    return pid_of(app, rf"^{name} out 1 parent (\d+)"), child


def end(app, code=0):
    app.signal(signal.SIGTERM)
    check(app.wait() == code, f"exit code {app.process.returncode}, not {code}", app)
    app.close()


def test_all_is_told_in_every_place():
    for place in PLACES:
        app = start(boss("echo one; echo two >&2; exit 3", place))
        for line in ("started", "out 1 one", "out 2 two", "exited 3 0", "closed 3 0"):
            app.wait_for(f"^/boss {line}")
        end(app)


def test_what_cannot_start_is_told_in_every_place():
    for place in ("thread", "process"):
        app = start({"name": "c", "actor": "troupe_command", "place": place,
                     "args": {"program": "/no/such/program"}}, restarts=0)
        app.wait_for("/no/such/program: execution: No such file or directory")
        check(app.wait() == 2, f"exit code {app.process.returncode}", app)
        app.close()


def test_a_program_ends_with_the_process_of_its_owner():
    for place in ("process", "spawn"):
        app = start(boss(FAMILY, place))
        family = family_of(app)
        app.kill("/boss")
        for pidfd in family:
            wait_gone(pidfd, "a program", app)
        app.wait_for(r"^/boss out 1 parent", since=len(app.lines))  # that of the next run
        end(app)


def test_one_that_ignores_its_signal_ends_after_its_grace():
    app = start(boss(HARDENED, "process", grace=100_000_000))
    family = family_of(app)
    app.kill("/boss")
    for pidfd in family:
        wait_gone(pidfd, "a program", app)
    end(app)


def test_the_end_of_the_application_is_theirs():
    app = start(boss(FAMILY, "process", "a"), boss(FAMILY, "thread", "b"))
    families = (*family_of(app, "/a"), *family_of(app, "/b"))
    end(app)
    for pidfd in families:
        wait_gone(pidfd, "a program", app, 0)


def test_they_may_take_their_time_at_the_end():
    line = "trap 'sleep 0.3; touch done; exit 0' TERM; echo ready; exec >&- 2>&-; while :; do sleep 0.01; done"
    for place in ("thread", "process"):
        app = start(boss(line, place))
        app.own = ("done",)
        app.wait_for("^/boss out 1 ready")
        app.signal(signal.SIGTERM)
        check(app.wait() == 0, f"exit code {app.process.returncode}", app)
        check(os.path.exists(os.path.join(app.directory.name, "done")), "it was not given its time", app)
        app.close()


def test_a_killed_main_takes_them_along():
    app = start(boss(HARDENED, "thread"))
    family = family_of(app)
    app.kill("main")
    for pidfd in family:
        wait_gone(pidfd, "a program", app)
    app.wait_for(r"^/boss out 1 parent", since=len(app.lines))
    app.signal(signal.SIGTERM)
    app.signal(signal.SIGINT)  # it takes longer than we like
    app.wait()
    app.close()


def test_a_killed_keeper_takes_them_along():
    for place in ("thread", "process"):
        app = start(boss(HARDENED, place))
        family = family_of(app)
        app.signal(signal.SIGKILL)
        for pidfd in family:
            wait_gone(pidfd, "a program", app)
        app.wait()
        app.close()


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
            return [int(word) for word in text.read().split()]
    except OSError:
        return []


def undertaker_of(app, but=None):
    """Waits for one. The kernel's list of children is whole only while none of them ends."""
    deadline = time.monotonic() + 10 * SLOWNESS
    while time.monotonic() < deadline:
        for pid in children_of(app.process.pid):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as text:
                    if text.read().strip() == "troupe:undertk" and pid != but:
                        return pid
            except OSError:
                pass  # one that has ended meanwhile
        app.read_for(0.01)
    raise Failure("there is no undertaker\n" + app.tail())


def test_an_undertaker_that_dies_has_a_successor():
    app = start(boss(HARDENED, "thread", "a"), boss("sleep 0.01", "thread", "b", times=100000))
    family = family_of(app, "/a")
    first = undertaker_of(app)
    pidfd = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    wait_gone(pidfd, "the undertaker", app)
    undertaker_of(app, but=first)
    app.signal(signal.SIGKILL)
    for pidfd in family:
        wait_gone(pidfd, "a program", app)
    app.wait()
    app.close()


def test_nothing_is_left_whenever_the_keeper_or_main_is_killed():
    """Programs start and end all the time."""
    rounds = 12 if SLOWNESS > 1 else 30
    chance = random.Random(1)
    line = "sleep 1000 & kill $!; sleep 1000 & sleep 0.002"
    for turn in range(rounds):
        app = start(*(boss(line, place, name, times=1000000)
                      for name, place in (("a", "thread"), ("b", "process"), ("c", "process"))))
        app.wait_for("started")
        app.read_for(chance.random() * 0.1)
        if turn % 3 != 0:
            app.kill("main" if turn % 3 == 1 else "/b")
            app.read_for(chance.random() * 0.05)
        app.signal(signal.SIGKILL)
        app.wait()
        app.close()
    return f"{rounds} times"


def test_a_program_has_what_its_owners_process_has():
    app = start(boss("echo $MINE; pwd; exec sleep 1000",
                     {"process": "own", "env": {"MINE": "of the process"}, "cwd": "/usr"}))
    app.wait_for("^/boss out 1 of the process")
    app.wait_for("^/boss out 1 /usr")
    end(app)


def test_nobody_becomes_root():
    """The keeper is root's; who asks it is not."""
    if os.geteuid() != 0:
        return "skipped: only root may become another user"
    nobody = {"process": "own", "user": 4711, "group": 4712}
    app = start(boss("id -u; id -g; id -G", nobody))
    found = app.wait_for(r"^/boss out 1 4711$")[1]
    app.wait_for(r"^/boss out 1 4712$", since=found)
    app.wait_for("^/boss closed 0 0")
    check(len(app.find(r"^/boss out 1 4712$")) == 2, "it is in other groups as well", app)
    end(app)
    for want in ({"uid": "0"}, {"gid": "0"}, {"uid": "4713", "gid": "4713"}):
        app = start({"name": "c", "actor": "troupe_command", "place": nobody, "args": {"program": "id", **want}},
                    restarts=0)
        app.wait_for("id: Operation not permitted")
        check(app.wait() == 2, f"exit code {app.process.returncode}", app)
        app.close()
    app = start({"name": "c", "actor": "troupe_command", "restart": "transient",
                 "args": {"program": "id", "uid": "4711", "gid": "4712"}})
    app.wait_for(r"uid=4711 gid=4712 groups=4712")
    return end(app)


def test_a_detached_program_stays():
    for place in ("thread", "process"):
        app = start(boss("echo parent $$; exec sleep 1000 >&- 2>&-", place, detached=True))
        pidfd = pid_of(app, r"^/boss out 1 parent (\d+)")
        pid = int(app.find(r"^/boss out 1 parent (\d+)")[0][1])
        app.signal(signal.SIGTERM)
        check(app.wait() == 0, f"exit code {app.process.returncode}", app)
        check(not select.select([pidfd], [], [], 0)[0], "the detached program is gone", app)
        check(os.getsid(pid) == pid, "it has no session of its own", app)
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        wait_gone(pidfd, "the program", app)
        os.waitpid(pid, 0)  # it is ours by now
        app.close()


def test_programs_of_a_supervisor():
    command = {"name": "c", "actor": "troupe_command", "restart": "transient",
               "args": {"shell": "echo hello; echo trouble >&2; exit $((RANDOM_CODE))", "env": ["RANDOM_CODE=0"]}}
    app = start(command)
    app.wait_for("hello")
    app.wait_for("trouble")
    end(app)
    command["args"]["env"] = ["RANDOM_CODE=3"]
    app = start(command, restarts=2)
    check(app.wait() == 2, f"exit code {app.process.returncode}", app)
    check(len(app.find("hello")) == 3, "it did not run three times", app)
    check(app.find("exited with code 3"), "nobody says why", app)
    app.close()


def test_a_command_that_is_killed_lets_go_of_its_program():
    """No handler of it runs then."""
    for place in ("thread", "process"):
        app = start({"name": "c", "actor": "troupe_command", "shutdown": "kill", "place": place,
                     "args": {"shell": "echo parent $$; exec sleep 1000"}})
        pidfd = pid_of(app, r"parent (\d+)")
        end(app)
        wait_gone(pidfd, "the program", app)


def test_an_owner_by_its_path():
    app = start(boss("true"), {"name": "c", "actor": "troupe_command", "restart": "transient",
                               "args": {"program": "echo", "arguments": ["hello"], "owner": "/boss"}})
    app.wait_for("^/boss out 1 hello")
    end(app)


def asker(place="thread", **args):
    return {"name": "asker", "actor": "asker", "place": place, "args": {"runner": "/runner", **args}}


def test_runs_have_three_results():
    runner = {"name": "runner", "actor": "troupe_runner", "args": {"at_once": 2}}
    for where, place in (("thread", "thread"), ("process", "thread"), ("thread", "process")):
        for args, expected in (
                ({"line": "echo out; echo err >&2"}, "ran [] 0 0 0 [out"),
                ({"line": "printf x; exit 4"}, "ran [exited with code 4] 0 4 0 [x] []"),
                ({"line": "cat", "input": "given"}, "ran [] 0 0 0 [given] []"),
                ({"line": "kill -9 $$"}, "ran [killed by signal 9 (SIGKILL)] 0 -1 9 [] []"),
                ({"line": "exec sleep 1000", "timeout": 50_000_000},
                 "ran [timeout: killed by signal 15 (SIGTERM)] 0 -1 15 [] []"),
                ({"line": "yes", "max_output": 4},
                 "ran [max_output: ")):
            app = start({**runner, "place": where}, asker(place, times=1, **args))
            app.wait_for("^/asker done|^err] |^/asker ran")
            check([line for line in app.lines if line.startswith("/asker " + expected)], f"not {expected}", app)
            end(app)


def test_runs_wait_for_each_other():
    app = start({"name": "runner", "actor": "troupe_runner", "args": {"at_once": 3}},
                asker(line="echo x >>log; sleep 0.01; wc -l <log; tail -n 1 log", times=40))
    app.own = ("log",)
    app.wait_for("^/asker done", seconds=60)
    check(len(app.find(r"^/asker ran \[\] 0 0 0")) == 40, "not all went well", app)
    end(app)


def test_who_asked_is_gone():
    app = start({"name": "runner", "actor": "troupe_runner"},
                asker("process", line="echo $$ >pid; exec sleep 1000", times=1))
    app.own = ("pid",)
    path = os.path.join(app.directory.name, "pid")
    deadline = time.monotonic() + 10 * SLOWNESS
    while not (os.path.exists(path) and open(path, encoding="ascii").read().strip()):
        check(time.monotonic() < deadline, "it does not start", app)
        app.read_for(0.01)
    pidfd = os.pidfd_open(int(open(path, encoding="ascii").read()))
    app.kill("/asker")
    wait_gone(pidfd, "the program", app)
    end(app)


if __name__ == "__main__":
    run([value for name, value in list(globals().items()) if name.startswith("test_")])
