"""The close: one winner, all or nothing, and nothing left but the release."""

import json
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from reports.release import Release as Document
from reports.release import sha256
from survey import db, jobs, sealing
from survey.envelope import Content, ballot_purpose
from survey.keyring import KeyringUnusable
from survey.models import (
    Answered,
    AuditEntry,
    Ballot,
    Invitation,
    Mail,
    MailKind,
    Person,
    Release,
    Round,
    RoundState,
)
from survey.sealing import SealBroken
from survey.services import ballots, closing, custody, invitations, questionnaires, rounds
from survey.services.closing import NotDue, RosterMismatch, TooFewAnswers
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.launching import at_once


@pytest.fixture
def round_(session, keyring):
    """A round in which everybody has answered; the manager is shown by role."""
    round_ = factories.opened(session, keyring)
    for name, link in factories.links(session, keyring, round_).items():
        mm = {"robin": 4, "manager0": 3}.get(name, 2 if name.startswith("peer") else 3)
        words = {"OP1": (f"Wish of {name}",)} if name != "robin" else None
        factories.answer(session, keyring, link, factories.scores(mm=mm), words, name == "manager0")
    return round_


def released(session) -> Document:
    return Document.model_validate_json(session.scalars(select(Release)).one().document)


def test_a_release_holds_what_was_answered_in_groups(session, keyring, round_):
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()

    document = released(session)
    # Five peers at 2 and four direct reports at 3: (10 + 12) / 9 = 2.44.
    means = {f.of: f.mean for f in document.figures if (f.scope, f.key) == ("theme", "MM")}
    assert means == {"self": 4, "others": 2.4, "identified-1": 3, "peer": 2, "direct_report": 3}
    texts = {text for group in document.comments for text in group.texts}
    assert len(texts) == 10


def test_the_release_is_known_by_its_digest(session, keyring, round_):
    release = factories.closed(session, keyring, round_)

    assert release.sha256 == sha256(release.document)
    assert release.released_on == CLOSES.date()


def test_nothing_but_the_release_is_left(session, keyring, round_, settings):
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    assert custody.destroy_keys(session, keyring) == [round_.id]

    assert session.scalars(select(Ballot)).all() == []
    assert session.scalars(select(Invitation)).all() == []
    assert [path for path in keyring.path.glob("rounds/**/*") if path.is_file()] == []
    assert round_.enough is None
    assert json.loads(session.scalars(select(Release)).one().document).keys() == set(
        Document.model_fields
    )


def test_what_was_sealed_is_noise_once_the_keys_are_destroyed(session, keyring, round_):
    """Somebody kept a copy of the ballots; with the key they open, without it nothing does."""
    kept = session.scalars(select(Ballot)).all()
    stolen = keyring.ballot_key(round_.id)
    purpose = ballot_purpose(round_.id)
    assert all(sealing.unseal(stolen, ballot.sealed, purpose) for ballot in kept)

    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    custody.destroy_keys(session, keyring)

    with pytest.raises(KeyringUnusable):
        keyring.ballot_key(round_.id)
    other = sealing.new_key_pair().private
    for ballot in kept:
        with pytest.raises(SealBroken):
            sealing.unseal(other, ballot.sealed, purpose)


def test_a_round_cannot_be_closed_before_its_day_or_twice(session, keyring, round_):
    with pytest.raises(NotDue):
        closing.close(session, keyring, round_.id, CLOSES - timedelta(seconds=1))

    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    with pytest.raises(NotDue):
        closing.close(session, keyring, round_.id, CLOSES)


def test_closing_one_round_leaves_all_others_open_and_sealed(session, keyring, round_):
    other = factories.opened(session, keyring, leader=factories.person(session, "Sam", "leader"))
    factories.all_answer(session, keyring, other)

    assert factories.closed(session, keyring, round_).round_id == round_.id
    assert custody.destroy_keys(session, keyring) == [round_.id]
    assert other.state is RoundState.OPEN
    assert len(session.scalars(select(Ballot)).all()) == 11
    assert keyring.ballot_key(other.id)


