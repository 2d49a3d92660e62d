"""Each round gets its keys from the side that closes it, and from nobody else."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from survey import db, jobs, sealing
from survey.keyring import KeyringUnusable, OtherSide
from survey.models import BallotKey, Mail, MailKind, Round, RoundState, Trustee
from survey.services import closing, custody, rounds, trustees
from survey.services.closing import RosterMismatch, TooFewAnswers, TrusteeNeeded
from survey.services.custody import Custody, NoBallotKey
from survey.site import EXTENSION, Site
from survey.trustee_key import fingerprint
from tests import factories
from tests.attacks.custody import two_sides
from tests.conftest import CLOSES, NOW
from tests.launching import at_once

COUNCIL = sealing.new_key_pair()


@pytest.fixture
def sides(keyring):
    """A web side and a closing side."""
    return two_sides(keyring)


@pytest.fixture
def council(session, keyring):
    """The trustee."""
    person = factories.person(session, "Council")
    trustee = trustees.appoint(session, keyring, person, COUNCIL.public, NOW)
    session.commit()
    return trustee


def restocked(session, keyring):
    made = 0
    while custody.restock(session, keyring):
        session.commit()
        made += 1
    session.rollback()
    return made


def test_twenty_keys_lie_ready_and_are_made_up_for(session, sides):
    web, closes = sides
    assert restocked(session, closes) == 20
    assert restocked(session, closes) == 0

    factories.opened(session, web)

    assert restocked(session, closes) == 1
    assert len(closes.ballot_keys()) == 21
    with pytest.raises(OtherSide):
        custody.restock(session, web)


def test_without_a_key_no_round_opens_and_nothing_is_sent(session, sides):
    web, _ = sides
    round_ = factories.prepared(session)
    session.commit()

    with pytest.raises(NoBallotKey, match="again in a few minutes"):
        rounds.open_round(session, web, round_, NOW)
    session.rollback()
    assert round_.opens_at is None
    assert session.scalars(select(Mail)).all() == []
    assert web.rounds() == []


def test_a_key_from_elsewhere_is_not_taken(session, sides):
    web, closes = sides
    custody.restock(session, closes)
    session.scalars(select(BallotKey)).one().public = COUNCIL.public
    round_ = factories.prepared(session)
    session.commit()

    with pytest.raises(KeyringUnusable, match="does not come from a closing side"):
        rounds.open_round(session, web, round_, NOW)


def test_a_copy_of_the_web_sides_keyring_makes_no_key_that_is_taken(session, sides):
    """Whoever has it knows the shared secret; a code made with that would have been enough."""
    web, closes = sides
    custody.restock(session, closes)
    key = session.scalars(select(BallotKey)).one()
    round_ = factories.prepared(session)
    session.commit()
    key_id, own = key.id, sealing.new_key_pair().public
    known = web.shared()
    for forged in (
        sealing.mac(known, key_id.bytes + own, custody.BALLOT_KEY),
        sealing.sign(known, key_id.bytes + own, custody.BALLOT_KEY),
        key.signature,
    ):
        key = session.get_one(BallotKey, key_id)
        key.public, key.signature = own, forged
        session.commit()
        with pytest.raises(KeyringUnusable, match="does not come from a closing side"):
            rounds.open_round(session, web, session.get_one(Round, round_.id), NOW)
        session.rollback()


def test_free_keys_that_nobody_could_open_are_taken_back(session, sides):
    """After a restored backup the database offers keys that were destroyed since."""
    _, closes = sides
    restocked(session, closes)
    for key_id in closes.ballot_keys()[:15]:
        closes.destroy_ballot_key(key_id)

    assert restocked(session, closes) == 15
    assert set(session.scalars(select(BallotKey.id))) == set(closes.ballot_keys())


def test_no_key_is_taken_twice(app, session, sides):
    """Eight rounds open at the same moment, and there are six keys."""
    web, closes = sides
    for _ in range(6):
        custody.restock(session, closes)
    ids = [
        factories.prepared(session, factories.person(session, f"L{n}", "leader"), {"peer": 3}).id
        for n in range(8)
    ]
    session.commit()
    with app.app_context():
        engine = db.db.engine
    refused = []

    def open_one(round_id):
        with Session(engine) as own:
            try:
                rounds.open_round(own, web, own.get_one(Round, round_id), NOW)
                own.commit()
            except NoBallotKey:
                refused.append(round_id)

    at_once(partial(open_one, round_id) for round_id in ids)

    taken = session.scalars(select(BallotKey.round_id)).all()
    assert len(refused) == 2
    assert sorted(taken) == sorted(set(ids) - set(refused))
    assert len({web.round_keys(each).ballot for each in taken}) == 6


def test_an_opening_that_failed_leaves_nothing_that_is_in_the_way(session, keyring):
    round_ = factories.prepared(session, roster={"peer": 3})
    session.commit()
    custody.make_keys(session, keyring, round_)
    session.rollback()

    rounds.open_round(session, keyring, round_, NOW)
    session.commit()
    factories.all_answer(session, keyring, round_)
    assert closing.close(session, keyring, round_.id, CLOSES)
    assert keyring.ballot_keys() == [round_.id]


def test_keys_of_an_ended_round_are_destroyed_on_each_side(session, sides):
    web, closes = sides
    restocked(session, closes)
    round_ = factories.opened(session, web)
    key_id = custody.key_of(session, round_)
    rounds.void(session, round_, NOW)
    session.commit()

    assert custody.destroy_keys(session, web) == [round_.id]
    assert key_id in closes.ballot_keys()
    assert custody.destroy_keys(session, closes) == [round_.id]
    assert key_id not in closes.ballot_keys()
    assert len(closes.ballot_keys()) == 19
    for side in sides:
        custody.forget(session, side, round_.id)
    assert custody.destroy_keys(session, closes) == []
    assert len(session.scalars(select(BallotKey)).all()) == 19


def test_the_web_side_does_not_close(session, sides):
    web, closes = sides
    restocked(session, closes)
    round_ = factories.opened(session, web)
    factories.all_answer(session, web, round_)

    with pytest.raises(OtherSide):
        closing.close(session, web, round_.id, CLOSES)
    session.rollback()
    assert closing.close(session, closes, round_.id, CLOSES)


def test_who_holds_the_keys_is_known_of_each_round(session, keyring, sides, council):
    web, closes = sides
    restocked(session, closes)
    with_trustee = factories.opened(session, keyring)
    trustees.retire(session, NOW)
    others = [factories.person(session, name, "leader") for name in ("Sam", "Kim")]
    together = factories.opened(session, keyring, leader=others[0])
    apart = factories.opened(session, web, leader=others[1])

    def seen(side, round_):
        return custody.of_round(side, side.round_keys(round_.id), round_)

    assert seen(keyring, with_trustee) == Custody(
        apart=False, trustee="Council Example", fingerprint=fingerprint(COUNCIL.public)
    )
    assert seen(keyring, together) == Custody(apart=False)
    assert seen(web, apart) == Custody(apart=True)


def test_a_round_with_a_trustee_opens_with_both_keys_only(session, keyring, council):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)

    with pytest.raises(TrusteeNeeded, match="the key that Council Example keeps"):
        closing.close(session, keyring, round_.id, CLOSES)
    session.rollback()
    with pytest.raises(RosterMismatch, match="a seal does not belong"):
        other = sealing.new_key_pair().private
        closing.close(session, keyring, round_.id, CLOSES, trustee_key=other)
    session.rollback()
    assert closing.close(session, keyring, round_.id, CLOSES, trustee_key=COUNCIL.private)


def test_taking_the_trustee_off_a_round_opens_nothing(session, keyring, council):
    """Whoever writes to the database can unname the trustee, and not unseal what is sealed."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)
    round_.trustee_id = None
    session.commit()

    with pytest.raises(RosterMismatch, match="was not written by this server"):
        closing.close(session, keyring, round_.id, CLOSES)


