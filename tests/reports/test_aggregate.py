"""A whole round by hand: what the release says, and what it must not hold."""

import random
from collections import Counter

import pytest

from reports.aggregate import aggregate
from reports.partition import TooFewRaters
from reports.release import Release
from tests.reports.conftest import setting


def numbers(release: Release, scope: str, key: str) -> dict[str, float | None]:
    return {f.of: f.mean for f in release.figures if (f.scope, f.key) == (scope, key)}


def test_themes_of_everybody_by_hand(release):
    # Peers: (3 × 2 + 2 × 3) / 5 = 2.4; direct reports: (2 × 2 + 2 × 3) / 4 = 2.5; nine
    # others: (12 + 10) / 9 = 2.44. The manager who is shown by role is in none of them.
    assert numbers(release, "theme", "MM") == {
        "self": 4.0,
        "others": 2.4,
        "identified-1": 3.0,
        "peer": 2.4,
        "direct_report": 2.5,
    }


def test_four_raters_show_no_statement(release):
    # Only the five peers do, and so "others" stand on them alone.
    assert numbers(release, "item", "MM01") == {"self": 4.0, "others": 2.4, "peer": 2.4}


def test_a_band_goes_with_each_group_but_not_with_a_person(release):
    # Peers: 2.4 ± 1.64485 × 0.8 / √5 = 2.4 ± 0.59; direct reports: 2.5 ± 0.66.
    bands = {f.of: f.band for f in release.figures if (f.scope, f.key) == ("theme", "MM")}

    assert bands["peer"] == (1.8, 3.0)
    assert bands["direct_report"] == (1.8, 3.2)
    assert bands["self"] is None
    assert bands["identified-1"] is None


def test_nine_others_show_a_theme_with_their_own_spread_drawn_to_the_typical(release):
    # Theme scores of the nine: five 2s and four 3s; s² = (5 × 0.4444² + 4 × 0.5556²) / 8 =
    # 0.27778. s̃² = (4 × 0.65² + 8 × 0.27778) / 12 = 0.32602, t(12) = 1.782:
    # 1.782 × 0.57098 / 3 = 0.33917. 2.44444 ± 0.33917 → 2.1 and 2.8.
    figure = release.figure("theme", "MM", "others")

    assert figure.band == (2.1, 2.8)
    assert figure.n == 9


def test_the_leader_sees_more_room_than_others_do(release):
    # 4.0 − 2.4 = 1.6: clear, outside the band, and others see less.
    gap = release.figure("theme", "MM", "others").gap

    assert (gap.value, gap.view, gap.field) == (1.6, "clear", "talk")


def test_a_unanimous_end_is_not_told(questionnaire, answered):
    answers = [answered("peer", 1, 3, 5) for _ in range(5)]
    release = aggregate(setting(questionnaire, asked={"peer": 5}), answers, random.Random(1))

    low, high = (release.figure("theme", theme, "others") for theme in ("MM", "TR"))
    assert (low.end_coded, low.mean) == ("at_most", 1.3)
    assert (high.end_coded, high.mean) == ("at_least", 4.7)


def test_strengths_are_highest_and_practices_lowest_among_the_levels_focus(release):
    # Trust is highest for everybody; its first two facets win the tie. Of the facets in focus,
    # room to lead leaves most room, in pathway order.
    assert release.strengths == ("TR1", "TR2")
    assert [practice.facet for practice in release.practices] == ["MM1", "MM2"]
    assert [practice.reason for practice in release.practices] == ["most_room", "different_view"]


def test_groups_are_counted_as_asked_and_answered(release):
    assert [(atom.label, atom.asked, atom.n) for atom in release.atoms] == [
        ("Your manager", 1, 1),
        ("Peers", 6, 5),
        ("Direct reports", 4, 4),
    ]


def test_comments_of_fewer_than_five_have_no_group(release):
    [theirs, managers] = [group for group in release.comments if group.prompt == "OP1"]

    assert theirs.of is None
    assert sorted(theirs.texts) == ["Peer's wish 0", "Peer's wish 1", "Peer's wish 2"]
    assert managers.of == "identified-1"


def test_words_are_counted_one_by_one(release):
    [words] = release.words

    assert Counter({each.word.casefold(): each.times for each in words.words}) == {
        "calm": 4, "fast": 2, "precise": 2, "fair": 2
    }  # fmt: skip


def test_a_group_is_not_named_beside_a_smaller_one(questionnaire, answered):
    """Naming the six would name the one that is left."""
    answers = [
        *(answered("peer", 3, 3, 3, words={"OP1": (f"p{n}",)}) for n in range(6)),
        answered("direct_report", 3, 3, 3, words={"OP1": ("d",)}),
        *(answered("direct_report", 3, 3, 3) for _ in range(4)),
    ]
    roster = setting(questionnaire, asked={"peer": 6, "direct_report": 5})
    [group] = aggregate(roster, answers, random.Random(1)).comments
    assert group.of is None

    all_wrote = [
        *answers[:6],
        *(answered("direct_report", 3, 3, 3, words={"OP1": (f"d{n}",)}) for n in range(5)),
    ]
    groups = aggregate(roster, all_wrote, random.Random(1)).comments
    assert [group.of for group in groups] == ["peer", "direct_report"]


def test_comments_are_shuffled_apart_for_each_prompt(questionnaire, answered):
    answers = [
        answered("peer", 3, 3, 3, words={"OP1": (str(n),), "OP2": (str(n),)}) for n in range(12)
    ]
    roster = setting(questionnaire, asked={"peer": 12})
    orders = [group.texts for group in aggregate(roster, answers, random.Random(1)).comments]

    assert len(set(orders)) == 2
    assert tuple(str(n) for n in range(12)) not in orders


def test_the_release_holds_nothing_of_one_rater(release):
    """Only groups, comments and the leader's own words; no id, time or ballot."""
    fields = set(Release.model_fields)

    assert fields == {
        "format", "questionnaire", "language", "leader", "level", "opened_on", "closed_on",
        "sealed",
        "rules", "atoms", "figures", "comments", "words", "own_words", "strengths", "practices",
    }  # fmt: skip
    assert {figure.of for figure in release.figures} == {
        "self", "others", "identified-1", "peer", "direct_report"
    }  # fmt: skip


def test_the_release_comes_back_the_same_from_json(release):
    again = Release.model_validate_json(release.to_json())

    assert again == release
    assert again.to_json() == release.to_json()


def test_too_few_raters_give_no_release(questionnaire, answered):
    with pytest.raises(TooFewRaters):
        aggregate(setting(questionnaire), [answered("peer", 3, 3, 3)] * 2, random.Random(1))


def test_more_answers_than_were_asked_are_refused(questionnaire, answered):
    answers = [answered("peer", 3, 3, 3)] * 3 + [answered("manager", 3, 3, 3)]

    with pytest.raises(ValueError, match="more raters answered"):
        aggregate(setting(questionnaire, asked={"peer": 3}), answers, random.Random(1))
