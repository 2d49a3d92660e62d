"""Hints while a comment is written, in a real browser: advice that leaves the page untold."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.conftest import on_sqlite

# What is looked at are pages.
pytestmark = on_sqlite


@pytest.fixture
def open_words(browser, served, session, keyring):
    """Open the page of comments as peer0, whose name is “peer0 Example”."""
    contexts = []

    def opened(language="en", role="peer0", part=10):
        round_ = factories.opened(session, keyring, language=language)
        link = factories.links(session, keyring, round_)[role]
        session.close()
        contexts.append(browser.new_context(base_url=served))
        page = contexts[-1].new_page()
        page.goto(f"/r/{link}")
        page.locator("form[action$='/start'] button").click()
        page.goto(f"/r/{link}/part/{part}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("More decisions made by the whole group.", []),
        ("Robin lets others decide, also in the API group.", []),
        ("In March it went well.", ["March"]),
        ("It may go well if they march on.", []),
        ("On 12.3.2026 and on Tuesday.", ["Tuesday"]),
        ("Since 2026-03-12 there is more room.", ["2026-03-12"]),
        ("Version 3.11.7 and a third of 1.5 hours.", []),
        ("You took time for me.", ["me"]),
        ("Some time for the team.", []),
        ("Ask Anna before the release.", ["Anna"]),
        ("As peer0 said, it helps.", ["peer0"]),
        ("I told Anna on Monday.", ["Anna", "Monday", "I"]),
    ],
)
def test_hints_name_what_may_show_who_wrote_it(open_words, text, hints):
    page = open_words()
    page.get_by_label("what is one thing").fill(text)
    box = page.locator("#OP1-1 + .advice li")

    expect(box).to_have_count(len(hints))
    assert [line.split("”")[0].strip("“") for line in box.all_text_contents()] == hints


def test_in_german_capitals_are_no_names_and_the_words_are_german(open_words):
    page = open_words("de")
    field = page.locator("#OP1-1")
    field.fill("Mehr Zeit für das Wesentliche.")
    expect(page.locator(".advice li")).to_have_count(0)
    field.fill("Im März hast du mir den Rücken gestärkt.")

    expect(page.locator(".advice li")).to_have_count(2)
    assert "„März“" in page.locator("#OP1-1 + .advice").inner_text()


def test_hints_are_read_out_and_keep_nobody_from_going_on(open_words):
    page = open_words()
    asked = []
    page.get_by_label("what is one thing").fill("I told Anna on Monday.")
    expect(page.locator("#OP1-1 + .advice")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("status")).to_have_text("Saved")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("what is one thing").press("End")
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    assert [url.rpartition("/")[2] for url in asked if "/r/" in url] == ["10", "check"]


def test_leaders_get_no_hints_for_their_own_words(open_words):
    """What they write is printed under their name."""
    page = open_words(role="robin")
    page.get_by_label("Over the next 90 days").fill("I want to ask Anna on Monday.")
    expect(page.get_by_role("status")).to_have_text("Saved")

    assert page.locator(".advice").count() == 0
