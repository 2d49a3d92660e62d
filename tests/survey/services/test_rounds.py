"""A round is prepared, opened once, extended while sealed, and ended without a trace."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey import sealing
from survey.models import Ballot, Invitation, Mail, MailState, Round, RoundState
from survey.services import custody, nominations, proposals, rounds
from survey.services.nominations import Named, NamesInvalid
from survey.services.questionnaires import VersionChanged
from survey.services.rounds import (
    AskedTooOften,
    ChoiceInvalid,
    Choices,
    DayInvalid,
    Enough,
    MessageTooLong,
    NotLater,
    RatersMissing,
    RoundNotOpen,
    RoundStarted,
)
from survey.services.tables import TableInvalid
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.mark.parametrize(
    ("choices", "refusal"),
    [
        (Choices("king", "en", CLOSES), ChoiceInvalid),
        (Choices("manager", "xx", CLOSES), ChoiceInvalid),
        (Choices("manager", "en", NOW), DayInvalid),
        (Choices("manager", "en", NOW + timedelta(hours=23)), DayInvalid),
        (Choices("manager", "en", NOW + timedelta(days=91)), DayInvalid),
        (Choices("manager", "en", CLOSES, "x" * 601), MessageTooLong),
    ],
)
def test_choices_that_make_no_sense_are_refused(session, choices, refusal):
    leader = factories.person(session, "Robin", "leader")

    with pytest.raises(refusal):
        rounds.prepare(session, leader, factories.QUESTIONNAIRE, choices, 3, NOW)


def test_opening_invites_every_rater_and_the_leader(session, keyring):
    round_ = factories.opened(session, keyring)

    assert round_.state is RoundState.OPEN
    assert len(session.scalars(select(Invitation)).all()) == 11
    queued = session.scalars(select(Mail)).all()
    assert sorted(mail.address for mail in queued)[-1] == "robin@example.org"
    assert len(queued) == 11


def test_a_round_opens_once(session, keyring):
    round_ = factories.opened(session, keyring)

    with pytest.raises(RoundStarted):
        rounds.open_round(session, keyring, round_, NOW)


def test_a_round_with_too_few_raters_does_not_open(session, keyring):
    round_ = factories.prepared(session, roster={"peer": 2})

    with pytest.raises(RatersMissing, match="at least 3"):
        rounds.open_round(session, keyring, round_, NOW)


def test_raters_and_questions_stay_once_the_round_is_open(session, keyring):
    round_ = factories.opened(session, keyring)

    with pytest.raises(RoundStarted):
        nominations.name_raters(session, round_, [], NOW)
    with pytest.raises(RoundStarted):
        rounds.change(session, round_, Choices("manager", "en", CLOSES), NOW)


def test_no_link_is_stored_in_clear(session, keyring, stored):
    """Whoever copies the database has no link; a table of plain tokens would give all of them."""
    round_ = factories.opened(session, keyring)
    links = factories.links(session, keyring, round_).values()
    session.close()
    files = stored().replace(b"-", b"")

    assert round_.id.hex.encode() in files
    for link in links:
        _, token = sealing.read_link(link)
        assert token not in files
        assert token.hex().encode() not in files
        assert link.replace("-", "").encode() not in files
        assert token.hex().encode() not in files.lower()


def test_a_closing_day_only_moves_on(session, keyring):
    round_ = factories.opened(session, keyring)

    with pytest.raises(NotLater):
        rounds.extend(session, round_, CLOSES - timedelta(days=1), NOW)
    rounds.extend(session, round_, CLOSES + timedelta(days=7), CLOSES + timedelta(days=1))
    assert round_.closes_at == CLOSES + timedelta(days=7)


def test_only_an_open_round_can_be_extended_or_ended(session):
    round_ = factories.prepared(session)

    with pytest.raises(RoundNotOpen):
        rounds.extend(session, round_, CLOSES + timedelta(days=7), NOW)
    with pytest.raises(RoundNotOpen):
        rounds.void(session, round_, NOW)


def test_a_round_that_has_opened_is_not_discarded(session, keyring):
    round_ = factories.opened(session, keyring)

    with pytest.raises(RoundStarted):
        rounds.discard(session, round_, NOW)


def test_an_ended_round_leaves_no_ballot_link_key_or_waiting_mail(session, keyring):
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)

    rounds.void(session, round_, NOW)
    session.commit()
    custody.destroy_keys(session, keyring)

    assert round_.state is RoundState.VOID
    assert session.scalars(select(Ballot)).all() == []
    assert session.scalars(select(Invitation)).all() == []
    mails_ = {mail.kind: mail.state for mail in session.scalars(select(Mail))}
    # The leader is told; nobody else hears of it.
    assert mails_ == {"invitation": MailState.WITHDRAWN, "void": MailState.WAITING}
    assert [path for path in keyring.path.glob("rounds/**/*") if path.is_file()] == []


def test_enough_is_renewed_once_a_day_and_moves_with_no_click(session, keyring):
    round_ = factories.opened(session, keyring)
    for link in list(factories.links(session, keyring, round_).values()):
        factories.answer(session, keyring, link)

    rounds.renew_enough(session, round_, NOW)
    none = {"manager": False, "peer": False, "direct_report": False}
    assert rounds.enough(round_) == Enough(none, together=False)

    assert rounds.to_renew(session, NOW + timedelta(days=1)) == [round_.id]
    rounds.renew_enough(session, round_, NOW + timedelta(days=1))
    both = {"peer": True, "direct_report": True}
    assert rounds.enough(round_) == Enough(none | both, together=True)


def test_every_fault_among_names_is_said_at_once(session):
    round_ = factories.prepared(session)
    named = [
        Named(1, "Ada", "ada@example.org", "peer"),
        Named(2, "Eve", "ada@example.org", "peer"),
        Named(3, "", "nobody@example.org", "peer"),
        Named(1, "Robin", "robin@example.org", "manager"),
        Named(1, "Max", "max@example.org", "butler"),
    ]

    with pytest.raises(NamesInvalid) as refused:
        nominations.name_raters(session, round_, named, NOW)

    assert [(fault.column, fault.row) for fault in refused.value.faults] == [
        ("peer", 2), ("peer", 3), ("manager", 1), ("butler", 1)
    ]  # fmt: skip
    assert len(session.get(Round, round_.id).nominations) == 10


def test_raters_come_from_a_table_or_not_at_all(session):
    round_ = factories.prepared(session)
    good = b"name,email,relationship\nAda,ada@example.org,peer\nBert,bert@example.org,Manager\n"

    assert nominations.name_from_table(session, round_, good, NOW) == 2
    assert sorted(each.relationship for each in round_.nominations) == ["manager", "peer"]

    with pytest.raises(TableInvalid, match=r"row 3.*is no relationship"):
        nominations.name_from_table(session, round_, good.replace(b"Manager", b"boss"), NOW)


def test_the_outlook_says_who_will_be_shown_together(session):
    round_ = factories.prepared(session)

    outlook = nominations.outlook(round_)

    assert dict(outlook.asked) == {"manager": 1, "peer": 5, "direct_report": 4}
    assert [atom.relationships for atom in outlook.atoms] == [
        ("peer",), ("direct_report", "manager")
    ]  # fmt: skip


def test_a_version_in_use_does_not_change(session):
    factories.prepared(session)
    text = factories.QUESTIONNAIRE.texts["en"].model_copy(update={"title": "Changed"})
    changed = factories.QUESTIONNAIRE.model_copy(update={"texts": {"en": text}})

    with pytest.raises(VersionChanged, match="Give the file a new version"):
        rounds.prepare(
            session,
            factories.person(session, "Sam", "leader"),
            changed,
            Choices("manager", "en", CLOSES),
            3,
            NOW,
        )


class TestHowOftenOneIsAsked:
    """Some people are asked by everybody; an installation says how often is enough."""

    @pytest.fixture
    def asked_twice(self, session, keyring):
        for name in ("Sam", "Terry"):
            leader = factories.person(session, name, "leader")
            factories.opened(session, keyring, leader=leader, roster={"peer": 3})
        return factories.prepared(session, roster={"peer": 2, "direct_report": 2})

    def test_whom_enough_rounds_ask_is_asked_by_no_other(self, session, keyring, asked_twice):
        with pytest.raises(AskedTooOften) as refused:
            rounds.open_round(session, keyring, asked_twice, NOW, rounds_a_person=2)

        assert str(refused.value).startswith("peer0 Example, peer1 Example: asked by 2 rounds")
        rounds.open_round(session, keyring, asked_twice, NOW, rounds_a_person=3)

    def test_what_is_long_ago_does_not_count(self, session, keyring, asked_twice):
        later = NOW + rounds.LATELY
        asked_twice.closes_at = later + timedelta(days=14)
        with pytest.raises(AskedTooOften):
            just_before = later - timedelta(seconds=1)
            rounds.open_round(session, keyring, asked_twice, just_before, rounds_a_person=2)

        rounds.open_round(session, keyring, asked_twice, later, rounds_a_person=2)

    def test_a_proposal_to_ask_one_more_keeps_to_it(self, session, keyring, asked_twice):
        factories.person(session, "Andy", "administrator")
        rounds.open_round(session, keyring, asked_twice, NOW)
        named = Named(1, "peer2 Example", "peer2@example.org", "peer")
        with pytest.raises(AskedTooOften):
            proposals.propose_one_more(session, asked_twice, named, NOW, asked_twice.leader, 2)

        assert proposals.propose_one_more(session, asked_twice, named, NOW, asked_twice.leader, 3)

    def test_ones_own_rounds_do_not_count(self, session, keyring):
        robin = factories.person(session, "Robin", "leader")
        for _ in range(2):
            factories.opened(session, keyring, leader=robin, roster={"peer": 3})
        sam = factories.person(session, "Sam", "leader")
        round_ = factories.prepared(session, leader=sam, roster={"direct_report": 2})
        named = [
            Named(1, "Robin Example", "robin@example.org", "manager"),
            Named(2, "a", "a@example.org", "peer"),
            Named(3, "b", "b@example.org", "peer"),
        ]
        nominations.name_raters(session, round_, named, NOW)

        rounds.open_round(session, keyring, round_, NOW, rounds_a_person=2)