def test_with_too_few_answers_the_trustee_is_not_even_asked(session, keyring, council):
    round_ = factories.opened(session, keyring, roster={"peer": 3})

    with pytest.raises(TooFewAnswers):
        closing.close(session, keyring, round_.id, CLOSES)


def test_a_round_whose_trustee_lost_the_key_can_still_be_ended(session, keyring, council):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)

    rounds.void(session, round_, CLOSES)
    session.commit()
    assert custody.destroy_keys(session, keyring) == [round_.id]


def test_a_new_trustee_takes_over_for_rounds_that_open_later(session, keyring, council):
    first = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, first)
    new_pair, person = sealing.new_key_pair(), factories.person(session, "Mediator")
    trustees.appoint(session, keyring, person, new_pair.public, NOW)
    session.commit()
    leader = factories.person(session, "Sam", "leader")
    second = factories.opened(session, keyring, leader=leader, roster={"peer": 3})
    factories.all_answer(session, keyring, second)

    assert [each.person.name for each in trustees.every(session)] == [
        "Mediator Example",
        "Council Example",
    ]
    for round_, pair in ((first, COUNCIL), (second, new_pair)):
        assert closing.close(session, keyring, round_.id, CLOSES, trustee_key=pair.private)


def test_a_trustee_who_was_not_appointed_here_is_refused(session, keyring):
    person = factories.person(session, "Mallory")
    code = {"id": uuid4(), "person_id": person.id, "public": COUNCIL.public}
    session.add(Trustee(signature=b"m" * 64, **code))
    round_ = factories.prepared(session)
    session.commit()

    with pytest.raises(KeyringUnusable, match="was not added here"):
        rounds.open_round(session, keyring, round_, NOW)


def test_a_trustee_is_asked_once(session, keyring, council):
    round_ = factories.opened(session, keyring)
    for _ in range(3):
        trustees.ask(session, round_, CLOSES)
        session.commit()

    query = select(Mail).where(Mail.kind == MailKind.TRUSTEE_NEEDED)
    assert [mail.address for mail in session.scalars(query)] == ["council@example.org"]

    rounds.extend(session, round_, CLOSES + timedelta(days=7), CLOSES)
    trustees.ask(session, round_, CLOSES + timedelta(days=7))
    assert len(session.scalars(query).all()) == 2


def test_a_round_whose_trustee_never_comes_ends_after_ninety_days(
    app, session, keyring, council, clock
):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)
    session.close()
    for days, state in ((89, RoundState.OPEN), (91, RoundState.VOID)):
        clock.now = CLOSES + timedelta(days=days)
        jobs.sweep(app)
        assert session.get_one(Round, round_.id).state is state
        session.close()
    assert keyring.ballot_keys() == []


def test_the_key_that_opened_a_round_is_destroyed_whatever_the_database_says(
    app, session, keyring, database
):
    """Somebody points the row of the key elsewhere while the round is being closed."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)
    session.rollback()
    event.listen(
        session,
        "before_commit",
        lambda session: session.execute(update(BallotKey).values(round_id=None)),
    )
    here = app.extensions[EXTENSION]
    site = Site(here.settings, keyring, lambda: CLOSES, here.bell)
    jobs.close(site, session, round_.id)
    assert round_.id not in keyring.ballot_keys()
