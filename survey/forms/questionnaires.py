"""The forms of questionnaires: which one to look at, and files of a new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf.file import MultipleFileField
from wtforms import SelectField
from wtforms.fields import SelectChoice

from questionnaires.definition import SELF, Questionnaire, Texts
from survey.forms.base import Form
from survey.speech import say


class FilesForm(Form):
    """The files of a questionnaire."""

    files = MultipleFileField()

    def contents(self) -> Mapping[str, bytes]:
        """Return each file's bytes by its name."""
        return {each.filename: each.read() for each in self.files.data or [] if each.filename}


class LookForm(Form):
    """As whom to look at a questionnaire; it changes nothing, so it needs no proof."""

    language = SelectField()
    level = SelectField()
    relationship = SelectField()

    class Meta(Form.Meta):
        """Without a token: what is asked stands in the address."""

        csrf = False

    def __init__(self, questionnaire: Questionnaire, texts: Texts, **more: Any) -> None:
        super().__init__(**more)
        structure = questionnaire.structure
        gettext = say().gettext
        self.language.choices = [
            SelectChoice(code, say().named(code)) for code in questionnaire.texts
        ]
        self.level.choices = [
            SelectChoice(level, texts.levels[level].label) for level in structure.levels
        ]
        self.relationship.choices = [
            *(SelectChoice(each, texts.relationships[each].label)
              for each in structure.relationships),
            SelectChoice(SELF, gettext("Your own view")),
        ]  # fmt: skip
