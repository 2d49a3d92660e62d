"""Starts a module that answers lines of JSON, and forks for each of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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
