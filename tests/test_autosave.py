"""The form saves by itself, in a real browser: whatever is cut off, nothing typed is lost."""

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from survey import create_app
from survey.db import db
from survey.server import Server
from survey.services import ballots
from survey.site import EXTENSION
from tests import factories
from tests.launching import answering

FIRST_PART, WORDS_PART = 1, 10


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring)


@pytest.fixture
def link(session, keyring, round_):
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    return link


@pytest.fixture
def typed(session, keyring, link, clock):
    """What the server has saved, asked again until it fits or half a minute is over."""

    def look(wanted):
        for _ in range(150):
            found = ballots.draft(session, ballots.rater(session, keyring, link, clock.now))
            session.close()
            if wanted(found):
                return found
            time.sleep(0.2)
        raise AssertionError(found)

    return look


@pytest.fixture
def phone(browser, served):
    context = browser.new_context(base_url=served, viewport={"width": 390, "height": 844})
    yield context
    context.close()


def start(context, link, part=FIRST_PART):
    page = context.new_page()
    page.goto(f"/r/{link}")
    page.get_by_role("button", name=re.compile("Start|Go on")).click()
    page.goto(f"/r/{link}/part/{part}")
    return page


def first_item(page):
    return page.locator("fieldset").first


def choose(page, value, item=0):
    page.locator("fieldset").nth(item).locator(f"input[value='{value}']").check()


def test_an_answer_is_saved_at_once_and_the_page_says_so_quietly(phone, link, typed):
    page = start(phone, link)
    item = first_item(page).get_attribute("id")
    choose(page, 4)

    expect(page.get_by_role("status")).to_have_text("Saved")
    assert typed(lambda draft: draft.items).items == {item: 4}


def test_words_are_saved_soon_after_typing_and_when_the_page_is_left(phone, link, typed):
    page = start(phone, link, WORDS_PART)
    page.get_by_label("what is one thing").fill("Let us decide more.")
    expect(page.get_by_role("status")).to_have_text("Saved")
    page.get_by_label("what is one thing").fill("")
    page.get_by_label("Think of a time").press_sequentially("Ask first.")
    # Left before anything was saved: what is on its way is still sent.
    page.goto("about:blank")

    saved = typed(lambda draft: any(draft.words.get("OP2", ())))
    assert (saved.words["OP1"], saved.words["OP2"]) == (("",), ("Ask first.",))


def test_without_a_connection_the_page_keeps_everything_and_saves_later(phone, link, typed):
    page = start(phone, link)
    phone.set_offline(True)
    choose(page, 5)
    expect(page.get_by_role("status")).to_contain_text(
        "Not saved yet: the server cannot be reached"
    )
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("status")).to_contain_text("Not saved yet")
    assert page.url.endswith("/part/1")
    assert typed(lambda draft: draft is not None).items == {}
    phone.set_offline(False)

    expect(page.get_by_role("status")).to_have_text("Saved")
    assert list(typed(lambda draft: draft.items).items.values()) == [5]


def test_a_page_left_open_in_another_tab_puts_nothing_back(phone, link, typed):
    one = start(phone, link)
    choose(one, 1, item=0)
    expect(one.get_by_role("status")).to_have_text("Saved")
    other = start(phone, link)
    choose(one, 5, item=0)
    expect(one.get_by_role("status")).to_have_text("Saved")
    # This page still shows 1 for the first item.
    choose(other, 2, item=1)
    expect(other.get_by_role("status")).to_have_text("Saved")

    assert sorted(typed(lambda draft: len(draft.items) == 2).items.values()) == [2, 5]


def test_after_the_back_button_the_page_shows_what_was_saved_last(phone, link, typed):
    page = start(phone, link)
    choose(page, 2)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/part/2")
    page.go_back()
    choose(page, 4)
    expect(page.get_by_role("status")).to_have_text("Saved")
    page.go_forward()
    page.wait_for_url("**/part/2")
    page.go_back()

    expect(first_item(page).locator("input[value='4']")).to_be_checked()


def test_a_page_open_for_eight_hours_still_saves(phone, link, typed, clock):
    page = start(phone, link)
    clock.now += timedelta(hours=8)
    choose(page, 3)

    expect(page.get_by_role("status")).to_have_text("Saved")


def test_a_page_open_while_the_server_restarts_saves_once_it_is_back(
    app, settings, clock, link, browser, typed
):
    """Another process with the same database and keyring answers on the same port."""
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1"]
    server = Server(app, "127.0.0.1", 0)
    port = server.port
    with answering(server):
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
        page = start(context, link)
    choose(page, 4)
    expect(page.get_by_role("status")).to_contain_text("Not saved yet")
    restarted = create_app(settings, clock=clock)
    restarted.config["TRUSTED_HOSTS"] = ["127.0.0.1"]
    with answering(Server(restarted, "127.0.0.1", port)):
        expect(page.get_by_role("status")).to_have_text("Saved", timeout=40_000)
        context.close()
    restarted.extensions[EXTENSION].printer.close()
    with restarted.app_context():
        db.engine.dispose()

    assert list(typed(lambda draft: draft.items).items.values()) == [4]


# Browsers send no more than 64 kB with a request that outlives the page; the second is twice that.
@pytest.mark.parametrize("pasted", ["x" * 5000, "я" * 20_000])
def test_what_cannot_be_saved_is_said_on_the_page_that_follows(phone, link, pasted):
    page = start(phone, link, WORDS_PART)
    page.get_by_label("what is one thing").fill(pasted)
    expect(page.get_by_role("status")).to_contain_text("Press “Save and continue” to see why")
    page.get_by_role("button", name="Save and continue").click()

    said = f"characters fit here; these are {len(pasted)}"
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_label("what is one thing")).to_have_value(pasted)


def test_a_round_that_closed_meanwhile_gives_the_words_back(phone, link, round_, clock):
    page = start(phone, link, WORDS_PART)
    clock.now = round_.closes_at
    page.get_by_label("what is one thing").fill("Too late.")
    expect(page.get_by_role("status")).to_contain_text("Press “Save and continue” to see why")
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_text("The closing day has passed")).to_be_visible()
    assert "Too late." in page.content()


def test_without_scripts_a_page_that_did_not_get_through_can_be_sent_again(
    browser, served, link, typed
):
    context = browser.new_context(base_url=served, java_script_enabled=False)
    page = start(context, link)
    choose(page, 5)
    context.set_offline(True)
    page.get_by_role("button", name="Save and continue").click()
    assert typed(lambda draft: draft is not None).items == {}
    context.set_offline(False)
    # What "Reload" does on the browser's own page: it sends the form once more.
    page.reload()
    page.wait_for_url("**/part/2")
    context.close()

    assert list(typed(lambda draft: draft.items).items.values()) == [5]


def test_what_fits_is_saved_beside_what_does_not_and_leaving_is_asked_about(phone, link, typed):
    page = start(phone, link, WORDS_PART)
    page.get_by_label("what is one thing").fill("x" * 1500)
    page.get_by_label("Think of a time").fill("Kept.")
    expect(page.get_by_role("status")).to_contain_text("Not saved yet")
    assert typed(lambda draft: draft.words.get("OP2") == ("Kept.",))

    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_label("what is one thing")).to_have_value("x" * 1500)
    assert asked == ["beforeunload"]
