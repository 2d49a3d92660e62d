"""Charts as data: rows on one scale, each with its value in print and in words.

The marks are drawn by the templates; nothing is computed here that the release
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from questionnaires.definition import SELF
from reports import wording
from reports.follow_up import Compared
from reports.language import Language
from reports.release import OTHERS, Figure, Release, Scope, TeamRelease

Kind = Literal["others", "group", "person"]


@dataclass(frozen=True)
class Row:
    """A line of a chart: its value in print and in words, whose it is, where its marks stand."""

    label: str
    value: str
    in_words: str
    kind: Kind
    mean: float | None
    band: tuple[float, float] | None
    own: float | None = None
    before: float | None = None


@dataclass(frozen=True)
class Chart:
    """Rows on one scale, and what they show in words for those who do not see them."""

    rows: tuple[Row, ...]
    alt: str


def others_chart(
    release: Release | TeamRelease, places: Iterable[tuple[Scope, str, str]], say: Language
) -> Chart:
    """Return a chart of how all others see each place (scope, key, label), self beside it."""
    return _chart([_others_row(release, *place, say) for place in places], say)


def groups_chart(release: Release, scope: Scope, key: str, say: Language) -> Chart:
    """Return a chart of one theme or facet: all others, then each group if there are several."""
    others = release.figure(scope, key, OTHERS)
    title = say.gettext("All others (%(n)s)", n=others.n) if others else say.gettext("All others")
    rows = [_others_row(release, scope, key, title, say)]
    if len(release.atoms) > 1:
        for atom in release.atoms:
            figure = release.figure(scope, key, atom.id)
            n = figure.n if figure else atom.n
            label = atom.label if atom.identified else f"{atom.label} ({n})"
            rows.append(_row(figure, label, "person" if atom.identified else "group", say))
    return _chart(rows, say)


def changes_chart(changes: Iterable[tuple[Compared, str]], say: Language) -> Chart:
    """Return a chart of what all others see, each place with its label: now, and last time."""
    rows = []
    for each, label in changes:
        before = wording.short_value(each.before, say)
        now = _row(each.after, label, "others", say)
        rows.append(replace(now, value=f"{before} → {now.value}", before=each.before.mean))
    return _chart(rows, say)


def _chart(rows: list[Row], say: Language) -> Chart:
    return Chart(tuple(rows), " ".join(_in_words(row, say) for row in rows))


def _others_row(
    release: Release | TeamRelease, scope: Scope, key: str, label: str, say: Language
) -> Row:
    figure = release.figure(scope, key, OTHERS)
    # The leader's mark stands only where the difference may be spoken of.
    own = release.figure(scope, key, SELF) if figure and figure.gap else None
    return replace(_row(figure, label, "others", say), own=own.mean if own else None)


def _row(figure: Figure | None, label: str, kind: Kind, say: Language) -> Row:
    return Row(
        label=label,
        value=wording.short_value(figure, say),
        in_words=wording.value(figure, say),
        kind=kind,
        mean=figure.mean if figure else None,
        band=figure.band if figure else None,
    )


def _in_words(row: Row, say: Language) -> str:
    said = [say.gettext("%(label)s: %(value)s.", label=row.label, value=row.in_words)]
    if row.band:
        low, high = (say.number(end) for end in row.band)
        said.append(say.gettext("Band from %(low)s to %(high)s.", low=low, high=high))
    if row.own is not None:
        said.append(say.gettext("You: %(own)s.", own=say.number(row.own)))
    if row.before is not None:
        said.append(say.gettext("Last time: %(mean)s.", mean=say.number(row.before)))
    return " ".join(said)
