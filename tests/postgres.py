"""A PostgreSQL server of the tests' own, from the system's packages, on a free port."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import make_url

SETTINGS = """
fsync = off
max_connections = 60
autovacuum = off
wal_keep_size = 1GB
"""
# The server refuses to run as root; Debian's package brings this user along.
SERVICE_USER = "postgres"


class Cluster:
    """A database cluster in a folder of its own; `stop` ends it and removes everything.

    `more` is added to its settings.
    """

    def __init__(self, more: str = "") -> None:
        self.more = more
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="preview360-postgresql-"))
        self.data = self.folder / "data"
        self.port = 0
        self.password = secrets.token_urlsafe(16)
        self.user = SERVICE_USER if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name

    def start(self) -> None:
        """Make the cluster and start its server."""
        phrase = self.folder / "password"
        phrase.write_text(self.password)
        if os.getuid() == 0:
            for path in (self.folder, phrase):
                shutil.chown(path, self.user, self.user)
        self._run("initdb", "-A", "scram-sha-256", f"--pwfile={phrase}", "-E", "UTF8", "-N")
        self.port = _free_port()
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS + self.more)
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n")
            settings.write(f"unix_socket_directories = '{self.folder}'\n")
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """Stop the server and remove the cluster."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-s")
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        account = f"{self.user}:{self.password}"
        return f"postgresql+psycopg://{account}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database, a copy of another one if named, and return its URL."""
        self._client("createdb", "-T", template, database)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database and end whatever is still connected to it."""
        self._client("dropdb", "--force", database)

    def dump(self, url: str) -> str:
        """Return the text that pg_dump writes of a database."""
        return self._client("pg_dump", make_url(url).database or "").decode()

    def _client(self, program: str, *arguments: str) -> bytes:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", self.user]
        environment = {**os.environ, "PGPASSWORD": self.password}
        return _checked([str(self.bin / program), *where, *arguments], env=environment)

    def _run(self, program: str, *arguments: str) -> None:
        as_user = {"user": self.user, "group": self.user} if os.getuid() == 0 else {}
        _checked(
            [str(self.bin / program), "-D", str(self.data), *arguments],
            cwd=self.folder,
            **as_user,
        )


def programs() -> Path:
    """Return the folder of the server's programs; Debian keeps it off the path."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    found = str(newest[-1]) if newest else shutil.which("initdb")
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return Path(found).resolve().parent


def _version(initdb: Path) -> int:
    return int(initdb.parent.parent.name)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _checked(command: list[str], **options) -> bytes:
    """Run a program and return what it printed; what it complains about is the error."""
    # A server that goes on would keep a pipe open for ever.
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        code = subprocess.run(
            command, stdout=printed, stderr=said, check=False, **options
        ).returncode
        printed.seek(0)
        said.seek(0)
        if code:
            raise RuntimeError(f"{' '.join(command)}: {said.read().decode()}")
        return printed.read()
