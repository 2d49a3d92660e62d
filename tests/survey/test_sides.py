"""Web side and closing side under accounts of their own: neither can read the other's secrets.

The sides share the database and one file, `shared`, that is brought over by hand.
"""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from reports.release import Release as Document
from survey.keyring import Keyring, Side
from survey.models import BallotKey, Release, Round, RoundState
from tests.conftest import CLOSES, NOW
from tests.launching import launched
from tests.survey.sides import GROUP

USERS = {"web": 64001, "closing": 64002}


class Installation:
    """Two sides in folders of their own, each with its own user's keyring."""

    def __init__(self, folder: Path, url: str, order) -> None:
        self.folder, self.url, self.order = folder, url, order
        for side, user in USERS.items():
            self.home(side).mkdir(mode=0o700)
            if os.getuid() == 0:
                os.chown(self.home(side), user, GROUP)

    def home(self, side: str) -> Path:
        return self.folder / side

    def keyring(self, side: str) -> Keyring:
        return Keyring(self.home(side) / "keyring", Side(side))

    def act(self, side: str, act: str, now=NOW, **more):
        """Let the user of one side do something; return what came of it."""
        [other] = set(USERS) - {side}
        settings = {
            "database_url": self.url,
            "keyring": str(self.home(side) / "keyring"),
            # The closing side hears no bell; it could not even reach this file.
            "queue_url": f"sqlite:///{self.home('web')}/queue.db",
        }
        return self.order(
            act=act,
            user=USERS[side],
            hidden=str(self.home(other)),
            settings={**settings, "side": side, "base_url": "https://feedback.example.org"},
            now=now.isoformat(),
            **more,
        )

    def bring_shared(self) -> None:
        """Copy the file that both sides know, as an administrator does by hand."""
        to = self.home("web") / "keyring" / "shared"
        shutil.copy(self.home("closing") / "keyring" / "shared", to)
        to.chmod(0o600)
        if os.getuid() == 0:
            os.chown(to, USERS["web"], GROUP)

    def session(self) -> Session:
        return Session(create_engine(self.url, poolclass=NullPool))

    def state(self) -> RoundState:
        with self.session() as session:
            return session.scalars(select(Round.state)).one()


@pytest.fixture(scope="module")
def order(cluster):
    """Let a user do something in a process of their own; return what came of it."""
    scratch = cluster.create("warm_up")
    with launched("tests.survey.sides", scratch) as done:
        yield done
    cluster.drop("warm_up")


@pytest.fixture
def place(databases, database, order):
    """Two sides with one database, in a folder that every user can walk through."""
    folder = Path(tempfile.mkdtemp(prefix="preview360-sides-"))
    folder.chmod(0o711)
    url = databases.make(database, folder / "data")
    if database == "sqlite" and os.getuid() == 0:
        for path in (folder / "data", *(folder / "data").iterdir()):
            os.chown(path, 0, GROUP)
            path.chmod(0o2770 if path.is_dir() else 0o660)
    yield Installation(folder, url, order)
    databases.drop(url)
    shutil.rmtree(folder)


def test_a_round_goes_all_the_way_over_two_sides(place):
    assert place.act("closing", "sweeps") == "swept"
    assert "shared: No such file" in place.act("web", "opens")
    place.bring_shared()

    round_id = place.act("web", "opens")
    assert place.act("web", "answers") == "answered"
    with place.session() as session:
        [key] = session.scalars(select(BallotKey).where(BallotKey.round_id.is_not(None))).all()
    assert key.id in place.keyring("closing").ballot_keys()

    after = CLOSES + timedelta(minutes=1)
    assert place.act("web", "sweeps", after) == "swept"
    assert place.state() is RoundState.OPEN
    assert "OtherSide" in place.act("web", "closes", after, round=round_id)

    assert place.act("closing", "sweeps", after) == "swept"
    assert place.state() is RoundState.RELEASED
    assert key.id not in place.keyring("closing").ballot_keys()
    place.act("web", "sweeps", after)
    assert place.keyring("web").rounds() == []
    with place.session() as session:
        assert session.scalars(select(BallotKey.round_id)).all() == [None] * 20
        release = Document.model_validate_json(session.scalars(select(Release.document)).one())
    # Four peers and the manager who is counted with them.
    assert [(atom.n, atom.relationships) for atom in release.atoms] == [(5, ("peer", "manager"))]


def test_neither_side_can_read_the_others_keyring(place):
    """Each can read its own, `shared` included; of the other's not a single file."""
    place.act("closing", "sweeps")
    place.act("web", "opens")
    place.bring_shared()
    place.act("web", "opens")

    for mine, other in (("web", "closing"), ("closing", "web")):
        own = place.act(mine, "pries", folder=str(place.home(mine)))
        assert "shared" in own
        assert ("keys" in own) == (mine == "web")
        assert place.act(mine, "pries", folder=str(place.home(other))) == []


def test_the_doctor_finds_nothing_to_mend_on_either_side(place):
    assert "No ballot key is ready: no round can be opened." in place.act("web", "asks_the_doctor")
    place.act("closing", "sweeps")
    place.act("web", "opens")
    place.bring_shared()
    place.act("web", "opens")

    mails_wait = ["No mail server is set: all mails wait."]
    assert place.act("web", "asks_the_doctor") == mails_wait
    assert place.act("closing", "asks_the_doctor") == []
