"""Attacks by somebody who can write to the database, or who copies a whole server with its keys.

The twin seals its ballots as well, but as one does at first: the public key is a
column, a ballot is only what a rater answered, and one key opens all.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reports.release import Release as Document
from survey import sealing
from survey.answers import Draft
from survey.envelope import Content, ballot_purpose, trustee_purpose
from survey.errors import Refused
from survey.keyring import Keyring, Side
from survey.models import (
    Answered,
    Ballot,
    BallotKey,
    Invitation,
    Nomination,
    Person,
    Release,
    Trustee,
)
from survey.sealing import KeyPair, SealBroken
from survey.services import closing, invitations, questionnaires, rounds, trustees
from tests import factories
from tests.conftest import CLOSES, NOW

NAMES = ("peer0", "peer1", "peer2", "peer3")
VICTIM = NAMES[0]
K = 4


class Box(Protocol):
    """A round of four peers with k = 4, and what the attacker can reach of it."""

    def open(self) -> None:
        """Open the round."""

    def put_keys(self, public: bytes) -> None:
        """Write a public key over every one in the database."""

    def put_k(self, k: int) -> None:
        """Write another k."""

    def answer(self, name: str, score: int) -> None:
        """Answer as a rater; the name stands in a comment."""

    def renew(self, name: str) -> None:
        """Give a rater a new link, as when their address changes."""

    def ballots(self) -> dict[bytes, bytes]:
        """Return what is in the box by its handle."""

    def put(self, handle: bytes, sealed: bytes) -> None:
        """Put something into the box, or in the place of what is there."""

    def note_answered(self, name: str) -> None:
        """Write that a rater has answered."""

    def forge(self, score: int) -> bytes:
        """Return a ballot of the attacker's own making, with the public key in hand."""

    def close(self) -> tuple[int, float] | None:
        """Close the round; return how many are counted and their mean, None if it refuses."""

    def keys_on_the_server(self) -> list[bytes]:
        """Return every private key in the folders of the server that is copied."""

    def purposes(self) -> list[str]:
        """Return what seals are for; that is no secret."""


def key_of_their_own_in_an_open_round(box: Box) -> list[str]:
    """A public key in the database is swapped while raters answer."""
    box.open()
    own = sealing.new_key_pair()
    box.put_keys(own.public)
    for name in NAMES:
        box.answer(name, 4)
    return _read(box, [own.private])


def key_of_their_own_before_the_round(box: Box) -> list[str]:
    """Every public key in the database is swapped before the round opens."""
    own = sealing.new_key_pair()
    box.put_keys(own.public)
    with suppress(Refused):
        box.open()
        for name in NAMES:
            box.answer(name, 4)
    return _read(box, [own.private])


def all_ballots_but_one_forged(box: Box) -> list[float]:
    """One rater has answered; whoever knows the three others subtracts them."""
    box.open()
    box.answer(VICTIM, 5)
    for number, name in enumerate(NAMES[1:]):
        box.put(bytes([number]) * 32, box.forge(2))
        box.note_answered(name)
    told = box.close()
    return [told[0] * told[1] - 3 * 2] if told and told[0] == 4 else []


def one_ballot_in_the_place_of_all(box: Box) -> list[float]:
    """The mean of four copies is what one rater answered."""
    box.open()
    box.answer(VICTIM, 5)
    [(handle, sealed)] = box.ballots().items()
    for name in NAMES[1:]:
        box.answer(name, 2)
    for other in set(box.ballots()) - {handle}:
        box.put(other, sealed)
    told = box.close()
    return [told[1]] if told else []


def an_older_ballot_beside_the_newer(box: Box) -> list[str]:
    """Somebody answered, got a new link and answered again: both count."""
    box.open()
    box.answer(VICTIM, 5)
    [old] = box.ballots().values()
    box.renew(VICTIM)
    for name in NAMES[:3]:
        box.answer(name, 2)
    box.put(b"x" * 32, old)
    box.note_answered(NAMES[3])
    return ["counted twice"] if box.close() else []


