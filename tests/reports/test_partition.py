"""Each rater is in exactly one group, and no printed sum or difference concerns fewer than k."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.partition import Atom, TooFewRaters, partition


def shown(answered, identified=(), k=3):
    return {atom.id: atom.n for atom in partition(answered, identified, k)}


def test_groups_of_k_stand_alone():
    assert shown({"peer": 5, "direct_report": 3}) == {"peer": 5, "direct_report": 3}


def test_small_groups_that_reach_k_together_are_the_other_raters():
    assert shown({"manager": 1, "peer": 4, "direct_report": 2}) == {"peer": 4, "rest": 3}


def test_a_remainder_below_k_joins_the_smallest_group():
    atoms = partition({"manager": 1, "peer": 5, "direct_report": 4}, (), k=3)

    assert atoms == (
        Atom("peer", ("peer",), 5),
        Atom("direct_report+manager", ("direct_report", "manager"), 5),
    )


def test_groups_that_reach_k_only_together_are_one():
    assert shown({"manager": 1, "peer": 2, "direct_report": 2}) == {"all": 5}


def test_a_manager_may_stand_alone_and_then_counts_nowhere_else():
    assert shown({"peer": 5, "direct_report": 4}, ["manager"]) == {
        "identified-1": 1,
        "peer": 5,
        "direct_report": 4,
    }


def test_a_group_in_which_nobody_answered_is_named_all_the_same():
    """Else the name of the group would tell that the manager did not answer."""
    silent = partition({"manager": 0, "peer": 5, "direct_report": 4}, (), k=3)
    spoke = partition({"manager": 1, "peer": 5, "direct_report": 4}, (), k=3)

    assert [atom.relationships for atom in silent] == [atom.relationships for atom in spoke]


def test_fewer_than_k_show_nothing():
    with pytest.raises(TooFewRaters):
        partition({"peer": 2}, ["manager"], k=3)


@pytest.mark.parametrize("k", [-1, 0, 1, 2])
def test_k_below_three_is_refused(k):
    with pytest.raises(ValueError, match="could be seen through"):
        partition({"peer": 9}, (), k)


def test_a_group_has_no_negative_number_of_raters():
    with pytest.raises(ValueError, match="cannot have fewer than 0 raters"):
        partition({"peer": 9, "manager": -1}, (), k=3)


def test_overall_beside_groups_can_be_subtracted_without_the_partition():
    """The usual rule, hide small groups and print an overall, gives a small group away."""
    answered = {"manager": 1, "peer": 5, "direct_report": 4}
    usual = {"overall": 10, **{group: n for group, n in answered.items() if n >= 3}}
    assert usual["overall"] - usual["peer"] - usual["direct_report"] == 1

    ours = shown(answered)
    assert smallest_difference(ours.values()) >= 3


@given(
    st.lists(st.integers(min_value=0, max_value=12), min_size=1, max_size=5),
    st.integers(min_value=3, max_value=6),
)
def test_no_union_or_difference_of_groups_is_below_k(sizes, k):
    answered = {f"group{i}": n for i, n in enumerate(sizes)}
    if sum(sizes) < k:
        with pytest.raises(TooFewRaters):
            partition(answered, (), k)
        return
    atoms = partition(answered, (), k)

    assert sum(atom.n for atom in atoms) == sum(sizes)
    assert sorted(name for atom in atoms for name in atom.relationships) == sorted(answered)
    assert smallest_difference([atom.n for atom in atoms]) >= k


def smallest_difference(sizes):
    """Return the fewest raters in any non-empty union of groups, or of a union less another."""
    groups = list(sizes)
    return min(
        sum(some)
        for count in range(1, len(groups) + 1)
        for some in itertools.combinations(groups, count)
    )
