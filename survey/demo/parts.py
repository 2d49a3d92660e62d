"""All the parts that pages are made of, on one page: for whoever changes or reuses one."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Response, render_template
from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError

from survey.access import allow
from survey.forms.account import PlainForm
from survey.forms.base import Form
from survey.models import Round, RoundState
from survey.site import site

bp = Blueprint("parts", __name__)
SHEET = Path(__file__).parents[1] / "static" / "site.css"
TOKEN = re.compile(r"^  --([a-z-]+): (.+);$", re.MULTILINE)


class EveryField(Form):
    """One field of each kind; what is `wrong` is refused, so that errors are seen, too."""

    line = StringField(default="One line")
    wrong = StringField(default="Not like this")
    text = TextAreaField(default="Several lines.\nThis is the second.")
    day = DateField()
    options = SelectField(
        default="a", choices=[SelectChoice("a", "The first"), SelectChoice("b", "The second")]
    )
    tick = BooleanField(default=True)

    class Meta(Form.Meta):
        """Without a token: it is never sent."""

        csrf = False

    def validate_wrong(self, _field: StringField) -> None:
        """Refuse whatever it is."""
        raise ValidationError("Say what is wrong here, and what would be right.")


@bp.get("/parts")
@allow("anybody")
def show() -> str:
    """Show tokens, macros and messages."""
    form = EveryField(formdata=None)
    form.validate()
    now = site().now()
    over, left = now - timedelta(days=1), now + timedelta(days=1)
    rounds = [Round(state=state, closes_at=left) for state in RoundState]
    return render_template(
        "demo/parts.html",
        form=form,
        plain=PlainForm(formdata=None),
        tokens=tokens(),
        rounds=[*rounds, Round(state=RoundState.OPEN, closes_at=over)],
        now=now,
    )


@bp.get("/parts.css")
@allow("anybody")
def style() -> Response:
    """Send a rule for each colour's patch: pages take no styles of their own."""
    rules = [f".patch-{name} {{ background: var(--{name}); }}" for name in tokens()]
    size = (
        ".patch { border: 1px solid var(--line); display: inline-block; height: 2rem; width: 4rem }"
    )
    return Response("\n".join([size, *rules]), mimetype="text/css")


def tokens() -> dict[str, str]:
    """Return the style sheet's colours and fonts by name, as they are in the light."""
    light = SHEET.read_text(encoding="utf-8").partition("}")[0]
    return dict(TOKEN.findall(light))
