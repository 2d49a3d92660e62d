"""The administrator's pages: people, delivery, rounds and what staff did; never answers."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from survey import db
from survey.access import allow, person
from survey.db import session
from survey.forms.account import PlainForm
from survey.forms.administrator import EraseForm, ImportForm, PersonForm
from survey.limits import takes
from survey.models import ImportState
from survey.services import audit, imports, mails, proposals, retention, second_step
from survey.services import people as services
from survey.services import rounds as round_services
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.lists import piece_asked, words_asked
from survey.views.texts import texts_of

bp = Blueprint("administrator", __name__, url_prefix="/administration")
Page = str | Response | tuple[str, int]
LARGEST_TABLE = 5_000_000
AHEAD = timedelta(days=30)


@bp.get("/people")
@allow("administrator")
def people() -> Page:
    """List everybody, a piece at a time, or those who are looked for."""
    words = words_asked()
    return render_template(
        "survey/administrator/people.html",
        people=services.some(session(), piece_asked(), words),
        words=words,
        imports=imports.running(session()),
        roles_of=services.roles_of,
    )


@bp.route("/people/new", methods=["GET", "POST"])
@allow("administrator")
def new_person() -> Page:
    """Add a person."""
    form = PersonForm()
    if attempt(
        form,
        lambda: services.add(
            session(), form.name.data, form.email.data, form.roles(), site().now(), person()
        ),
    ):
        flash(say().gettext("%(name)s was added.", name=form.name.data))
        return redirect(url_for("administrator.people"))
    page = render_template("survey/administrator/person.html", form=form, person=None)
    return page, status(form)


@bp.route("/people/<uuid:person_id>", methods=["GET", "POST"])
@allow("administrator")
def change_person(person_id: UUID) -> Page:
    """Change a person."""
    changed = services.find(session(), person_id)
    form = PersonForm(obj=changed)
    if attempt(
        form,
        lambda: services.change(
            session(),
            site().keyring,
            changed,
            services.Entry(form.name.data, form.email.data, form.roles(), form.active.data),
            site().settings.language,
            site().now(),
            person(),
        ),
    ):
        flash(say().gettext("%(name)s was changed.", name=form.name.data))
        return redirect(url_for("administrator.people"))
    steps = second_step.of(session(), changed)
    page = render_template(
        "survey/administrator/person.html", form=form, person=changed, steps=steps
    )
    return page, status(form)


@bp.post("/people/<uuid:person_id>/second-step/remove")
@allow("administrator")
def remove_second_step(person_id: UUID) -> Page:
    """Take the second step away from somebody who has lost it; the mailed code stays."""
    changed, language = services.find(session(), person_id), site().settings.language
    if attempt(
        PlainForm(),
        lambda: second_step.remove_all(session(), changed, language, site().now(), person()),
    ):
        flash(say().gettext("%(name)s signs in with a mailed code alone.", name=changed.name))
    return redirect(url_for("administrator.change_person", person_id=person_id))


@bp.route("/people/<uuid:person_id>/erase", methods=["GET", "POST"])
@allow("administrator")
def erase_person(person_id: UUID) -> Page:
    """Show everything that goes with a person, and delete it."""
    erased, form = services.find(session(), person_id), EraseForm()
    name = erased.name
    if attempt(form, lambda: retention.erase(session(), erased, site().now(), person())):
        # What was deleted must not lie in the database's files either.
        clean = db.scrub()
        flash(say().gettext("%(name)s was erased.", name=name))
        if not clean:
            flash(say().gettext(retention.STILL_IN_FILES))
        return redirect(url_for("administrator.people"))
    page = render_template(
        "survey/administrator/erase.html",
        person=erased,
        of=retention.of_person(session(), erased),
        form=form,
        last_day=site().last_day,
        now=site().now(),
    )
    return page, status(form)


@bp.get("/retention")
@allow("administrator")
def kept() -> Page:
    """Show what is kept, until when, and what goes within the next weeks."""
    soon = site().now() + AHEAD
    return render_template(
        "survey/administrator/retention.html",
        keep=site().keep(),
        going=retention.going(session(), site().keep(), soon),
        soon=site().day_of(soon),
    )


@bp.route("/people/import", methods=["GET", "POST"])
@allow("administrator")
@takes(LARGEST_TABLE)
def import_people() -> Page:
    """Add or change many people from a table, all or none; or only say what that would do."""
    form = ImportForm()
    if form.only_check.data:
        return _check_import(form)
    done = attempt(
        form, lambda: imports.begin(session(), form.table.data.read(), site().now(), person())
    )
    if done and done.value.state is ImportState.RUNNING:
        return redirect(url_for("administrator.show_import", import_id=done.value.id))
    if done:
        added, changed = done.value.added, done.value.changed
        flash(say().ngettext("One person was added.", "%(num)s people were added.", added))
        flash(say().ngettext("One person was changed.", "%(num)s people were changed.", changed))
        return redirect(url_for("administrator.people"))
    return render_template("survey/administrator/import.html", form=form), status(form)


@bp.get("/people/import/<uuid:import_id>")
@allow("administrator")
def show_import(import_id: UUID) -> Page:
    """Show how far an import is."""
    return render_template(
        "survey/administrator/import_progress.html",
        import_=imports.find(session(), import_id),
        form=PlainForm(),
    )


@bp.post("/people/import/<uuid:import_id>/stop")
@allow("administrator")
def stop_import(import_id: UUID) -> Page:
    """Stop an import; who is imported stays."""
    attempt(PlainForm(), lambda: imports.stop(session(), import_id, site().now(), person()))
    return redirect(url_for("administrator.show_import", import_id=import_id))


def _check_import(form: ImportForm) -> Page:
    done = attempt(form, lambda: imports.plan(session(), form.table.data.read()))
    page = render_template(
        "survey/administrator/import.html",
        form=form,
        planned=done.value if done else None,
        roles_of=services.roles_of,
    )
    return page, status(form)


@bp.get("/delivery")
@allow("administrator")
def delivery() -> Page:
    """Show which mails were sent, wait, or could not be delivered."""
    return render_template(
        "survey/administrator/delivery.html",
        mails=mails.latest(session()),
        mail_url=site().settings.mail_url,
        form=PlainForm(),
    )


@bp.post("/delivery/<uuid:mail_id>/again")
@allow("administrator")
def send_again(mail_id: UUID) -> Page:
    """Send a failed mail again, or an invitation that somebody lost."""
    if attempt(PlainForm(), lambda: mails.send_again(session(), mail_id, site().now(), person())):
        flash(say().gettext("The mail is on its way."))
    return redirect(url_for("administrator.delivery"))


@bp.get("/rounds")
@allow("administrator")
def rounds() -> Page:
    """List all rounds and where they stand, and what waits for a second person to agree."""
    waiting, words = proposals.waiting(session(), site().now()), words_asked()
    return render_template(
        "survey/administrator/rounds.html",
        rounds=round_services.some(session(), piece_asked(), words),
        words=words,
        waiting=waiting,
        texts={each.round_id: texts_of(each.round) for each in waiting},
        person=person(),
        form=PlainForm(),
        last_day=site().last_day,
        now=site().now(),
    )


@bp.post("/proposals/<uuid:proposal_id>/approve")
@allow("administrator")
def approve(proposal_id: UUID) -> Page:
    """Agree, as the second person, to a change of an open round."""
    proposal, form = proposals.find(session(), proposal_id), PlainForm()
    if attempt(
        form,
        lambda: proposals.approve(session(), site().keyring, proposal, site().now(), person()),
    ):
        flash(say().gettext("The change is made, and everybody who is asked is told."))
    elif refusal := getattr(form, "refusal", None):
        flash(refusal.said(say().gettext))
    return redirect(url_for("administrator.rounds"))


@bp.post("/proposals/<uuid:proposal_id>/refuse")
@allow("administrator")
def refuse(proposal_id: UUID) -> Page:
    """Refuse a change of an open round."""
    proposal = proposals.find(session(), proposal_id)
    if attempt(PlainForm(), lambda: proposals.refuse(session(), proposal, site().now(), person())):
        flash(say().gettext("The change was refused; nothing is changed."))
    return redirect(url_for("administrator.rounds"))


@bp.get("/audit")
@allow("administrator")
def audit_list() -> Page:
    """List what staff did."""
    return render_template("survey/administrator/audit.html", entries=audit.latest(session()))
