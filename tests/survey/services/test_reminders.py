"""Reminders reach only those who have not answered, at most twice, and leave no trace of whom."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey.models import Invitation, Mail, MailKind, MailState
from survey.services import ballots, closing, mails, people, reminders, rounds
from survey.services.reminders import RemindersSpent, TooSoon
from survey.services.rounds import RoundNotOpen
from tests import factories
from tests.conftest import CLOSES, NOW

LATER = NOW + reminders.APART
PEERS = {"peer": 5}


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring, roster=PEERS)


def reminded(session) -> list[str]:
    query = select(Mail.address).where(
        Mail.kind == MailKind.REMINDER, Mail.state == MailState.WAITING
    )
    return sorted(address.split("@")[0] for address in session.scalars(query))


def test_only_those_are_reminded_who_have_neither_answered_nor_declined(session, keyring, round_):
    links = factories.links(session, keyring, round_)
    factories.answer(session, keyring, links["peer0"])
    ballots.decline(session, ballots.rater(session, keyring, links["peer1"], NOW))
    [quiet] = [
        each
        for each in session.scalars(select(Invitation))
        if each.nomination.person.email == "peer2@example.org"
    ]
    reminders.stop(session, quiet.id)

    assert reminders.remind(session, round_, LATER) == 2
    assert reminded(session) == ["peer3", "peer4"]


def test_a_round_reminds_twice_at_most_and_two_days_apart(session, round_):
    with pytest.raises(TooSoon):
        reminders.remind(session, round_, LATER - timedelta(seconds=1))
    reminders.remind(session, round_, LATER)
    with pytest.raises(TooSoon):
        reminders.remind(session, round_, LATER + reminders.APART - timedelta(seconds=1))
    reminders.remind(session, round_, LATER + reminders.APART)

    with pytest.raises(RemindersSpent):
        reminders.remind(session, round_, LATER + 3 * reminders.APART)
    assert reminders.next_from(round_) is None


def test_a_round_that_does_not_collect_reminds_nobody(session, keyring, round_):
    with pytest.raises(RoundNotOpen):
        reminders.remind(session, round_, CLOSES)
    factories.all_answer(session, keyring, round_)
    closing.close(session, keyring, round_.id, CLOSES)
    with pytest.raises(RoundNotOpen):
        reminders.remind(session, round_, LATER)


def test_a_reminder_that_waits_is_called_back_once_its_rater_has_answered(session, keyring, round_):
    reminders.remind(session, round_, LATER)
    factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])

    assert reminded(session) == ["peer1", "peer2", "peer3", "peer4"]


def test_stopping_calls_back_what_waits_and_the_form_stays_open(session, keyring, round_):
    reminders.remind(session, round_, LATER)
    invitation = session.scalars(
        select(Invitation).join(Mail, Mail.invitation_id == Invitation.id).limit(1)
    ).one()
    name = invitation.nomination.person.email.split("@")[0]
    reminders.stop(session, invitation.id)

    assert name not in reminded(session)
    assert ballots.rater(session, keyring, factories.links(session, keyring, round_)[name], NOW)


@pytest.mark.parametrize("ended", ["closed", "void"])
def test_once_the_round_has_ended_nothing_tells_who_was_reminded(session, keyring, round_, ended):
    """Who got a reminder had not answered by then; the rows of a usual outbox would keep that."""
    factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])
    reminders.remind(session, round_, LATER)
    mails.mark_sent(session, session.scalars(select(Mail)).first(), LATER)
    assert "peer1" in reminded(session)
    if ended == "void":
        rounds.void(session, round_, LATER)
    else:
        factories.all_answer(session, keyring, round_)
        closing.close(session, keyring, round_.id, CLOSES)

    kinds = set(session.scalars(select(Mail.kind)))
    assert MailKind.REMINDER not in kinds
    assert MailKind.INVITATION in kinds


def test_the_administrator_sees_no_reminders(session, round_):
    reminders.remind(session, round_, LATER)
    for mail in session.scalars(select(Mail).where(Mail.kind == MailKind.REMINDER)):
        mails.mark_trouble(session, mail, "550 unknown", LATER, final=True)

    assert {mail.kind for mail in mails.latest(session)} == {MailKind.INVITATION}
    assert mails.in_trouble(session, round_) == 0


class TestOneMailADay:
    """Somebody whom several leaders ask gets one mail a day that lists everything."""

    @pytest.fixture
    def asked_again(self, session, keyring, round_):
        """Sam's invitations are sent; then Robin asks the same peers."""

        def ask(hours, days_left=15):
            for mail in session.scalars(select(Mail)):
                mails.mark_sent(session, mail, NOW)
            sam = factories.person(session, "Sam", "leader")
            later = NOW + timedelta(hours=hours)
            second = factories.prepared(session, leader=sam, roster=PEERS, now=later)
            second.closes_at = later + timedelta(days=days_left)
            rounds.open_round(session, keyring, second, later)
            peer = people.by_address(session, "peer0@example.org")
            query = select(Mail).where(Mail.round_id == second.id, Mail.person_id == peer.id)
            return session.scalars(query).one()

        return ask

    def test_a_second_leader_asks_the_day_after(self, asked_again):
        assert asked_again(hours=5).due_at == NOW + timedelta(hours=24)

    def test_after_a_day_nobody_waits(self, asked_again):
        assert asked_again(hours=24).due_at == NOW + timedelta(hours=24)

    def test_nobody_waits_where_time_to_answer_is_short(self, asked_again):
        # A day later would leave 3 days less 19 hours.
        assert asked_again(hours=5, days_left=3).due_at == NOW + timedelta(hours=5)

    def test_a_link_that_somebody_lost_is_sent_at_once(self, session, asked_again):
        mail = asked_again(hours=5)
        mails.queue_invitation(session, mail.invitation, NOW + timedelta(hours=6), again=True)
        due = session.scalars(select(Mail.due_at).where(Mail.invitation_id == mail.invitation_id))

        assert NOW + timedelta(hours=6) in list(due)

    def test_a_reminder_makes_no_invitation_wait_and_takes_none_along(
        self, session, keyring, round_
    ):
        """Administrators see when invitations are sent: they would see who was reminded."""
        factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])
        reminders.remind(session, round_, LATER)
        for mail in session.scalars(select(Mail)):
            sent = LATER if mail.kind is MailKind.REMINDER else NOW
            mails.mark_sent(session, mail, sent)
        sam = factories.person(session, "Sam", "leader")
        asked = LATER + timedelta(hours=2)
        second = factories.opened(session, keyring, leader=sam, roster=PEERS, now=asked)
        query = select(Mail).where(Mail.round_id == second.id, Mail.address.like("peer%"))
        waiting = session.scalars(query).all()
        assert {mail.due_at for mail in waiting} == {asked}

        round_.reminded_at, round_.reminders = LATER - reminders.APART, 1
        reminders.remind(session, round_, asked)
        query = select(Mail).where(Mail.kind == MailKind.REMINDER, Mail.state == MailState.WAITING)
        reminder = session.scalars(query).first()
        listed = [mail.invitation_id for mail in waiting]
        assert mails.claim_along(session, reminder, listed, asked) == []
