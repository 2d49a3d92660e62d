"""How long a rater needs, predicted: the form in a browser, at paces that others have measured.

A prediction is not a measurement: nobody has been timed. `REAL_TIME=1` also waits for each pause.
"""

import os
import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import factories
from tests.conftest import PHONE, on_sqlite

# What is timed are pages.
pytestmark = on_sqlite

# Silent reading of English non-fiction, the mean of 190 studies; of most adults the slower read
# 175 (Brysbaert, 2019, doi:10.1016/j.jml.2019.104047).
WORDS_READ_A_MINUTE = 238
# An ordinary question on a panel's web surveys, reading it included: 85 of them are given a
# quarter of an hour (Pew Research Center, "How we keep our online surveys from running too
# long", 2022).
SECONDS_AN_ITEM = 15 * 60 / 85
# Copying a text on a phone, words of five characters a minute (Palin et al., 2019,
# doi:10.1145/3338286.3340120), slowed as composing one was beside copying one on a keyboard,
# 19.0 to 32.5 (Karat et al., 1999, doi:10.1145/302979.303160).
WORDS_WRITTEN_A_MINUTE = 36.2 * 19.0 / 32.5
# One or two sentences for each text that is asked for, as long as those of `make demo`.
COMMENTS = (
    "Bring me the plan and the risks, and leave the details where they are solved.",
    "Let me finish what you gave me. Tell me what must be right, and look at it on Friday.",
    "Say out loud when you do not know something; it helps the rest of us do the same.",
)
WORDS = ("clear", "thorough", "hurried")


def words_in(text: str) -> int:
    return len(re.findall(r"\w+", text))


class Rater:
    """Somebody at a phone who reads each line once, decides, and types with the thumbs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.read: set[str] = set()
        self.thought = 0.0
        self.started = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the link was opened: the machine's, and those of the person."""
        waited = time.monotonic() - self.started
        return waited if os.environ.get("REAL_TIME") else waited + self.thought

    def look(self) -> None:
        """Read what stands on the page and was not read before, but for items and answers."""
        text = self.page.locator("body").inner_text()
        for item in self.page.locator("fieldset").all():
            self.read.update(item.inner_text().splitlines())
        lines = set(text.splitlines()) - self.read
        self.read |= lines
        self.spend(60 * words_in(" ".join(lines)) / WORDS_READ_A_MINUTE)

    def decide(self) -> None:
        """Answer the items of the page, one after the other."""
        for item in self.page.locator("fieldset").all():
            self.spend(SECONDS_AN_ITEM)
            item.locator("input[value='4']").check()

    def write(self, field: Locator, words: str) -> None:
        """Compose a text."""
        self.spend(60 * len(words) / 5 / WORDS_WRITTEN_A_MINUTE)
        field.fill(words)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def spend(self, seconds: float) -> None:
        self.thought += seconds
        if os.environ.get("REAL_TIME"):
            self.page.wait_for_timeout(1000 * seconds)


@pytest.fixture
def page(session, keyring, somebody):
    """The start page, on a phone."""
    round_ = factories.opened(session, keyring)
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    page = somebody(viewport=PHONE)
    page.goto(f"/r/{link}")
    return page


def test_what_will_be_seen_by_whom_is_read_in_twenty_seconds(page):
    """By a mean reader; what explains it is one press away."""
    [_, promise] = page.locator("main").inner_text().split("What Robin Example will see")
    for words in ("nobody can read", "3 answers or more", "word for word", "whole group answers"):
        assert words in promise
    assert 60 * words_in(promise) / WORDS_READ_A_MINUTE < 20
    assert not page.get_by_text("Then the keys are destroyed.").is_visible()
    page.get_by_text("Sealed until the round closes.").first.click()
    assert page.get_by_text("Then the keys are destroyed.").is_visible()


def test_a_rater_who_knows_the_leader_is_predicted_to_need_ten_minutes_at_most(page):
    rater = Rater(page)
    rater.look()
    rater.press("Start")
    for part in range(1, 10):
        page.wait_for_url(f"**/part/{part}")
        rater.look()
        rater.decide()
        rater.press("Save and continue")
    page.wait_for_url("**/part/10")
    rater.look()
    for field, word in zip(("First", "Second", "Third"), WORDS, strict=True):
        rater.write(page.get_by_label(f"{field} word"), word)
    for text, comment in zip(page.locator("textarea").all(), COMMENTS, strict=True):
        rater.write(text, comment)
    rater.press("Save and continue")
    page.wait_for_url("**/check")
    rater.look()
    rater.press("Seal and send")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    rater.look()

    assert rater.seconds() < 600
