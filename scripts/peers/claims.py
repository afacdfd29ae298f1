"""What a table claims of a client, looked up in the servers' own logs: kept connections are kept, handshakes are full,
a stranger's certificate is refused."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from .problem import Problem
from .servers import GROUP, SUITE
from .tools import CONNECTIONS, Bootstorm, Work, Wrk, environment


@dataclass
class Claims:
    """Of one client. What was not looked up is None."""

    # Whether it refuses a server whose CA it was not told to trust.
    verifies: bool | None = None
    # Share of its handshakes that resume when the server hands out tickets and the client is told nothing.
    resumes: float | None = None
    # 401s for each upload that went well.
    challenges: float | None = None
    # What was not as it should be: such figures compare with nothing.
    wrong: list = field(default_factory=list)

    def as_dict(self):
        return asdict(self)


def look_up(tool, kinds, servers, counters, cpu):
    """Runs it a little against servers that log, for these kinds of work."""
    claims = Claims()
    size = 1 if isinstance(tool, (Wrk, Bootstorm)) else 96
    body = servers.folder / "body"

    def run(kind, port, path="/file.txt"):
        servers.log(port)
        work = Work(kind, servers.url(port, tool.client, path), None if port == "put" else servers.ca, body)
        command = tool.command(work, size)
        try:
            _, said = counters.run(command.words, cpu, environment(command, work), limit=60)
            return command.exchanges(said)
        finally:
            time.sleep(0.2)

    def holds(truth, otherwise):
        if not truth:
            claims.wrong.append(otherwise)

    def gets():
        run("get", "claims-tls")
        lines = servers.log("claims-tls")
        connections = len({line[0] for line in lines})
        # One more, for a client that looks first whether anybody is there.
        holds(connections <= CONNECTIONS + 1, f"{len(lines)} kept-alive GETs took {connections} connections")
        _same_tls(lines, holds)
        try:
            run("get", "stranger")
        except Problem:
            # As it should: what counts is whether the server was asked for anything.
            pass
        claims.verifies = not servers.log("stranger")

    def handshakes():
        run("handshake", "claims-handshake")
        lines = servers.log("claims-handshake")
        connections = len({line[0] for line in lines})
        resumed = sum(line[1] == "r" for line in lines)
        holds(connections == len(lines), f"{len(lines)} GETs took {connections} connections, not one each")
        holds(resumed == 0, f"{resumed} of {len(lines)} handshakes were resumed")
        _same_tls(lines, holds)
        run("handshake", "tickets")
        lines = servers.log("tickets")
        claims.resumes = sum(line[1] == "r" for line in lines) / max(len(lines), 1)

    def puts():
        run("put", "put", "/backup/")
        # lighttpd keeps its log back for some seconds.
        time.sleep(6)
        statuses = Counter(line[0] for line in servers.log("put"))
        uploads = statuses["201"] + statuses["204"] + statuses["200"]
        holds(uploads > 0, f"no upload went well: {dict(statuses)}")
        claims.challenges = statuses["401"] / uploads if uploads else None

    for kind, check in (("get", gets), ("handshake", handshakes), ("put", puts)):
        if kind in tool.kinds and kind in kinds:
            try:
                check()
            except Problem as problem:
                claims.wrong.append(f"the check of {kind} failed: {problem}")
    return claims


def _same_tls(lines, holds):
    kinds = {tuple(line[2:5]) for line in lines}
    holds(kinds == {("TLSv1.3", SUITE, GROUP)}, f"TLS was {sorted(kinds)}")
    statuses = {line[5] for line in lines}
    holds(statuses == {"200"}, f"the server answered {sorted(statuses)}")
