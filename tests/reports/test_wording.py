"""Sentences follow the numbers and claim no more than they carry."""

from datetime import date

import pytest

from reports import wording
from reports.language import language
from reports.partition import Atom, partition
from reports.release import Figure, Gap

SAY = language("en")


def figure(mean=3.2, band=(2.6, 3.8), **more) -> Figure:
    usual = {"scope": "facet", "key": "MM1", "of": "others", "n": 5, "mean": mean, "band": band}
    return Figure(**usual | more)


@pytest.fixture
def texts(questionnaire):
    return questionnaire.texts["en"]


@pytest.mark.parametrize(
    ("mean", "point"),
    [
        (1.0, "Almost never"),
        (1.4, "Almost never"),
        (1.5, "Seldom"),
        (2.5, "About half the time"),
        (3.4, "About half the time"),
        (3.5, "Usually"),
        (4.5, "Almost always"),
        (5.0, "Almost always"),
    ],
)
def test_a_mean_is_named_by_its_nearest_point(texts, mean, point):
    assert wording.nearest_point(mean, texts) == point


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (figure(), "The answers of others centre on “About half the time” (3.2). If we asked "
                   "again, the result would probably fall between 2.6 and 3.8."),
        (None, "Too few answers to show anything here without showing somebody."),
        (figure(mean=None, band=None, not_seen=True),
         "More than two in five had no chance to see this, so there is no figure."),
        (figure(mean=4.7, end_coded="at_least"),
         "Nearly all answers stand at the upper end of the scale."),
        (figure(mean=1.3, end_coded="at_most"),
         "Nearly all answers stand at the lower end of the scale."),
    ],
)  # fmt: skip
def test_what_others_see_in_a_sentence(texts, shown, sentence):
    assert wording.seen_by_others(shown, texts, SAY) == sentence


@pytest.mark.parametrize(
    ("band", "sentence"),
    [
        ((2.6, 3.8), "Others place this between “About half the time” and “Usually”."),
        ((2.6, 3.4), "Others place this at “About half the time”."),
    ],
)
def test_a_facet_is_placed_as_wide_as_its_band(texts, band, sentence):
    assert wording.placed_by_others(figure(band=band), texts, SAY) == sentence


@pytest.mark.parametrize(
    ("spread", "sentence"),
    [
        ("alike", "They see it much alike."),
        ("somewhat", "Their views vary somewhat."),
        ("differently", "Their views differ widely, so the middle says little."),
        (None, None),
    ],
)
def test_how_alike_others_see_it(spread, sentence):
    assert wording.how_alike(figure(spread=spread), SAY) == sentence


MORE = "You see it more often (4.0): a different view, worth a conversation."
CLEARLY_MORE = "You see it clearly more often (4.0): a different view, worth a conversation."
LESS = "You see it less often (4.0): others see more here than you do, and you can lean on that."
CLEARLY_LESS = (
    "You see it clearly less often (4.0): others see more here than you do, and you can lean on "
    "that."
)


@pytest.mark.parametrize(
    ("view", "field", "sentence"),
    [
        ("alike", "build_on", "Your own view (4.0) is not far from that."),
        ("alike", "next_step", "Your own view (4.0) is not far from that."),
        ("different", "talk", MORE),
        ("clear", "talk", CLEARLY_MORE),
        ("different", "lean_on", LESS),
        ("clear", "lean_on", CLEARLY_LESS),
    ],
)
def test_the_leaders_own_view_is_never_called_wrong(view, field, sentence):
    own = figure(mean=4.0, band=None, of="self", n=1)
    others = figure(gap=Gap(value=0.8, view=view, field=field))

    assert wording.own_view(own, others, SAY) == sentence


def test_without_a_comparison_nothing_is_said_about_the_leader():
    assert wording.own_view(None, figure(), SAY) is None
    assert wording.own_view(figure(of="self"), figure(), SAY) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (figure(), "3.2"),
        (figure(mean=4.7, end_coded="at_least"), "at least 4.7"),
        (figure(mean=1.3, end_coded="at_most"), "at most 1.3"),
        (figure(mean=None), "–"),
        (None, "–"),
    ],
)
def test_values_as_they_are_printed(shown, printed):
    assert wording.value(shown, SAY) == printed


def test_numbers_and_days_follow_the_language():
    assert language("de").number(3.2) == "3,2"
    assert SAY.day(date(2026, 11, 22)) == "22 November 2026"
    assert language("de").day(date(2026, 11, 22)) == "22. November 2026"


def test_groups_are_called_by_what_they_are(texts):
    atoms = partition({"manager": 1, "peer": 5, "direct_report": 4}, (), 3)
    assert [wording.atom_label(atom, atoms, texts, SAY) for atom in atoms] == [
        "Peers",
        "Direct reports and managers",
    ]

    atoms = partition({"manager": 1, "peer": 5, "direct_report": 2}, (), 3)
    assert [wording.atom_label(atom, atoms, texts, SAY) for atom in atoms] == [
        "Peers",
        "Other raters",
    ]

    [everybody] = partition({"peer": 2, "direct_report": 2}, (), 3)
    assert wording.atom_label(everybody, [everybody], texts, SAY) == "All raters"


def test_two_identified_managers_are_told_apart(texts):
    atoms = partition({"peer": 3}, ["manager", "manager"], 3)
    labels = [wording.atom_label(atom, atoms, texts, SAY) for atom in atoms]

    assert labels == ["Your manager (1)", "Your manager (2)", "Peers"]
    assert isinstance(atoms[0], Atom)


@pytest.mark.parametrize(
    ("often", "first", "sentence"),
    [
        (False, True, "Of the facets that matter most at your level, the band of this one ends "
                      "lowest: at 3.8."),
        (True, True, "Others see this often already. Of the facets that matter most at your level "
                     "it still leaves most room: its band ends at 3.8."),
        (False, False, "After that, this leaves most room: its band ends at 3.8."),
        (True, False, "After that, this leaves most room: its band ends at 3.8."),
    ],
)  # fmt: skip
def test_why_a_facet_leaves_most_room(often, first, sentence):
    said = wording.why_practice("most_room", None, figure(), SAY, often=often, first=first)

    assert said == sentence


def test_why_a_different_view_is_worth_practising():
    own = figure(mean=4.0, band=None, of="self", n=1)
    said = wording.why_practice("different_view", own, figure(), SAY, often=False, first=False)

    assert said == (
        "You see this clearly more often than others do (4.0 beside 3.2). Finding out why is a "
        "step in itself."
    )
