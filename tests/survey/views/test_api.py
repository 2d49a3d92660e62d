"""The API: what a token opens, what is taken and said, and that its description is true."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from reports.release import Release as Document
from survey import create_app, db
from survey.models import AuditEntry, Person, Round, Token
from survey.services import closing, coaching, tokens
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.launching import PROGRAM
from tests.visitor import Visitor
from tests.world import finished, waiting_programme

ROOT = Path(__file__).parents[3]
# Not whether all that fits is taken: a name may be taken already, a day be past.
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "negative_data_rejection", "missing_required_header",
    "ignored_auth", "unsupported_method",
)  # fmt: skip
ALL = {"administrator": "andy", "leader": "robin", "coach": "casey"}


@pytest.fixture
def world(session, keyring):
    """Andy administers, Robin leads and has a preview and an open round, Casey coaches Robin."""
    people = {name: factories.person(session, name.title(), role) for role, name in ALL.items()} | {
        "sam": factories.person(session, "Sam", "leader")
    }
    coaching.give_access(session, people["robin"], people["casey"].id, "en", NOW)
    closed = finished(session, keyring, people["robin"])
    collecting = factories.opened(session, keyring, leader=people["robin"])
    programme, _ = waiting_programme(session, keyring, factories.person(session, "Mona"))
    session.commit()
    ids = {"closed": closed.id, "open": collecting.id, "programme": programme.id}
    return people, ids | {name: each.id for name, each in people.items()}


@pytest.fixture
def token(session, keyring, world):
    """Make a token of somebody, with some scopes or all that are of use to them."""

    def made(name, *scopes, days=30, now=NOW):
        person = session.get_one(Person, world[1][name], populate_existing=True)
        scopes = scopes or tokens.offered(person)
        shown = tokens.make(session, keyring, person, "any", scopes, days, "en", now)
        session.commit()
        session.close()
        return shown

    return made


@pytest.fixture
def call(app, token):
    """Ask the API as somebody: give status and what is said."""

    def called(name, method, path, body=None, **more):
        shown = more.pop("token", None) or token(name)
        headers = {"Authorization": f"Bearer {shown}"} | more
        answer = app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)
        return answer.status_code, answer.json

    return called


def test_people_are_added_found_and_changed(call):
    new = {"name": "Ada Example", "email": "Ada@Example.org", "roles": ["leader"]}
    status, ada = call("andy", "POST", "/people", new)
    assert status == 201
    assert ada == {**new, "email": "ada@example.org", "id": ada["id"], "active": True}
    assert call("andy", "GET", f"/people/{ada['id']}") == (200, ada)
    _, found = call("andy", "GET", "/people?q=ada")
    assert found == {"people": [ada], "page": 1, "more": False}

    gone = {**new, "roles": [], "active": False}
    status, changed = call("andy", "PUT", f"/people/{ada['id']}", gone)
    assert (status, changed["roles"], changed["active"]) == (200, [], False)


def test_what_is_refused_says_why_and_where(call):
    new = {"name": "Robin", "email": "robin@example.org", "roles": ["leader"]}
    status, said = call("andy", "POST", "/people", new)
    assert (status, said["title"]) == (422, "Unprocessable Entity")
    assert "Robin Example has the address" in said["detail"]

    status, said = call("andy", "POST", "/people", {"name": "", "roles": ["boss"], "x": 1})
    assert status == 422
    assert {each["place"] for each in said["wrong"]} == {"name", "email", "roles.0", "x"}

    status, said = call("andy", "GET", "/people/00000000-0000-0000-0000-000000000000")
    assert (status, said["status"], said["title"]) == (404, 404, "Not Found")
    assert call("andy", "GET", "/nothing")[0] == 404
    assert call("andy", "DELETE", "/people")[0] == 405


def test_a_programme_is_set_up_and_followed(call):
    new = {
        "name": "New leads", "first_day": "2026-11-09", "last_day": "2026-11-30",
        "level": "new_lead", "language": "en", "leaders": [{"leader": "sam@example.org"}],
    }  # fmt: skip
    status, made = call("andy", "POST", "/programmes", new)
    assert status == 201
    assert (made["first_day"], made["last_day"]) == ("2026-11-09", "2026-11-30")
    assert made["rounds"] == {"nobody_named": 1}
    path = f"/programmes/{made['id']}"
    assert call("andy", "GET", path) == (200, made)

    status, said = call("andy", "POST", f"{path}/leaders", {"leaders": [{"leader": "x@y.org"}]})
    assert status == 422
    assert "nobody here has the address" in str(said["wrong"])
    status, moved = call("andy", "PUT", f"{path}/closing-day", {"last_day": "2026-12-04"})
    assert (status, moved["last_day"]) == (200, "2026-12-04")
    status, said = call("andy", "GET", "/programmes")
    assert {each["name"] for each in said["programmes"]} >= {"New leads"}


def test_a_leader_prepares_and_sends_a_round(call):
    new = {"level": "new_lead", "language": "en", "last_day": "2026-11-20"}
    status, round_ = call("sam", "POST", "/rounds", new)
    assert (status, round_["state"], round_["last_day"]) == (201, "draft", "2026-11-20")
    path = f"/rounds/{round_['id']}"
    status, said = call("sam", "POST", f"{path}/open")
    assert status == 422
    assert "Name at least 3 raters" in said["detail"]

    raters = [
        {"name": f"Peer {n}", "email": f"peer{n}@example.org", "relationship": "peer"}
        for n in range(3)
    ]
    assert call("sam", "PUT", f"{path}/raters", {"raters": raters})[0] == 200
    status, opened = call("sam", "POST", f"{path}/open")
    assert (status, opened["state"], opened["enough"]) == (200, "open", False)
    assert call("sam", "POST", f"{path}/open")[0] == 409
    status, longer = call("sam", "PUT", f"{path}/closing-day", {"last_day": "2026-11-25"})
    assert (status, longer["last_day"]) == (200, "2026-11-25")


def test_leader_and_coach_read_a_preview_as_data_and_pdf_and_nobody_else(app, call, token, world):
    closed = world[1]["closed"]
    for name in ("robin", "casey"):
        status, said = call(name, "GET", f"/previews/{closed}")
        assert status == 200
        assert Document.model_validate_json(json.dumps(said)).leader == "Robin Example"
        _, listed = call(name, "GET", "/previews")
        assert [each["round_id"] for each in listed["previews"]] == [str(closed)]
        headers = {"Authorization": f"Bearer {token(name)}"}
        pdf = app.test_client().get(f"/api/v1/previews/{closed}/pdf", headers=headers)
        assert pdf.mimetype == "application/pdf"
        assert pdf.data.startswith(b"%PDF")

    assert call("sam", "GET", f"/previews/{closed}")[0] == 404
    assert call("sam", "GET", "/previews") == (200, {"previews": []})
    assert call("andy", "GET", f"/previews/{closed}")[0] == 403


def test_a_preview_that_waits_for_the_coach_is_not_there_for_its_leader(
    call, session, keyring, world
):
    robin = session.get_one(Person, world[1]["robin"])
    waiting = factories.opened(session, keyring, leader=robin)
    waiting.coach_first = True
    factories.all_answer(session, keyring, waiting)
    closing.close(session, keyring, waiting.id, CLOSES)
    session.commit()
    session.close()

    assert call("robin", "GET", f"/previews/{waiting.id}")[0] == 409
    _, said = call("robin", "GET", "/previews")
    assert str(waiting.id) not in str(said)
    _, said = call("casey", "GET", "/previews")
    assert str(waiting.id) in str(said)


def test_leaders_see_their_own_rounds_and_administrators_all(call, world):
    _, own = call("robin", "GET", "/rounds")
    assert {each["leader"]["email"] for each in own["rounds"]} == {"robin@example.org"}
    _, every = call("andy", "GET", "/rounds")
    assert len(every["rounds"]) > len(own["rounds"])
    assert call("sam", "GET", f"/rounds/{world[1]['open']}")[0] == 404
    later = {"last_day": "2026-12-24"}
    assert call("sam", "PUT", f"/rounds/{world[1]['open']}/closing-day", later)[0] == 404
    assert call("andy", "GET", f"/rounds/{world[1]['open']}")[0] == 200


def test_a_round_says_the_same_whoever_of_its_raters_has_answered(call, session, keyring, world):
    round_id = world[1]["open"]
    before = [call(name, "GET", f"/rounds/{round_id}") for name in ("robin", "andy")]
    session.close()
    factories.all_answer(session, keyring, session.get_one(Round, round_id))
    session.commit()
    session.close()

    assert [call(name, "GET", f"/rounds/{round_id}") for name in ("robin", "andy")] == before


def test_no_operation_is_about_ballots_or_who_was_asked(app):
    said = app.test_client().get("/api/v1/openapi.json").json
    told = set(said["components"]["schemas"]["Round"]["properties"])

    assert not any(word in path for path in said["paths"] for word in ("ballot", "answer", "link"))
    assert told == {
        "id", "leader", "programme_id", "pulse", "state", "level", "language", "opened_at",
        "last_day", "enough",
    }  # fmt: skip


def test_the_page_about_it_lists_all_operations(app):
    said = app.test_client().get("/api/v1/openapi.json").json["paths"]
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    told = {
        (method, f"/api/v1{path}"): scope
        for method, path, scope in re.findall(r"^\| `(\w+) (\S+)` \| `([\w:]+)` \|", text, re.M)
    }
    asked = {
        (method.upper(), path): each["description"].split("`")[1]
        for path, methods in said.items()
        for method, each in methods.items()
        if "security" in each
    }

    assert told == asked
    assert len(told) == 18


@pytest.mark.parametrize("shown", ["", "p360_x", "p360_" + "0" * 32 + "_" + "A" * 43])
def test_without_a_token_nothing_opens(shown, app):
    answer = app.test_client().get("/api/v1/people", headers={"Authorization": f"Bearer {shown}"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.mimetype == "application/problem+json"


def test_a_signed_in_browser_opens_nothing_of_it(app, session, world):
    """Else a page elsewhere could have it send what it likes: there is no proof of ours in it."""
    session.close()
    andy = Visitor(app, world[0]["andy"])
    andy.open("/administration/people")
    assert andy.status == 200

    assert andy.client.get("/api/v1/people").status_code == 401
    new = {"name": "Ada", "email": "ada@example.org", "roles": []}
    assert andy.client.post("/api/v1/people", json=new).status_code == 401


def test_a_token_of_somebody_else_counts_more_than_who_is_signed_in(app, session, token, world):
    shown = token("sam")
    andy = Visitor(app, world[0]["andy"])
    headers = {"Authorization": f"Bearer {shown}"}

    assert andy.client.get("/api/v1/people", headers=headers).status_code == 403
    assert andy.client.get("/api/v1/rounds", headers=headers).json["rounds"] == []


def test_a_token_does_what_it_was_made_for_and_no_more(call, token):
    shown = token("andy", "people:read")

    assert call("andy", "GET", "/people", token=shown)[0] == 200
    for method, path in (("POST", "/people"), ("GET", "/programmes"), ("GET", "/rounds")):
        assert call("andy", method, path, {}, token=shown)[0] == 403


def test_a_token_does_not_outlive_its_time_its_role_or_its_person(
    app, call, token, session, world, clock
):
    shown, robins = token("andy"), token("robin", days=30)
    assert call("andy", "GET", "/people", token=shown)[0] == 200
    andy = session.get_one(Person, world[1]["andy"])
    andy.administers, andy.leads = False, True
    session.commit()
    assert call("andy", "GET", "/people", token=shown)[0] == 403
    andy.active = False
    session.commit()
    session.close()
    assert call("andy", "GET", "/people", token=shown)[0] == 401

    assert call("robin", "GET", "/rounds", token=robins)[0] == 200
    clock.forward(days=30)
    assert call("robin", "GET", "/rounds", token=robins)[0] == 401


def test_a_token_cannot_be_read_from_the_database(session, token, keyring):
    shown = token("andy")
    row = session.scalars(select(Token)).one()

    assert shown.rpartition("_")[2].encode() not in row.digest
    assert len(row.digest) == 32
    assert tokens.find(session, keyring, shown, NOW) is not None
    other = shown[:-1] + ("A" if shown[-1] != "A" else "B")
    assert tokens.find(session, keyring, other, NOW) is None


@on_sqlite
def test_guessing_tokens_is_limited(settings, clock):
    app = create_app(settings, clock=clock, config={"TESTING": True})
    client = app.test_client()
    statuses = [
        client.get("/api/v1/people", headers={"Authorization": f"Bearer guess{n}"}).status_code
        for n in range(61)
    ]

    assert statuses == [401] * 60 + [429]
    with app.app_context():
        db.db.engine.dispose()


def test_a_token_is_made_on_the_page_shown_once_and_ended(app, session, world, clock):
    visitor = Visitor(app, world[0]["andy"])
    session.close()
    visitor.open("/account/tokens")
    assert "previews:read" not in visitor.page
    visitor.send({"name": "", "scopes": ["people:read"], "days": "30"})
    assert visitor.status == 422
    visitor.send({"name": "Personnel", "scopes": ["people:read", "people:write"], "days": "90"})
    shown = visitor.page.split('<p class="key">')[1].split("</p>")[0]
    assert 'value="Personnel"' not in visitor.page, "the form would make it once more"
    headers = {"Authorization": f"Bearer {shown}"}
    assert app.test_client().get("/api/v1/people", headers=headers).status_code == 200

    visitor.open("/account/tokens")
    assert shown not in visitor.page
    assert "Personnel" in visitor.page
    token_id = session.scalars(select(Token.id)).one()
    session.close()
    clock.forward(minutes=20)
    visitor.send(action=f"/account/tokens/{token_id}/remove")
    assert "opens nothing any more" in visitor.page
    assert app.test_client().get("/api/v1/people", headers=headers).status_code == 401
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id.desc()).limit(2)).all()
    assert acts == ["token removed", "token added"]


def test_a_token_is_made_only_by_whoever_has_just_signed_in(app, session, world, clock):
    visitor = Visitor(app, world[0]["andy"])
    session.close()
    visitor.open("/account/tokens")
    clock.forward(minutes=16)
    visitor.send({"name": "Personnel", "scopes": ["people:read"], "days": "90"})

    assert visitor.status == 403
    assert session.scalar(select(Token)) is None


def test_somebodys_token_is_ended_by_nobody_else(app, session, token, world):
    token("andy")
    token_id = session.scalars(select(Token.id)).one()
    session.close()
    sam = Visitor(app, world[0]["sam"])
    sam.open("/account/tokens")
    proof = sam.page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = sam.client.post(f"/account/tokens/{token_id}/remove", data={"csrf_token": proof})

    assert answer.status_code == 404


def test_nobody_makes_a_token_for_what_they_may_not_do(session, keyring, world):
    with pytest.raises(tokens.ScopeMissing):
        tokens.make(session, keyring, world[0]["sam"], "any", ["people:read"], 30, "en", NOW)


@pytest.mark.parametrize("name", ALL.values())
def test_the_description_is_true(name, served, token, world, tmp_path):
    """Whatever Schemathesis sends: no 500, nothing undescribed said, nothing unfit taken."""
    there = {"person_id": "sam", "programme_id": "programme", "round_id": "closed"}
    config = [
        "[headers]",
        f'Authorization = "Bearer {token(name)}"',
        "[parameters]",
        *(f'"path.{argument}" = "{world[1][which]}"' for argument, which in there.items()),
        "[checks.negative_data_rejection]",
        # Too much to be read at all is refused as well.
        "expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422]",
    ]
    (tmp_path / "schemathesis.toml").write_text("\n".join(config))
    command = [
        PROGRAM.with_name("schemathesis"), "--config-file", "schemathesis.toml", "run",
        f"{served}/api/v1/openapi.json", "--checks", ",".join(CHECKS), "--max-examples", "20",
        "--seed", "1", "--generation-database", "none", "--no-color",
    ]  # fmt: skip
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stdout
    assert "Tested:" in ended.stdout
