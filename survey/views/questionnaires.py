"""Questionnaires, for administrators: look at each as a rater sees it, take a newer version."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from questionnaires.definition import SELF, Questionnaire
from survey.access import allow, person
from survey.db import session
from survey.forms.questionnaires import FilesForm, LookForm
from survey.forms.rater import part_form, parts_asked, pulse_part
from survey.limits import takes
from survey.services import questionnaires as services
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.texts import first_level, spoken_texts

bp = Blueprint("questionnaires", __name__, url_prefix="/administration/questionnaires")
Page = str | Response | tuple[str, int]
LARGEST_FILES = 5_000_000
SOMEBODY = "Kim Example"


@bp.route("", methods=["GET", "POST"])
@allow("administrator")
@takes(LARGEST_FILES)
def index() -> Page:
    """List every version; take a newer one from its files."""
    form = FilesForm()

    def take() -> Questionnaire:
        # Reading may take seconds, in which nobody should wait for the database.
        session().rollback()
        questionnaire = services.read_files(form.contents())
        services.take(session(), questionnaire, site().now(), person())
        return questionnaire

    if done := attempt(form, take):
        taken = done.value
        flash(
            say().gettext(
                "New rounds ask %(name)s %(version)s now.", name=taken.name, version=taken.version
            )
        )
        return redirect(url_for("questionnaires.index"))
    page = render_template(
        "survey/questionnaires/index.html",
        versions=services.versions(session()),
        titles=spoken_texts,
        form=form,
    )
    return page, status(form)


@bp.get("/<title>/<version>")
@allow("administrator")
def show(title: str, version: str) -> Page:
    """Show what raters of a relationship are asked, as they see it."""
    questionnaire = services.version(session(), title, version)
    usual = spoken_texts(questionnaire)
    proposed = {
        "language": usual.language,
        "level": first_level(questionnaire),
        "relationship": questionnaire.structure.relationships[0],
    }
    form = LookForm(questionnaire, usual, formdata=request.args or None, data=proposed)
    seen = form.data if form.validate() else proposed
    texts = questionnaire.texts[seen["language"]]
    level, relationship = seen["level"], seen["relationship"]
    asked = parts_asked(questionnaire, level, relationship, identified=relationship != SELF)
    behaviours = [
        texts.items[item.id].at(level).behaviour for item in questionnaire.items_at(level)[:1]
    ]
    pulse = pulse_part(questionnaire, behaviours)
    return render_template(
        "survey/questionnaires/show.html",
        questionnaire=questionnaire,
        texts=texts,
        level=level,
        relationship=relationship,
        leader=SOMEBODY,
        parts=[(part, part_form(part)) for part in asked],
        pulse=pulse,
        pulse_form=part_form(pulse),
        form=form,
    )
