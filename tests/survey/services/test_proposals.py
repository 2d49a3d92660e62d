"""Nobody alone closes earlier or changes whom an open round asks, and every rater is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from reports.release import Release as Document
from survey import jobs
from survey.errors import NotFound
from survey.models import (
    Answered,
    AuditEntry,
    Ballot,
    Invitation,
    Mail,
    MailKind,
    Proposal,
    ProposalState,
    RoundState,
)
from survey.services import ballots, closing, people, proposals, rounds
from survey.services.ballots import LinkUnknown
from survey.services.nominations import Named, NamesInvalid
from survey.services.proposals import (
    Decided,
    NobodyToAgree,
    NotAsked,
    NotEarlier,
    NotEnough,
    SecondPersonNeeded,
)
from survey.services.rounds import RatersMissing, RoundNotOpen
from tests import factories
from tests.conftest import CLOSES, NOW

EARLIER = CLOSES - timedelta(days=7)
DAWN = Named(1, "Dawn Example", "dawn@example.org", "peer")


@pytest.fixture
def andy(session):
    """The second person."""
    return factories.person(session, "Andy", "administrator")


@pytest.fixture
def round_(session, keyring, andy):
    """A round of Robin's: five peers, four direct reports, a manager."""
    return factories.opened(session, keyring)


@pytest.fixture
def enough(session, keyring, round_):
    """Everybody has answered, and that was looked at the next day."""
    factories.all_answer(session, keyring, round_)
    rounds.renew_enough(session, round_, NOW + timedelta(days=1))
    session.commit()


@pytest.fixture
def by_leader(session, round_, enough):
    """One proposal of each kind by the leader."""
    leader, someone = round_.leader, people.by_address(session, "peer0@example.org")
    made = {
        "earlier": proposals.propose_earlier(session, round_, EARLIER, NOW, leader),
        "one more": proposals.propose_one_more(session, round_, DAWN, NOW, leader),
        "one less": proposals.propose_one_less(session, round_, someone.id, NOW, leader),
    }
    session.commit()
    return made


KINDS = ("earlier", "one more", "one less")


@pytest.mark.parametrize("kind", KINDS)
def test_alone_the_leader_changes_nothing_in_an_open_round(
    session, keyring, round_, by_leader, kind
):
    """Not even with an administrator's role of their own."""
    round_.leader.administers = True
    session.commit()
    before = (round_.closes_at, sorted(each.person_id for each in round_.nominations))

    for decide in (
        lambda: proposals.approve(session, keyring, by_leader[kind], NOW, round_.leader),
        lambda: proposals.refuse(session, by_leader[kind], NOW, round_.leader),
    ):
        with pytest.raises(SecondPersonNeeded):
            decide()
    assert (round_.closes_at, sorted(each.person_id for each in round_.nominations)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_only_an_administrator_agrees(session, keyring, by_leader, kind):
    casey = factories.person(session, "Casey", "coach", "leader")

    with pytest.raises(SecondPersonNeeded):
        proposals.approve(session, keyring, by_leader[kind], NOW, casey)


def test_whoever_proposed_it_does_not_agree_to_it(session, keyring, round_, enough, andy):
    proposal = proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)
    proposal.proposer_id = andy.id
    session.flush()

    with pytest.raises(SecondPersonNeeded):
        proposals.approve(session, keyring, proposal, NOW, andy)


def test_where_nobody_could_agree_nothing_is_proposed(session, round_, enough, andy):
    andy.active = False
    round_.leader.administers = True
    session.flush()

    with pytest.raises(NobodyToAgree, match="no administrator besides you"):
        proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)


def test_every_other_administrator_is_asked_by_mail(session, round_, by_leader, andy):
    query = select(Mail.address).where(Mail.kind == MailKind.CHANGE_PROPOSED)
    assert session.scalars(query).all() == ["andy@example.org"] * 3


def test_a_second_person_lets_the_round_close_earlier(
    app, session, keyring, round_, by_leader, andy, clock
):
    proposals.approve(session, keyring, by_leader["earlier"], NOW, andy)
    session.commit()
    assert round_.closes_at == EARLIER

    session.close()
    clock.now = EARLIER
    jobs.sweep(app)
    assert session.get(type(round_), round_.id).state is RoundState.RELEASED