def a_smaller_k_than_was_told(box: Box) -> list[int]:
    """Three answered where raters were told of groups of four."""
    box.open()
    for name in NAMES[:3]:
        box.answer(name, 3)
    box.put_k(3)
    told = box.close()
    return [told[0]] if told else []


def web_side_copied(box: Box) -> list[str]:
    """A snapshot of the machine that serves the pages, keys included, of an open round."""
    return _copied(box)


def everything_copied_but_the_trustees_key(box: Box) -> list[str]:
    """A snapshot of all there is on the server, keys included, of an open round."""
    return _copied(box)


def _copied(box: Box) -> list[str]:
    box.open()
    for name in NAMES:
        box.answer(name, 4)
    return _read(box, box.keys_on_the_server())


def _read(box: Box, keys: Sequence[bytes]) -> list[str]:
    """Return the raters whose words can be read with these keys, through up to two seals."""
    opened = list(box.ballots().values())
    for _ in range(2):
        for key, purpose, sealed in itertools.product(keys, box.purposes(), list(opened)):
            with suppress(SealBroken, ValueError):
                opened.append(sealing.unseal(key, sealed, purpose))
    return [name for name in NAMES if any(f"from {name}".encode() in each for each in opened)]


WRITING = (
    key_of_their_own_in_an_open_round,
    key_of_their_own_before_the_round,
    all_ballots_but_one_forged,
    one_ballot_in_the_place_of_all,
    an_older_ballot_beside_the_newer,
    a_smaller_k_than_was_told,
)


class UsualBox:
    """The twin: rows as they come to mind first."""

    def __init__(self) -> None:
        self.pair = sealing.new_key_pair()
        self.row: dict[str, object] = {"public": self.pair.public, "k": K}
        self.rows: dict[bytes, bytes] = {}
        self.answered: set[str] = set()
        self.links = {name: name.encode() for name in NAMES}

    def open(self) -> None:
        pass

    def put_keys(self, public: bytes) -> None:
        self.row["public"] = public

    def put_k(self, k: int) -> None:
        self.row["k"] = k

    def answer(self, name: str, score: int) -> None:
        self.rows[self.links[name]] = self._sealed(f"{score} from {name}")
        self.answered.add(name)

    def renew(self, name: str) -> None:
        new = f"{name} again".encode()
        self.rows[new] = self.rows.pop(self.links[name])
        self.links[name] = new

    def ballots(self) -> dict[bytes, bytes]:
        return dict(self.rows)

    def put(self, handle: bytes, sealed: bytes) -> None:
        self.rows[handle] = sealed

    def note_answered(self, name: str) -> None:
        self.answered.add(name)

    def forge(self, score: int) -> bytes:
        return self._sealed(f"{score} from nobody")

    def close(self) -> tuple[int, float] | None:
        opened = [sealing.unseal(self.pair.private, each, "") for each in self.rows.values()]
        if len(opened) != len(self.answered) or len(opened) < int(str(self.row["k"])):
            return None
        scores = [int(each.split()[0]) for each in opened]
        return len(scores), sum(scores) / len(scores)

    def keys_on_the_server(self) -> list[bytes]:
        return [self.pair.private]

    def purposes(self) -> list[str]:
        return [""]

    def _sealed(self, content: str) -> bytes:
        return sealing.seal(bytes(self.row["public"]), content.encode(), "")  # type: ignore[call-overload]


