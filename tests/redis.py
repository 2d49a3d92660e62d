"""A Redis server of the tests' own, from the system's packages, on a free port."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as Unreachable

from survey.demo.catcher import free_port


class RedisServer:
    """A server that keeps everything in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("Redis is not installed: apt-get install redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [program, *options], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        for _ in range(500):
            try:
                self.client().ping()
                return
            except Unreachable:
                time.sleep(0.02)
        raise AssertionError("the server did not start")

    def client(self) -> Redis:
        return Redis(port=self.port)

    def stop(self) -> None:
        """End the server."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
