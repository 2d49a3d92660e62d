"""The form on a phone without scripts: nothing opens by itself, nothing typed is lost."""

import re
import resource
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from survey import sealing, trustee_key
from survey.envelope import ballot_purpose
from survey.models import Answered, Ballot, Invitation
from survey.services import ballots, custody, trustees
from survey.site import EXTENSION
from tests import factories
from tests.attacks.custody import two_sides
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.visitor import Visitor


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring)


@pytest.fixture
def links(session, keyring, round_):
    links = factories.links(session, keyring, round_)
    session.close()
    return links


@pytest.fixture
def peer(app, links):
    """A peer who has opened the link."""
    visitor = Visitor(app)
    visitor.open(f"/r/{links['peer0']}")
    return visitor


def draft(session, keyring, link):
    found = ballots.draft(session, ballots.rater(session, keyring, link, NOW))
    session.close()
    return found


def snapshot(session):
    ballots = [(b.handle, b.sealed, b.resume) for b in session.scalars(select(Ballot))]
    invitations = sorted((i.lookup, i.answered) for i in session.scalars(select(Invitation)))
    session.close()
    return ballots, invitations


def test_the_start_page_says_who_asks_and_who_will_see_what(peer):
    for words in (
        "Robin Example asks for your view",
        "You are asked as a peer, one of 5.",
        "about 10 minutes",
        "16 November 2026",
        "Please be frank.",
        "nobody can read your answers",
        "Shown in groups of 3 answers or more",
        "Single statements only from 5 answers",
        "word for word",
        "What this cannot protect",
        "rather not",
    ):
        assert words in peer.page.replace("&#39;", "'")


TRUSTEE = sealing.new_key_pair()
LEVELS = {
    "together": (
        "The key lies apart from your answers.",
        "whoever can read both could open your answers before the close",
        "read its memory or copy the whole machine while the round is open",
    ),
    "apart": (
        "What shows you this page cannot open what you have sent.",
        "under another account or on another machine",
        "Whoever runs both parts of the system",
    ),
    "trustee": (
        "Council Example keeps a second key.",
        trustee_key.fingerprint(TRUSTEE.public),
        "If the second key is lost, the round ends without a preview",
    ),
}


@pytest.mark.parametrize("level", LEVELS)
def test_the_start_page_says_which_level_of_custody_protects_this_round(
    app, session, keyring, level
):
    """What it says is what the seals really are: found by trying to open them."""
    served, closes = two_sides(keyring) if level == "apart" else (keyring, keyring)
    if level == "trustee":
        person = factories.person(session, "Council")
        trustees.appoint(session, keyring, person, TRUSTEE.public, NOW)
    if level == "apart":
        custody.restock(session, closes)
    app.extensions[EXTENSION].keyring = served
    round_ = factories.opened(session, served, roster={"peer": 3})
    link = factories.links(session, served, round_)["peer0"]
    session.close()
    visitor = Visitor(app)
    page = visitor.open(f"/r/{link}")

    for other, words in LEVELS.items():
        assert [each in page for each in words] == [other == level] * 3
    visitor.send(action="/start")
    sealed = session.scalars(select(Ballot.sealed)).one()
    key = closes.ballot_key(custody.key_of(session, round_))
    opened = sealing.unseal(key, sealed, ballot_purpose(round_.id))
    assert (b"serial" in opened) == (level != "trustee")
    readable = [
        path for path in served.path.rglob("*") if path.is_file() and key in path.read_bytes()
    ]
    assert bool(readable) == (level != "apart")


def test_opening_any_page_changes_nothing(app, session, links):
    """Mail scanners follow links, and some run scripts; none of that may start or spend one."""
    before = snapshot(session)
    scanner = Visitor(app)
    for page in ("", "/part/1", "/part/11", "/check", "/thanks", "/declined", "/start", "/decline"):
        for method in (scanner.client.get, scanner.client.head):
            method(f"/r/{links['peer0']}{page}")

    assert snapshot(session) == before


def test_a_rater_gets_from_the_link_to_thank_you(session, keyring, peer, links):
    peer.send(action="/start")
    parts = 0
    while "/part/" in peer.address:
        parts += 1
        names = set(re.findall(r'name="(\w\w\d\d)"', peer.page))
        answers = dict.fromkeys(names, "4")
        peer.send(answers or {"OP1-1": "More of this."})
    assert parts == 10
    assert "Check your answers" in peer.page
    assert "More of this." in peer.page

    peer.send()

    assert peer.address.endswith("/thanks")
    session.close()
    invitations = session.scalars(select(Invitation.answered)).all()
    assert invitations.count(Answered.ANSWERED) == 1


