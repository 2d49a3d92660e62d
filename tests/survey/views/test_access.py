"""Every route is walked as everybody: only the right person comes in, others see nothing."""

import itertools
import sqlite3
from datetime import time
from uuid import uuid4

import pytest

from survey.links import approval_path, stop_path
from survey.models import Invitation, Mail, Release
from survey.services import (
    closing,
    coaching,
    imports,
    practices,
    programmes,
    proposals,
    second_step,
)
from survey.services.practices import Slot, Written
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.visitor import Visitor
from tests.world import MANY_PEOPLE

# Who may open what, of Robin's things; everything that is not here is open to nobody.
EVERYBODY = {"visitor", "robin", "sam", "casey", "cora", "andy"}
STAFF = EVERYBODY - {"visitor"}
LEADERS, COACHES = {"robin", "sam"}, {"casey", "cora"}
ALLOWED = {
    "static": EVERYBODY,
    "previews.style": EVERYBODY,
    "health.alive": EVERYBODY,
    "health.ready": EVERYBODY,
    # Whoever has the key, which is nobody's who signs in.
    "health.figures": set(),
    "account.home": EVERYBODY,
    "account.sign_in": EVERYBODY,
    "account.code": EVERYBODY,
    "account.choose_language": EVERYBODY,
    "account.sign_out": EVERYBODY,
    "second_step.show": STAFF,
    # Only Robin has begun to set up an app.
    "second_step.confirm_app": {"robin"},
    # Whoever is signed in is led home.
    "second_step.ask": STAFF,
    "second_step.ask_for_new": STAFF,
    "second_step.add_passkey": STAFF,
    "second_step.remove_passkey": STAFF,
    "second_step.begin_app": STAFF,
    "second_step.remove_app": STAFF,
    "second_step.ask_for_any": EVERYBODY,
    "second_step.use_passkey": EVERYBODY,
    "administrator.remove_second_step": {"andy"},
    "tokens.index": STAFF,
    "tokens.remove": STAFF,
    "api.description": EVERYBODY,
    "rater.welcome": EVERYBODY,
    "rater.start": EVERYBODY,
    "rater.decline": EVERYBODY,
    "rater.declined": EVERYBODY,
    "rater.part": EVERYBODY,
    "rater.keep": EVERYBODY,
    "rater.choose_language": EVERYBODY,
    "promise.show": EVERYBODY,
    "reminders.stop": EVERYBODY,
    "rater.check": EVERYBODY,
    "rater.thanks": EVERYBODY,
    "leader.rounds": LEADERS,
    "leader.new": LEADERS,
    "leader.give_access": LEADERS,
    "leader.take_access_back": LEADERS,
    "leader.prepare": {"robin"},
    "leader.raters": {"robin"},
    "leader.ready": {"robin"},
    "leader.show": {"robin"},
    "leader.extend": {"robin"},
    "leader.void": {"robin"},
    "leader.discard": {"robin"},
    "leader.own_link": {"robin"},
    "leader.remind": {"robin"},
    "leader.close_earlier": {"robin"},
    "leader.ask_one_more": {"robin"},
    "leader.ask_one_less": {"robin"},
    "leader.withdraw": {"robin"},
    "previews.show": {"robin", "casey"},
    "previews.pdf": {"robin", "casey"},
    "previews.some_pages": {"robin"},
    "previews.guide": {"robin", "casey"},
    "previews.workbook": {"robin", "casey"},
    "previews.table": {"robin", "casey"},
    "leader.offer": {"robin"},
    "practices.show": {"robin"},
    "practices.choose": {"robin"},
    "practices.plan": {"robin"},
    "practices.calendar": {"robin"},
    "practices.thanks": {"robin"},
    "practices.plan_pulses": {"robin"},
    "practices.leave_pulse_out": {"robin"},
    "leader.take_offer_back": {"robin"},
    "teams.index": {"andy"},
    "teams.new": {"andy"},
    # Robin is one of its five leaders; Casey coaches Robin, which does not open it.
    "teams.show": {"robin", "andy"},
    "teams.pdf": {"robin", "andy"},
    "coach.shelf": COACHES,
    "coach.notes": {"casey"},
    "coach.open_conversation": {"casey"},
    # Nobody has four leaders here: the refusal is for those who may ask.
    "coach.group": set(),
    "administrator.people": {"andy"},
    "administrator.new_person": {"andy"},
    "administrator.change_person": {"andy"},
    "programmes.hold_mails": {"andy"},
    "programmes.let_mails_go": {"andy"},
    "programmes.stop_printing": {"andy"},
    "administrator.import_people": {"andy"},
    "administrator.show_import": {"andy"},
    "administrator.stop_import": {"andy"},
    "administrator.erase_person": {"andy"},
    "administrator.kept": {"andy"},
    "administrator.delivery": {"andy"},
    "administrator.send_again": {"andy"},
    "administrator.rounds": {"andy"},
    "administrator.audit_list": {"andy"},
    "approvals.decide": EVERYBODY,
    "leader.ask_approval": {"robin"},
    "questionnaires.index": {"andy"},
    "questionnaires.show": {"andy"},
    "programmes.index": {"andy"},
    "programmes.new": {"andy"},
    "programmes.show": {"andy"},
    "programmes.add": {"andy"},
    "programmes.remind": {"andy"},
    "programmes.move_closing_day": {"andy"},
    "programmes.take_out": {"andy"},
    "administrator.approve": {"andy"},
    "administrator.refuse": {"andy"},
}
OF_A_PREVIEW = {
    "previews.show", "previews.pdf", "previews.some_pages", "previews.guide",
    "previews.workbook", "previews.table",
    "practices.show", "practices.choose", "practices.plan", "practices.calendar",
    "practices.thanks", "practices.plan_pulses", "practices.leave_pulse_out",
    "coach.open_conversation",
}  # fmt: skip
BEFORE_OPENING = {
    "leader.prepare",
    "leader.raters",
    "leader.ready",
    "leader.discard",
    "leader.ask_approval",
}


