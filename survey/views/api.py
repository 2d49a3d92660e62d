"""The API: people, programmes, rounds and previews, for other programs with a token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from typing import TypeVar
from uuid import UUID

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from reports.release import Release
from survey import api, models
from survey.access import own_round, person
from survey.api import JSON, PDF, Operation, operation
from survey.db import session
from survey.errors import NotFound
from survey.forms import api as forms
from survey.models import RoundState
from survey.services import (
    coaching,
    nominations,
    people,
    previews,
    printouts,
    programmes,
    questionnaires,
    rounds,
)
from survey.services.nominations import Named
from survey.services.programmes import Common, Member
from survey.services.rounds import Choices
from survey.site import site
from survey.views.printed import printed

bp = Blueprint(api.BLUEPRINT, __name__, url_prefix=api.PREFIX)
Value = TypeVar("Value")
STANDS = ((409, "Things stand so that it cannot be done"), (422, "It cannot be done like this"))


def _done(act: Callable[[], Value]) -> Value:
    value = act()
    session().commit()
    return value


@bp.get("/openapi.json")
@operation(Operation("This description", JSON))
def description() -> Response:
    """Describe all operations, as OpenAPI."""
    return jsonify(api.describe(current_app, version("preview360")))


@bp.get("/people")
@operation(Operation("List people by name", forms.People, "people:read", query=forms.Search))
def list_people(query: forms.Search) -> forms.People:
    """List people, or those whose name or address holds some words."""
    found = people.some(session(), query.page, query.q)
    return forms.People(people=list(map(_person, found.rows)), page=query.page, more=found.more)


@bp.post("/people")
@operation(Operation("Add a person", forms.Person, "people:write", forms.NewPerson, status=201))
def add_person(body: forms.NewPerson) -> forms.Person:
    """Add a person."""
    return _person(
        _done(
            lambda: people.add(session(), body.name, body.email, body.roles, site().now(), person())
        )
    )


@bp.get("/people/<uuid:person_id>")
@operation(Operation("Show a person", forms.Person, "people:read"))
def show_person(person_id: UUID) -> forms.Person:
    """Show a person."""
    return _person(people.find(session(), person_id))


@bp.put("/people/<uuid:person_id>")
@operation(Operation("Change a person", forms.Person, "people:write", forms.ChangedPerson))
def change_person(person_id: UUID, body: forms.ChangedPerson) -> forms.Person:
    """Change a person, with all that the page does: old links end, the old address is told."""
    changed, here = people.find(session(), person_id), site()
    entry = people.Entry(body.name, body.email, body.roles, body.active)
    language = here.settings.language
    _done(
        lambda: people.change(
            session(), here.keyring, changed, entry, language, here.now(), person()
        )
    )
    return _person(changed)


@bp.get("/programmes")
@operation(Operation("List programmes", forms.Programmes, "programmes:read"))
def list_programmes() -> forms.Programmes:
    """List all programmes."""
    return forms.Programmes(programmes=list(map(_programme, programmes.every(session()))))


@bp.post("/programmes")
@operation(
    Operation(
        "Set up a programme", forms.Programme, "programmes:write", forms.NewProgramme, status=201,
        refused=((404, "There is no such questionnaire"),),
    )
)  # fmt: skip
def add_programme(body: forms.NewProgramme) -> forms.Programme:
    """Set up a programme; its leaders get a mail."""
    here = site()
    common = Common(
        name=body.name,
        opens_at=here.end_of(_day_before(body.first_day)),
        closes_at=here.end_of(body.last_day),
        level=body.level,
        language=body.language,
        message=body.message,
        approves=body.approves,
    )
    asked = questionnaires.current(session(), body.questionnaire)
    return _programme(
        _done(
            lambda: programmes.make(
                session(), common, _members(body), asked, here.settings.k, here.now(), person()
            )
        )
    )


@bp.get("/programmes/<uuid:programme_id>")
@operation(Operation("Show a programme", forms.Programme, "programmes:read"))
def show_programme(programme_id: UUID) -> forms.Programme:
    """Show how far a programme is."""
    return _programme(programmes.find(session(), programme_id))


@bp.post("/programmes/<uuid:programme_id>/leaders")
@operation(
    Operation(
        "Add leaders to a programme", forms.Programme, "programmes:write", forms.NewMembers,
        status=201,
    )
)  # fmt: skip
def add_leaders(programme_id: UUID, body: forms.NewMembers) -> forms.Programme:
    """Add leaders; they get a mail."""
    programme, here = programmes.find(session(), programme_id), site()
    _done(
        lambda: programmes.add(
            session(), programme, _members(body), here.settings.k, here.now(), person()
        )
    )
    return _programme(programme)


@bp.put("/programmes/<uuid:programme_id>/closing-day")
@operation(
    Operation(
        "Move a programme's closing day further on", forms.Programme, "programmes:write",
        forms.ClosingDay,
    )
)  # fmt: skip
def move_closing_day(programme_id: UUID, body: forms.ClosingDay) -> forms.Programme:
    """Move the common closing day."""
    programme, here = programmes.find(session(), programme_id), site()
    closes_at = here.end_of(body.last_day)
    _done(
        lambda: programmes.move_closing_day(session(), programme, closes_at, here.now(), person())
    )
    return _programme(programme)


@bp.get("/rounds")
@operation(Operation("List rounds", forms.Rounds, "rounds:read", query=forms.Search))
def list_rounds(query: forms.Search) -> forms.Rounds:
    """List rounds: all of them for administrators, their own for leaders."""
    leader = None if person().administers else person()
    found = rounds.some(session(), query.page, query.q, leader)
    return forms.Rounds(rounds=list(map(_round, found.rows)), page=query.page, more=found.more)


@bp.get("/rounds/<uuid:round_id>")
@operation(Operation("Show a round", forms.Round, "rounds:read"))
def show_round(round_id: UUID) -> forms.Round:
    """Show where a round stands."""
    found = rounds.find(session(), round_id)
    if not person().administers and found.leader_id != person().id:
        raise NotFound
    return _round(found)


@bp.post("/rounds")
@operation(
    Operation(
        "Prepare a round of one's own", forms.Round, "rounds:write", forms.NewRound, status=201,
        refused=((404, "There is no such questionnaire"),),
    )
)  # fmt: skip
def prepare_round(body: forms.NewRound) -> forms.Round:
    """Prepare a round; raters come next."""
    here = site()
    asked = questionnaires.current(session(), body.questionnaire)
    choices = Choices(
        body.level, body.language, here.end_of(body.last_day), body.message, body.coach_first
    )
    return _round(
        _done(
            lambda: rounds.prepare(
                session(), person(), asked, choices, here.settings.k, here.now(), person()
            )
        )
    )


@bp.put("/rounds/<uuid:round_id>/raters")
@operation(Operation("Name the raters", forms.Round, "rounds:write", forms.Raters))
def name_raters(round_id: UUID, body: forms.Raters) -> forms.Round:
    """Name all who are asked, until the round opens."""
    round_ = own_round(round_id)
    named = [
        Named(number, each.name, each.email, each.relationship)
        for number, each in enumerate(body.raters, start=1)
    ]
    _done(lambda: nominations.name_raters(session(), round_, named, site().now(), person()))
    return _round(round_)


@bp.post("/rounds/<uuid:round_id>/open")
@operation(Operation("Send the invitations", forms.Round, "rounds:write", refused=STANDS))
def open_round(round_id: UUID) -> forms.Round:
    """Open a round; what is asked and of whom can no longer change."""
    round_, here = own_round(round_id), site()
    most = here.settings.rounds_a_person
    _done(lambda: rounds.open_round(session(), here.keyring, round_, here.now(), person(), most))
    return _round(round_)


@bp.put("/rounds/<uuid:round_id>/closing-day")
@operation(
    Operation("Move the closing day further on", forms.Round, "rounds:write", forms.ClosingDay)
)
def extend_round(round_id: UUID, body: forms.ClosingDay) -> forms.Round:
    """Give raters more time."""
    round_, here = own_round(round_id), site()
    closes_at = here.end_of(body.last_day)
    _done(lambda: rounds.extend(session(), round_, closes_at, here.now(), person()))
    return _round(round_)


@bp.get("/previews")
@operation(Operation("List previews that one may read", forms.Previews, "previews:read"))
def list_previews() -> forms.Previews:
    """List one's own previews, and those of leaders who gave access to this coach."""
    return forms.Previews(
        previews=[
            forms.PreviewThere(
                round_id=each.round_id,
                leader=each.round.leader.name,
                released_on=each.released_on,
            )
            for each in coaching.readable_releases(session(), person())
        ]
    )


