"""More stories in a real browser: practising and the pulse, a programme, and the keyboard alone."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from survey import jobs
from tests import factories
from tests.conftest import NOW, PHONE, on_sqlite

# The first story, in test_journey.py, is told on both databases.
pytestmark = on_sqlite

DAYS_OF_A_PULSE = 15


def link_to(catcher, name, part="/r/", containing=""):
    text = catcher.text_to(f"{name}@example.org", containing or part)
    return next(word for word in text.split() if part in word)


def test_a_leader_practises_and_the_same_people_say_what_they_notice(
    app, session, keyring, served, catcher, clock, somebody, sign_in
):
    robin = factories.person(session, "Robin", "leader")
    factories.released(session, keyring, robin, mm=2)
    session.close()
    leader = sign_in("robin")
    leader.get_by_role("link", name="Practise").click()
    leader.get_by_role("link", name="Choose what to practise").click()
    leader.get_by_label("Handing over").check()
    leader.get_by_role("button", name="Continue").click()
    leader.get_by_label("What others will notice").fill("hands over whole results")
    leader.get_by_label("First step").fill("Ask Dana which result she wants to own.")
    leader.get_by_label("Day").select_option("Friday")
    leader.get_by_label("Time").fill("14:30")
    leader.get_by_role("button", name="Save the plan").click()
    with leader.expect_download() as slot:
        leader.get_by_role("link", name="Put the slot into your calendar").click()
    assert slot.value.path().read_bytes().startswith(b"BEGIN:VCALENDAR")
    leader.get_by_role("button", name="Send the message").click()
    expect(leader.get_by_text("Your message is on its way to 5 people.")).to_be_visible()
    leader.get_by_role("button", name="Plan the pulse").click()
    expect(leader.get_by_role("heading", name="Pulse 1, 1 January 2027")).to_be_visible()

    clock.now = NOW + timedelta(days=60)
    jobs.sweep(app)
    # By hand: two see less, none the same, three more of it.
    for number, change in enumerate(("Less", "Slightly less", "More", "More", "Much more")):
        rater = somebody(viewport=PHONE)
        rater.goto(link_to(catcher, f"peer{number}", containing="some weeks ago"))
        rater.get_by_role("button", name="Start").click()
        rater.get_by_label("Yes, once").check()
        asked = rater.get_by_role("group", name="“hands over whole results”")
        asked.get_by_label(change, exact=True).check()
        rater.get_by_label("What is one thing").fill("Keep asking.")
        expect(rater.get_by_role("status")).to_have_text("Saved")
        rater.get_by_role("button", name="Save and continue").click()
        rater.get_by_role("button", name="Seal and send").click()
        expect(rater.get_by_role("heading", name="Thank you")).to_be_visible()

    clock.now += timedelta(days=DAYS_OF_A_PULSE)
    jobs.sweep(app)
    leader = sign_in("robin")
    leader.get_by_role("link", name="Practise").click()
    leader.get_by_role("link", name="Read what people noticed").click()
    shown = leader.locator("#pulse .tally", has_text="hands over whole results")
    expect(shown).to_contain_text("2 less 0 no change 3 more")
    expect(leader.locator("#pulse .tally").first).to_contain_text("At least 4 of 5: Yes, once")


def test_an_administrator_sets_up_a_programme_and_a_manager_approves_it(
    app, session, served, catcher, clock, somebody, sign_in
):
    factories.person(session, "Andy", "administrator")
    session.commit()
    session.close()
    andy = sign_in("andy")
    andy.get_by_role("link", name="Import from a table").click()
    table = "name,email,roles\nLee Example,lee@example.org,leader\nMona Example,mona@example.org,\n"
    people = {"name": "people.csv", "mimeType": "text/csv", "buffer": table.encode()}
    andy.get_by_label("File").set_input_files(people)
    andy.get_by_role("button", name="Only check").click()
    expect(andy.get_by_text("The table has no fault, and nothing was changed.")).to_be_visible()
    andy.get_by_label("File").set_input_files(people)
    andy.get_by_role("button", name="Import").click()
    andy.get_by_role("link", name="Programmes").click()
    andy.get_by_role("link", name="Set up a programme").click()
    andy.get_by_label("Name").fill("Autumn")
    andy.get_by_label("Invitations go out on", exact=True).fill("2026-11-09")
    andy.get_by_label("Closing day").fill("2026-11-23")
    andy.get_by_label("A manager approves the raters").check()
    andy.get_by_label("Leaders").fill("lee@example.org, mona@example.org")
    andy.get_by_role("button", name="Set up the programme").click()
    expect(andy.get_by_role("row", name="Lee Example")).to_contain_text("raters are missing")

    lee = sign_in("lee")
    lee.get_by_role("link", name="Round until 23 November 2026").click()
    lee.get_by_label("Peers").fill("\n".join(f"P{n} <p{n}@example.org>" for n in range(5)))
    lee.get_by_role("button", name="Save and continue").click()
    lee.get_by_role("button", name="Ask Mona Example to approve").click()
    jobs.sweep(app)
    mona = somebody(viewport=PHONE, java_script_enabled=False)
    mona.goto(link_to(catcher, "mona", "/approve/"))
    expect(mona.get_by_text("P4, p4@example.org")).to_be_visible()
    mona.get_by_role("button", name="Approve this list").click()
    expect(mona.get_by_text("You have approved this list.")).to_be_visible()
    andy.reload()
    expect(andy.get_by_role("row", name="Lee Example")).to_contain_text("ready")

    clock.now = NOW + timedelta(days=7)
    jobs.sweep(app)
    andy = sign_in("andy")
    andy.get_by_role("link", name="Programmes").click()
    andy.get_by_role("link", name="Autumn").click()
    expect(andy.get_by_role("row", name="Lee Example")).to_contain_text("collecting")
    assert link_to(catcher, "p0").startswith(f"{served}/r/")
    andy.get_by_role("link", name="People", exact=True).click()
    andy.get_by_role("link", name="Lee Example").click()
    andy.get_by_role("link", name="Erase this person").click()
    expect(andy.get_by_text("the round of Lee Example is open")).to_be_visible()
    expect(andy.get_by_role("button", name="Erase")).to_have_count(0)


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    """Press Tab until what a person is looking for has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} cannot be reached with Tab")


def test_a_rater_answers_with_the_keyboard_alone(session, keyring, browser, somebody):
    round_ = factories.opened(session, keyring, roster={"peer": 5})
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    page = somebody()
    page.goto(f"/r/{link}")
    tab_to(page, "form[action$='/start'] button")
    page.keyboard.press("Enter")
    for part in range(1, 10):
        page.wait_for_url(f"**/part/{part}")
        for name in [each.get_attribute("id") for each in page.locator("fieldset").all()]:
            tab_to(page, f"input[name='{name}']")
            page.keyboard.press("Space")
            page.keyboard.press("ArrowDown")
            expect(page.locator(f"input[name='{name}'][value='2']")).to_be_checked()
        tab_to(page, "form[data-draft] button")
        page.keyboard.press("Enter")
    page.wait_for_url("**/part/10")
    tab_to(page, "textarea")
    page.keyboard.type("Hand over whole results.")
    tab_to(page, "form[data-draft] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check")
    expect(page.locator(".answers dd", has_text="Seldom")).to_have_count(27)
    tab_to(page, "form button")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
