"""A ballot opens with all of its keys, for its round, and only if this server wrote it."""

from dataclasses import replace
from uuid import uuid4

import pytest

from reports.answers import Answers
from survey import sealing
from survey.envelope import Content, Envelope, NotFromWebSide, Opener
from survey.sealing import SealBroken

ANSWERS = Answers("peer", False, {"MM01": 4, "MM02": 0}, {"OP1": ("Schöne Worte",)})


@pytest.fixture(params=["one seal", "two seals"])
def both(request):
    """An envelope, and what opens it."""
    round_id, shared, pair = uuid4(), sealing.new_pepper(), sealing.new_key_pair()
    trustee = sealing.new_key_pair() if request.param == "two seals" else None
    return (
        Envelope(round_id, 2048, shared, pair.public, trustee and trustee.public),
        Opener(round_id, shared, pair.private, trustee and trustee.private),
    )


@pytest.mark.parametrize("answers", [ANSWERS, None])
def test_what_was_put_in_comes_out(both, answers):
    envelope, opener = both
    content = Content("0a" * 16, 3, "what was asked", answers)

    assert opener.open(envelope.seal(content)) == content


def test_started_and_sent_ballots_have_one_length(both):
    envelope, _ = both

    lengths = {
        len(envelope.seal(Content("0a" * 16, 3, "what was asked", each)))
        for each in (ANSWERS, None)
    }
    assert len(lengths) == 1


def test_without_one_of_its_keys_or_for_another_round_it_stays_closed(both):
    envelope, opener = both
    sealed = envelope.seal(Content("0a" * 16, 3, "what was asked", ANSWERS))

    wrong = [
        replace(opener, ballot=sealing.new_key_pair().private),
        replace(opener, round_id=uuid4()),
    ]
    if opener.trustee:
        wrong.append(replace(opener, trustee=sealing.new_key_pair().private))
    for each in wrong:
        with pytest.raises(SealBroken):
            each.open(sealed)


def test_what_somebody_else_wrote_is_not_taken(both):
    """Whoever has the public keys can seal; without what the sides share it is noticed."""
    envelope, opener = both
    forged = replace(envelope, shared=sealing.new_pepper()).seal(
        Content("0a" * 16, 3, "what was asked", ANSWERS)
    )

    with pytest.raises(NotFromWebSide):
        opener.open(forged)


def test_a_ballot_with_a_second_seal_is_not_read_without_it():
    round_id, shared, pair = uuid4(), sealing.new_pepper(), sealing.new_key_pair()
    trustee = sealing.new_key_pair()
    envelope = Envelope(round_id, 2048, shared, pair.public, trustee.public)

    with pytest.raises(NotFromWebSide):
        Opener(round_id, shared, pair.private).open(
            envelope.seal(Content("0a" * 16, 3, "what was asked", ANSWERS))
        )


def test_nothing_secret_is_shown_with_an_envelope(both):
    for each in both:
        assert "shared" not in repr(each)
        assert "ballot=" not in repr(each)
