"""Runs one program and measures it from outside: what it printed, its CPU time, its resident memory; and,
for the works `idle` and `idle_processes`, what it does while it has nothing to do."""
import os
import re
import resource
import select
import signal
import subprocess
import time

DEADLINE_S = 120
LINE = re.compile(r"^work=(\S+) params=(\S+) value=(\S+) unit=(\S+) better=(higher|lower)\s*$")
READY = re.compile(r"^ready params=(\S+)")
SETTLE_S = 1.0


class Failed(Exception):
    pass


def tree_of(pid):
    """The process and all below it."""
    pids = [pid]
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                for child in file.read().split():
                    pids += tree_of(int(child))
    except OSError:
        pass
    return pids


def resident(pid):
    """Resident bytes of a process and all below it; shared pages count in each."""
    total = 0
    for each in tree_of(pid):
        try:
            with open(f"/proc/{each}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            pass
    return total


def activity(pid):
    """(CPU milliseconds, voluntary context switches) of all threads of a process and all below it."""
    ran, switches = 0, 0
    for each in tree_of(pid):
        for thread in os.listdir(f"/proc/{each}/task"):
            base = f"/proc/{each}/task/{thread}"
            with open(f"{base}/schedstat") as file:
                ran += int(file.read().split()[0])
            with open(f"{base}/status") as file:
                switches += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
    return ran / 1e6, switches


def proportional(pid):
    """Bytes of memory of a process and all below it, a page that several share divided among them."""
    total = 0
    for each in tree_of(pid):
        with open(f"/proc/{each}/smaps_rollup") as file:
            total += 1024 * int(re.search(r"^Pss:\s*(\d+)", file.read(), re.M).group(1))
    return total


def start(command, environment):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, env={**os.environ, **environment})


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_once(command, environment):
    """([(params, value, unit, better)], CPU seconds, peak of resident bytes) of the program and its
    children. Programs print little: their output fits into the pipes."""
    process = start(command, environment)
    peak, began = 0, time.monotonic()
    try:
        while True:
            peak = max(peak, resident(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() - began > DEADLINE_S:
                kill_group(process)
            time.sleep(0.005 if time.monotonic() - began < 0.1 else 0.05)
    except BaseException:  # interrupted: the program has a session of its own and would go on
        kill_group(process)
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    out, err = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    lines = [LINE.match(line) for line in out.splitlines()]
    lines = [line.groups()[1:] for line in lines if line]
    if process.returncode != 0 or not lines:
        last = (err.strip().splitlines() or ["no output"])[-1]
        raise Failed(f"exit {process.returncode}: {last}")
    # A child that was waited for counts in its parent's usage.
    return lines, usage.ru_utime + usage.ru_stime, peak


def await_ready(process):
    readable, _, _ = select.select([process.stdout], [], [], DEADLINE_S)
    line = process.stdout.readline() if readable else ""
    found = READY.match(line)
    if not found:
        raise Failed("never ready")
    return found.group(1)


def run_idle(command, environment, seconds):
    """The same for a program that is ready and then idles: what it did in so many seconds."""
    process = start(command, environment)
    try:
        params = await_ready(process)
        time.sleep(SETTLE_S)
        cpu, switches = activity(process.pid)
        time.sleep(seconds)
        cpu_after, switches_after = activity(process.pid)
        peak, memory = resident(process.pid), proportional(process.pid)
        process.terminate()
        process.wait(15)
    finally:
        kill_group(process)
        process.communicate()
    spent = cpu_after - cpu
    rows = [(f"metric:cpu,{params},seconds:{seconds}", str(spent), "ms", "lower"),
            (f"metric:switches,{params},seconds:{seconds}", str(switches_after - switches), "count", "lower")]
    many = re.search(r"processes:(\d+)", params)
    if many:
        rows.append((f"metric:memory,{params}", str(memory / int(many.group(1)) / 1024), "KiB", "lower"))
    return rows, spent / 1000, peak


def machine_busy():
    """CPU seconds that all of the machine has been busy with, stolen time included."""
    with open("/proc/stat") as file:
        fields = [int(word) for word in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Others:
    """How many cores everything but this program and what it ran has used since."""

    def __init__(self):
        self.began, self.busy, self.own = time.monotonic(), machine_busy(), self.own_cpu()

    @staticmethod
    def own_cpu():
        return sum(u.ru_utime + u.ru_stime for u in (resource.getrusage(resource.RUSAGE_SELF),
                                                     resource.getrusage(resource.RUSAGE_CHILDREN)))

    def cores(self):
        elapsed = time.monotonic() - self.began
        spent = machine_busy() - self.busy - (self.own_cpu() - self.own)
        return round(max(0.0, spent / elapsed), 2) if elapsed > 0 else 0.0
