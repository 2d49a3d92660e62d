"""Starts what tests talk to: the program, a module that answers JSON, a server, threads."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from survey.config import PREFIX, Settings
from survey.server import Server

PROGRAM = Path(sys.executable).with_name("preview360")
GUNICORN = (PROGRAM.with_name("gunicorn"), "--config", "python:survey.gunicorn")
Process = subprocess.Popen[bytes]


@contextmanager
def launched(module: str, *arguments: str) -> Iterator[Callable[..., Any]]:
    """Start a module; give what sends it an order and returns its answer."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    orders, answers = process.stdin, process.stdout

    def order(**what: Any) -> Any:
        orders.write(json.dumps(what) + "\n")
        orders.flush()
        return json.loads(answers.readline())

    yield order
    orders.close()
    process.wait()
    answers.close()


def at_once(acts: Iterable[Callable[[], object]]) -> None:
    """Do all acts at the same moment, each in a thread; return when the last one is done."""
    acts = list(acts)
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        ready.wait()
        act()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """What a process is told so that it runs the installation of these settings."""
    told = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    return {"PATH": os.environ["PATH"], **told, **more}


@contextmanager
def running(command: Sequence[str | Path], port: int, **more: Any) -> Iterator[Process]:
    """Start a server that listens on a port, and stop it in the end."""
    process = subprocess.Popen(command, **more)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()


def wait_for(port: int, process: Process) -> None:
    """Return once something listens there."""
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "the server has ended"
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on port {port}")


@contextmanager
def answering(server: Server) -> Iterator[None]:
    """Let a server answer in a thread."""
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(timeout=30)
        assert not thread.is_alive(), "the server goes on"