@pytest.mark.parametrize(
    ("zone", "opened", "closed"),
    # Opened at 9:00 UTC on the 2nd, closed at 0:00 UTC on the 17th: UTC − 10 and UTC + 14.
    [("Pacific/Honolulu", 1, 16), ("Pacific/Kiritimati", 2, 17)],
)
def test_a_release_names_days_where_the_organisation_is(
    session, keyring, round_, zone, opened, closed
):
    closing.close(session, keyring, round_.id, CLOSES, ZoneInfo(zone))

    document = released(session)
    assert document.opened_on == date(2026, 11, opened)
    assert document.closed_on == date(2026, 11, closed)


def test_the_leader_is_told_without_the_preview(session, keyring, round_):
    closing.close(session, keyring, round_.id, CLOSES)

    [mail] = session.scalars(select(Mail).where(Mail.kind == MailKind.RELEASED)).all()
    assert mail.address == "robin@example.org"
    assert mail.round_id == round_.id


def test_who_closed_stands_on_the_audit_list(session, keyring, round_):
    closing.close(session, keyring, round_.id, CLOSES, actor=round_.leader)
    session.flush()

    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.act == "round closed")).all()
    assert entry.actor_id == round_.leader_id


def test_drafts_that_were_never_sent_do_not_count(session, keyring):
    round_ = factories.opened(session, keyring, roster={"peer": 4})
    links = factories.links(session, keyring, round_)
    for name in ("peer0", "peer1", "peer2"):
        factories.answer(session, keyring, links[name])
    rater = ballots.rater(session, keyring, links["peer3"], NOW)
    ballots.start(session, rater)
    session.commit()

    closing.close(session, keyring, round_.id, CLOSES)

    [atom] = released(session).atoms
    assert (atom.asked, atom.n) == (4, 3)


def test_with_too_few_answers_everything_stays_sealed_and_can_go_on(session, keyring):
    round_ = factories.opened(session, keyring, roster={"peer": 4})
    links = factories.links(session, keyring, round_)
    for name in ("peer0", "peer1"):
        factories.answer(session, keyring, links[name])

    key = keyring.path / "ballots" / str(round_.id)
    key.rename(key.with_name("put away"))  # nothing is even opened
    with pytest.raises(TooFewAnswers, match="Fewer than 3 people answered"):
        closing.close(session, keyring, round_.id, CLOSES)
    session.rollback()
    key.with_name("put away").rename(key)
    assert round_.state is RoundState.OPEN
    assert len(session.scalars(select(Ballot)).all()) == 2

    later = CLOSES + timedelta(days=7)
    rounds.extend(session, round_, later, CLOSES)
    factories.answer(session, keyring, links["peer2"], now=CLOSES)
    closing.close(session, keyring, round_.id, later)
    assert released(session).atoms[0].n == 3


def test_a_manager_shown_by_role_does_not_fill_up_a_group(session, keyring):
    """Two peers and a manager who stands alone are two, and two are not shown."""
    round_ = factories.opened(session, keyring, roster={"peer": 2, "manager": 1})
    for name, link in factories.links(session, keyring, round_).items():
        factories.answer(session, keyring, link, identified=name == "manager0")

    with pytest.raises(TooFewAnswers, match="Fewer than 3 people answered"):
        closing.close(session, keyring, round_.id, CLOSES)


def other_words(round_):
    row = round_.questionnaire
    row.document = row.document.replace("Almost never", "Nearly never")


CHANGES = {
    "k lowered": lambda round_: setattr(round_, "k", 3),
    "another level": lambda round_: setattr(round_, "level", "manager"),
    "other words": other_words,
}
MISFITS = {
    "forged": "a ballot was not written by this server",
    "copied": "a rater's ballot is there twice",
    "sent and kept": "a rater's ballot is there twice",
    "of nobody": "customer: 1 instead of 0",
    "k lowered": "raters were told of groups of 5",
    "another level": "raters were asked something else",
    "other words": "raters were asked something else",
    "removed": "instead of",
    "spoilt": "a seal does not belong to this round",
    "of another round": "a seal does not belong to this round",
    "moved": "instead of",
}


