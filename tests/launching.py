"""Starts what tests talk to: the program, a module that answers JSON, a server, threads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from waitress import wasyncore

PROGRAM = Path(sys.executable).with_name("preview360")


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


@contextmanager
def answering(server: Any) -> Iterator[None]:
    """Let a server answer in a thread; that thread itself closes what it listens to.

    Closed by another one, a file may be gone while it waits for it.
    """
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.task_dispatcher.shutdown()
        with suppress(OSError):
            # Gone already where the loop has ended by itself, which the join then sees.
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(timeout=30)
        assert not thread.is_alive(), "the server goes on"
