"""The pages on the narrowest phone and on a desk, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from survey.models import Release
from survey.services import closing, coaching
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.fixture
def world(session, keyring, app):
    robin = factories.person(session, "Robin", "leader", "coach", "administrator")
    closed = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, closed)
    closing.close(session, keyring, closed.id, CLOSES)
    sam = factories.person(session, "Sam", "leader")
    coaching.give_access(session, sam, robin.id, "en", NOW)
    collecting = factories.opened(session, keyring, leader=robin)
    prepared = factories.prepared(session, leader=robin)
    session.commit()
    mine = session.get_one(Release, closed.id)
    team = factories.team(session, keyring, offered=mine)
    link = factories.links(session, keyring, collecting)["manager0"]
    session.close()
    rater = [
        f"/r/{link}{page}" for page in ("", "/part/1", "/part/2", "/part/11", "/check", "/thanks")
    ]
    staff = [
        "/rounds", "/rounds/new", f"/rounds/{prepared.id}/raters", f"/rounds/{prepared.id}/ready",
        f"/rounds/{collecting.id}", f"/previews/{closed.id}", "/shelf", "/administration/people",
        "/administration/people/new", "/administration/people/import", "/administration/delivery",
        "/administration/rounds", "/administration/audit", "/teams", "/teams/new",
        f"/teams/{team.id}",
    ]  # fmt: skip
    return robin, rater, staff


@pytest.fixture
def signed_in(app, world):
    """The cookie of a signed-in session."""
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["person"], cookie["key"] = str(world[0].id), world[0].session_key
        cookie["since"] = int(NOW.timestamp())
    return client.get_cookie("preview360").value


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen_and_none_asks_for_anything_elsewhere(
    browser, served, world, signed_in, width
):
    _, rater, staff = world
    context = browser.new_context(base_url=served, viewport={"width": width, "height": 800})
    context.add_cookies([{"name": "preview360", "value": signed_in, "url": served}])
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(rater[0])
    page.get_by_role("button", name="Start").click()
    wide = {}
    for address in ["/", "/sign-in", "/sign-in/code", "/r/nothing", *rater, *staff]:
        page.goto(address)
        wide[address] = page.evaluate("document.documentElement.scrollWidth")

    assert {address: w for address, w in wide.items() if w > width} == {}
    assert all(url.startswith((served, "data:")) for url in asked)
    assert [text for text in said if "404" not in text] == []
    context.close()


def test_answers_are_rows_large_enough_for_a_thumb(browser, served, world):
    _, rater, _ = world
    context = browser.new_context(base_url=served, viewport={"width": 320, "height": 800})
    page = context.new_page()
    page.goto(rater[0])
    page.get_by_role("button", name="Start").click()
    page.goto(rater[2])

    boxes = [row.bounding_box() for row in page.locator(".choice").all()]
    assert len(boxes) == 18
    assert all(box["height"] >= 44 and box["width"] >= 250 for box in boxes)
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops)
    context.close()


def test_the_form_can_be_filled_in_by_keyboard_alone(browser, served, world):
    _, rater, _ = world
    context = browser.new_context(base_url=served)
    page = context.new_page()
    page.goto(rater[0])
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/part/1")
    page.goto(rater[2])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save and continue").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/part/3")
    page.goto(rater[2])

    chosen = [box.get_attribute("value") for box in page.locator("input:checked").all()]
    assert chosen == ["2", "1"]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("beginning", ["/previews/", "/teams/new", "/teams/", "/rounds"])
def test_reports_as_pages_are_accessible(browser, served, world, signed_in, scheme, beginning):
    """By axe, an independent checker of WCAG."""
    _, _, staff = world
    addresses = [address for address in staff if address.startswith(beginning)]
    context = browser.new_context(base_url=served, color_scheme=scheme, bypass_csp=True)
    context.add_cookies([{"name": "preview360", "value": signed_in, "url": served}])
    page = context.new_page()
    page.goto(addresses[-1] if beginning == "/teams/" else addresses[0])
    found = Axe().run(page)

    violations = found.response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []
    assert len(found.response["passes"]) > 15
    context.close()


def test_the_preview_as_a_page_has_fonts_of_the_readers_own_machine(
    browser, served, world, signed_in
):
    """Those of the PDF are not sent; headings stay serif, text is what the reader is used to."""
    _, _, staff = world
    context = browser.new_context(base_url=served)
    context.add_cookies([{"name": "preview360", "value": signed_in, "url": served}])
    page = context.new_page()
    page.goto(next(address for address in staff if address.startswith("/previews/")))

    def family(selector):
        return page.eval_on_selector(selector, "e => getComputedStyle(e).fontFamily")

    assert family(".preview h2").endswith("Georgia, Georgia, serif")
    assert "sans-serif" not in family(".preview h2")
    assert family(".preview .lead").endswith("system-ui, system-ui, sans-serif")
    context.close()