@pytest.mark.parametrize("attack", MISFITS)
def test_ballots_that_are_not_the_raters_own_are_not_counted(session, keyring, attack):
    """What somebody could try who can write to the database, the public key in hand."""
    round_ = factories.opened(session, keyring, k=5)
    factories.all_answer(session, keyring, round_)
    ballot = session.scalars(select(Ballot)).first()
    envelope = factories.envelope(keyring, round_)
    answers = factories.Draft(factories.scores()).as_answers("peer")
    asked = questionnaires.asked_in(round_)
    if attack == "forged":
        forger = replace(envelope, shared=b"guessed")
        put_in(session, round_, forger.seal(Content("0" * 32, 5, asked, answers)))
    elif attack == "copied":
        put_in(session, round_, ballot.sealed)
    elif attack == "sent and kept":
        kept = ballot.sealed
        link = factories.links(session, keyring, round_)["peer0"]
        before = {each.handle: each.sealed for each in session.scalars(select(Ballot))}
        factories.answer(session, keyring, link)
        [kept] = [
            before[each.handle]
            for each in session.scalars(select(Ballot))
            if each.sealed != before[each.handle]
        ]
        put_in(session, round_, kept)
    elif attack == "of nobody":
        put_in(
            session,
            round_,
            envelope.seal(Content("1" * 32, 5, asked, replace(answers, relationship="customer"))),
        )
    elif attack in CHANGES:
        CHANGES[attack](round_)
    elif attack == "removed":
        session.delete(ballot)
    elif attack == "spoilt":
        ballot.sealed = ballot.sealed[:-1] + bytes([ballot.sealed[-1] ^ 1])
    elif attack == "of another round":
        other = replace(envelope, round_id=uuid4())
        ballot.sealed = other.seal(Content("2" * 32, 5, asked, answers))
    else:
        moved = session.scalars(select(Invitation)).first()
        moved.answered = Answered.NOT_YET
    session.commit()

    with pytest.raises(RosterMismatch, match=MISFITS[attack]):
        closing.close(session, keyring, round_.id, CLOSES)
    session.rollback()
    assert round_.state is RoundState.OPEN


def put_in(session, round_, sealed):
    session.add(Ballot(round_id=round_.id, handle=uuid4().bytes * 2, sealed=sealed, resume=b""))


def test_a_ballot_counts_once_however_often_its_link_is_renewed(session, keyring, round_):
    """The number of a rater stays; so an older copy cannot be put beside the new answers."""
    old = {each.handle: each.sealed for each in session.scalars(select(Ballot))}
    person = session.scalars(select(Person).where(Person.email == "peer0@example.org")).one()
    invitations.renew(session, keyring, person, person.email, NOW)
    session.commit()
    factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])
    [kept] = [old[handle] for handle in old if session.get(Ballot, (round_.id, handle)) is None]
    put_in(session, round_, kept)

    with pytest.raises(RosterMismatch, match="there twice"):
        closing.close(session, keyring, round_.id, CLOSES)


def test_a_smaller_k_that_raters_were_told_of_does_no_harm(session, keyring, round_):
    """Somebody raised it meanwhile: fewer groups are shown, none that is too small."""
    round_.k = 5
    session.commit()

    assert closing.close(session, keyring, round_.id, CLOSES)


def test_without_its_key_a_round_stays_sealed(session, keyring, round_):
    (keyring.path / "ballots" / str(round_.id)).rename(keyring.path / "elsewhere")

    with pytest.raises(KeyringUnusable):
        closing.close(session, keyring, round_.id, CLOSES)
    session.rollback()
    assert round_.state is RoundState.OPEN
    assert len(session.scalars(select(Ballot)).all()) == 11


def test_of_many_closers_one_wins(app, session, keyring, round_):
    wins, losses = [], []
    round_id = round_.id
    session.close()

    def race() -> None:
        with app.app_context():
            try:
                closing.close(db.session(), keyring, round_id, CLOSES)
                db.session().commit()
                wins.append(1)
            except NotDue:
                losses.append(1)

    at_once([race] * 6)

    assert (len(wins), len(losses)) == (1, 5)
    assert len(session.scalars(select(Release)).all()) == 1


def test_a_round_that_nobody_extends_ends_by_itself(app, session, keyring, clock):
    round_ = factories.opened(session, keyring, roster={"peer": 4})
    session.close()

    clock.now = CLOSES + timedelta(days=13)
    jobs.sweep(app)
    assert session.get(Round, round_.id).state is RoundState.OPEN
    session.close()

    clock.now = CLOSES + timedelta(days=14)
    jobs.sweep(app)
    assert session.get(Round, round_.id, populate_existing=True).state is RoundState.VOID
    assert keyring.rounds() == []
