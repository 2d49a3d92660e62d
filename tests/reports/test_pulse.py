"""A pulse counts what all raters say together, and never lets one answer be known."""

import html
import random
from collections import Counter
from datetime import date
from itertools import product

import pytest

from questionnaires.definition import Questionnaire
from reports.answers import Answers
from reports.partition import TooFewRaters
from reports.pdf import SHAREABLE, preview_body, preview_html
from reports.preview import Preview, PulseShown
from reports.pulse import PulseSetting, tallied
from reports.release import PulseRelease, Tally, sha256

BEHAVIOURS = ("hands over whole results", "asks before telling")
# As in the questionnaire: much less 1, less 2, slightly less 3, no change 4, … much more 7.
LESS, SAME, MORE, NO_BASIS = 2, 4, 6, 0


@pytest.fixture
def setting(questionnaire: Questionnaire) -> PulseSetting:
    return PulseSetting(
        questionnaire=questionnaire,
        language="en",
        leader="Robin Sample",
        release="0" * 64,
        number=1,
        opened_on=date(2027, 1, 21),
        closed_on=date(2027, 2, 4),
        k=3,
        asked=8,
        behaviours=BEHAVIOURS,
    )


def said(key: str, *answers: int) -> list[Answers]:
    return [Answers("peer", False, {key: answer}, {}) for answer in answers]


def counted(setting: PulseSetting, answers: list[Answers]) -> PulseRelease:
    return tallied(setting, answers, random.Random(1))


def test_answers_are_counted_as_less_the_same_or_more(setting):
    """By hand: 1, 2 and 3 are less, 4 is the same, 5, 6 and 7 are more."""
    release = counted(setting, said("PU1_2", 1, 2, 3, 4, 4, 5, 6, 7))

    assert release.tally("PU1_2") == Tally(question="PU1_2", n=8, counts=(3, 2, 3), nearly_all=None)
    assert release.tally("PU1_1") is None


def test_options_are_counted_one_by_one(setting):
    release = counted(setting, said("PU0", 1, 1, 2, 3, 3, 3))

    assert release.tally("PU0") == Tally(question="PU0", n=6, counts=(2, 1, 3, 0), nearly_all=None)


def test_who_had_no_basis_is_not_counted_and_does_not_make_enough(setting):
    release = counted(setting, said("PU2", LESS, SAME, NO_BASIS, NO_BASIS))

    assert release.answered == 4
    assert release.tally("PU2") is None


def test_fewer_than_k_answers_are_no_pulse(setting):
    with pytest.raises(TooFewRaters):
        counted(setting, said("PU2", MORE, MORE))


def test_the_same_is_told_whether_all_or_all_but_one_said_so(setting):
    """With plain counts, 5 of 5 would tell what each of them said."""
    all_of_them = counted(setting, said("PU2", *[LESS] * 5))
    for other in (SAME, MORE):
        assert counted(setting, said("PU2", *[LESS] * 4, other)).tallies == all_of_them.tallies
    assert all_of_them.tally("PU2") == Tally(question="PU2", n=5, counts=None, nearly_all=0)


def test_no_release_tells_what_everybody_answered(setting):
    """Over all answers of three to five raters: several answers lead to each unanimous release."""
    for n in (3, 4, 5):
        behind: dict[tuple[Tally, ...], set[tuple[int, ...]]] = {}
        for answers in product((LESS, SAME, MORE), repeat=n):
            release = counted(setting, said("PU2", *answers))
            behind.setdefault(release.tallies, set()).add(tuple(sorted(answers)))
        # Plain counts would tell: each unanimous one has a single answer behind it.
        plain = Counter(
            tuple(answers.count(each) for each in (LESS, SAME, MORE))
            for answers in {tuple(sorted(each)) for each in product((LESS, SAME, MORE), repeat=n)}
        )
        assert plain[n, 0, 0] == plain[0, n, 0] == plain[0, 0, n] == 1
        for possible in behind.values():
            unanimous = [answers for answers in possible if len(set(answers)) == 1]
            # All of them, or all but one who may have said either of the two others.
            assert not unanimous or (len(unanimous) == 1 and len(possible) == 3)


def test_comments_are_there_without_an_order(setting):
    answers = [
        Answers("peer", False, {"PU2": MORE}, {"PU3": (text,)}) for text in ("one", "two", "three")
    ]
    orders = {
        tuple(tallied(setting, answers, random.Random(seed)).comments[0].texts)
        for seed in range(50)
    }

    assert len(orders) == 6


def test_the_page_says_counts_nearly_all_too_few_and_words(setting, questionnaire, release):
    answers = [
        Answers("peer", False, {"PU1_1": change, "PU2": MORE}, {})
        for change in (LESS, SAME, MORE, MORE)
    ]
    answers.append(Answers("manager", False, {"PU1_1": NO_BASIS}, {"PU3": ("Keep asking.",)}))
    pulse = counted(setting, answers)
    body = preview_body(Preview(release, questionnaire, pulses=[pulse]))

    assert "“hands over whole results”" in body
    assert "<strong>1</strong> less" in body
    assert "<strong>2</strong> more" in body
    assert "<strong>At least 3</strong> of 4: more" in body
    assert "Fewer than 3 had a basis to judge this" in body
    assert "<p>Keep asking.</p>" in body


def test_what_is_shared_holds_nothing_that_people_wrote(setting, questionnaire, release):
    answers = [
        Answers("peer", False, {"PU2": change}, {"PU3": (f"canary {change}",)})
        for change in (LESS, SAME, MORE)
    ]
    preview = Preview(release, questionnaire, pulses=[counted(setting, answers)])
    written = ["canary", "Bring me plans", "Peer's wish", "precise"]
    whole, shared = preview_html(preview), preview_html(preview, SHAREABLE)

    assert all(each in html.unescape(whole) for each in written)
    assert not any(each in html.unescape(shared) for each in written)
    assert "<strong>1</strong> more" in shared


def test_a_follow_up_says_what_the_pulses_between_counted(setting, questionnaire, release):
    pulse = counted(setting, said("PU1_1", LESS, SAME, MORE))
    before = Preview(release, questionnaire, pulses=[pulse])
    after = release.model_copy(update={"closed_on": date(2027, 5, 22)})
    body = preview_body(Preview(after, questionnaire, before))

    changes = body.partition("What has changed")[2].partition("</section>")[0]
    assert "What the pulse until 4 February 2027 counted" in changes
    assert "“hands over whole results”" in changes


def test_a_pulse_is_the_same_after_writing_and_reading(setting):
    pulse = counted(setting, said("PU0", 1, 2, 3))

    assert PulseRelease.model_validate_json(pulse.to_json()) == pulse
    assert len(sha256(pulse.to_json())) == 64


def test_every_question_of_the_shipped_pulse_can_be_shown(setting, questionnaire):
    keys = [question.key for question in questionnaire.pulse_questions(BEHAVIOURS)]

    assert keys == ["PU0", "PU1_1", "PU1_2", "PU2", "PU3"]
    for language in questionnaire.texts:
        answers = [Answers("peer", False, dict.fromkeys(keys, 1), {}) for _ in range(3)]
        release = counted(setting, answers).model_copy(update={"language": language})
        assert len(list(PulseShown(release, questionnaire).counted())) == 4
