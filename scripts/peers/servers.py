"""The servers that are measured against: nginx and lighttpd, started here, on loopback, in a folder of their own."""

import hashlib
import os
import resource
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from .counters import end
from .problem import Problem

# What is fetched: a small file of the size a phone fetches. What is uploaded: a small backup.
FILE_OCTETS = 1024
BODY_OCTETS = 2000
USER = PASSWORD = "bench"
REALM = "bare"

# One suite and one group, so that every client does the same sums.
SUITE = "TLS_AES_256_GCM_SHA384"
GROUP = "X25519"

# A port for each kind of work, by its place after the first port.
_KINDS = ("plain", "tls", "handshake", "held", "claims-tls", "claims-handshake", "tickets", "stranger", "status", "put")

# Each client has an address of its own to talk to, so that no one's closed connections use up another's ports.
ADDRESSES = 12


def address(client):
    return f"127.0.0.{client + 1}"


class Servers:
    """Both, on one processor. Use it as a context: they are ended with it."""

    def __init__(self, folder, first_port, cpu, connections):
        self.folder, self.first_port, self.cpu = Path(folder), first_port, cpu
        self.connections = connections
        self.ca = self.folder / "ca.pem"
        self._running = []

    def __enter__(self):
        for program in ("nginx", "lighttpd"):
            if not shutil.which(program):
                raise Problem(f"{program} is missing: scripts/install-servers installs it")
        try:
            self._free_ports()
            self._content()
            self._certificates()
            self._start("nginx", ["-p", str(self.folder), "-c", "nginx.conf", "-e", "stderr"], self._nginx())
            self._start("lighttpd", ["-D", "-f", str(self.folder / "lighttpd.conf")], self._lighttpd())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for _, child, _ in self._running:
            end(child)
        self._running.clear()

    def port(self, kind):
        return self.first_port + _KINDS.index(kind)

    def url(self, kind, client, path="/file.txt"):
        scheme = "http" if kind in ("plain", "put") else "https"
        host = address(0 if kind == "put" else client)
        return f"{scheme}://{host}:{self.port(kind)}{path}"

    def versions(self):
        nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        lighttpd = subprocess.run(["lighttpd", "-v"], capture_output=True, text=True, check=True).stdout
        return {"nginx": nginx.split("/")[1].split()[0], "lighttpd": lighttpd.split("/")[1].split()[0]}

    def in_use(self, loop):
        """How many connections nginx is writing an answer to, or, in a closed loop, has at all; without the one that
        asks."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port('status')}/", timeout=10) as answer:
            word = b"connections:" if loop else b"Writing:"
            return int(answer.read().split(word)[1].split()[0]) - 1

    def log(self, kind):
        """The lines logged since the last call: as many fields each as the format in the configuration has."""
        path = self.folder / ("put/put.log" if kind == "put" else f"{kind}.log")
        lines = path.read_text().splitlines() if path.exists() else []
        os.truncate(path, 0) if path.exists() else None
        return [line.split("|") for line in lines]

    def _free_ports(self):
        for kind in _KINDS:
            for client in range(ADDRESSES):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind((address(client), self.port(kind)))
                    except OSError as error:
                        raise Problem(
                            f"port {self.port(kind)} of {address(client)} cannot be had ({error.strerror}): "
                            f"name another first port with --port; {len(_KINDS)} in a row are needed") from None

    def _content(self):
        site = self.folder / "site"
        (site / "backup").mkdir(parents=True)
        (self.folder / "put").mkdir()
        # A folder of trusted certificates with none in it.
        (self.folder / "no-others").mkdir()
        (site / "file.txt").write_bytes(b"x" * FILE_OCTETS)
        (self.folder / "body").write_bytes(b"x" * BODY_OCTETS)
        secret = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
        (self.folder / "accounts").write_text(f"{USER}:{REALM}:{secret}\n")
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            for folder in (site / "backup", self.folder / "put"):
                shutil.chown(folder, "nobody")

    def _certificates(self):
        """A CA and its server's certificate, ECDSA P-256; and another's, whom nobody trusts."""
        names = ",".join(f"IP:{address(client)}" for client in range(ADDRESSES)) + ",DNS:localhost"
        (self.folder / "names").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for ca, server in (("ca", "server"), ("other-ca", "stranger")):
            self._openssl("req", "-x509", *new_key, "-days", "2", "-subj", f"/CN={ca}", "-keyout", f"{ca}.key",
                          "-out", f"{ca}.pem")
            self._openssl("req", *new_key, "-subj", f"/CN={server}", "-keyout", f"{server}.key", "-out", f"{server}.csr")
            self._openssl("x509", "-req", "-days", "2", "-in", f"{server}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                          "-CAcreateserial", "-extfile", "names", "-out", f"{server}.pem")

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"openssl {args[0]}: {done.stderr.strip()}")

    def _start(self, program, args, configuration):
        (self.folder / f"{program}.conf").write_text(configuration)
        said = self.folder / f"{program}.said"
        with said.open("w") as out:
            child = subprocess.Popen(["taskset", "-c", str(self.cpu), program, *args], stdin=subprocess.DEVNULL,
                                     stdout=out, stderr=out, start_new_session=True)
        self._running.append((program, child, said))
        port = self.port("status" if program == "nginx" else "put")
        for _ in range(200):
            if child.poll() is not None:
                raise Problem(f"{program} did not start: {said.read_text().strip()[-1000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Problem(f"{program} does not answer on port {port}")

    def _nginx(self):
        def listens(kind, ssl=True):
            options = " ssl" if ssl else ""
            return "".join(f"listen {address(c)}:{self.port(kind)}{options} backlog=16384;\n" for c in range(ADDRESSES))

        full_only = "ssl_session_tickets off; ssl_session_cache off;"
        sites = [
            listens("plain", ssl=False),
            listens("tls") + full_only,
            listens("handshake") + full_only + "keepalive_timeout 0;",
            # An octet a second: the connection stays in use until its client is ended.
            listens("held") + full_only + "limit_rate 1;",
            listens("claims-tls") + full_only + self._logged("claims-tls"),
            listens("claims-handshake") + full_only + "keepalive_timeout 0;" + self._logged("claims-handshake"),
            listens("tickets") + "ssl_session_tickets on; keepalive_timeout 0;" + self._logged("tickets"),
            listens("stranger") + full_only + "ssl_certificate stranger.pem; ssl_certificate_key stranger.key;"
            + self._logged("stranger"),
            f"listen 127.0.0.1:{self.port('status')}; location / {{ stub_status; }}",
        ]
        scratch = "".join(f"{kind}_temp_path scratch;\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
daemon off;
worker_processes 1;
pid nginx.pid;
worker_rlimit_nofile {self.connections + 900};
events {{ worker_connections {self.connections + 500}; }}
http {{
    {scratch}
    access_log off;
    log_format claims '$connection|$ssl_session_reused|$ssl_protocol|$ssl_cipher|$ssl_curve|$status';
    default_type text/plain;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    open_file_cache max=16;
    root site;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {SUITE};
    ssl_ecdh_curve {GROUP};
    {"".join(f"server {{ {site} }}" for site in sites)}
}}
"""

    def _logged(self, kind):
        return f"access_log {kind}.log claims;"

    def _lighttpd(self):
        user = 'server.username = "nobody"\nserver.groupname = "nogroup"' if os.geteuid() == 0 else ""
        return f"""
server.modules = ( "mod_auth", "mod_authn_file", "mod_accesslog", "mod_webdav" )
server.bind = "{address(0)}"
server.port = {self.port('put')}
server.document-root = "{self.folder}/site"
server.pid-file = "{self.folder}/lighttpd.pid"
server.errorlog = "{self.folder}/put/error.log"
server.upload-dirs = ( "{self.folder}/put" )
server.listen-backlog = 1024
server.max-connections = 1024
server.max-keep-alive-requests = 60000
server.max-keep-alive-idle = 60
accesslog.filename = "{self.folder}/put/put.log"
accesslog.format = "%>s"
{user}
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{self.folder}/accounts"
$HTTP["url"] =~ "^/backup/" {{
    webdav.activate = "enable"
    auth.require = ( "" => (
        "method" => "digest",
        "algorithm" => "MD5",
        "realm" => "{REALM}",
        "require" => "valid-user"
    ) )
}}
"""


def room_for(connections):
    """Raises the limit of open files for so many, here and in what is started from here."""
    wanted = connections + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        raise Problem(f"{connections} connections take {wanted} open files, and this machine allows {hard}: "
                      f"raise that (ulimit -n), or say --connections {hard - 1000}") from None
