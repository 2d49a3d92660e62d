"""What a page of the form weighs by the browser's own figures, and that a slow phone can use it."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.conftest import on_sqlite

# What is looked at are pages.
pytestmark = on_sqlite

MOST_BYTES = 40_000
# What browsers' tools call "Slow 3G": bytes a second, milliseconds.
SLOW = {"offline": False, "downloadThroughput": 50_000, "uploadThroughput": 50_000, "latency": 400}


@pytest.fixture
def link(session, keyring):
    round_ = factories.opened(session, keyring)
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    return link


@pytest.fixture
def phone(browser, served, link):
    """A phone with nothing stored yet; the form is started in another browser."""
    first = browser.new_context(base_url=served)
    page = first.new_page()
    page.goto(f"/r/{link}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/part/1")
    first.close()
    context = browser.new_context(base_url=served, viewport={"width": 360, "height": 640})
    yield context
    context.close()


@pytest.mark.parametrize("part", ["", "/part/1", "/part/10", "/check"])
def test_a_first_visit_transfers_less_than_40_kilobytes(phone, link, part):
    page = phone.new_page()
    protocol = phone.new_cdp_session(page)
    weights = []
    protocol.on("Network.loadingFinished", lambda each: weights.append(each["encodedDataLength"]))
    protocol.send("Network.enable")
    page.goto(f"/r/{link}{part}", wait_until="networkidle")

    # The page and its style sheet at least, so that nothing was measured past.
    assert len(weights) >= 2
    assert sum(weights) < MOST_BYTES


def test_the_form_works_on_a_slow_phone(phone, link):
    page = phone.new_page()
    protocol = phone.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Network.emulateNetworkConditions", SLOW)
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.goto(f"/r/{link}/part/1")
    page.locator("fieldset").first.locator("input[value='4']").check()
    expect(page.get_by_role("status")).to_have_text("Saved")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/part/2")

    page.goto(f"/r/{link}/part/1")
    expect(page.locator("fieldset").first.locator("input[value='4']")).to_be_checked()
