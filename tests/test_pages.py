"""The pages as people see them: on phone and desk, light and dark, from right to left."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from reports import language
from survey.demo import parts
from survey.links import stop_path
from survey.models import Invitation, PeopleImport
from survey.services import (
    ballots,
    coaching,
    second_step,
    tokens,
)
from survey.site import EXTENSION
from tests import factories, pseudo
from tests.conftest import NOW, on_sqlite
from tests.world import add_passkey, coached_team, finished, practised, waiting_programme

# What is looked at are pages.
pytestmark = on_sqlite


@dataclass(frozen=True)
class Look:
    """How pages are looked at."""

    name: str
    width: int = 1280
    scheme: Literal["light", "dark"] = "light"
    language: str = "en"
    # How large the reader has set plain text, in per cent.
    text: int = 100


PHONE, NARROW, DESK = 390, 320, 1280
LOOKS = [
    Look("desk"),
    Look("phone, dark", PHONE, "dark"),
    Look("phone, right to left", PHONE, language=pseudo.CODE),
    Look("narrow, German", NARROW, language="de"),
    Look("phone, large text", PHONE, text=200),
]


@pytest.fixture
def look():
    return LOOKS[0]


@pytest.fixture
def settings(settings, look, tmp_path, monkeypatch):
    """An installation that speaks the language of the look."""
    if look.language == pseudo.CODE:
        pseudo.write_catalogue(tmp_path)
        monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    language.language.cache_clear()
    language.spoken.cache_clear()
    yield settings.model_copy(update={"language": look.language})
    language.language.cache_clear()
    language.spoken.cache_clear()


@pytest.fixture
def asked(look):
    """The language and questionnaire of this look's rounds."""
    if look.language == pseudo.CODE:
        both = pseudo.questionnaire_in_both(factories.QUESTIONNAIRE)
        return {"language": look.language, "questionnaire": both}
    return {"language": look.language}


@pytest.fixture
def world(session, keyring, app, look, asked):
    """Robin, who is everything at once; pages of raters, and pages of staff."""
    app.register_blueprint(parts.bp)
    robin = factories.person(session, "Robin", "leader", "coach", "administrator")
    mona = factories.person(session, "Mona")
    closed = finished(session, keyring, robin, **asked)
    sam = factories.person(session, "Sam", "leader")
    coaching.give_access(session, sam, robin.id, look.language, NOW)
    collecting = factories.opened(session, keyring, leader=robin, **asked)
    factories.opened(session, keyring, leader=sam, **asked)
    prepared = factories.prepared(session, leader=robin, **asked)
    pulse = practised(session, keyring, closed)
    after = finished(session, keyring, robin, **asked)
    team = coached_team(session, keyring, robin, closed, **asked)
    programme, approve = waiting_programme(session, keyring, mona, **asked)
    rater = pages_of_raters(session, keyring, collecting, pulse)
    collecting.programme, programme.mails_held = programme, True
    import_ = PeopleImport(begun_at=NOW, actor=robin, rows="[]", total=1000, done=250)
    session.add(import_)
    session.commit()
    add_passkey(session, robin)
    second_step.begin_app(session, keyring, robin)
    tokens.make(session, keyring, robin, "People", ["people:read"], 90, "en", NOW)
    session.commit()
    staff = [
        "/account", "/account/tokens", "/account/app", "/sign-in/second-step",
        f"/administration/people/{robin.id}",
        "/rounds", "/rounds/new", f"/rounds/{prepared.id}/raters", f"/rounds/{prepared.id}/ready",
        f"/rounds/{collecting.id}", f"/previews/{closed.id}", f"/rounds/{closed.id}",
        f"/rounds/{closed.id}/practise", f"/rounds/{closed.id}/practise/choose",
        f"/rounds/{closed.id}/practise/plan", f"/rounds/{after.id}/practise", "/shelf",
        f"/shelf/{sam.id}/notes",
        "/administration/people", "/administration/people/new", "/administration/people/import",
        "/administration/delivery", "/administration/rounds", "/administration/audit",
        "/teams", "/teams/new", "/administration/programmes", "/administration/programmes/new",
        f"/administration/programmes/{programme.id}", approve, "/administration/questionnaires",
        "/parts", "/administration/retention", f"/administration/people/{robin.id}/erase",
        f"/administration/people/{mona.id}/erase", f"/administration/people/import/{import_.id}",
        "/administration/questionnaires/technical_leader/1.0?relationship=manager",
        f"/teams/{team.id}", "/shelf/group",
    ]  # fmt: skip
    session.close()
    return robin, rater, staff