def test_items_stand_under_one_another_with_nothing_chosen(peer):
    peer.send(action="/start")

    assert peer.page.count('type="radio"') == 3 * 6
    assert "checked" not in peer.page
    assert "Part 1 of 11" in peer.page
    assert peer.page.count("No chance to see this") == 3


def test_answers_are_there_again_on_another_device(app, session, keyring, peer, links):
    peer.send(action="/start")
    peer.send({"MM01": "4", "MM02": "0"})

    phone = Visitor(app)
    phone.open(f"/r/{links['peer0']}")
    assert "Go on" in phone.page
    phone.send(action="/start")
    assert re.search(r'name="MM01" value="4" checked', phone.page)
    assert re.search(r'name="MM02" value="0" checked', phone.page)
    assert draft(session, keyring, links["peer0"]).items == {"MM01": 4, "MM02": 0}


def test_an_item_left_out_is_not_one_that_could_not_be_seen(session, keyring, peer, links):
    peer.send(action="/start")
    peer.send({"MM02": "0"})

    assert draft(session, keyring, links["peer0"]).items == {"MM02": 0}


def test_a_comment_that_is_too_long_keeps_every_word(peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    long = "ä" * 1001
    peer.send({"OP1-1": long, "OP2-1": "Short.", "OP3-1": "x" * 25})

    assert peer.status == 422
    assert "<title>Error:" in peer.page
    assert "At most 1000 characters fit here; these are 1001." in peer.page
    assert "At most 24 characters fit here; these are 25." in peer.page
    assert long in peer.page
    assert "Short." in peer.page
    assert 'href="#OP1-1"' in peer.page


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two\r\nlines  ", "two\nlines"),
        ("e\u0301", "é"),
        ("nul\0l and \x07bell", "null and bell"),
        ("z" + "\u0300" * 50, "z" + "\u0300" * 4),
        ("مرحبا <b>&", "مرحبا <b>&"),
    ],
)
def test_comments_are_kept_as_text(session, keyring, peer, links, typed, kept):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    peer.send({"OP1-1": typed})

    assert draft(session, keyring, links["peer0"]).words["OP1"] == (kept,)


