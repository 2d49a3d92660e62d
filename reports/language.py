"""The language of a page, mail or PDF: its texts, numbers and dates.

Messages are written in English in the code and translated by the catalogues
in `templates/translations/`, one `.po` file a language, read as they are.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE = "en"
CATALOGUES = Path(__file__).parent.parent / "templates" / "translations"


class Language:
    """Says messages, numbers and dates in one language."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code = code
        self.translations = translations
        self.locale = Locale.parse(code, sep="-")

    @property
    def direction(self) -> str:
        """Return "ltr" or "rtl", as HTML has it."""
        return self.locale.text_direction

    @property
    def start(self) -> str:
        """Return the side on which lines begin, for mails: many programs know no other word."""
        return "left" if self.direction == "ltr" else "right"

    def gettext(self, message: str, **gaps: object) -> str:
        """Return a message in this language, its named gaps filled."""
        said = self.translations.gettext(message)
        return said % gaps if gaps else said

    def ngettext(self, one: str, many: str, n: int, **gaps: object) -> str:
        """Return the message for n things; %(num)s stands for n."""
        return self.translations.ngettext(one, many, n) % {"num": n, **gaps}

    def number(self, value: float) -> str:
        """Return a figure with its one decimal."""
        return format_decimal(value, format="0.0", locale=self.locale)

    def day(self, day: date) -> str:
        """Return a day in full, such as 22 November 2026."""
        return format_date(day, format="long", locale=self._of_the_world)

    def time(self, moment: time) -> str:
        """Return a time of day, such as 14:30."""
        return format_time(moment, format="short", locale=self._of_the_world)

    def named(self, code: str) -> str:
        """Return how speakers of a language call it."""
        return Locale.parse(code, sep="-").get_display_name() or code

    def weekdays(self) -> tuple[str, ...]:
        """Return the days of the week, Monday first."""
        names = self.locale.days["stand-alone"]["wide"]
        return tuple(names[number] for number in range(7))

    def months(self) -> tuple[str, ...]:
        """Return the names of the months, January first."""
        names = self.locale.months["stand-alone"]["wide"]
        return tuple(names[number] for number in range(1, 13))

    def listed(self, parts: Sequence[str]) -> str:
        """Return parts as a sentence lists them: a, b and c."""
        return format_list(parts, locale=self._of_the_world)

    @property
    def _of_the_world(self) -> Locale:
        """Return the locale for days and lists; plain "en" would write them the American way."""
        return Locale("en", "GB") if self.code == SOURCE else self.locale


@lru_cache
def language(code: str) -> Language:
    """Return a language; without a catalogue, messages stay English."""
    path = CATALOGUES / f"{code}.po"
    if not path.is_file():
        return Language(code, NullTranslations())
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code.replace("-", "_"))
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    binary.seek(0)
    return Language(code, GNUTranslations(binary))


@lru_cache
def spoken() -> tuple[str, ...]:
    """Return the languages of pages, mails and PDFs."""
    return (SOURCE, *sorted(path.stem for path in CATALOGUES.glob("*.po")))
