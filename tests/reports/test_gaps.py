"""Self beside others: the cut-offs hold exactly at their boundaries."""

import pytest

from reports.gaps import field, view


@pytest.mark.parametrize(
    ("own", "others", "band", "expected"),
    [
        (4.0, 3.5, (3.1, 3.9), "different"),
        (3.99, 3.5, (3.1, 3.9), "alike"),
        (4.5, 3.5, (3.1, 3.9), "clear"),
        (4.49, 3.5, (3.1, 3.9), "different"),
        (4.5, 3.5, (2.5, 4.5), "alike"),
        (4.6, 3.5, (2.5, 4.5), "clear"),
        (3.0, 3.5, (3.1, 3.9), "different"),
        (2.5, 3.5, (3.1, 3.9), "clear"),
        # 10/3 − 17/6 is half a point, though not in binary.
        (10 / 3, 17 / 6, (2.5, 3.1), "different"),
    ],
)
def test_a_view_is_different_by_half_a_point_and_outside_the_band(own, others, band, expected):
    assert view(own, others, band) == expected


@pytest.mark.parametrize(
    ("own", "others", "seen", "expected"),
    [
        (3.6, 3.5, "alike", "build_on"),
        (3.6, 3.49, "alike", "next_step"),
        (2.0, 3.0, "different", "lean_on"),
        (4.5, 3.0, "clear", "talk"),
    ],
)
def test_the_four_fields(own, others, seen, expected):
    assert field(own, others, seen, often_from=3.5) == expected
