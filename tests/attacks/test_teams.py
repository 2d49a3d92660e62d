"""Whoever reads team reports and some single previews works out nothing of another leader."""

import pytest

from reports.release import Release
from tests import factories
from tests.attacks.teams import ATTACKS, AsUsual, OurTeams
from tests.conftest import NOW, on_sqlite

# What is attacked are documents.
pytestmark = on_sqlite

GROUP = "results"


@pytest.fixture
def stored(session, keyring):
    """Six leaders who are seen differently; of the last one nobody could rate one facet."""
    leaders = [factories.person(session, f"Leader{n}", "leader") for n in range(6)]
    made = [
        factories.released(session, keyring, leader, mm=mm)
        for leader, mm in zip(leaders[:5], (2, 3, 4, 2, 4), strict=True)
    ]
    last = {**factories.scores(mm=2), "MM01": None, "MM02": None, "MM03": None}
    items = {item: point for item, point in last.items() if point}
    return [*made, factories.released(session, keyring, leaders[5], items=items)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_subtraction_leads_to_a_leader(attack, stored, session, table):
    reader = factories.person(session, "Reader", "coach", "administrator")
    releases = [Release.model_validate_json(each.document) for each in stored]
    product = OurTeams(session, stored, reader, NOW)
    on_twin, on_product = table.contest(GROUP, attack, AsUsual(releases), product)

    assert on_twin, "the attack does not even win against the twin"
    assert on_product == []


def test_the_product_makes_and_shows_what_nobody_can_subtract_from(stored, session):
    """Else every attack would fail on a product that shows nothing."""
    reader = factories.person(session, "Reader", "coach", "administrator")
    product = OurTeams(session, stored, reader, NOW)

    figures = product.read(product.team(range(5)), (0,))
    # Five peers each, who see 2, 3, 4, 2 and 4.
    assert figures["MM1"] == (3.0, 25)
