"""A launcher of processes that are killed: everything is imported once, then each act is a fork.

Reads a line of JSON for each act: what to do, on which installation, and after
which step to die. With `room`, no file may grow beyond so many bytes, as on a
disk that is full. A step is a statement that the database has run, a commit, or
a file that was opened, renamed or removed. Answers with a line: how many steps
were taken, or that the process died.
"""

import json
import os
import resource
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event

from reports import aggregate  # noqa: F401 - with pandas, once instead of in every fork
from survey import create_app, db, jobs
from survey.config import Settings
from survey.models import Round
from survey.services import rounds
from survey.site import site

FILE_ACTS = {"open", "os.remove", "os.rename", "os.rmdir", "os.link", "os.truncate"}


class Steps:
    """Counts steps, and kills this process after one of them."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.taken = 0
        self.counting = False

    def take(self, *_: object) -> None:
        """Count a step that was just taken."""
        if self.counting:
            if self.last == self.taken:
                os.kill(os.getpid(), signal.SIGKILL)
            self.taken += 1

    def watch_files(self, keyring: Path) -> None:
        """Count what is done to files of the keyring; each act is seen before it is done."""

        def audit(name: str, arguments: tuple[object, ...]) -> None:
            if name in FILE_ACTS and str(arguments[0]).startswith(str(keyring)):
                self.take()

        sys.addaudithook(audit)

    def watch_database(self, engine) -> None:
        """Count statements and commits, each before and after it is done."""
        for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, moment, self.take)


def act(order: dict[str, Any]) -> None:
    """Do one thing as a whole, counting its steps."""
    settings = Settings(**order["settings"])
    # A file that may not grow is an error then, and no death.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    now = datetime.fromisoformat(order["now"])
    app = create_app(settings, clock=lambda: now)
    steps = Steps(order.get("die_after"))
    with app.app_context():
        steps.watch_files(settings.keyring)
        steps.watch_database(db.db.engine)
        if order.get("room"):
            with db.db.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1 FROM round")
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["room"], order["room"]))
        steps.counting = True
        round_id = UUID(order["round"])
        if order["act"] == "close":
            jobs.close(site(), db.session(), round_id)
        else:
            rounds.void(db.session(), db.session().get_one(Round, round_id), now)
        db.session().commit()
        steps.take()
        jobs.clean_up(site())
        steps.take()
    os.write(order["answer"], str(steps.taken).encode())


def fork(order: dict[str, Any]) -> tuple[int, int]:
    """Do an act in a process of its own; return its id and where it tells how it went."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        act({**order, "answer": writing})
    except BaseException as error:
        os.write(writing, type(error).__name__.encode())
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Answer orders until there are no more; `times` of one are done at once."""
    for line in sys.stdin:
        order = json.loads(line)
        told = []
        for child, reading in [fork(order) for _ in range(order.get("times", 1))]:
            with os.fdopen(reading, "rb") as answer:
                said = answer.read().decode()
            _, status = os.waitpid(child, 0)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            told.append("killed" if killed else said)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
