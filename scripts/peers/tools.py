"""The programs that are measured: for each kind of work, the command that does it, and the exchanges it then made."""

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .problem import Problem
from .servers import BODY_OCTETS, PASSWORD, USER

HERE = Path(__file__).resolve().parent

# Connections in use at once, for every program alike.
CONNECTIONS = 16


@dataclass(frozen=True)
class Work:
    """What is asked of a program: `get` over a kept connection, `handshake` before each of them, `put` with Digest, or
    `held`: one slow GET on each of so many connections."""

    kind: str
    url: str
    ca: Path | None
    body: Path
    connections: int = CONNECTIONS


@dataclass(frozen=True)
class Command:
    """A command line, and how to read what it says: the exchanges that went well; a Problem if any did not."""

    words: list
    exchanges: object
    env: dict = field(default_factory=dict)


class Tool:
    """A program. `name` stands in the tables; `short` and `long` are its two sizes for each kind of work: exchanges,
    or seconds where it only knows durations. `rounds` bounds how often it is asked: far-off figures need few."""

    name = ""
    client = 0
    rounds = None
    kinds = ("get", "handshake", "held")
    sizes = {"get": (5_000, 35_000), "handshake": (200, 1_200), "put": (1_000, 8_000)}
    # Connections at most that it can be asked to hold.
    most_held = None
    # Whether it opens its connections only as answers come, so that they are held in a closed loop, not in an answer.
    held_in_loop = False

    def __init__(self, program):
        self.program = str(program)

    def version_command(self):
        return [self.program, "--version"]

    def command(self, work, size):
        raise NotImplementedError


def _number(pattern, text, name):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise Problem(f"{name} did not say what was looked for ({pattern}): {text[-500:]}")
    return int(found.group(1))


def _none(pattern, text, name):
    found = re.search(pattern, text, re.MULTILINE)
    if found:
        raise Problem(f"{name}: {found.group(0)}")


class Wrk(Tool):
    """Knows durations only; takes a connection for each exchange when the server closes them."""

    name, client = "wrk", 2
    sizes = dict.fromkeys(("get", "handshake"), (1, 3))

    def version_command(self):
        return [self.program, "-v"]

    def command(self, work, size):
        duration = 600 if work.kind == "held" else size

        def exchanges(said):
            _none(r"Non-2xx.*", said, self.name)
            _none(r"connect [1-9].*", said, self.name)
            return _number(r"(\d+) requests in", said, self.name)

        return Command([self.program, "-t1", f"-c{work.connections}", f"-d{duration}s", "--timeout", "600s", work.url], exchanges)


class H2load(Tool):
    """HTTP/1.1 on request; takes a new connection when the server closed one."""

    name, client = "h2load", 3

    def command(self, work, size):
        def exchanges(said):
            _none(r"[1-9]\d* failed", said, self.name)
            return _number(r"(\d+) 2xx", said, self.name)

        return Command([self.program, "--h1", "-t1", f"-c{work.connections}", f"-n{size}", work.url], exchanges)


class Ab(Tool):
    """Kept connections on request (-k)."""

    name, client = "ab", 4
    most_held = 20_000
    held_in_loop = True

    def version_command(self):
        return [self.program, "-V"]

    def command(self, work, size):
        kept = [] if work.kind == "handshake" else ["-k"]
        # While it holds connections it is ended long before it is through.
        size = 1_000_000 if work.kind == "held" else size

        def exchanges(said):
            _none(r"Failed requests:\s+[1-9].*", said, self.name)
            _none(r"Non-2xx responses:.*", said, self.name)
            return _number(r"Complete requests:\s+(\d+)", said, self.name)

        words = [self.program, "-q", *kept, "-s", "600", "-c", str(work.connections), "-n", str(size), work.url]
        return Command(words, exchanges)


class Oha(Tool):
    """rustls; resumes sessions when the server lets it."""

    name, client = "oha", 5

    def command(self, work, size):
        words = [self.program, "--no-tui", "--output-format", "json", "-c", str(work.connections), "-n", str(size)]
        words += ["--disable-keepalive"] if work.kind == "handshake" else []
        words += ["--cacert", str(work.ca)] if work.ca else []

        def exchanges(said):
            told = json.loads(said)
            other = {k: v for k, v in told["statusCodeDistribution"].items() if k != "200"} | told["errorDistribution"]
            if other:
                raise Problem(f"oha: {other}")
            return told["statusCodeDistribution"].get("200", 0)

        return Command([*words, work.url], exchanges)


class Hey(Tool):
    """Go's net/http."""

    name, client = "hey", 6
    rounds = 3
    sizes = {"get": (1_600, 12_800), "handshake": (160, 1_120)}

    def version_command(self):
        return []

    def command(self, work, size):
        words = [self.program, "-cpus", "1", "-t", "0", "-c", str(work.connections), "-n", str(size)]
        words += ["-disable-keepalive"] if work.kind == "handshake" else []

        def exchanges(said):
            _none(r"Error distribution:(?s:.*)", said, self.name)
            return _number(r"\[200\]\s+(\d+) responses", said, self.name)

        return Command([*words, work.url], exchanges)


