"""From the link to sealed answers: nothing lost, nothing readable, nothing more than needed."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import select

from survey import db, sealing
from survey.answers import LONGEST_PULSE_TEXT, Draft, ballot_size
from survey.envelope import Content, Envelope
from survey.models import Answered, Ballot, Invitation
from survey.services import ballots
from survey.services.ballots import (
    AnswersMissing,
    LinkUnknown,
    NotStarted,
    RoundClosed,
)
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.launching import at_once


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring)


@pytest.fixture
def links(session, keyring, round_):
    return factories.links(session, keyring, round_)


@pytest.fixture
def find(session, keyring):
    return lambda link, now=NOW: ballots.rater(session, keyring, link, now)


def test_a_link_stands_for_one_rater(find, links):
    rater = find(links["peer2"])

    assert rater.nomination.person.name == "peer2 Example"
    assert (rater.relationship, rater.asked_alike) == ("peer", 5)


@pytest.mark.parametrize(
    "change", [lambda x: x[:0], lambda x: x[:-1], lambda x: x[::-1], lambda x: x + "A"]
)
def test_what_is_not_exactly_the_link_opens_nothing(find, links, change):
    with pytest.raises(LinkUnknown):
        find(change(links["peer0"]))


def test_a_guessed_token_opens_nothing(find, round_):
    with pytest.raises(LinkUnknown):
        find(sealing.link_path(round_.id, sealing.new_token()))


def test_a_link_of_another_round_opens_nothing(session, keyring, find, links):
    other = factories.opened(
        session, keyring, leader=factories.person(session, "Sam", "leader"), roster={"peer": 3}
    )
    _, token = sealing.read_link(links["peer0"])

    with pytest.raises(LinkUnknown):
        find(sealing.link_path(other.id, token))


def test_after_the_closing_day_nothing_can_be_answered(find, links):
    assert find(links["peer0"], CLOSES - timedelta(seconds=1))
    with pytest.raises(RoundClosed):
        find(links["peer0"], CLOSES)


def test_finding_a_rater_changes_nothing(session, find, links):
    rater = find(links["peer0"])

    assert ballots.draft(session, rater) is None
    assert session.scalars(select(Ballot)).all() == []
    assert not session.dirty
    assert not session.new


def test_a_draft_is_there_again_with_the_same_link(session, find, links):
    rater = find(links["peer0"])
    ballots.start(session, rater)
    ballots.save(session, rater, Draft({"MM01": 4}, {"OP1": ("half a",)}))
    session.commit()

    again = find(links["peer0"])
    ballots.start(session, again)
    ballots.save(session, again, Draft({"MM02": 0}))

    assert ballots.draft(session, again) == Draft({"MM01": 4, "MM02": 0}, {"OP1": ("half a",)})


def test_without_a_start_there_is_nothing_to_save_or_send(session, find, links):
    rater = find(links["peer0"])

    with pytest.raises(NotStarted):
        ballots.save(session, rater, Draft({"MM01": 4}))
    with pytest.raises(NotStarted):
        ballots.send(session, rater)


def test_half_of_the_items_are_needed(session, find, links):
    rater = find(links["peer0"])
    ballots.start(session, rater)
    thirteen = dict(list(factories.scores().items())[:13])
    ballots.save(session, rater, Draft(thirteen))

    assert ballots.missing(rater, ballots.draft(session, rater)).items == 1
    with pytest.raises(AnswersMissing):
        ballots.send(session, rater)

    ballots.save(session, rater, Draft({"TR09": 0}))
    ballots.send(session, rater)
    assert rater.invitation.answered is Answered.ANSWERED


def test_the_leader_must_answer_the_prompts_that_the_preview_needs(session, find, links):
    rater = find(links["robin"])
    ballots.start(session, rater)
    ballots.save(session, rater, Draft(factories.scores(), {"OP3S": ("clear", "", "calm")}))

    missing = ballots.missing(rater, ballots.draft(session, rater))

    assert missing.prompts == ("OP3S", "OP1S", "OP4S")


def test_a_manager_must_choose_how_to_be_shown(session, find, links):
    rater = find(links["manager0"])
    ballots.start(session, rater)
    ballots.save(session, rater, Draft(factories.scores()))

    assert rater.may_be_identified
    assert ballots.missing(rater, ballots.draft(session, rater)).choice


def test_one_of_many_cannot_choose_to_be_shown(session, keyring, find, links):
    assert not find(links["peer0"]).may_be_identified
    assert not find(links["robin"]).may_be_identified


def test_sent_answers_cannot_be_read_by_the_link_that_sent_them(session, keyring, find, links):
    factories.answer(session, keyring, links["peer0"])

    assert ballots.draft(session, find(links["peer0"])) is None


def test_answers_are_replaced_only_by_sending_again(session, keyring, find, links):
    factories.answer(session, keyring, links["peer0"])
    before = session.scalar(select(Ballot.sealed))
    rater = find(links["peer0"])

    ballots.start(session, rater)
    ballots.save(session, rater, Draft({"MM01": 1}))
    assert session.scalar(select(Ballot.sealed)) == before

    ballots.save(session, rater, Draft(factories.scores()))
    ballots.send(session, rater)
    assert session.scalar(select(Ballot.sealed)) != before
    assert len(session.scalars(select(Ballot)).all()) == 1


def test_declining_takes_everything_back(session, keyring, find, links):
    factories.answer(session, keyring, links["peer0"])
    rater = find(links["peer0"])

    ballots.decline(session, rater)

    assert session.scalars(select(Ballot)).all() == []
    assert rater.invitation.answered is Answered.DECLINED


def test_every_ballot_of_a_round_has_one_size_whatever_is_in_it(session, keyring, links):
    words = {"OP1": ("word " * 200,), "OP2": ("🙂" * 1000,), "OP7": ('"' * 1000,)}
    factories.answer(session, keyring, links["peer0"])
    factories.answer(session, keyring, links["peer1"], words=words)
    factories.answer(session, keyring, links["manager0"], identified=True, words=words)
    factories.answer(session, keyring, links["robin"])

    sizes = {(len(b.sealed), len(b.resume)) for b in session.scalars(select(Ballot))}
    assert len(sizes) == 1


def test_the_longest_possible_answers_fit(session, keyring, find, links):
    """Every field full of the letters that need most bytes."""
    prompts = factories.QUESTIONNAIRE.prompts_for("manager", identified=True)
    words = {p.id: ("𝄞" * p.max_length,) * p.fields for p in prompts}

    factories.answer(session, keyring, links["manager0"], identified=True, words=words)

    # Four comments of 64 + 1000 × 4 + 8 bytes, three words of 64 + 3 × (24 × 4 + 8), 27 items of
    # 64 and 512 around them: 18,904, in whole kilobytes.
    assert ballot_size(factories.QUESTIONNAIRE) == 19 * 1024


def test_answers_of_questions_not_asked_are_left_out(session, keyring, round_, links):
    """OP4 is only for managers who are shown by role; whoever goes back takes it along."""
    factories.answer(session, keyring, links["manager0"], words={"OP4": ("From your manager.",)})

    sealed = session.scalar(select(Ballot.sealed))
    opened = factories.opener(keyring, round_.id).open(sealed)
    assert opened.answers.items
    assert "From your manager." not in str(opened)


def test_nothing_typed_stands_readable_in_the_database(session, keyring, links, stored):
    words = {"OP1": ("Unmistakable words.",)}
    rater = ballots.rater(session, keyring, links["peer0"], NOW)
    ballots.start(session, rater)
    ballots.save(session, rater, Draft({}, {"OP2": ("Unmistakable draft.",)}))
    session.commit()
    factories.answer(session, keyring, links["peer1"], words=words)
    session.close()

    assert b"Unmistakable" not in stored()


def test_a_sent_ballot_looks_like_one_that_was_only_started(session, keyring, find, links):
    factories.answer(session, keyring, links["peer0"])
    ballots.start(session, find(links["peer1"]))
    session.flush()

    sizes = {(len(b.sealed), len(b.resume)) for b in session.scalars(select(Ballot))}
    assert len(sizes) == 1
    assert len(session.scalars(select(Invitation)).all()) == 11


def test_a_ballot_has_room_for_the_longest_pulse_of_a_questionnaire_that_asks_little_else():
    structure = factories.QUESTIONNAIRE.structure.model_copy(update={"prompts": ()})
    little = factories.QUESTIONNAIRE.model_copy(update={"structure": structure})
    keys = [question.key for question in little.pulse_questions(("one", "two"))]
    longest = Draft(dict.fromkeys(keys, 7), {"PU3": ("𝄞" * LONGEST_PULSE_TEXT,)})
    ballot = Envelope(uuid4(), ballot_size(little), bytes(32), sealing.new_key_pair().public)
    answers = longest.as_answers("direct_report")

    assert ballot.seal(Content("0" * 32, 20, "0" * 200, answers))
    assert ballot_size(little) < ballot_size(factories.QUESTIONNAIRE)


def test_two_pages_saved_at_once_are_both_kept(app, session, keyring, links):
    """From two tabs, or two devices: each save reads the draft and writes it whole."""
    ballots.start(session, ballots.rater(session, keyring, links["peer0"], NOW))
    session.commit()
    session.close()
    items = list(factories.scores())

    def save(item):
        with app.app_context():
            rater = ballots.rater(db.session(), keyring, links["peer0"], NOW)
            ballots.save(db.session(), rater, Draft({item: 4}))
            db.session().commit()

    at_once(partial(save, item) for item in items)

    kept = ballots.draft(session, ballots.rater(session, keyring, links["peer0"], NOW))
    assert kept.items == dict.fromkeys(items, 4)
