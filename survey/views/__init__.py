"""Views: who asks, one call of a service, commit, and a redirect or a page."""

from flask import Flask

from survey.views import account, administrator, coach, leader, previews, rater, teams


def init_app(app: Flask) -> None:
    """Register every blueprint."""
    for module in (account, rater, leader, previews, coach, administrator, teams):
        app.register_blueprint(module.bp)
