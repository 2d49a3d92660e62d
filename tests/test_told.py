"""What raters are told before they answer is what is done at the close.

The page's own numbers are read from it, and applied to answers that just reach
them and to one fewer.
"""

import random
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from reports.aggregate import Setting, aggregate
from reports.answers import Answers
from reports.partition import TooFewRaters
from survey import create_app, db, jobs
from survey.demo.catcher import plain_text
from survey.mail import compose
from survey.models import Mail, Release, Round, RoundState
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES
from tests.visitor import Visitor

SAID = {
    "group": r"Shown in groups of (\d+) answers or more",
    "statement": r"Single statements only from (\d+) answers",
    "comments": r"only if at least (\d+) people of each group wrote",
}


@pytest.fixture(params=[3, 4, 5, 6, 7])
def told(request, app, session, keyring):
    """The numbers on the start page of a round with this k."""
    round_ = factories.opened(session, keyring, k=request.param, roster={"peer": 9})
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    page = Visitor(app).open(f"/r/{link}")
    return {name: int(re.search(words, page)[1]) for name, words in SAID.items()}


def closed(k, peers=0, reports=0, seen=None, writing=99):
    """Close over so many answers.

    Only the first `seen` peers could see the first statement, and only the first
    `writing` of each group wrote anything.
    """
    items = factories.scores()
    first = next(iter(items))

    def answers(relationship, number):
        given = dict(items)
        if relationship == "peer" and seen is not None and number >= seen:
            given[first] = 0
        words = {"OP1": ("A wish.",)} if number < writing else {}
        return Answers(relationship, False, given, words)

    setting = Setting(
        questionnaire=factories.QUESTIONNAIRE,
        language="en",
        leader="Robin",
        level="new_lead",
        opened_on=date(2026, 11, 1),
        closed_on=date(2026, 11, 15),
        k=k,
        asked={"peer": peers, "direct_report": reports},
    )
    everybody = [answers("peer", n) for n in range(peers)]
    everybody += [answers("direct_report", n) for n in range(reports)]
    return aggregate(setting, everybody, random.Random(1))


def test_a_group_is_shown_from_as_many_answers_as_is_said(told):
    k = told["group"]

    assert [atom.n for atom in closed(k, peers=k).atoms] == [k]
    with pytest.raises(TooFewRaters):
        closed(k, peers=k - 1)
    assert len(closed(k, peers=k, reports=k).atoms) == 2
    assert len(closed(k, peers=k, reports=k - 1).atoms) == 1


def test_a_statement_is_shown_from_as_many_answers_as_is_said(told):
    k, enough = told["group"], told["statement"]

    def statements(n):
        return {each.key for each in closed(k, peers=n).figures if each.scope == "item"}

    assert statements(enough)
    if enough > k:
        assert not statements(enough - 1)
    first = next(iter(factories.scores()))
    shown = closed(k, peers=enough + 1, seen=enough)
    hidden = closed(k, peers=enough + 1, seen=enough - 1)
    [atom] = shown.atoms
    assert shown.figure("item", first, atom.id).mean is not None
    figure = hidden.figure("item", first, atom.id)
    assert figure is None or figure.mean is None


def test_a_group_is_named_beside_comments_from_as_many_as_is_said(told):
    k, enough = told["group"], told["comments"]

    def groups(writing):
        return {each.of for each in closed(k, enough, enough, writing=writing).comments}

    assert len(groups(enough)) == 2
    assert None not in groups(enough)
    assert groups(enough - 1) == {None}


def test_the_invitation_says_the_same_as_the_page(app, session, told, app_context):
    mail = session.scalars(select(Mail).where(Mail.address == "peer0@example.org")).one()
    text = plain_text(compose(app.extensions[EXTENSION], session, mail))

    assert f"groups of {told['group']} or more" in text


def test_no_setting_changed_afterwards_weakens_an_open_round(
    app, settings, session, keyring, clock
):
    round_ = factories.opened(session, keyring, k=4, roster={"peer": 6})
    links = factories.links(session, keyring, round_)
    for name in ("peer0", "peer1", "peer2"):
        factories.answer(session, keyring, links[name])
    session.close()
    changed = {"k": 3, "rounds_a_person": 0, "keep_records": 180, "keep_previews": 1}
    weaker = create_app(
        settings.model_copy(update=changed), clock=clock, config={"RATELIMIT_ENABLED": False}
    )
    clock.now = CLOSES - timedelta(hours=1)
    page = Visitor(weaker).open(f"/r/{links['peer3']}")
    assert re.search(SAID["group"], page)[1] == "4"
    clock.now = CLOSES
    jobs.sweep(weaker)

    closed_round = session.get(Round, round_.id)
    assert closed_round.state is RoundState.OPEN
    assert session.get(Release, round_.id) is None
    session.close()
    with weaker.app_context():
        db.db.engine.dispose()