@pytest.fixture
def world(app, session, keyring):
    """Robin has a round of each kind and a coach, Casey; Sam and Cora are strangers to it."""
    people = {
        "robin": factories.person(session, "Robin", "leader"),
        "sam": factories.person(session, "Sam", "leader"),
        "casey": factories.person(session, "Casey", "coach"),
        "cora": factories.person(session, "Cora", "coach"),
        "andy": factories.person(session, "Andy", "administrator"),
    }
    robin = people["robin"]
    coaching.give_access(session, robin, people["casey"].id, "en", NOW)
    closed = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, closed)
    closing.close(session, keyring, closed.id, CLOSES)
    session.commit()
    collecting = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, collecting)
    prepared = factories.prepared(session, leader=robin)
    session.commit()
    release = session.get_one(Release, closed.id)
    team = factories.team(session, keyring, release)
    plan = practices.choose(session, release, ["MM1"], NOW.date())
    practices.write(session, plan, Written({}, slot=Slot(4, time(14, 30), 30)))
    programme = factories.programme(session, people["sam"], people["cora"])
    [asked] = programmes.progress(session, programme, NOW)
    waiting = proposals.propose_one_less(
        session, collecting, collecting.nominations[0].person_id, NOW, robin
    )
    second_step.begin_app(session, keyring, robin)
    session.commit()
    values = {
        "passkey_id": uuid4(),
        "token_id": uuid4(),
        "proposal_id": waiting.id,
        "coach_id": people["casey"].id,
        "leader_id": robin.id,
        "person_id": people["sam"].id,
        "import_id": imports.begin(session, MANY_PEOPLE, NOW).id,
        "mail_id": session.query(Mail.id).first()[0],
        "link": factories.links(session, keyring, collecting)["peer0"],
        "team_id": team.id,
        "programme_id": programme.id,
        "token": approval_path(keyring, asked.round.id, people["cora"].email),
        "number": 1,
        "sheet": "preview",
        "title": "technical_leader",
        "version": "1.0",
        "name": "figures",
        "filename": "site.css",
        "path": stop_path(keyring, session.query(Invitation.id).first()[0]),
    }
    session.commit()
    rounds = {"closed": closed.id, "collecting": collecting.id, "prepared": prepared.id}
    return people, values, rounds


def address(app, rule, values, rounds):
    kind = (
        "closed"
        if rule.endpoint in OF_A_PREVIEW
        else "prepared"
        if rule.endpoint in BEFORE_OPENING
        else "collecting"
    )
    given = {**values, "round_id": rounds[kind]}
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: given[name] for name in rule.arguments})


