"""What a program's run cost its processor: instructions and time, its threads and children included."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass

from .problem import Problem

_EVENTS = ("instructions:u", "instructions:k", "task-clock")


@dataclass(frozen=True)
class Cost:
    """One run. Instructions are None where this machine does not count them."""

    cpu_us: float
    user: int | None
    kernel: int | None

    def less(self, other, exchanges):
        """This cost without the other's, by exchange."""

        def by(long, short):
            return None if long is None or short is None else (long - short) / exchanges

        return Cost(by(self.cpu_us, other.cpu_us), by(self.user, other.user), by(self.kernel, other.kernel))

    @property
    def instructions(self):
        """In the program and in the kernel on its behalf."""
        return None if self.user is None or self.kernel is None else self.user + self.kernel


class Counters:
    """`perf stat` where it works; the system's accounting of processor time where it does not."""

    def __init__(self):
        self.perf = shutil.which("perf")
        self.says = "perf stat"
        if self.perf is None:
            self.says = "user and system time as the system accounts for them; there is no perf"
            return
        cost, _ = self.run(["true"])
        if cost.user is None or cost.kernel is None:
            self.says = "perf stat, which may not count all instructions here (kernel.perf_event_paranoid)"

    def run(self, command, cpu=None, env=None, cwd=None, limit=120):
        """Runs it on this processor, to its end: what it cost, and what it said on stdout.

        It is an error in words if it fails, says nothing of its status, or does not end within `limit` seconds.
        """
        pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
        with tempfile.NamedTemporaryFile("r", prefix="perf-") as counts, tempfile.TemporaryFile("w+") as said:
            perf = [self.perf, "stat", "-x", ",", "-o", counts.name, "-e", ",".join(_EVENTS), "--"] if self.perf else []
            before = os.times()
            child = subprocess.Popen(
                pinned + perf + command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=said, text=True, start_new_session=True)
            try:
                out, _ = child.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                raise Problem(f"`{_shown(command)}` did not end within {limit} s") from None
            finally:
                end(child)
            said.seek(0)
            if child.returncode != 0:
                told = " ".join((said.read() + out).split())[:500]
                raise Problem(f"`{_shown(command)}` ended with status {child.returncode}: {told}")
            after = os.times()
            accounted = (after.children_user + after.children_system - before.children_user - before.children_system)
            return self._read(counts.read(), accounted * 1e6), out

    def _read(self, text, accounted_us):
        """The lines of `perf stat -x ,`: value, unit, event, …"""
        found = {}
        for line in text.splitlines():
            fields = line.split(",")
            if len(fields) > 2 and re.fullmatch(r"[0-9.]+", fields[0]):
                found[fields[2]] = float(fields[0])
        def count(event):
            return int(found[event]) if event in found else None
        clock_ms = found.get("task-clock")
        return Cost(clock_ms * 1000 if clock_ms is not None else accounted_us, count(_EVENTS[0]), count(_EVENTS[1]))


def end(child):
    """Ends a process that this program started in a session of its own, with all it started, and waits for it."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _shown(command):
    return " ".join(os.path.basename(word) if n == 0 else word for n, word in enumerate(command))[:200]