@pytest.mark.parametrize(
    "day", [CLOSES, CLOSES + timedelta(days=1), NOW + timedelta(hours=23), NOW - timedelta(days=1)]
)
def test_an_earlier_day_leaves_a_day_and_is_earlier(session, round_, enough, day):
    with pytest.raises(NotEarlier):
        proposals.propose_earlier(session, round_, day, NOW, round_.leader)


def test_a_day_that_has_come_too_near_meanwhile_is_refused(
    session, keyring, round_, by_leader, andy
):
    with pytest.raises(NotEarlier):
        proposals.approve(
            session, keyring, by_leader["earlier"], EARLIER - timedelta(hours=3), andy
        )
    session.rollback()
    assert by_leader["earlier"].state is ProposalState.WAITING
    assert round_.closes_at == CLOSES


def test_it_does_not_close_earlier_before_every_group_has_enough(session, keyring, round_):
    """Two of four direct reports have answered; a manager alone could never be enough."""
    for name, link in factories.links(session, keyring, round_).items():
        if name.startswith("peer") or name in ("direct_report0", "direct_report1"):
            factories.answer(session, keyring, link)
    rounds.renew_enough(session, round_, NOW + timedelta(days=1))
    with pytest.raises(NotEnough):
        proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)

    factories.answer(session, keyring, factories.links(session, keyring, round_)["direct_report2"])
    rounds.renew_enough(session, round_, NOW + timedelta(days=2))
    assert proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)


def test_small_groups_alone_are_not_enough_to_close_earlier(session, keyring, andy):
    """None of them could stand alone, and nobody has answered at all."""
    roster = {"manager": 1, "peer": 2, "direct_report": 2}
    round_ = factories.opened(session, keyring, roster=roster)
    rounds.renew_enough(session, round_, NOW + timedelta(days=1))
    with pytest.raises(NotEnough):
        proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)

    factories.all_answer(session, keyring, round_)
    rounds.renew_enough(session, round_, NOW + timedelta(days=2))
    assert proposals.propose_earlier(session, round_, EARLIER, NOW, round_.leader)


def test_what_was_enough_stays_so_whoever_withdraws(session, keyring, round_, enough):
    before = rounds.enough(round_)
    for invitation in session.scalars(select(Invitation)):
        invitation.answered = Answered.NOT_YET
    session.flush()
    rounds.renew_enough(session, round_, NOW + timedelta(days=2))

    assert rounds.enough(round_) == before


def test_one_more_person_is_invited_and_counts(session, keyring, round_, by_leader, andy):
    proposals.approve(session, keyring, by_leader["one more"], NOW, andy)
    session.commit()

    invitations = select(Mail.address).where(Mail.kind == MailKind.INVITATION)
    assert session.scalars(invitations).all().count("dawn@example.org") == 1
    link = factories.links(session, keyring, round_)["dawn"]
    assert ballots.rater(session, keyring, link, NOW).asked_alike == 6
    factories.answer(session, keyring, link)
    closing.close(session, keyring, round_.id, CLOSES)


def test_one_less_loses_link_answers_and_unsent_mails(session, keyring, round_, by_leader, andy):
    link = factories.links(session, keyring, round_)["peer0"]
    assert len(session.scalars(select(Ballot)).all()) == 11
    proposals.approve(session, keyring, by_leader["one less"], NOW, andy)
    session.commit()

    assert len(session.scalars(select(Ballot)).all()) == 10
    with pytest.raises(LinkUnknown):
        ballots.rater(session, keyring, link, NOW)
    told = select(Mail.kind, Mail.state).where(Mail.address == "peer0@example.org")
    assert sorted(session.execute(told).all()) == [
        (MailKind.INVITATION, "withdrawn"),
        (MailKind.ROUND_CHANGED, "waiting"),
    ]
    release = factories.closed(session, keyring, round_)
    atoms = Document.model_validate_json(release.document).atoms
    assert (sum(atom.asked for atom in atoms), sum(atom.n for atom in atoms)) == (9, 9)


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_who_is_asked_is_told_whether_they_answered_or_not(
    session, keyring, round_, by_leader, andy, kind
):
    """Whom a mail reached would tell the administrator who had not answered yet."""
    for name, answered in (("peer1", Answered.NOT_YET), ("peer2", Answered.DECLINED)):
        person = people.by_address(session, f"{name}@example.org")
        [invitation] = [
            each
            for each in session.scalars(select(Invitation))
            if each.nomination.person_id == person.id
        ]
        invitation.answered = answered
    proposals.approve(session, keyring, by_leader[kind], NOW, andy)

    told = select(Mail.address).where(Mail.kind == MailKind.ROUND_CHANGED)
    assert sorted(session.scalars(told)) == sorted(
        f"{name}{n}@example.org" for name, count in factories.ROSTER.items() for n in range(count)
    )