@bp.get("/previews/<uuid:round_id>")
@operation(Operation("Read a preview as data", Release, "previews:read", refused=STANDS[:1]))
def show_preview(round_id: UUID) -> str:
    """Send the release, the document that the preview is made from."""
    return coaching.readable_release(session(), person(), round_id).document


@bp.get("/previews/<uuid:round_id>/pdf")
@operation(Operation("Read a preview as PDF", PDF, "previews:read", refused=STANDS[:1]))
def print_preview(round_id: UUID) -> Response:
    """Send the preview as a PDF."""
    from reports.pdf import preview_html

    release = coaching.readable_release(session(), person(), round_id)
    html = preview_html(previews.of(session(), release))
    ready = printouts.ready(session(), release, html)
    return printed(html, f"Preview {round_id}", f"preview of round {round_id}", ready)


def _person(each: models.Person) -> forms.Person:
    return forms.Person(
        id=each.id,
        name=each.name,
        email=each.email,
        roles=people.roles_of(each),
        active=each.active,
    )


def _programme(each: models.Programme) -> forms.Programme:
    tally = programmes.tally(session(), each, site().now())
    standing: dict[programmes.Standing, int] = {}
    for group in tally.groups:
        standing[group.standing] = standing.get(group.standing, 0) + group.number
    return forms.Programme(
        id=each.id,
        name=each.name,
        first_day=site().day_of(each.opens_at),
        last_day=site().last_day(each.closes_at),
        level=each.level,
        language=each.language,
        questionnaire=each.questionnaire.name,
        approves=each.approves,
        rounds=standing,
        behind=sum(group.number for group in tally.groups if group.behind),
    )


def _round(each: models.Round) -> forms.Round:
    return forms.Round(
        id=each.id,
        leader=_person(each.leader),
        programme_id=each.programme_id,
        pulse=each.pulse is not None,
        state=each.state,
        level=each.level,
        language=each.language,
        opened_at=each.opens_at,
        last_day=site().last_day(each.closes_at),
        enough=each.enough_together and each.state is RoundState.OPEN,
    )


def _members(body: forms.NewMembers) -> list[Member]:
    return [
        Member(number, each.leader, each.manager)
        for number, each in enumerate(body.leaders, start=1)
    ]


def _day_before(day: date) -> date:
    return day - timedelta(days=1) if day > date.min else day
