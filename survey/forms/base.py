"""What all forms share."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms.i18n import get_translations

from survey.speech import say


class Form(FlaskForm):  # type: ignore[misc]
    """A form that says what is wrong in the language of its page."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How WTForms words its own messages."""

        def get_translations(self, _form: FlaskForm) -> Any:
            """Return WTForms's own translations."""
            return get_translations([say().code])
