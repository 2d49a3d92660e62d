"""What the attacks share: simulated rounds on both databases, and the table at the end."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from survey import create_app, db
from tests.attacks.campaign import Campaign, Outcome
from tests.attacks.report import ROUNDS, TABLE
from tests.attacks.table import Table
from tests.conftest import Databases, SetClock, installation


@pytest.fixture(scope="session")
def table() -> Table:
    return TABLE


@pytest.fixture(scope="session")
def campaigns(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Outcome]:
    """Simulate rounds on one kind of database, under a name; each only once, for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def simulated(kind: str, name: str) -> Outcome:
        kept = shared / f"campaign-{kind}-{name}"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                folder = tmp_path_factory.mktemp(f"{kind}-{name}")
                outcome = _simulate(databases, kind, name, folder)
                kept.write_bytes(pickle.dumps(outcome))
        outcome = pickle.loads(kept.read_bytes())
        assert isinstance(outcome, Outcome)
        return outcome

    return simulated


def _simulate(databases: Databases, kind: str, name: str, folder: Path) -> Outcome:
    settings = installation(folder, database_url=databases.make(kind, folder / "data"))
    app = create_app(settings, clock=SetClock(), config={"TESTING": True})
    with app.app_context():
        engine = db.db.engine
    cluster = databases.cluster() if kind == "postgresql" else None
    with Session(engine, expire_on_commit=False) as session:
        outcome = Campaign(app, session, folder / "rounds", cluster).run(ROUNDS, name)
    engine.dispose()
    return outcome