class K6(Tool):
    """A JavaScript engine for each virtual user."""

    name, client = "k6", 7
    rounds = 3
    kinds = ("get", "handshake", "put", "held")
    sizes = {"get": (800, 5_600), "handshake": (100, 800), "put": (320, 2_000)}
    most_held = 200

    def command(self, work, size):
        url = work.url.replace("://", f"://{USER}:{PASSWORD}@") + "k6-" if work.kind == "put" else work.url
        env = {"URL": url, "USERS": str(work.connections), "EXCHANGES": str(size), "GOMAXPROCS": "1",
               "K6_NO_USAGE_REPORT": "true"}
        env |= {"ANEW": "1"} if work.kind == "handshake" else {}
        env |= {"BODY": str(work.body)} if work.kind == "put" else {}
        return Command([self.program, "run", "--quiet", "--no-usage-report", str(HERE / "k6.js")],
                       lambda said: _number(r"iterations (\d+)", said, self.name), env)


class Locust(Tool):
    """Python's `requests` in green threads."""

    name, client = "locust", 8
    rounds = 3
    kinds = ("get", "put")
    sizes = {"get": (200, 1_000), "put": (200, 1_000)}

    def command(self, work, size):
        env = {"URL": work.url + ("locust-" if work.kind == "put" else ""), "EXCHANGES": str(size)}
        env |= {"CA": str(work.ca)} if work.ca else {}
        env |= {"BODY": str(work.body), "USER_NAME": USER, "PASSWORD": PASSWORD} if work.kind == "put" else {}
        words = [self.program, "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary", "--loglevel", "ERROR",
                 "-u", str(work.connections), "-r", str(work.connections)]
        return Command(words, lambda said: _number(r"done (\d+) failed 0$", said, self.name), env)


class Curl(Tool):
    """One connection, one after another."""

    name, client = "curl", 9
    rounds = 3
    kinds = ("put",)
    sizes = {"put": (300, 1_800)}

    def command(self, work, size):
        words = [self.program, "-sS", "-o", "/dev/null", "-w", "%{http_code}\\n", "--digest", "-u", f"{USER}:{PASSWORD}",
                 "-T", str(work.body), f"{work.url}curl-[1-{size}].txt"]

        def exchanges(said):
            return len(re.findall(r"^20[014]$", said, re.MULTILINE))

        return Command(words, exchanges)


class Bare(Tool):
    """The loop of benches/bare: hyper and rustls with nothing built on them, the chain verified."""

    name, client = "bare loop", 1
    kinds = ("get", "handshake", "put", "held")

    def version_command(self):
        return []

    def command(self, work, size):
        scheme, host, path = re.fullmatch(r"(https?)://([^/]+)(/.*)", work.url).groups()
        mode = {"handshake": "handshake", "put": "digest-put"}.get(work.kind, "tls" if scheme == "https" else "plain")
        words = [self.program, mode, host, path, "--connections", str(work.connections), "--exchanges", str(size)]
        words += ["--ca", str(work.ca)] if work.ca else []
        words += ["--user", USER, "--password", PASSWORD, "--body", str(BODY_OCTETS)] if work.kind == "put" else []
        # It ends with another status if a single exchange went wrong.
        return Command(words, lambda _: size)


class Bootstorm(Tool):
    """This program: `run` with whole phones, everything recorded and judged."""

    name, client = "bootstorm", 0
    kinds = ("get", "handshake", "put", "held")
    # Seconds of the run.
    sizes = dict.fromkeys(("get", "handshake", "put"), (1, 3))

    def __init__(self, program, workloads, out):
        super().__init__(program)
        self.workloads, self.out, self.runs = workloads, out, 0

    def command(self, work, size):
        shutil.rmtree(self.out / f"run-{self.runs}", ignore_errors=True)
        self.runs += 1
        out = self.out / f"run-{self.runs}"
        file = {"handshake": "handshake.toml", "put": "digest-put.toml"}.get(work.kind, "get.toml")
        origin = re.match(r"https?://[^/]+", work.url).group(0)
        duration = "600s" if work.kind == "held" else f"{size}s"
        words = [self.program, "run", str(self.workloads / file), "--target", origin, "--phones", str(work.connections),
                 "--shards", "1", "--set", f"run.duration={duration}", "--accept-invalid", "--json", "--out", str(out)]
        words += ["--set", f"target.ca={work.ca}"] if work.ca else []

        def exchanges(said):
            told = json.loads(said)["exchanges"]
            # A 401 is no more than the way to the upload it asks for.
            went = {"200", "201", "204"} | ({"401"} if work.kind == "put" else set())
            if told.get("failed") or not set(told["status"]) <= went:
                raise Problem(f"bootstorm: {told}")
            return sum(n for status, n in told["status"].items() if status != "401")

        return Command(words, exchanges)


def environment(command, work):
    """What a program is started with: ours, less what would send it elsewhere, and the CA for those that look for it
    where OpenSSL and Go do."""
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("BOOTSTORM_")}
    if work.ca:
        env |= {"SSL_CERT_FILE": str(work.ca), "SSL_CERT_DIR": str(work.ca.parent / "no-others")}
    return env | command.env