def test_every_route_lets_in_whom_it_should(app, session, world):
    people, values, rounds = world
    # Whoever is signed in opens nothing of the API; what a token opens, its own tests say.
    closed = {
        name
        for name, view in app.view_functions.items()
        if getattr(view, "operation", None) and view.operation.scope
    }
    allowed = ALLOWED | {name: set() for name in closed}
    rules = list(app.url_map.iter_rules())
    assert {rule.endpoint for rule in rules} == set(allowed)
    addresses = [address(app, rule, values, rounds) for rule in rules]
    session.close()
    wrong = []
    for who, (rule, url) in itertools.product(EVERYBODY, zip(rules, addresses, strict=True)):
        if "GET" in rule.methods:
            visitor = Visitor(app, people.get(who))
            answer = visitor.client.get(url)
            came_in = answer.status_code == 200 or (
                answer.status_code == 302 and "/sign-in" not in answer.headers["Location"]
            )
            answer.close()
            too_few = rule.endpoint == "coach.group" and who in COACHES
            refused = (422,) if too_few else (401, 403, 404)
            if came_in is not (who in allowed[rule.endpoint]) or (
                not came_in and people.get(who) and answer.status_code not in refused
            ):
                wrong.append((who, rule.endpoint, answer.status_code))
    assert wrong == []


def test_nothing_can_be_posted_without_the_proof_of_our_own_page(app, session, world):
    """A page elsewhere can send forms here with the visitor's cookies; it has no token."""
    people, values, rounds = world
    posting = [
        rule
        for rule in app.url_map.iter_rules()
        # A mail program has no page of ours: there the signed link is the proof; for the API it is
        # a token, and cookies open nothing.
        if "POST" in rule.methods
        and rule.endpoint != "reminders.stop"
        and not rule.endpoint.startswith("api.")
    ]
    addresses = [address(app, rule, values, rounds) for rule in posting]
    session.close()

    for who, url in itertools.product(EVERYBODY, addresses):
        answer = Visitor(app, people.get(who)).client.post(url, data={"name": "x"})
        assert answer.status_code in (400, 413), (who, url)


def test_another_leaders_round_cannot_be_changed_even_with_a_proof(app, session, world):
    people, _, rounds = world
    session.close()
    acts = (
        "extend", "void", "own-link", "remind", "ready", "raters", "prepare", "discard",
        "close-earlier", "ask-one-more", "ask-one-less",
    )  # fmt: skip
    addresses = [f"/rounds/{rounds['collecting']}/{act}" for act in acts]
    addresses += [f"/rounds/{rounds['closed']}/{act}" for act in ("offer", "take-offer-back")]
    for who in ("sam", "casey", "andy"):
        visitor = Visitor(app, people[who])
        visitor.open("/")
        token = visitor.page.split('name="csrf_token" value="')[1].split('"')[0]
        for url in addresses:
            sent = {"csrf_token": token, "last_day": "2026-12-01"}
            answer = visitor.client.post(url, data=sent)
            assert answer.status_code in (403, 404), (who, url)


def test_what_is_not_there_looks_like_what_is_not_yours(app, session, world):
    people, _, rounds = world
    session.close()
    sam = Visitor(app, people["sam"])

    theirs = sam.client.get(f"/previews/{rounds['closed']}")
    nothing = sam.client.get(f"/previews/{uuid4()}")
    assert (
        (theirs.status_code, theirs.data)
        == (nothing.status_code, nothing.data)
        == (404, nothing.data)
    )


def test_a_view_without_a_rule_is_closed_to_everybody(app, session, world):
    people, _, _ = world
    session.close()

    @app.get("/forgotten")
    def forgotten() -> str:
        return "secret"

    for who in (None, *people.values()):
        assert Visitor(app, who).client.get("/forgotten").status_code == 403


@on_sqlite
def test_a_refusal_needs_nothing_of_a_database_that_somebody_else_holds(app, session, settings):
    """A page of an error that fails itself would say nothing at all."""
    casey = factories.person(session, "Casey", "coach")
    session.commit()
    session.close()
    writer = sqlite3.connect(settings.database_file(), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    visitor = Visitor(app, casey)
    visitor.open("/administration/people")
    writer.close()

    assert visitor.status == 403
    assert "You may not do this." in visitor.page
    assert "Sign out" in visitor.page
