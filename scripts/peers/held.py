"""Memory of connections held open: resident octets for each, from two numbers of them."""

import subprocess
import time
from pathlib import Path

from .counters import end
from .problem import Problem
from .tools import environment


def resident(pid):
    """Resident octets of a process and all it started."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    octets, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        octets += sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
    return octets


def hold(tool, work, servers, cpu, limit):
    """Resident octets of the program while it has all its connections open and in use."""
    command = tool.command(work, work.connections)
    with subprocess.Popen(["taskset", "-c", str(cpu), *command.words], env=environment(command, work),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as child:
        try:
            began, steady = time.monotonic(), 0
            while steady < 3:
                time.sleep(0.5)
                if child.poll() is not None:
                    raise Problem(f"{tool.name} ended with status {child.returncode} instead of holding its connections")
                if time.monotonic() - began > limit:
                    had = servers.in_use(tool.held_in_loop)
                    raise Problem(f"{tool.name} had {had} connections after {limit} s, not {work.connections}")
                # Connected is not enough: the handshake is over when nginx answers.
                steady = steady + 1 if servers.in_use(tool.held_in_loop) >= work.connections else 0
            octets = resident(child.pid)
        finally:
            end(child)
    # The next one counts from none.
    for _ in range(100):
        if servers.in_use(tool.held_in_loop) <= 0:
            break
        time.sleep(0.1)
    return octets


def per_connection(few, many):
    """Octets for each connection, from (connections, octets) of a few and of many."""
    return (many[1] - few[1]) / (many[0] - few[0])
