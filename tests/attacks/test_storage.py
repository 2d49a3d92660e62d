"""Whoever holds the database cannot tell who wrote what."""

import pytest

from tests.attacks.score import Score
from tests.attacks.storage import ATTACKS

CASES = [(attack, database) for attack in ATTACKS for database in attack.databases]


@pytest.mark.parametrize(
    ("attack", "database"), CASES, ids=[f"{attack.name}-{database}" for attack, database in CASES]
)
def test_the_stored_round_links_no_rater_to_a_text(attack, database, campaigns, table):
    outcome = campaigns(database, "first")
    twin, product = outcome.on_twin[attack.name], outcome.on_product[attack.name]
    table.add("storage", attack.name, database, twin, product)

    assert twin.wins(), "the attack does not even win against the twin"
    if isinstance(product, Score) and product.certain == 0 and product.wins():
        # Blind picking exceeds 3σ once in a few hundred campaigns; twice in a row it does not.
        product = campaigns(database, "second").on_product[attack.name]
    assert not product.wins(), str(product)