def pages_of_raters(session, keyring, collecting, pulse):
    """What a rater sees of a round and of a pulse, who declined, and who wants no reminders."""
    links = factories.links(session, keyring, collecting)
    declined = links["peer1"]
    ballots.decline(session, ballots.rater(session, keyring, declined, NOW))
    quiet = session.scalars(select(Invitation.id)).first()
    session.commit()
    pulse_link = factories.links(session, keyring, pulse.round)["peer0"]
    pages = ("", "/part/1", "/part/2", "/part/11", "/check", "/thanks")
    return [
        *(f"/r/{links['manager0']}{page}" for page in pages),
        f"/r/{declined}/declined",
        f"/no-reminders/{stop_path(keyring, quiet)}",
        *(f"/r/{pulse_link}{page}" for page in ("", "/part/1", "/check")),
    ]


@pytest.fixture
def signed_in(app, world):
    """The cookie of a signed-in session."""
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["person"], cookie["key"] = str(world[0].id), world[0].session_key
        cookie["since"] = int(NOW.timestamp())
        cookie["waiting"] = cookie["person"]
    return client.get_cookie("preview360").value


def keep_picture(page, look, number, address):
    """Keep a picture of a page where PICTURES names a folder, for somebody to look at."""
    if folder := os.environ.get("PICTURES"):
        parts = [part for part in address.split("/") if part and len(part) < 30]
        named = "-".join(parts).replace("?", "-") or "home"
        name = f"{number:02} {named} {look.name}.png"
        page.screenshot(path=Path(folder) / name, full_page=True)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_page_is_accessible_and_fits_the_screen(app, browser, served, world, signed_in, look):
    """By axe, an independent checker of WCAG; and no page asks for anything elsewhere."""
    _, rater, staff = world
    here = app.extensions[EXTENSION]
    # A name, so that there are passkeys.
    named = {"base_url": "http://localhost"}
    here.settings = here.settings.model_copy(update=named)
    context = browser.new_context(
        base_url=served,
        viewport={"width": look.width, "height": 844},
        color_scheme=look.scheme,
        locale=look.language,
        bypass_csp=True,
    )
    context.add_cookies([{"name": "preview360", "value": signed_in, "url": served}])
    page = context.new_page()
    for start in (rater[0], rater[8]):
        page.goto(start)
        page.locator("form[action$='/start'] button").click()
        page.wait_for_url("**/part/1")
    asked, said, wrong, wide = [], [], {}, {}
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    everything = [
        "/",
        "/confidentiality",
        "/sign-in",
        "/sign-in/code",
        "/r/nothing",
        *rater,
        *staff,
    ]
    for number, address in enumerate(everything):
        page.goto(address)
        page.add_style_tag(content=f":root {{ font-size: {look.text}% }}")
        keep_picture(page, look, number, address)
        found = Axe().run(page).response
        assert len(found["passes"]) > 10
        nodes = [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]]
        if nodes:
            wrong[address] = nodes
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > look.width:
            wide[address] = width

    assert wrong == {}
    assert wide == {}
    assert page.evaluate("document.documentElement.dir") == (
        "rtl" if look.language == pseudo.CODE else "ltr"
    )
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
