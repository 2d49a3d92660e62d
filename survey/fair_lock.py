"""A lock that goes to whoever has waited longest."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """Let one thread after the other in, in the order in which they came.

    SQLite lets those who wait ask again and again, ever more seldom, so that whoever has
    waited long waits still longer. Any thread may release it.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, seconds: float) -> bool:
        """Wait for one's turn; return False if it has not come after so many seconds."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(seconds):
            return True
        with self._mutex:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Let in whoever has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
