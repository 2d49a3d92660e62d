"""A launcher of processes that belong to different users of the machine.

Everything is imported and warmed up once, since such a user may not even reach
the interpreter's files; then each act is a fork. Reads a line of JSON for each
act: what to do, on which installation, as which user. Started by somebody else
than root, all acts are this user's, and what belongs to the other side is taken
away from everybody meanwhile. Answers with a line: what was done, or the refusal.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from survey import create_app, db, jobs
from survey.config import Settings
from survey.doctor import examine
from survey.models import Base, Round
from survey.site import site
from tests import factories
from tests.conftest import CLOSES, NOW

GROUP = 64000


def opens(_order: dict[str, Any]) -> str:
    """Open a round and ask five people."""
    round_ = factories.opened(db.session(), site().keyring, roster={"peer": 4, "manager": 1})
    return str(round_.id)


def answers(_order: dict[str, Any]) -> str:
    """Let everybody answer by the link they were mailed."""
    [round_] = db.session().scalars(select(Round)).all()
    factories.all_answer(db.session(), site().keyring, round_)
    return "answered"


def closes(order: dict[str, Any]) -> str:
    """Close the round."""
    jobs.close(site(), db.session(), UUID(order["round"]))
    return "closed"


def sweeps(_order: dict[str, Any]) -> str:
    """Do what is due on this side."""
    jobs.sweep(current_app._get_current_object())  # type: ignore[attr-defined]
    return "swept"


def pries(order: dict[str, Any]) -> list[str]:
    """Read whatever can be read in a folder."""
    read = []
    for folder, _, names in os.walk(order["folder"]):
        for name in names:
            with suppress(PermissionError):
                (Path(folder) / name).read_bytes()
                read.append(name)
    return read


def asks_the_doctor(_order: dict[str, Any]) -> list[str]:
    """Look the installation over; return what has to be mended."""
    return [finding.found for finding in examine(site(), db.session()) if finding.cure]


ACTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    act.__name__: act for act in (opens, answers, closes, sweeps, pries, asks_the_doctor)
}


def act(order: dict[str, Any]) -> object:
    """Do one thing."""
    now = datetime.fromisoformat(order["now"])
    app = create_app(Settings(**order["settings"]), clock=lambda: now)
    with app.app_context():
        if order.get("new"):
            Base.metadata.create_all(db.db.engine)
        return ACTS[order["act"]](order)


def become(user: int) -> None:
    """Be somebody else from now on, with a group that both sides are in."""
    os.umask(0o007)
    if os.getuid() == 0:
        os.setgroups([GROUP])
        os.setgid(GROUP)
        os.setuid(user)
        os.chdir("/")


def fork(order: dict[str, Any]) -> object:
    """Do one thing in a process of its own, as the user that is named."""
    hidden = Path(order["hidden"])
    if os.getuid() != 0 and hidden.exists():
        hidden.chmod(0)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            become(order["user"])
            said = act(order)
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = json.loads(answer.read())
    os.waitpid(child, 0)
    if os.getuid() != 0 and hidden.exists():
        hidden.chmod(0o700)
    return said


def warm_up(url: str) -> None:
    """Go all the way on a database (SQLite for ""), so that what is loaded late is there."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"database_url": url or f"sqlite:///{folder}/data/warm.db"}
        settings["keyring"] = f"{folder}/keyring"
        order = {"settings": settings, "now": NOW.isoformat()}
        round_id = act({**order, "act": "opens", "new": True})
        act({**order, "act": "answers"})
        act({**order, "act": "asks_the_doctor"})
        act({**order, "act": "closes", "round": round_id, "now": CLOSES.isoformat()})
        act({**order, "act": "sweeps", "now": CLOSES.isoformat()})


def main() -> None:
    """Answer orders until there are no more."""
    for url in ("", sys.argv[1]):
        warm_up(url)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