class ProductBox:
    """The product, on a real database that the attacker writes to.

    `served` is the keyring of the side that raters meet; `closes` that of the one that closes.
    """

    def __init__(
        self, session: Session, served: Keyring, closes: Keyring, leader: str = "Robin"
    ) -> None:
        self.session, self.served, self.closes = session, served, closes
        self.trustee: KeyPair | None = None
        person = factories.person(session, leader, "leader")
        self.round = factories.prepared(session, person, {"peer": 4}, k=K)
        session.commit()

    def appoint(self, trustee: KeyPair) -> None:
        """Have somebody outside keep a second key."""
        self.trustee = trustee
        person = factories.person(self.session, "Council")
        trustees.appoint(self.session, self.closes, person, trustee.public, NOW)
        self.session.commit()

    def open(self) -> None:
        try:
            rounds.open_round(self.session, self.served, self.round, NOW)
        except Refused:
            self.session.rollback()
            raise
        self.session.commit()

    def put_keys(self, public: bytes) -> None:
        for row in (
            *self.session.scalars(select(BallotKey)),
            *self.session.scalars(select(Trustee)),
        ):
            row.public = public
        self.session.commit()

    def put_k(self, k: int) -> None:
        self.round.k = k
        self.session.commit()

    def _link(self, name: str) -> str:
        return factories.links(self.session, self.served, self.round)[name]

    def answer(self, name: str, score: int) -> None:
        words = {"OP1": (f"words from {name}",)}
        items = factories.scores(score, score, score)
        factories.answer(self.session, self.served, self._link(name), items, words)

    def renew(self, name: str) -> None:
        query = select(Person).where(Person.email == f"{name}@example.org")
        person = self.session.scalars(query).one()
        invitations.renew(self.session, self.served, person, person.email, NOW)
        self.session.commit()

    def ballots(self) -> dict[bytes, bytes]:
        return {row.handle: row.sealed for row in self.session.scalars(select(Ballot))}

    def put(self, handle: bytes, sealed: bytes) -> None:
        self.session.execute(delete(Ballot).where(Ballot.handle == handle))
        row = Ballot(round_id=self.round.id, handle=handle, sealed=sealed, resume=b"")
        self.session.add(row)
        self.session.commit()

    def note_answered(self, name: str) -> None:
        query = select(Invitation).join(Nomination).join(Person)
        found = self.session.scalars(query.where(Person.email == f"{name}@example.org")).one()
        found.answered = Answered.ANSWERED
        self.session.commit()

    def forge(self, score: int) -> bytes:
        envelope = factories.envelope(self.served, self.round)
        answers = Draft(factories.scores(score, score, score)).as_answers("peer")
        forger = replace(envelope, shared=b"a guess at what the two sides share")
        return forger.seal(
            Content(f"{score}" * 32, K, questionnaires.asked_in(self.round), answers)
        )

    def close(self) -> tuple[int, float] | None:
        private = self.trustee.private if self.trustee else None
        try:
            closing.close(self.session, self.closes, self.round.id, CLOSES, trustee_key=private)
        except Refused:
            self.session.rollback()
            return None
        document = Document.model_validate_json(
            self.session.get_one(Release, self.round.id).document
        )
        [atom] = document.atoms
        means = [figure.mean for figure in document.figures if figure.mean is not None]
        return atom.n, sum(means) / len(means)

    def keys_on_the_server(self) -> list[bytes]:
        """Return whatever could be a private key in the keyring that raters' pages use."""
        size = sealing.PRIVATE_BYTES
        files = [file for file in self.served.path.rglob("*") if file.is_file()]
        return [
            content[at : at + size]
            for content in (file.read_bytes() for file in files)
            for at in range(0, len(content) - size + 1, 32)
        ]

    def purposes(self) -> list[str]:
        return [ballot_purpose(self.round.id), trustee_purpose(self.round.id)]


def two_sides(keyring: Keyring) -> tuple[Keyring, Keyring]:
    """Return the keyrings of a web side and a closing side that have what they share."""
    web = Keyring(keyring.path.with_name("web"), Side.WEB)
    closes = Keyring(keyring.path.with_name("closing"), Side.CLOSING)
    closes.shared()
    web.secret()
    shutil.copy(closes.path / "shared", web.path / "shared")
    return web, closes
