"""The whole story in a real browser: a leader asks, raters answer, a coach reads.

Raters of each kind answer in the browser, the others by what it would have sent. The numbers
in the PDF are worked out by hand beside the answers.
"""

import io
import re
from datetime import timedelta

import pdfplumber
from playwright.sync_api import Page, expect

from survey import jobs
from tests import factories
from tests.conftest import NOW, PHONE

# Every item of a theme is answered alike, so a rater's score is that number: by theme MM, SA, TR.
ANSWERS = {
    "robin": (4, 3, 4),
    "morgan": (3, 3, 4),  # the manager, who chooses to be shown by role
    "parker": (2, 3, 4),
    "piper": (2, 3, 4),
    "pat": (2, 3, 4),
    "perry": (3, 4, 4),
    "page": (3, 4, 4),
    "dana": (2, 3, 4),
    "drew": (2, 3, 4),
    "devon": (3, 3, 4),
    "darcy": (3, 3, 4),
}
IN_A_BROWSER = ("robin", "morgan", "parker", "dana")
PEERS, REPORTS = ("parker", "piper", "pat", "perry", "page"), ("dana", "drew", "devon", "darcy")


def names(people) -> str:
    return "\n".join(f"{name.title()} Example <{name}@example.org>" for name in people)


def test_a_leader_asks_ten_answer_and_a_coach_reads(
    app, session, keyring, served, catcher, clock, somebody, sign_in
):
    factories.person(session, "Robin", "leader")
    factories.person(session, "Casey", "coach")
    session.commit()
    session.close()

    leader = sign_in("robin")
    ask(leader)
    jobs.sweep(app)
    assert len([mail for mail in catcher.mails if "/r/" in str(mail)]) == 11

    for name, means in ANSWERS.items():
        link = re.search(rf"{served}/r/(\S+)", catcher.text_to(f"{name}@example.org", "/r/"))
        if name in IN_A_BROWSER:
            answer(somebody(viewport=PHONE, java_script_enabled=False), name, link[0])
        else:
            words = {"OP1": (f"A wish of {name}.",)}
            factories.answer(session, keyring, link[1], factories.scores(*means), words)
    session.close()
    leader.reload()
    expect(leader.get_by_role("row", name="Peers")).to_contain_text("not yet")

    clock.now = NOW + timedelta(days=15)
    jobs.sweep(app)
    assert "Your preview is ready" in [mail["Subject"] for mail in catcher.mails]

    leader = sign_in("robin")
    leader.get_by_role("link", name="Round until 16 November 2026").click()
    expect(leader.get_by_role("heading", name="At a glance")).to_be_visible()
    leader.goto("/rounds")
    check_numbers(downloaded(leader, "Download the PDF"))
    leader.get_by_label("Give access to").select_option("Casey Example")
    leader.get_by_role("button", name="Give access").click()

    coach = sign_in("casey")
    expect(coach.get_by_role("heading", name="Robin Example")).to_be_visible()
    check_numbers(downloaded(coach, "PDF"))
    leader.get_by_role("button", name="Take access back").click()
    coach.reload()
    expect(coach.get_by_text("Nobody has given you access yet.")).to_be_visible()


def ask(leader: Page) -> None:
    leader.get_by_role("link", name="Ask for feedback").click()
    leader.get_by_label("New lead").check()
    leader.get_by_label("Closing day").fill("2026-11-16")
    leader.get_by_label("A message to your raters").fill("What helps you, and what could I try?")
    leader.get_by_role("button", name="Save and continue").click()
    leader.get_by_label("Managers").fill(names(["morgan"]))
    leader.get_by_label("Peers").fill(names(PEERS))
    leader.get_by_label("Direct reports").fill(names(REPORTS))
    leader.get_by_role("button", name="Save and continue").click()
    expect(leader.get_by_role("row", name="Direct reports + Managers")).to_contain_text("5")
    leader.get_by_role("button", name="Send the invitations").click()
    expect(leader.get_by_role("heading", name="Collecting")).to_be_visible()


def answer(page, name, link):
    """Answer every part of the form, as a person does: by pressing what stands there."""
    page.goto(link)
    page.get_by_role("button", name="Start").click()
    scores = factories.scores(*ANSWERS[name])
    first = 1
    if name == "morgan":
        page.get_by_label("By my role").check()
        page.get_by_role("button", name="Save and continue").click()
        first = 2
    for part in range(first, first + 9):
        page.wait_for_url(f"**/part/{part}")  # a click may return before the next page is there
        for item in page.locator("fieldset").all():
            item.locator(f"input[value='{scores[item.get_attribute('id')]}']").check()
        page.get_by_role("button", name="Save and continue").click()
    if name == "robin":
        for field, word in zip(
            ("First", "Second", "Third"), ("clear", "calm", "fair"), strict=True
        ):
            page.get_by_label(f"{field} word").fill(word)
        page.get_by_label("what is one thing you want to do more of?").fill("Let go.")
        page.get_by_label("What is your biggest challenge").fill("Two releases at once.")
    else:
        page.get_by_label("what is one thing").fill(f"A wish of {name}.")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    page.get_by_role("button", name="Seal and send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def downloaded(page: Page, name: str) -> list[str]:
    """Download a PDF and return the text of its pages."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    content = download.value.path().read_bytes()
    with pdfplumber.open(io.BytesIO(content)) as document:
        return [page.extract_text() for page in document.pages]


def check_numbers(pages: list[str]) -> None:
    """Compare the preview with what its answers come to by hand."""
    reading, glance, room, _seeing, earning = pages[1:6]
    for line in ("Your manager 1 1", "Peers 5 5", "Direct reports 4 4"):
        assert line in reading
    # Room to lead: peers (3 × 2 + 2 × 3) / 5 = 2.4, direct reports (2 × 2 + 2 × 3) / 4 = 2.5,
    # together 22 / 9 = 2.44; the manager's 3 is in none of these.
    for line in (
        "2.4 All others (9)",
        "3.0 Your manager",
        "2.4 Peers (5)",
        "2.5 Direct reports (4)",
    ):
        assert line in room
    # Seeing yourself: (3 × 3 + 2 × 4 + 4 × 3) / 9 = 29 / 9 = 3.22. Earning commitment: all 4.
    for line in ("2.4 Room to lead", "3.2 Seeing yourself in action", "4.0 Earning commitment"):
        assert line in glance
    # 4.0 − 2.44 is more than a whole point, and outside the band 2.44 ± 0.34.
    assert "between 2.1 and 2.8" in room
    assert "You see it clearly more often (4.0)" in room
    # 4.0 of others against 4.0 of the leader.
    assert "Your own view (4.0) is not far from that." in earning
    comments = "\n".join(pages)
    for name in (*PEERS, *REPORTS, "morgan"):
        assert f"A wish of {name}." in comments
