"""A coach reads what leaders let them read, as long as they let them."""

from datetime import timedelta

import pytest

from survey.errors import NotFound
from survey.models import Release
from survey.services import closing, coaching
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def casey(session):
    return factories.person(session, "Casey", "coach")


@pytest.fixture
def round_(session, keyring, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, round_)
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    return round_


def test_a_preview_is_its_leaders(session, round_, robin):
    assert isinstance(coaching.readable_release(session, robin, round_.id), Release)


@pytest.mark.parametrize("roles", [(), ("leader",), ("coach",), ("administrator",)])
def test_a_preview_is_nobody_elses(session, round_, roles):
    other = factories.person(session, "Other", *roles)

    with pytest.raises(NotFound):
        coaching.readable_release(session, other, round_.id)


def test_access_begins_when_it_is_given_and_ends_when_it_is_taken_back(
    session, round_, robin, casey
):
    coaching.give_access(session, robin, casey.id, "en", NOW)
    coaching.give_access(session, robin, casey.id, "en", NOW)
    assert coaching.readable_release(session, casey, round_.id)
    assert [entry.leader for entry in coaching.shelf(session, casey)] == [robin]

    coaching.take_access_back(session, robin, casey.id, NOW)
    coaching.take_access_back(session, robin, casey.id, NOW)
    assert coaching.shelf(session, casey) == []
    with pytest.raises(NotFound):
        coaching.readable_release(session, casey, round_.id)


def test_a_preview_follows_the_leaders_last_one_with_the_same_questionnaire(
    session, keyring, robin, round_
):
    def later(days, leader=robin):
        now = CLOSES + timedelta(days=days)
        again = factories.opened(session, keyring, leader=leader, now=now)
        factories.all_answer(session, keyring, again, now=now)
        closing.close(session, keyring, again.id, again.closes_at)
        session.commit()
        return session.get(Release, again.id)

    first, other = session.get(Release, round_.id), factories.person(session, "Other", "leader")
    assert coaching.release_before(session, first) is None
    assert coaching.release_before(session, later(1, other)) is None
    second, third = later(100), later(200)
    assert coaching.release_before(session, second) == first
    assert coaching.release_before(session, third) == second
    # Two that end in the same week are no earlier and later round.
    second.round.closes_at = third.round.closes_at - timedelta(days=6)
    assert coaching.release_before(session, third) == first


def test_whoever_stops_being_a_coach_stops_reading(session, round_, robin, casey):
    coaching.give_access(session, robin, casey.id, "en", NOW)
    casey.coaches = False

    with pytest.raises(NotFound):
        coaching.readable_release(session, casey, round_.id)


def test_only_a_coach_can_be_given_access(session, robin):
    peer = factories.person(session, "Peer")

    for nobody in (peer.id, robin.id):
        with pytest.raises(NotFound):
            coaching.give_access(session, robin, nobody, "en", NOW)
