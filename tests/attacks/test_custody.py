"""Whoever writes to the database reads nothing by it; whoever copies a server lacks a key."""

import pytest

from survey import sealing
from survey.services import custody, trustees
from tests.attacks.custody import (
    NAMES,
    WRITING,
    ProductBox,
    UsualBox,
    everything_copied_but_the_trustees_key,
    two_sides,
    web_side_copied,
)
from tests.conftest import NOW


@pytest.fixture
def together(session, keyring):
    return ProductBox(session, keyring, keyring)


@pytest.fixture
def apart(session, keyring):
    """A web side that takes its keys from what a closing side has put into the database."""
    web, closes = two_sides(keyring)
    custody.restock(session, closes)
    return ProductBox(session, web, closes)


@pytest.mark.parametrize("attack", WRITING)
def test_writing_to_the_database_opens_nothing(attack, apart, table, database):
    on_twin, on_product = table.contest("custody", attack, UsualBox(), apart, database)

    assert on_twin, "the attack does not even win against the twin"
    assert not on_product


@pytest.mark.parametrize("attack", WRITING)
def test_where_one_process_is_both_sides_it_opens_nothing_either(attack, together):
    assert not attack(together)


def test_the_web_side_copied_with_its_keys_opens_nothing(apart, table, database):
    on_twin, on_product = table.contest("custody", web_side_copied, UsualBox(), apart, database)

    assert len(on_twin) == 4
    assert not on_product


def test_with_a_trustee_not_even_all_keys_on_the_server_open_a_ballot(
    together, keyring, table, database
):
    """Without one they do: that is what the first level cannot do."""
    alone = ProductBox(together.session, keyring, keyring, leader="Sam")
    together.appoint(sealing.new_key_pair())
    attack = everything_copied_but_the_trustees_key
    on_twin, on_product = table.contest("custody", attack, UsualBox(), together, database)

    assert len(on_twin) == 4
    assert not on_product
    trustees.retire(alone.session, NOW)
    assert len(attack(alone)) == 4


@pytest.mark.parametrize("kind", ["together", "apart"])
@pytest.mark.usefixtures("database")
def test_an_honest_round_with_a_trustee_closes(request, kind):
    """Otherwise the attacks above could fail for another reason."""
    box = request.getfixturevalue(kind)
    box.appoint(sealing.new_key_pair())
    box.open()
    for name in NAMES:
        box.answer(name, 4)

    assert box.close() == (4, 4.0)
