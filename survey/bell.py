"""The doorbell: wakes a worker, on whatever machine, when there is something to do.

What is to be done stands in rows of the database, and workers look after them by
themselves; a ring only says which task to look after now. One that is lost costs
some seconds.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy.engine import make_url

log = logging.getLogger(__name__)
NAME = "preview360"
# Nobody waits longer for a page because a queue does not answer; longer than workers listen.
SECONDS_TO_ANSWER = 2
# Between two looks at a queue that cannot call.
MOST_SECONDS_BETWEEN = 1.0


class Rings(Serializer):  # type: ignore[misc]
    """Writes a ring as JSON: whoever can write to the queue must not run code of theirs here."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps([data.id, data.name]).encode()

    def _deserialize(self, data: bytes) -> Message:
        number, name = json.loads(data)
        return Message(id=number, name=name, retries=0, retry_delay=0, args=(), kwargs={})


def _shortly(record: logging.LogRecord) -> bool:
    """Say in one line what kind of error the library met: it meets it every second."""
    if record.exc_info and record.exc_info[0]:
        record.msg = f"{record.getMessage()}: {record.exc_info[0].__name__}"
        record.args, record.exc_info = (), None
    return True


logging.getLogger("huey.consumer.Worker").addFilter(_shortly)


class Listener(Consumer):  # type: ignore[misc]
    """Takes rings and does tasks, in threads beside whatever else the process does."""

    def _set_signal_handlers(self) -> None:
        """Leave signals to the process."""


class Bell:
    """Rings for tasks by name, of which it knows all."""

    def __init__(self, url: str, names: Collection[str]) -> None:
        self._url, self._names = url, names
        self._queue: Huey | None = None
        self._tasks: dict[str, Any] = {}
        self._do: Callable[[str], None] | None = None
        self._listener: Listener | None = None
        self._making = threading.Lock()

    def ring(self, name: str) -> None:
        """Have a task done soon. Never fails: without a queue it is done a little later."""
        try:
            self.queue()
            self._tasks[name]()
        except Exception as error:
            # Its message may hold a password.
            log.warning("nobody was called to %s: %s", name, type(error).__name__)

    def hear(self, do: Callable[[str], None]) -> None:
        """Have `do` called with the name of each task that is rung for; again is no harm."""
        self._do = do
        try:
            queue = self.queue()
        except Exception as error:
            log.warning("the queue cannot be reached: %s", type(error).__name__)
            return
        if self._listener is None:
            self._listener = Listener(queue, periodic=False, max_delay=MOST_SECONDS_BETWEEN)
            self._listener.start()
        else:
            self._listener.check_worker_health()

    def forget_counts(self) -> None:
        """Forget what is counted in the queue's store. Raises what the store does."""
        self.queue().storage.flush_counters()

    def close(self) -> None:
        """Hear no more, once what is being done is done, and let go of the queue."""
        if self._listener is not None:
            self._listener.stop(graceful=True)
            self._listener = None
        if self._queue is not None:
            self._queue.storage.close()

    def queue(self) -> Huey:
        """Return the queue. Raises what its store does if that is not there."""
        with self._making:
            if self._queue is None:
                queue = connected(self._url)
                # Each listening thread has a connection of its own.
                queue.on_shutdown("close")(queue.storage.close)
                self._tasks = {
                    name: queue.task(name=name)(self._doing(name)) for name in self._names
                }
                self._queue = queue
            return self._queue

    def _doing(self, name: str) -> Callable[[], None]:
        def task() -> None:
            if self._do is not None:
                self._do(name)

        return task


def connected(url: str) -> Huey:
    """Return the queue at a URL: in a SQLite file, in PostgreSQL or in Redis."""
    shared: dict[str, Any] = {"name": NAME, "results": False, "serializer": Rings()}
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        file = Path(parts.database or "")
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A ring may be lost with the power; what must not are the rows.
        return SqliteHuey(filename=str(file), fsync=False, timeout=SECONDS_TO_ANSWER, **shared)
    if parts.get_backend_name() == "postgresql":
        dsn = parts.set(drivername="postgresql").render_as_string(hide_password=False)
        return PostgresHuey(dsn=dsn, connect_timeout=SECONDS_TO_ANSWER, **shared)
    from redis import ConnectionPool

    pool = ConnectionPool.from_url(
        url, socket_connect_timeout=SECONDS_TO_ANSWER, socket_timeout=SECONDS_TO_ANSWER
    )
    return RedisHuey(connection_pool=pool, **shared)
