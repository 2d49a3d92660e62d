"""What a page needs to warn, while a comment is written, of what may show who wrote it.

The looking is done in the browser, so that no unfinished sentence is sent for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from survey.errors import marked
from survey.services.ballots import Rater
from survey.speech import say

# A capital in the middle of a sentence says little where every noun has one.
NOUNS_CAPITALISED = {"de", "lb"}
# As many letters as make part of a name a word of its own; "A." would be found everywhere.
LETTERS_OF_A_NAME = 2
WORD = "{word}"
# TRANSLATORS: words by which a writer speaks of themselves, with blanks between
FIRST_PERSON = marked("I I'm I've me my mine myself")


def hints(rater: Rater) -> Mapping[str, object]:
    """Return what to look for in a comment, and what to say of it, in the page's language."""
    gettext = say().gettext
    return {
        "own": _parts_of(rater.nomination.person.name),
        "leader": _parts_of(rater.round.leader.name),
        "names": say().code not in NOUNS_CAPITALISED,
        "months": say().months(),
        "weekdays": say().weekdays(),
        "first_person": gettext(FIRST_PERSON).split(),
        "hints": {
            "name": gettext(
                "“%(word)s”: a name may show who wrote this, or speak of somebody else. A role is "
                "often enough.",
                word=WORD,
            ),
            "day": gettext(
                "“%(word)s”: a day may show who was there. “Lately” or “in a release” often says "
                "as much.",
                word=WORD,
            ),
            "first_person": gettext(
                "“%(word)s”: what happened to you may be known to be yours. It can often be said "
                "of the work instead.",
                word=WORD,
            ),
        },
    }


def _parts_of(name: str) -> Sequence[str]:
    return [part for part in name.split() if len(part) >= LETTERS_OF_A_NAME]
