"""What the attacks share: simulated rounds on both databases, and the table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy.orm import Session

from survey import create_app, db
from tests.attacks.campaign import Campaign
from tests.attacks.report import ROUNDS, TABLE
from tests.attacks.table import Table
from tests.conftest import Databases, SetClock, installation


@pytest.fixture(scope="session")
def table() -> Table:
    return TABLE


@pytest.fixture(scope="session")
def campaigns(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Campaign]]:
    """Simulate rounds on one kind of database, under a name; each only once."""
    done: dict[tuple[str, str], Campaign] = {}
    with ExitStack() as stack:

        def simulated(kind: str, name: str) -> Campaign:
            if (kind, name) not in done:
                folder = tmp_path_factory.mktemp(f"{kind}-{name}")
                url = databases.make(kind, folder / "data")
                settings = installation(folder, database_url=url)
                app = create_app(settings, clock=SetClock(), config={"TESTING": True})
                with app.app_context():
                    engine = db.db.engine
                stack.callback(engine.dispose)
                session = stack.enter_context(Session(engine, expire_on_commit=False))
                cluster = databases.cluster() if kind == "postgresql" else None
                done[kind, name] = Campaign(app, session, folder / "rounds", cluster)
                done[kind, name].run(ROUNDS, name)
            return done[kind, name]

        yield simulated