def test_markup_in_comments_is_shown_as_text(peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    peer.send({"OP1-1": "<script>alert(1)</script>"})

    assert "&lt;script&gt;" in peer.page
    assert "<script" not in peer.page


@pytest.mark.parametrize("value", ["6", "-1", "4.5", "x", "4'"])
def test_an_answer_that_is_no_point_of_the_scale_is_refused(session, keyring, peer, links, value):
    peer.send(action="/start")
    peer.send({"MM01": value, "MM02": "3"})

    assert peer.status == 422
    assert re.search(r'name="MM02" value="3" checked', peer.page)
    assert draft(session, keyring, links["peer0"]).items == {}


def test_sending_too_little_says_what_is_missing_and_sends_nothing(session, peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/check")
    assert "Please answer at least 14 more statements" in peer.page
    peer.send()

    assert peer.status == 422
    assert "Nothing was sent yet" in peer.page
    session.close()
    assert Answered.ANSWERED not in session.scalars(select(Invitation.answered)).all()


def test_a_change_from_the_check_page_leads_back_to_it(peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/check")
    assert "part/3?then=check" in peer.page
    peer.open(f"/r/{links['peer0']}/part/3?then=check")
    peer.send({"MM07": "3"})

    assert peer.address.endswith("/check")


def test_a_manager_chooses_first_how_to_be_shown(app, session, keyring, links):
    manager = Visitor(app)
    manager.open(f"/r/{links['manager0']}")
    assert "You are one of very few in your role." in manager.page
    manager.send(action="/start")
    assert "By my role: “Your manager”" in manager.page
    manager.send({"shown": "identified"})
    manager.open(f"/r/{links['manager0']}/part/11")
    assert "Which challenge ahead would be good practice" in manager.page

    manager.open(f"/r/{links['manager0']}/part/1")
    manager.send({"shown": "together"})
    manager.open(f"/r/{links['manager0']}/part/11")
    assert "Which challenge ahead" not in manager.page
    assert draft(session, keyring, links["manager0"]).identified is False


def test_the_leader_answers_about_themselves(app, links):
    leader = Visitor(app)
    leader.open(f"/r/{links['robin']}")
    assert "Your own view" in leader.page
    assert "rather not" not in leader.page
    leader.send(action="/start")

    assert "When I hand work over" in leader.page
    assert "The situation did not come up" in leader.page


def test_declining_asks_no_reason_and_can_be_taken_back(session, keyring, peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}")
    peer.send(action="/decline")

    assert peer.address.endswith("/declined")
    assert draft(session, keyring, links["peer0"]) is None
    peer.open(f"/r/{links['peer0']}")
    peer.send(action="/start")
    assert "/part/1" in peer.address


def test_after_sending_the_link_leads_to_replacing_and_shows_nothing(session, keyring, app, links):
    factories.answer(session, keyring, links["peer0"], words={"OP1": ("Unmistakable.",)})
    session.close()
    peer = Visitor(app)
    peer.open(f"/r/{links['peer0']}")

    assert "Replace my answers" in peer.page
    assert "Withdraw my answers" in peer.page
    peer.send(action="/start")
    assert "checked" not in peer.page
    peer.open(f"/r/{links['peer0']}/part/10")
    assert "Unmistakable" not in peer.page


@pytest.mark.parametrize(
    "link", ["x", "A" * 54, "A" * 53, "%00", "a/b", "..%2f..", "é" * 20, "A" * 5000]
)
def test_links_that_are_none_get_one_and_the_same_sentence(app, links, link):
    answer = app.test_client().get(f"/r/{link}")

    assert answer.status_code == 404
    if "/" not in link and "%2f" not in link:
        assert "This link opens nothing (any more)." in answer.text


def test_a_link_after_the_closing_day_says_so(app, links, clock):
    clock.now = CLOSES
    answer = app.test_client().get(f"/r/{links['peer0']}")

    assert answer.status_code == 410
    assert "The closing day has passed" in answer.text


def test_a_link_of_a_released_round_looks_like_any_unknown_one(
    session, keyring, app, round_, links, clock
):
    factories.all_answer(session, keyring, round_)
    from survey import jobs

    session.close()
    clock.now = CLOSES
    jobs.sweep(app)
    client = app.test_client()

    closed, unknown = client.get(f"/r/{links['peer0']}"), client.get("/r/" + "A" * 54)
    assert (closed.status_code, closed.data) == (unknown.status_code, unknown.data)


def test_answers_after_the_closing_day_are_not_taken(peer, clock, session, links):
    peer.send(action="/start")
    clock.now = CLOSES
    peer.send({"MM01": "4"})

    assert peer.status == 410


def test_what_was_typed_when_the_round_closed_can_be_copied(peer, clock, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    clock.now = CLOSES
    peer.send({"OP1-1": "A long <b>thought</b>"})

    assert peer.status == 410
    assert "A long &lt;b&gt;thought&lt;/b&gt;</textarea>" in peer.page


def test_a_page_left_open_while_sending_elsewhere_gives_its_words_back(app, peer, links):
    """Sent from the phone, while the laptop still shows the comments."""
    peer.send(action="/start")
    while "/part/" in peer.address:
        peer.send(dict.fromkeys(re.findall(r'name="(\w\w\d\d)"', peer.page), "4"))
    laptop = Visitor(app)
    laptop.open(f"/r/{links['peer0']}/part/10")
    peer.send()
    assert peer.address.endswith("/thanks")
    laptop.send({"OP1-1": "More thoughts"})

    assert laptop.status == 409
    assert "More thoughts</textarea>" in laptop.page


def test_an_older_page_does_not_blank_what_another_has_saved(app, session, keyring, peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    laptop = Visitor(app)
    laptop.open(f"/r/{links['peer0']}/part/10")
    laptop.send({"OP1-1": "A long thought", "OP3-1": "calm"})
    peer.send({"OP2-1": "Another"})
    words = draft(session, keyring, links["peer0"]).words
    assert (words["OP1"], words["OP2"]) == (("A long thought",), ("Another",))
    assert words["OP3"] == ("calm", "", "")

    laptop.open(f"/r/{links['peer0']}/part/10")
    laptop.send({"OP1-1": ""})
    assert draft(session, keyring, links["peer0"]).words["OP1"] == ("",)


def test_what_nobody_expected_gives_everything_back(session, keyring, peer, links, monkeypatch):
    peer.send(action="/start")

    def broken(*_):
        raise DatabaseError("", None, Exception("database disk image is malformed"))

    peer.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ballots, "save", broken)
        peer.send({"MM01": "4"})
    assert peer.status == 500
    peer.send()

    assert draft(session, keyring, links["peer0"]).items == {"MM01": 4}


def test_a_blank_that_is_no_answer_is_none(session, keyring, peer, links):
    peer.send(action="/start")
    peer.send({"MM01": " ", "MM02": "3"})

    assert draft(session, keyring, links["peer0"]).items == {"MM02": 3}


@pytest.mark.parametrize("page", ["thanks", "declined"])
def test_nobody_is_thanked_for_what_was_not_done(peer, links, page):
    peer.open(f"/r/{links['peer0']}/{page}")

    assert peer.address == f"/r/{links['peer0']}"


def test_hundreds_of_thousands_of_fields_are_refused(peer, links):
    peer.send(action="/start")
    flood = "&".join(f"f{n}=1" for n in range(200_000))
    answer = peer.client.post(
        f"/r/{links['peer0']}/part/1", data=flood, content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 413
    assert "more than this page takes" in answer.text


def test_many_parts_of_a_form_are_refused(peer, links):
    answer = peer.client.post(
        f"/r/{links['peer0']}/start",
        data={f"f{n}": "1" for n in range(400)},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 413


@contextmanager
def full_disk(settings):
    """Let the operating system refuse to let any file grow beyond what the database has now."""
    log = Path(f"{settings.database_file()}-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@on_sqlite
def test_a_full_disk_gives_everything_back_that_was_typed(session, keyring, peer, links, settings):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/part/10")
    words = "Two\nlines & <b>"
    with full_disk(settings):
        peer.send({"OP1-1": words, "OP3-2": "calm"})

    assert peer.status == 503
    assert "could not be saved just now" in peer.page
    assert "Two\nlines &amp; &lt;b&gt;" in peer.page
    peer.send()
    assert peer.address.endswith("/check")
    assert draft(session, keyring, links["peer0"]).words["OP1"] == (words,)


def test_a_keyring_that_cannot_be_read_gives_everything_back(app, session, keyring, peer, links):
    peer.send(action="/start")
    keys = next(keyring.path.glob("rounds/*/keys"))
    keys.rename(keys.with_name("elsewhere"))
    peer.send({"MM01": "4"})

    assert peer.status == 503
    assert "cannot reach its keys" in peer.page
    assert str(keyring.path) not in peer.page
    keys.with_name("elsewhere").rename(keys)
    peer.send()
    assert draft(session, keyring, links["peer0"]).items == {"MM01": 4}


def test_a_lost_cookie_gives_everything_back(app, session, keyring, peer, links):
    peer.send(action="/start")
    peer.client.delete_cookie("preview360")
    peer.send({"MM01": "4"})

    assert peer.status == 400
    assert "did not send back this site" in peer.page
    peer.send()
    assert draft(session, keyring, links["peer0"]).items == {"MM01": 4}


def test_a_page_sent_after_eight_hours_is_saved(session, keyring, peer, links, clock):
    peer.send(action="/start")
    clock.now = NOW + timedelta(hours=8)
    peer.send({"MM01": "4"})

    assert draft(session, keyring, links["peer0"]).items == {"MM01": 4}


def test_the_only_cookie_holds_nothing_of_the_rater(peer, links):
    peer.send(action="/start")
    peer.send({"MM01": "4"})

    with peer.client.session_transaction() as cookie:
        assert set(cookie) == {"csrf_token"}


def test_an_error_in_a_view_logs_neither_link_nor_words(app, links, caplog):
    @app.post("/r/<link>/broken")
    def broken(link: str) -> str:
        raise RuntimeError("broken")

    broken.allowed = "anybody"
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["TESTING"] = app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().post(f"/r/{links['peer0']}/broken", data={"OP1-1": "Unmistakable"})

    assert answer.status_code == 500
    assert "broken" in caplog.text
    assert links["peer0"] not in caplog.text
    assert "Unmistakable" not in caplog.text


def test_the_check_page_shows_comments_as_they_will_appear(app, session, keyring, links):
    for link, shown, label in (
        (links["peer0"], {}, "without a name, in an order drawn by lot"),
        (links["manager0"], {"shown": "identified"}, "Your manager</footer>"),
    ):
        rater = Visitor(app)
        rater.open(f"/r/{link}")
        rater.send(action="/start")
        rater.send(shown)
        rater.open(f"/r/{link}/part/{11 if shown else 10}")
        page = rater.send({"OP1-1": "Delegate whole results.", "OP3-1": "calm", "OP3-2": "fair"})

        _, _, appears = page.partition("How your answers will appear")
        assert "<h3>One thing to do more of</h3>" in appears
        assert "Delegate whole results." in appears
        assert "calm · fair" in appears
        assert label in appears
        assert ("each word by itself, counted" in appears) == (not shown)


def test_the_check_page_says_that_nothing_appears_word_for_word_without_comments(peer, links):
    peer.send(action="/start")
    peer.open(f"/r/{links['peer0']}/check")

    assert "You wrote no comment, so of you only figures of the group are shown." in peer.page
