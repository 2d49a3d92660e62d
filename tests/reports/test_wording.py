"""Sentences follow the numbers and claim no more than they carry."""

from datetime import date

import pytest

from reports import wording
from reports.language import language
from reports.partition import Atom, partition

SAY = language("en")


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
