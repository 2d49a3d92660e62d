"""Views: who asks, one call of a service, commit, and a redirect or a page."""

from flask import Flask
from flask_wtf import CSRFProtect

from survey.views import (
    account,
    administrator,
    api,
    approvals,
    coach,
    health,
    leader,
    practices,
    previews,
    programmes,
    promise,
    questionnaires,
    rater,
    reminders,
    second_step,
    teams,
    tokens,
)


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Register every blueprint."""
    administration = (administrator, programmes, questionnaires, teams)
    staff = (account, second_step, tokens, api, leader, practices, previews, coach, *administration)
    for module in (rater, reminders, approvals, promise, health, *staff):
        app.register_blueprint(module.bp)
    csrf.exempt(reminders.bp)
    # Cookies open nothing there.
    csrf.exempt(api.bp)
