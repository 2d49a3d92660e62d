"""Strengths are seen often; practices are what has most room, or is seen differently."""

from reports.practices import practices, strengths
from reports.release import Figure, Gap, Practice


def facet(key: str, mean: float, gap: Gap | None = None) -> Figure:
    return Figure(
        scope="facet", key=key, of="others", n=6, mean=mean, band=(mean - 0.5, mean + 0.5), gap=gap
    )


CLEAR = Gap(value=1.2, view="clear", field="talk")


def test_only_what_is_seen_often_is_a_strength():
    assert strengths([facet("A", 3.4), facet("B", 3.5), facet("C", 4.0)], 3.5) == ("C", "B")
    assert strengths([facet("A", 1.5), facet("B", 1.5)], 3.5) == ()


def test_two_strengths_at_most_and_ties_go_by_the_questionnaire():
    assert strengths([facet(key, 4.0) for key in "ABC"], 3.5) == ("A", "B")


def test_first_comes_what_leaves_most_room_then_what_is_seen_differently():
    seen = [facet("A", 2.5), facet("B", 2.0), facet("C", 3.0, CLEAR)]

    assert practices(seen, ["A", "B", "C"], ()) == (
        Practice(facet="B", reason="most_room"),
        Practice(facet="C", reason="different_view"),
    )


def test_without_a_clear_difference_the_next_one_with_room_is_proposed():
    seen = [facet("A", 2.5), facet("B", 2.0), facet("C", 3.0)]

    assert practices(seen, ["A", "B", "C"], ()) == (
        Practice(facet="B", reason="most_room"),
        Practice(facet="A", reason="most_room"),
    )


def test_what_nearly_everybody_sees_nearly_always_leaves_no_room():
    at_the_end = facet("A", 4.7).model_copy(update={"end_coded": "at_least"})

    assert practices([at_the_end], ["A"], ()) == ()


def test_a_strength_or_what_is_not_in_focus_is_not_proposed():
    seen = [facet("A", 2.0), facet("B", 2.5), facet("C", 4.5)]

    assert practices(seen, ["B", "C"], ["C"]) == (Practice(facet="B", reason="most_room"),)
    assert practices(seen, [], ["C"]) == ()
