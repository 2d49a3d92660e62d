"""The database itself refuses what must never be."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from survey.models import (
    AuditEntry,
    Ballot,
    CoachAccess,
    Mail,
    MailKind,
    MailState,
    Nomination,
    Person,
    Proposal,
    Round,
    RoundState,
)
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.fixture
def round_(session):
    round_ = factories.prepared(session)
    session.commit()
    return round_


def refused(session, *rows):
    with pytest.raises(IntegrityError):
        session.add_all(rows)
        session.flush()
    session.rollback()


@pytest.mark.parametrize(
    "change",
    [
        {"k": 2},
        {"state": "sleeping"},
        {"opens_at": CLOSES + timedelta(days=1)},
        {"state": RoundState.OPEN},
        {"level": ""},
        {"leader_id": uuid4()},
    ],
)
def test_a_round_keeps_its_rules(session, round_, change):
    for name, value in change.items():
        setattr(round_, name, value)

    with pytest.raises((IntegrityError, StatementError)):
        session.flush()


def test_a_person_is_asked_once_in_a_round(session, round_):
    asked = round_.nominations[0]

    refused(session, Nomination(round_id=round_.id, person_id=asked.person_id, relationship="peer"))


def test_an_address_belongs_to_one_person_and_is_in_lower_case(session, round_):
    refused(session, Person(name="Robin Again", email="robin@example.org"))
    refused(session, Person(name="Loud", email="LOUD@example.org"))
    refused(session, Person(name="", email="nobody@example.org"))


def test_a_mail_is_queued_once_and_keeps_no_secret_once_sent(session, round_):
    leader = round_.leader_id

    def mail(**more) -> Mail:
        usual = {"key": "k", "kind": MailKind.SIGN_IN, "person_id": leader}
        return Mail(**usual | {"address": "a@example.org", "language": "en", "due_at": NOW} | more)

    refused(session, mail(), mail())
    refused(session, mail(state=MailState.SENT, sealed=b"code"))
    refused(session, mail(attempts=-1))


def test_a_proposal_is_whole_and_nobody_agrees_to_their_own(session, round_):
    leader = round_.leader_id

    def proposal(**more) -> Proposal:
        usual = {"round_id": round_.id, "kind": "close_earlier", "proposer_id": leader}
        return Proposal(**usual | {"closes_at": CLOSES} | more)

    refused(session, proposal(closes_at=None))
    refused(session, proposal(person_id=leader))
    refused(session, proposal(kind="ask_one_more", closes_at=None, person_id=leader))
    refused(session, proposal(decider_id=leader, state="approved"))


def test_nobody_is_their_own_coach(session, round_):
    refused(session, CoachAccess(leader_id=round_.leader_id, coach_id=round_.leader_id))


def test_a_ballot_holds_nothing_but_its_round_a_handle_and_two_sealed_texts():
    columns = {column.name: str(column.type) for column in Ballot.__table__.columns}

    assert columns == {"round_id": "CHAR(32)", "handle": "BLOB", "sealed": "BLOB", "resume": "BLOB"}


def test_a_moment_without_zone_is_refused(session):
    session.add(AuditEntry(at=datetime(2026, 1, 1), act="x", subject=""))  # noqa: DTZ001

    with pytest.raises(StatementError, match="has no time zone"):
        session.flush()


def test_moments_come_back_in_utc(session, round_):
    session.expire_all()

    assert session.get(Round, round_.id).closes_at == CLOSES
    assert session.get(Round, round_.id).closes_at.tzinfo is not None
