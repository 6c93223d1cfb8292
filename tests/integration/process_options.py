#!/usr/bin/env python3
"""What a process is made with: its environment, directory, user, limits and so on, as the system sees it."""
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, run  # noqa: E402

NOBODY = 65534
ROOT = os.geteuid() == 0
CORE = min(os.sched_getaffinity(0))


def guise(place, name="guise", **args):
    return {"name": name, "actor": "guise_actor", "args": args, "place": place}


def application(place, *options, extra=(), restarts=0, root=None, user=None, **args):
    return Application("guises", {"tree": {"restarts": restarts, "within": "1m", "children": [
        guise(place, **args), *extra]}, **(root or {})}, *options,
        env={"KEPT": "as it was", "CHANGED": "before", "REMOVED": "before"}, user=user)


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as text:
        return dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)


def limits(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as text:
        return {line[:26].strip(): line[26:].split()[:2] for line in text}


def up(app, path="/guise", process="/guise"):
    """The pid, once the actor runs and the keeper has announced it: two pipes."""
    app.wait_for(f"ready {path}$")
    app.wait_for(f"process {process} pid")
    return app.paths[process]


def stop(app, code=0):
    app.signal(15)
    check(app.wait() == code, "the exit code", app)
    app.close()



STARTS = ("fork", "spawn")


def test_as_the_system_sees_it():
    for start in STARTS:
        app = application({"process": "own", "start": start, "cwd": "/usr", "nice": 7, "cores": [CORE], "umask": "027",
                           "env": {"CHANGED": "after = it", "REMOVED": None, "NEW": ""},
                           "limits": {"files": 100, "core": "0B", "stack": "4MiB", "cpu": "1m", "locked": "64KiB",
                                      "file_size": "1GiB"}},
                          variables=["KEPT", "CHANGED", "REMOVED", "NEW"])
        pid = up(app)
        check([line for line in app.lines if line.startswith("env ")] ==
              ["env KEPT as it was", "env CHANGED after = it", "env REMOVED (unset)", "env NEW "], "environment", app)
        check(os.readlink(f"/proc/{pid}/cwd") == "/usr", "cwd")
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as text:
            check(text.read().rpartition(")")[2].split()[16] == "7", "nice")
        facts = status(pid)
        check(facts["Umask"] == "0027" and facts["Cpus_allowed_list"] == str(CORE), f"{facts}")
        found = limits(pid)
        for name, value in {"Max open files": ["100", "100"], "Max core file size": ["0", "0"],
                            "Max stack size": ["4194304", "4194304"], "Max cpu time": ["60", "61"],
                            "Max locked memory": ["65536", "65536"], "Max file size": ["1073741824"] * 2}.items():
            check(found[name] == value, f"{name}: {found[name]}")
        keeper = status(app.process.pid)
        check(keeper["Umask"] != "0027", "the keeper has another mask")
        stop(app)


def title(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as text:
        return text.read().decode()


def test_titles():
    """ps shows where a process is in the tree; the keeper keeps its command line."""
    for start in STARTS:
        app = application({"process": "own", "start": start}, root={"name": "titled"})
        guise_pid, main = up(app), up(app, process="main")
        if not title(main).startswith("titled"):
            check("guises" in title(main), f"neither title nor command line: {title(main)!r}")
            stop(app)
            return "skipped: this kernel does not move titles (CONFIG_CHECKPOINT_RESTORE)"
        check(title(guise_pid) == "titled: /guise\0" and title(main) == "titled: main\0", f"{title(guise_pid)!r}")
        check("\0run\0" in title(app.process.pid), "the keeper's")
        stop(app)
    return None


def test_main_too():
    app = application("thread", root={"main": {"nice": 3, "umask": "007", "env": {"NEW": "in main"}}}, variables=["NEW"])
    pid = up(app, process="main")
    check("env NEW in main" in app.lines, "environment", app)
    check(status(pid)["Umask"] == "0007", "umask")
    stop(app)


def test_another_user():
    """His number, his group, and no group besides; killed with the keeper all the same."""
    if not ROOT:
        return "skipped: only root may become another user"
    for start, lane in (("fork", "ipc"), ("spawn", "ipc"), ("fork", "tcp")):
        for who, expected in (({"user": "nobody"}, ("65534", "65534")), ({"user": 65534, "group": 7}, ("65534", "7")),
                              ({"group": 9}, ("0", "9")), ({"user": 4711, "group": 4712}, ("4711", "4712"))):
            if start == "spawn" and expected[0] != "0" and not world_may_run():
                continue
            app = application({"process": "own", "lane": lane, "start": start, **who})
            facts = status(up(app))
            check(facts["Uid"].split() == [expected[0]] * 4 and facts["Gid"].split() == [expected[1]] * 4, f"{facts}")
            check(expected[1] in facts["Groups"].split() and "0" not in facts["Groups"].split(), f"{facts['Groups']}")
            app.process.kill()
            check(app.wait() == -9, "the keeper was killed", app)
            app.close()
    return None


def world_may_run():
    """Is the program below directories that another user may enter?"""
    path = os.path.realpath(os.path.join(os.environ["TROUPE_BINARY_DIR"], "tests", "programs", "guises"))
    while path != "/":
        if not os.stat(path).st_mode & 1:
            return False
        path = os.path.dirname(path)
    return True


def test_shared_by_all_of_one_name():
    place = {"process": "pool", "nice": 5}
    app = application(place, extra=[guise(place, "other")])
    up(app, "/other", "pool")
    check(set(app.paths) == {"main", "pool"}, f"{app.paths}")
    stop(app)


REFUSED = [
    ({"cwd": "/no/such/directory"}, r"cwd /no/such/directory: No such file or directory"),
    ({"cwd": "/etc/passwd"}, r"cwd /etc/passwd: Not a directory"),
]
FOR_NOBODY = [
    ({"nice": -5}, r"nice -5: Permission denied"),
    ({"user": "root"}, r"the groups of root: Operation not permitted"),
    # more than the program was started with
    ({"limits": {"locked": "unlimited"}}, r"limits locked: Operation not permitted"),
]
if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY:
    FOR_NOBODY.pop()


def refused(options, reason, **rest):
    app = application({"process": "own", **options}, **rest)
    code = app.wait()
    check(code == 2, f"exit code {code}", app)
    check(app.find(rf"/guise .*could not be set up: {reason}"), f"no reason: {reason}", app)
    check(app.find(rf"/guise failed|/guise: .*{reason}"), "the supervisor was not told", app)
    app.close()


def test_what_the_system_refuses():
    """The death says so, and a supervisor that may not try again gives up."""
    for options, reason in REFUSED:
        refused(options, reason)
    if ROOT and not world_may_run():
        return "as root, who may do all of the rest, and nobody else may run the program: skipped"
    for options, reason in FOR_NOBODY:
        refused(options, reason, user=NOBODY if ROOT else None)
    return None


def test_who_one_is_needs_no_privilege():
    user = NOBODY if ROOT else os.geteuid()
    if ROOT and not world_may_run():
        return "skipped: nobody else may run the program"
    if not ROOT and os.getgroups():
        return "skipped: this user has groups that only root may take away"
    app = application({"process": "own", "user": user, "group": user}, user=user if ROOT else None)
    app.wait_for("ready /guise")
    stop(app)
    return None


def test_limits_that_are_too_low():
    """No hang and no loss: the process says why it cannot run, or dies of it."""
    for low in ({"files": 8}, {"address_space": "1MiB"}, {"data": "1MiB"}):
        app = application({"process": "own", "limits": low})
        code = app.wait()
        check(code == 2, f"{low}: exit code {code}", app)
        check(app.find(r"process /guise pid"), "it was made", app)
        app.close()


def test_in_one_process():
    """There is no process to make: what is said of it changes nothing."""
    app = application({"process": "own", "cwd": "/no/such/directory"}, "--one-process")
    app.wait_for("ready /guise")
    stop(app)


run([test_as_the_system_sees_it, test_titles, test_main_too, test_another_user, test_shared_by_all_of_one_name,
     test_what_the_system_refuses, test_who_one_is_needs_no_privilege,
     test_limits_that_are_too_low, test_in_one_process])
