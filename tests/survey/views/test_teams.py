"""From offered previews to a team report, as leaders and administrators do it."""

import re

import pytest

from survey import jobs
from survey.demo.catcher import plain_text
from tests import factories
from tests.conftest import CLOSES
from tests.visitor import Visitor


@pytest.fixture
def people(session, keyring):
    """Five leaders with a preview each, and an administrator."""
    leaders = [factories.person(session, f"Leader{n}", "leader") for n in range(5)]
    for leader in leaders:
        factories.released(session, keyring, leader)
    administrator = factories.person(session, "Andy", "administrator")
    session.commit()
    session.close()
    return leaders, administrator


def offered(app, leader):
    visitor = Visitor(app, leader, now=CLOSES)
    visitor.open("/rounds")
    visitor.send(action="/offer")
    return visitor


def address_of_team(page):
    return re.search(r'href="(/teams/[0-9a-f-]{36})"', page)[1]


def test_leaders_offer_and_an_administrator_makes_the_report(app, session, people, catcher):
    leaders, administrator = people
    first, *_ = [offered(app, leader) for leader in leaders]
    assert "Take the offer back" in first.page
    andy = Visitor(app, administrator, now=CLOSES)
    andy.open("/teams/new")
    chosen = [box.split('"')[0] for box in andy.page.split('name="previews" value="')[1:]]
    assert len(chosen) == 5
    andy.send({"name": "Platform", "previews": chosen, "language": "en"})
    assert andy.address == "/teams"
    assert "5 leaders" in andy.page

    session.close()
    jobs.sweep(app)
    told = [mail for mail in catcher.mails if "team report" in mail["Subject"]]
    assert len(told) == 5
    assert "part of the team report “Platform”" in plain_text(told[0])

    first.open("/rounds")
    address = address_of_team(first.page)
    first.open(address)
    assert "Together, at a glance" in first.page
    answer = first.client.get(f"{address}/report.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Team report Platform 2026-11-16.pdf"'
    )


def test_too_few_are_refused_with_everything_still_chosen(app, people):
    leaders, administrator = people
    for leader in leaders[:4]:
        offered(app, leader)
    andy = Visitor(app, administrator, now=CLOSES)
    andy.open("/teams/new")
    chosen = [box.split('"')[0] for box in andy.page.split('name="previews" value="')[1:]]
    andy.send({"name": "Platform", "previews": chosen[:3], "language": "en"})

    assert andy.status == 422
    assert "needs the previews of at least 4 leaders" in andy.page
    assert 'value="Platform"' in andy.page
    assert [f'value="{each}" checked' in andy.page for each in chosen] == [True] * 3 + [False]
    andy.send({"name": " ", "previews": chosen, "language": "en"})
    assert andy.status == 422
    assert "Name of the team: This field is required" in andy.page

    andy.send({"name": "Platform", "previews": chosen, "language": "en"})
    assert andy.address == "/teams"
    leader = Visitor(app, leaders[0], now=CLOSES)
    leader.open("/rounds")
    leader.open(address_of_team(leader.page))
    assert leader.status == 403
    assert "about fewer than 4 leaders, so it is not opened for you" in leader.page


def test_an_offer_is_taken_back(app, people):
    leaders, administrator = people
    leader = offered(app, leaders[0])
    leader.send(action="/take-offer-back")

    assert "Offer its figures" in leader.page
    andy = Visitor(app, administrator, now=CLOSES)
    assert "No leader offers a preview yet." in andy.open("/teams/new")
