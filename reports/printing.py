"""Prints previews in a process of its own, with little memory, little time and no network.

What people typed is laid out by a large library; whatever it does there, it cannot
do in the process that serves pages. The process is kept for the next preview and
ends with the one that started it.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from reports.layout import Page, lay_out, style_sheets

DONE, FAILED = b"D", b"F"
LENGTH_BYTES = 8
# What would reach out of the process; names of Python's audit events.
REFUSED = (
    *("socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn"),
    *("os.remove", "os.rename", "os.truncate", "os.rmdir", "os.link", "os.symlink", "os.chmod"),
)
WRITING = os.O_WRONLY | os.O_RDWR


class PrintFailed(Exception):
    """A preview could not be printed within its limits."""


@dataclass(frozen=True)
class Limits:
    """What printing may take: seconds and bytes of address space; documents before a new process.

    The layout library keeps a few kilobytes of each document.
    """

    seconds: float = 60
    memory: int = 1024**3
    documents: int = 100


class Printer:
    """Prints previews, one after the other."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[Any, Printer] | None = None
        self._turn = threading.Lock()
        self._documents = 0

    def print(self, html: str, page: Page = "a4") -> bytes:
        """Return an HTML document as a PDF. Raises PrintFailed."""
        order = {"html": html, "page": page}
        with self._turn:
            try:
                return self._printed(json.dumps(order).encode())
            except PrintFailed:
                self._end()
                raise

    def close(self) -> None:
        """End the process, if there is one."""
        with self._turn:
            self._end()

    def _printed(self, order: bytes) -> bytes:
        process = self._running()
        self._documents += 1
        until = time.monotonic() + self.limits.seconds
        # Also a process that neither reads nor answers ends in time.
        timer = threading.Timer(self.limits.seconds, process.kill)
        timer.start()
        try:
            _write(_pipe(process.stdin), order)
            answer = _read(_pipe(process.stdout))
        except (BrokenPipeError, EOFError):
            late = time.monotonic() >= until
            reason = "it took longer than it may" if late else "it needed more memory than it may"
            raise PrintFailed(reason) from None
        finally:
            timer.cancel()
        if answer[:1] != DONE:
            raise PrintFailed(answer[1:].decode())
        return answer[1:]

    def _running(self) -> subprocess.Popen[bytes]:
        done = self._documents >= self.limits.documents
        if done or self._process is None or self._process.poll() is not None:
            self._end()
            self._documents = 0
            scratch = tempfile.TemporaryDirectory(prefix="preview360-printing-")
            self._process = subprocess.Popen(  # noqa: S603 - our own module, and a number
                [sys.executable, "-m", "reports.printing", str(self.limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Nothing that people typed may reach a log.
                stderr=subprocess.DEVNULL,
                env={
                    "PATH": "/usr/bin:/bin",
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    "TMPDIR": scratch.name,
                },
            )
            # Also when the printer is forgotten, or the program ends.
            self._stop = weakref.finalize(self, _stop, self._process, scratch)
        return self._process

    def _end(self) -> None:
        if self._stop is not None:
            self._stop()
        self._process = self._stop = None


def _stop(process: subprocess.Popen[bytes], scratch: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            _pipe(pipe).close()
    scratch.cleanup()


def _pipe(pipe: Any) -> BinaryIO:
    return pipe  # type: ignore[no-any-return]


def _write(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(LENGTH_BYTES, "big") + message)
    pipe.flush()


def _read(pipe: BinaryIO) -> bytes:
    """Return one message. Raises EOFError if the other side has ended."""
    length = pipe.read(LENGTH_BYTES)
    message = pipe.read(int.from_bytes(length, "big"))
    if len(length) < LENGTH_BYTES or len(message) < int.from_bytes(length, "big"):
        raise EOFError
    return message


def serve(memory: int) -> None:
    """Print what is ordered on standard input, until there is no more."""
    # The last time that anything is written.
    style_sheets("a4")
    # Garbage is looked for after each document, not while one is made, when nearly all is still
    # needed; what stays for good is not looked through again.
    gc.collect()
    gc.freeze()
    gc.disable()
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    # Whatever a library prints must not get between the answers.
    sys.stdout = sys.stderr
    confine(memory)
    while True:
        try:
            order = json.loads(_read(orders))
        except EOFError:
            return
        try:
            answer = DONE + lay_out(**order)
        except MemoryError:
            answer = FAILED + b"it needed more memory than it may"
        except Exception as error:
            answer = FAILED + f"it could not be laid out ({type(error).__name__})".encode()
        _write(answers, answer)
        # Boxes refer to one another in circles; left for later they would pile up.
        gc.collect()


def confine(memory: int) -> None:
    """Give up what printing does not need: much memory, changing files, network, programs.

    Files can still be read. What Python's audit events do not see is held by the kernel's limits
    only: no file can grow.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if writes or event.startswith(REFUSED):
            raise PermissionError(f"{event} is not done while printing")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
