"""After the preview: choose what to practise, plan it, thank the raters, ask again."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from questionnaires.definition import Texts
from reports.preview import Preview
from reports.release import Release as Document
from survey.access import allow, own_round, person
from survey.calendar import weekly_slot
from survey.db import session
from survey.errors import NotFound
from survey.forms.account import PlainForm
from survey.forms.practices import ChooseForm, PlanForm, ThanksForm, behaviour_field, plan_form
from survey.models import Plan, Release
from survey.services import coaching, pulses, questionnaires
from survey.services import practices as services
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.printed import download
from survey.views.texts import texts_of

bp = Blueprint("practices", __name__, url_prefix="/rounds/<uuid:round_id>")
Page = str | Response | tuple[str, int]


@bp.get("/practise")
@allow("leader")
def show(round_id: UUID) -> Page:
    """Show the plan, or what could be practised; thank the raters from here."""
    release = _own_release(round_id)
    plan = services.plan_for(session(), release)
    return _show_page(release, plan, ThanksForm(formdata=None, data=_proposed_thanks(plan)))


@bp.route("/practise/choose", methods=["GET", "POST"])
@allow("leader")
def choose(round_id: UUID) -> Page:
    """Choose one or two facets."""
    release = _own_release(round_id)
    plan = services.plan_for(session(), release)
    preview = _preview(release)
    facets = [facet.id for facet in preview.questionnaire.asked_at(release.round.level)]
    chosen = [each.facet for each in plan.practices] if plan else []
    form = ChooseForm(facets, data={"facets": chosen})
    if attempt(
        form,
        lambda: services.choose(session(), release, form.facets.data, site().today()),
    ):
        return redirect(url_for("practices.plan", round_id=round_id))
    page = render_template(
        "survey/practices/choose.html",
        form=form,
        round=release.round,
        facets=facets,
        proposed=_reasons(preview),
        texts=texts_of(release.round),
    )
    return page, status(form)


@bp.route("/practise/plan", methods=["GET", "POST"])
@allow("leader")
def plan(round_id: UUID) -> Page:
    """Write the plan."""
    release, found = _own_plan(round_id)
    form = plan_form(found)
    if attempt(form, lambda: services.write(session(), found, form.written())):
        flash(say().gettext("Your plan is saved."))
        return redirect(url_for("practices.show", round_id=round_id))
    return _plan_page(release, found, form)


@bp.get("/practise/slot.ics")
@allow("leader")
def calendar(round_id: UUID) -> Page:
    """Send the weekly slot for a calendar."""
    release, found = _own_plan(round_id)
    slot = services.slot_of(found)
    if slot is None:
        raise NotFound
    behaviours = [practice.behaviour for practice in found.practices if practice.behaviour]
    labels = [texts_of(release.round).facets[each.facet].label for each in found.practices]
    content = weekly_slot(
        slot,
        uid=f"{round_id}@{site().host()}",
        summary=say().gettext("Practise: %(what)s", what=say().listed(labels)),
        description="\n".join([*behaviours, found.first_step]).strip(),
        zone=site().settings.zone(),
        now=site().now(),
    )
    return download(content, "text/calendar", "slot.ics")


@bp.post("/practise/thanks")
@allow("leader")
def thanks(round_id: UUID) -> Page:
    """Send one message to everybody who was asked."""
    release, found = _own_plan(round_id)
    form = ThanksForm()
    done = attempt(
        form,
        lambda: services.thank(session(), found, form.thanks.data, site().now(), person()),
    )
    if done:
        flash(
            say().ngettext(
                "Your message is on its way to one person.",
                "Your message is on its way to %(num)s people.",
                done.value,
            )
        )
        return redirect(url_for("practices.show", round_id=round_id))
    return _show_page(release, found, form)


@bp.post("/practise/pulses")
@allow("leader")
def plan_pulses(round_id: UUID) -> Page:
    """Plan to ask the same raters on the days to come."""
    _, found = _own_plan(round_id)
    zone = site().settings.zone()
    if attempt(
        PlainForm(), lambda: pulses.plan_pulses(session(), found, site().now(), zone, person())
    ):
        flash(say().gettext("The pulse is planned."))
    return redirect(url_for("practices.show", round_id=round_id, _anchor="pulse"))


@bp.post("/practise/pulses/<int:number>/leave-out")
@allow("leader")
def leave_pulse_out(round_id: UUID, number: int) -> Page:
    """Do not send a pulse, or end it unopened."""
    _, found = _own_plan(round_id)
    pulse = pulses.find(found, number)
    if attempt(PlainForm(), lambda: pulses.leave_out(session(), pulse, site().now(), person())):
        flash(say().gettext("The pulse was taken back."))
    return redirect(url_for("practices.show", round_id=round_id, _anchor="pulse"))


def _own_release(round_id: UUID) -> Release:
    """Return the release of the signed-in leader's round. Raises NotFound, CoachFirst."""
    return coaching.readable_release(session(), person(), own_round(round_id).id)


def _own_plan(round_id: UUID) -> tuple[Release, Plan]:
    release = _own_release(round_id)
    plan = services.plan_for(session(), release)
    if plan is None:
        raise NotFound
    return release, plan


def _preview(release: Release) -> Preview:
    document = Document.model_validate_json(release.document)
    return Preview(document, questionnaires.read(release.round.questionnaire))


def _reasons(preview: Preview) -> dict[str, str]:
    """Return why each proposed facet is proposed."""
    proposals = zip(preview.release.practices, preview.practices(), strict=True)
    return {practice.facet: proposal.why for practice, proposal in proposals}


def _proposed_thanks(plan: Plan | None) -> dict[str, str]:
    """Return words to begin with; the leader sends their own."""
    said = [each.behaviour for each in plan.practices if each.behaviour] if plan else []
    if not said:
        return {}
    return {
        "thanks": say().gettext(
            "Thank you for taking the time. This is what I practise now: %(what)s. If you notice "
            "it, or miss it, please tell me.",
            what=say().listed([f"“{each}”" for each in said]),
        )
    }


def _show_page(release: Release, plan: Plan | None, form: ThanksForm) -> Page:
    page = render_template(
        "survey/practices/show.html",
        round=release.round,
        plan=plan,
        slot=services.slot_of(plan) if plan else None,
        texts=texts_of(release.round),
        asked=len(services.asked(session(), release.round)),
        pulse_days=_pulse_days(plan) if plan else [],
        day_of=site().day_of,
        last_day=site().last_day,
        form=form,
    )
    return page, status(form)


def _pulse_days(plan: Plan) -> list[str]:
    """Return the days on which a pulse could still ask, in words."""
    return [say().day(day) for day in pulses.days(plan) if day > site().today()]


def _plan_page(release: Release, plan: Plan, form: PlanForm) -> Page:
    texts: Texts = texts_of(release.round)
    page = render_template(
        "survey/practices/plan.html",
        form=form,
        round=release.round,
        plan=plan,
        texts=texts,
        field_of=behaviour_field,
        behaviours=_behaviours(release),
    )
    return page, status(form)


def _behaviours(release: Release) -> dict[str, list[str]]:
    """Return what is asked of each facet, as what a leader does."""
    round_ = release.round
    items = texts_of(round_).items
    return {
        facet.id: [items[item.id].at(round_.level).behaviour for item in facet.items]
        for facet in questionnaires.read(round_.questionnaire).asked_at(round_.level)
    }
