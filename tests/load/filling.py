"""Fills an installation: a programme whose rounds collect, and as many previews of last year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from survey.keyring import Keyring
from survey.models import (
    Mail,
    MailState,
    Nomination,
    Person,
    Programme,
    Release,
    Round,
    RoundState,
)
from survey.services import closing, coaching, nominations, people, programmes, rounds
from survey.services.nominations import Named
from survey.services.programmes import Common, Member
from tests import factories

RATERS = ("manager", *["peer"] * 5, *["direct_report"] * 4)
LAST_YEAR = timedelta(days=330)
AT_ONCE = 200


def fill(session: Session, keyring: Keyring, number: int, now: datetime) -> None:
    """Let `number` rounds collect, asking each leader's neighbours; twice as many are stored.

    Robin leads, Casey coaches, Andy administers; Robin has a preview. All mails are sent.
    """
    robin = factories.person(session, "Robin", "leader", now=now)
    casey = factories.person(session, "Casey", "coach", now=now)
    factories.person(session, "Andy", "administrator", now=now)
    coaching.give_access(session, robin, casey.id, "en", now)
    model = _preview(session, keyring, robin, now)
    leaders = [robin.id, *_leaders(session, number - 1, now)]
    # Robin has that one; so early a preview would be no follow-up to it.
    _last_year(session, model, leaders[1:], now)
    programme = programmes.make(
        session,
        Common("This year", now - timedelta(hours=2), now + timedelta(days=20), "new_lead", "en"),
        [Member(n, address) for n, address in enumerate(_addresses(session, leaders), 1)],
        factories.QUESTIONNAIRE,
        3,
        now,
    )
    session.commit()
    _open(session, keyring, programme, leaders, now)
    sent = {"state": MailState.SENT, "sent_at": now, "sealed": None}
    session.execute(update(Mail).where(Mail.state == MailState.WAITING).values(sent))
    session.commit()


def _preview(session: Session, keyring: Keyring, leader: Person, now: datetime) -> Release:
    began = now - timedelta(days=15)
    round_ = factories.opened(session, keyring, leader=leader, now=began)
    factories.all_answer(session, keyring, round_, now=began)
    closing.close(session, keyring, round_.id, now)
    session.commit()
    return session.get_one(Release, round_.id)


def _leaders(session: Session, number: int, now: datetime) -> Iterator[UUID]:
    for n in range(number):
        name, address = f"Leader {n:05} Example", f"leader{n:05}@example.org"
        yield people.add(session, name, address, ["leader"], now).id
    session.commit()


def _addresses(session: Session, leaders: list[UUID]) -> list[str]:
    known = dict(session.execute(select(Person.id, Person.email)).all())
    return [known[leader] for leader in leaders]


def _asked(leaders: list[UUID], place: int) -> list[tuple[UUID, str]]:
    """Return whom a leader asks, and as what: those who come next in the list."""
    following = (leaders[(place + n) % len(leaders)] for n in range(1, len(RATERS) + 1))
    return list(zip(following, RATERS, strict=True))


def _last_year(session: Session, model: Release, leaders: list[UUID], now: datetime) -> None:
    """Store previews as closes leave them, all with the words and figures of one."""
    began, ended = now - LAST_YEAR, now - LAST_YEAR + timedelta(days=15)
    programme = Programme(
        name="Last year",
        opens_at=began,
        closes_at=ended,
        questionnaire_id=model.round.questionnaire_id,
        level="new_lead",
        language="en",
    )
    session.add(programme)
    session.flush()
    common = {
        "questionnaire_id": programme.questionnaire_id,
        "level": "new_lead",
        "language": "en",
        "k": 3,
        "state": RoundState.RELEASED,
        "opens_at": began,
        "closes_at": ended,
        "ballot_size": model.round.ballot_size,
        "programme_id": programme.id,
    }
    document = {"document": model.document, "sha256": model.sha256}
    for first in range(0, len(leaders), AT_ONCE):
        some = range(first, min(first + AT_ONCE, len(leaders)))
        made = {place: uuid4() for place in some}
        session.execute(
            insert(Round),
            [{"id": made[place], "leader_id": leaders[place], **common} for place in some],
        )
        asked = (
            {"round_id": made[place], "person_id": person, "relationship": relationship}
            for place in some
            for person, relationship in chain([(leaders[place], "self")], _asked(leaders, place))
        )
        session.execute(insert(Nomination), list(asked))
        session.execute(
            insert(Release),
            [
                {"round_id": id_, "released_on": ended.date(), "handed_over_at": ended, **document}
                for id_ in made.values()
            ],
        )
        session.commit()


def _open(
    session: Session, keyring: Keyring, programme: Programme, leaders: list[UUID], now: datetime
) -> None:
    query = select(Round.leader_id, Round.id).where(Round.programme_id == programme.id)
    mine = dict(session.execute(query).all())
    for place, leader in enumerate(leaders):
        round_ = session.get_one(Round, mine[leader])
        asked = _asked(leaders, place)
        known = {person: session.get_one(Person, person) for person, _ in asked}
        named = [
            Named(n, known[person].name, known[person].email, relationship)
            for n, (person, relationship) in enumerate(asked, 1)
        ]
        nominations.name_raters(session, round_, named, now)
        rounds.open_round(session, keyring, round_, now)
        session.commit()
        if place % AT_ONCE == 0:
            # Changes look through all that is known; so would a session that knows everything.
            session.expunge_all()