def test_a_proposal_is_decided_once(session, keyring, round_, by_leader, andy):
    proposals.refuse(session, by_leader["earlier"], NOW, andy)
    proposals.withdraw(session, by_leader["one more"], NOW, round_.leader)
    session.commit()

    for kind in ("earlier", "one more"):
        with pytest.raises(Decided):
            proposals.approve(session, keyring, by_leader[kind], NOW, andy)
        session.rollback()
    assert proposals.waiting(session, NOW, round_) == [by_leader["one less"]]
    assert proposals.waiting(session, NOW) == [by_leader["one less"]]
    assert proposals.approved(session, round_) == []


def test_only_whoever_proposed_takes_it_back(session, by_leader, andy):
    with pytest.raises(NotFound):
        proposals.withdraw(session, by_leader["earlier"], NOW, andy)


def test_in_a_round_that_is_over_nothing_is_proposed_or_agreed(
    session, keyring, round_, by_leader, andy
):
    with pytest.raises(RoundNotOpen):
        proposals.approve(session, keyring, by_leader["one more"], CLOSES, andy)
    session.rollback()
    with pytest.raises(RoundNotOpen):
        proposals.propose_one_more(session, round_, DAWN, CLOSES, round_.leader)
    session.rollback()
    assert proposals.waiting(session, CLOSES) == []

    closing.close(session, keyring, round_.id, CLOSES)
    for decide in (
        lambda: proposals.approve(session, keyring, by_leader["one more"], NOW, andy),
        lambda: proposals.refuse(session, by_leader["one more"], NOW, andy),
    ):
        with pytest.raises(RoundNotOpen):
            decide()


@pytest.mark.parametrize(
    ("name", "address", "relationship", "reason"),
    [
        ("Peer", "peer1@example.org", "peer", "named twice"),
        ("Robin", "robin@example.org", "peer", "the leader's own address"),
        ("X", "nonsense", "peer", "is not a mail address"),
        ("X", "x@example.org", "self", "no relationship"),
        ("", "x@example.org", "peer", "name"),
    ],
)
def test_who_cannot_be_asked_is_refused_with_the_reason(
    session, round_, name, address, relationship, reason
):
    named = Named(1, name, address, relationship)
    with pytest.raises(NamesInvalid) as refused:
        proposals.propose_one_more(session, round_, named, NOW, round_.leader)
    assert reason in str(refused.value)


def test_nobody_is_taken_off_who_is_not_asked_or_whom_the_round_needs(session, keyring, andy):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    peer = people.by_address(session, "peer0@example.org")

    with pytest.raises(NotAsked):
        proposals.propose_one_less(session, round_, andy.id, NOW, round_.leader)
    with pytest.raises(NotAsked):
        proposals.propose_one_less(session, round_, round_.leader_id, NOW, round_.leader)
    with pytest.raises(RatersMissing):
        proposals.propose_one_less(session, round_, peer.id, NOW, round_.leader)


def test_two_who_agree_to_the_same_person_ask_them_once(session, keyring, round_, andy):
    both = [proposals.propose_one_more(session, round_, DAWN, NOW, round_.leader) for _ in range(2)]
    session.commit()
    proposals.approve(session, keyring, both[0], NOW, andy)
    session.commit()

    with pytest.raises(Decided):
        proposals.approve(session, keyring, both[1], NOW, andy)


def test_each_step_stands_on_the_audit_list(session, keyring, round_, by_leader, andy):
    proposals.approve(session, keyring, by_leader["earlier"], NOW, andy)
    proposals.refuse(session, by_leader["one more"], NOW, andy)
    proposals.withdraw(session, by_leader["one less"], NOW, round_.leader)

    acts = session.execute(select(AuditEntry.act, AuditEntry.actor_id)).all()
    assert acts.count(("change of a round proposed", round_.leader_id)) == 3
    for act, actor in (("approved", andy), ("refused", andy)):
        assert (f"change of a round {act}", actor.id) in acts
    assert ("proposal withdrawn", round_.leader_id) in acts
    assert session.scalars(select(Proposal.decider_id)).all().count(andy.id) == 2
