"""Long lists come a piece at a time, and one finds somebody in them."""

import pytest

from survey.services import pieces, programmes
from survey.services.programmes import Common, Member
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.visitor import Visitor

MANY = pieces.MOST + 3


@pytest.fixture
def andy(app, session):
    andy = factories.person(session, "Andy", "administrator")
    leaders = [factories.person(session, f"Leader{n:03}", "leader") for n in range(MANY)]
    members = [Member(n, leader.email) for n, leader in enumerate(leaders, 1)]
    common = Common("Autumn", NOW, CLOSES, "new_lead", "en")
    programmes.make(session, common, members, factories.QUESTIONNAIRE, 3, NOW)
    factories.person(session, "50%_off")
    session.commit()
    session.close()
    return Visitor(app, andy)


def names(page):
    """Which leaders stand on a page, in its order."""
    return [int(rest[:3]) for rest in page.split(">Leader")[1:] if rest[:3].isdigit()]


@pytest.mark.parametrize("address", ["/administration/people", "/administration/rounds"])
def test_every_row_stands_on_one_page_only(andy, address):
    first = names(andy.open(address))
    assert 'rel="prev"' not in andy.page
    second = names(andy.open(f"{address}?page=2"))
    assert 'rel="next"' not in andy.page
    assert 'rel="prev"' in andy.page

    assert sorted(first + second) == list(range(MANY))


def test_a_programme_opens_with_those_that_are_behind_in_the_order_they_were_added(andy):
    andy.open("/administration/programmes")
    show = andy.page.split('href="/administration/programmes/')[-1].split('"')[0]
    page = andy.open(f"/administration/programmes/{show}")
    assert f"<strong>{MANY} are behind.</strong>" in page
    assert f'aria-current="true">behind: {MANY}</a>' in page
    assert names(page) == list(range(pieces.MOST))

    assert names(andy.open(f"/administration/programmes/{show}?show=ready")) == []
    assert "No round is found." in andy.page
    nobody = f"/administration/programmes/{show}?show=nobody_named"
    assert names(andy.open(f"{nobody}&page=2")) == [50, 51, 52]
    assert names(andy.open(f"{nobody}&q=leader017")) == [17]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("eader017", ["Leader017 Example"]),
        ("LEADER017@example", ["Leader017 Example"]),
        ("50%_", ["50%_off Example"]),
        ("%", ["50%_off Example"]),
        ("%_%_%", []),
        ("\x00' OR 1=1 --", []),
    ],
)
def test_what_is_looked_for_is_taken_letter_by_letter(andy, words, found):
    andy.open("/administration/people")
    page = andy.client.get("/administration/people", query_string={"q": words}).text
    shown = [line.split(">")[-1] for line in page.split("</a></th>")[:-1]]
    assert shown == found
    assert found or "Nobody is found." in page


@pytest.mark.parametrize("number", ["0", "-1", "nine", "99999999999999999999", "1e9", ""])
def test_a_page_that_there_is_not_is_no_error(andy, number):
    for address in ("people", "rounds"):
        andy.open(f"/administration/{address}?page={number}")
        assert andy.status == 200
