"""Links and accounts open what is theirs, to whom they belong, and nothing else."""

import pytest

from survey import create_app, db
from tests.attacks.links import ATTACKS
from tests.attacks.target import ProductTarget, UsualTarget


@pytest.fixture
def product(settings, clock, session, keyring, catcher):
    """The product with its limits on, which other tests do without."""
    app = create_app(settings, clock=clock, config={"TESTING": True})
    yield ProductTarget(app, session, keyring, catcher)
    with app.app_context():
        db.db.engine.dispose()


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_gets_further_than_their_own(attack, product, table, database):
    on_twin, on_product = table.contest(
        "links and accounts", attack, UsualTarget(), product, database
    )

    assert on_twin, "the attack does not even win against the twin"
    assert not on_product
