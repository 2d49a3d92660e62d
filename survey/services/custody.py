"""Custody: who can open ballots, and getting each round its keys.

The closing side makes ballot keys ahead and keeps their private halves; the
web side takes one for each round that opens. Where one process is both sides,
the key is made when the round opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from survey import sealing
from survey.errors import Refused, marked
from survey.keyring import Keyring, KeyringUnusable, RoundKeys, Side
from survey.models import ENDED, BallotKey, Leftover, Round, RoundState
from survey.services import trustees
from survey.trustee_key import fingerprint

STOCK = 20
BALLOT_KEY = "ballot key"


class NoBallotKey(Refused):
    """The closing side has made no key that is still free."""

    status = 503
    message = marked(
        "The closing side has not made a key for this round yet. Nothing was sent; please try "
        "again in a few minutes."
    )


@dataclass(frozen=True)
class Custody:
    """Who holds what opens a round's ballots.

    `apart`: no process that serves pages opens them. `trustee`: the name of somebody
    whose key is needed as well, and `fingerprint` that key's; "" where there is none.
    """

    apart: bool
    trustee: str = ""
    fingerprint: str = ""


def of_round(keyring: Keyring, keys: RoundKeys, round_: Round) -> Custody:
    """Return who can open an open round with these keys, seen from the web side."""
    apart = keyring.side is Side.WEB and not keyring.ballot_keys()
    if keys.trustee is None or round_.trustee is None:
        return Custody(apart)
    return Custody(apart, round_.trustee.person.name, fingerprint(keys.trustee))


def make_keys(session: Session, keyring: Keyring, round_: Round) -> RoundKeys:
    """Make and store what a round that opens now is sealed with; note its trustee.

    Raises NoBallotKey, KeyringUnusable, OtherSide.
    """
    keyring.must_serve()
    trustee = trustees.current(session, keyring)
    round_.trustee_id = trustee.id if trustee else None
    keys = RoundKeys(
        pepper=sealing.new_pepper(),
        mail=sealing.new_key_pair(),
        ballot=_ballot_key(session, keyring, round_),
        trustee=trustee.public if trustee else None,
    )
    keyring.keep_round(round_.id, keys)
    return keys


def _ballot_key(session: Session, keyring: Keyring, round_: Round) -> bytes:
    if keyring.side.closes:
        # Under the round's own id, over what an opening that failed may have left.
        key = _made(session, keyring, round_.id)
        key.round_id = round_.id
        session.flush()
        return key.public
    free = (
        select(BallotKey.id)
        .where(BallotKey.round_id.is_(None))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(
        update(BallotKey)
        .where(BallotKey.id == free.scalar_subquery())
        .values(round_id=round_.id)
        .returning(BallotKey.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        raise NoBallotKey
    key = session.get_one(BallotKey, taken, populate_existing=True)
    if not comes_from_closing_side(keyring, key):
        raise KeyringUnusable(
            reason="the key for ballots in the database does not come from a closing side with "
            "the same file `shared`"
        )
    return key.public


def comes_from_closing_side(keyring: Keyring, key: BallotKey) -> bool:
    """Say whether a ballot key was signed by the closing side. Raises KeyringUnusable."""
    return keyring.has_signed(key.signature, _named(key.id, key.public), BALLOT_KEY)


def restock(session: Session, keyring: Keyring) -> bool:
    """Make one more key for rounds to come, if fewer than 20 are free; say whether it was needed.

    Free keys whose private half is not here (any more) are taken back: no round could be
    closed with them. The caller commits. Raises KeyringUnusable, OtherSide.
    """
    keyring.must_close()
    # In this order: a key gets its file before its row.
    free = set(session.scalars(select(BallotKey.id).where(BallotKey.round_id.is_(None))))
    gone = free - set(keyring.ballot_keys())
    unused = BallotKey.round_id.is_(None)
    session.execute(delete(BallotKey).where(BallotKey.id.in_(gone), unused))
    if len(free - gone) >= STOCK:
        return False
    _made(session, keyring, uuid4())
    return True


def free_keys(session: Session) -> int:
    """Return how many keys are ready for rounds to come."""
    free = select(func.count()).select_from(BallotKey).where(BallotKey.round_id.is_(None))
    return session.scalar(free) or 0


def _made(session: Session, keyring: Keyring, key_id: UUID) -> BallotKey:
    """Make a key: first its file, so that no row ever stands without one."""
    public = keyring.make_ballot_key(key_id)
    signature = keyring.sign(_named(key_id, public), BALLOT_KEY)
    key = BallotKey(id=key_id, public=public, signature=signature)
    session.add(key)
    session.flush()
    return key


def _named(key_id: UUID, public: bytes) -> bytes:
    return key_id.bytes + public


def key_of(session: Session, round_: Round) -> UUID:
    """Return which key opens a round's ballots. Raises KeyringUnusable if none is noted."""
    key_id = session.scalar(select(BallotKey.id).where(BallotKey.round_id == round_.id))
    if key_id is None:
        raise KeyringUnusable(reason=f"no key is noted for round {round_.id}")
    return key_id


def destroy_keys(session: Session, keyring: Keyring) -> list[UUID]:
    """Destroy what this side holds of rounds that have ended; return those rounds."""
    mine = Leftover.side.in_(keyring.side.parts())
    ended = sorted(set(session.scalars(select(Leftover.round_id).where(mine))))
    if not ended:
        return []
    for round_id in ended:
        keyring.destroy_round(round_id)
    if keyring.side.closes:
        for key_id in session.scalars(select(BallotKey.id).where(BallotKey.round_id.in_(ended))):
            keyring.destroy_ballot_key(key_id)
    return ended


def forget(session: Session, keyring: Keyring, round_id: UUID) -> None:
    """Note that nothing is left to clean up of an ended round. The caller commits."""
    keyring.forget_round(round_id)
    mine = (Leftover.round_id == round_id, Leftover.side.in_(keyring.side.parts()))
    session.execute(delete(Leftover).where(*mine))
    if keyring.side.closes:
        session.execute(delete(BallotKey).where(BallotKey.round_id == round_id))


def find_leftovers(session: Session, keyring: Keyring) -> None:
    """Note ended rounds of which this side holds something, as after a restore.

    Everything is looked through, unlike when keys are destroyed. Keys of a round that this
    database does not know stay: it may be the wrong database. The caller commits.
    """
    going_on = select(Round.id).where(Round.state.not_in(ENDED))
    held = set(keyring.rounds()) - set(session.scalars(going_on))
    ended = {each for each in held if _state(session, each) in ENDED}
    if keyring.side.closes:
        with_key = select(Round.id).join(BallotKey, BallotKey.round_id == Round.id)
        ended.update(session.scalars(with_key.where(Round.state.in_(ENDED))))
    for round_id in ended:
        for side in keyring.side.parts():
            session.merge(Leftover(round_id=round_id, side=side))


def _state(session: Session, round_id: UUID) -> RoundState | None:
    return session.scalar(select(Round.state).where(Round.id == round_id))
