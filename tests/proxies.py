"""nginx and Caddy in front of servers: as `deploy/` sets them up, and as they usually are."""

from __future__ import annotations

import getpass
import ipaddress
import shutil
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from survey.clock import utc_now
from survey.demo.catcher import free_port
from tests.launching import Process, running

ROOT = Path(__file__).parent.parent
HOST = "localhost"
# What the package of the system says around a site.
NGINX = """
user {user};
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies 1 2;
    proxy_temp_path {folder}/answers 1 2;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""
USUAL_NGINX = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate;
    ssl_certificate_key {folder}/key;
    location / {{
        proxy_pass {server};
        proxy_set_header Host $host;
    }}
}}
"""
USUAL_CADDY = """
{{
	admin unix/{folder}/admin
}}
https://localhost:{port} {{
	bind 127.0.0.1
	tls {folder}/certificate {folder}/key
	log
	reverse_proxy {server}
}}
"""


class Proxy:
    """A running proxy."""

    def __init__(self, process: Process, folder: Path, port: int) -> None:
        self.process, self.folder, self.port = process, folder, port
        self.url = f"https://{HOST}:{port}"
        self.trust = ssl.create_default_context(cafile=str(folder / "certificate"))

    def written(self) -> bytes:
        """Return what stands on the disk now: in its files, and in those that have no name."""
        content = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        for process in (self.process.pid, *_children(self.process.pid)):
            for file in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    if file.is_file():
                        content.append(file.read_bytes())
        return b"\n".join(content)


def nginx(folder: Path, port: int, servers: Sequence[str], *, usual: bool) -> list[str]:
    """Return the command of an nginx that passes requests on to these servers."""
    if usual:
        site = USUAL_NGINX.format(folder=folder, port=port, server=servers[0])
    else:
        plain = free_port()
        site = _changed(
            "nginx.conf",
            {
                "/etc/ssl/feedback.example.org.pem": f"{folder}/certificate",
                "/etc/ssl/private/feedback.example.org.key": f"{folder}/key",
                "server_name feedback.example.org": f"server_name {HOST}",
                "listen 80;": f"listen 127.0.0.1:{plain};",
                "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
                "    listen [::]:80;\n": "",
                "    listen [::]:443 ssl http2;\n": "",
                "server 127.0.0.1:8360;": "".join(
                    f"server {server.removeprefix('http://')};" for server in servers
                ),
            },
        )
    (folder / "nginx.conf").write_text(
        NGINX.format(folder=folder, site=site, user=getpass.getuser())
    )
    return [_program("nginx"), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]


def caddy(folder: Path, port: int, servers: Sequence[str], *, usual: bool) -> list[str]:
    """Return the command of a Caddy that passes requests on to these servers."""
    if usual:
        site = USUAL_CADDY.format(folder=folder, port=port, server=servers[0])
    else:
        site = _changed(
            "Caddyfile",
            {
                "\nfeedback.example.org {": f"\nhttps://{HOST}:{port} {{\n\tbind 127.0.0.1\n"
                f"\ttls {folder}/certificate {folder}/key",
                "unix//var/lib/caddy/admin.sock": f"unix/{folder}/admin",
                "127.0.0.1:8360": " ".join(servers),
            },
        )
    (folder / "Caddyfile").write_text(site)
    return [_program("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


@contextmanager
def in_front_of(kind: str, servers: Sequence[str], *, usual: bool = False) -> Iterator[Proxy]:
    """Put a proxy in front of servers, and let it say what it says into files of a folder."""
    # Not pytest's own, whose name is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="proxy-"))
    port = free_port()
    _certify(folder)
    command = {"nginx": nginx, "caddy": caddy}[kind](folder, port, servers, usual=usual)
    with (folder / "said").open("wb") as said:
        home = {"XDG_DATA_HOME": f"{folder}/data", "XDG_CONFIG_HOME": f"{folder}/config"}
        try:
            with running(command, port, env=home, stdout=said, stderr=said) as process:
                yield Proxy(process, folder, port)
        finally:
            shutil.rmtree(folder)


def _program(name: str) -> str:
    unpacked = [str(each) for each in ROOT.glob(f".servers/{name}/usr/*bin/{name}")]
    for found in (shutil.which(name), shutil.which(name, path="/usr/sbin"), *unpacked):
        if found:
            return found
    raise FileNotFoundError(f"{name} is not there; `.ci/setup test` fetches it")


def _changed(name: str, changes: dict[str, str]) -> str:
    """Return a file of `deploy/`, with what an administrator puts in instead of the examples."""
    text = (ROOT / "deploy" / name).read_text()
    for example, own in changes.items():
        assert example in text, f"{name} does not say: {example}"
        text = text.replace(example, own)
    return text


def _certify(folder: Path) -> None:
    """Make a certificate for this machine that only our own clients trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate").write_bytes(certificate.public_bytes(pem))
    unlocked = serialization.NoEncryption()
    written = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unlocked)
    (folder / "key").write_bytes(written)


def _children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if each.read_text().rpartition(")")[2].split()[1] == str(process):
                found.append(int(each.parent.name))
    return found
