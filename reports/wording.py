"""What the numbers say, in sentences that claim no more than the band allows.

Every sentence is one message with named gaps, so that it can be translated
whole; nothing is put together from parts of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from questionnaires.definition import Texts
from reports.follow_up import Compared
from reports.intervals import Band
from reports.language import Language
from reports.partition import Atom
from reports.release import Figure, ReleasedAtom, Rules


def atom_label(atom: Atom, atoms: Sequence[Atom], texts: Texts, say: Language) -> str:
    """Return how a group is called: by its relationships, or by what unites it."""
    names = [texts.relationships[relationship] for relationship in atom.relationships]
    if atom.identified:
        alike = [
            each for each in atoms if each.identified and each.relationships == atom.relationships
        ]
        if len(alike) == 1:
            return names[0].identified
        return f"{names[0].identified} ({alike.index(atom) + 1})"
    if atom.id == "all":
        return say.gettext("All raters")
    if atom.id == "rest":
        return say.gettext("Other raters")
    return _named_together(atom.relationships, texts, say)


def _named_together(relationships: Sequence[str], texts: Texts, say: Language) -> str:
    """Return relationships as a sentence begins with them: Peers and direct reports."""
    first, *rest = (texts.relationships[name] for name in relationships)
    return say.listed([first.label, *(name.many for name in rest)])


def why_together(atom: ReleasedAtom, texts: Texts, rules: Rules, say: Language) -> str | None:
    """Say why relationships were put together; None for a group that stands alone."""
    if atom.identified:
        return say.gettext(
            "One person, who chose to be shown as %(label)s. Part of no other figure.",
            label=atom.label,
        )
    if len(atom.relationships) == 1:
        return None
    return say.gettext(
        "%(groups)s are counted together, because fewer than %(k)s answers of a group are never "
        "shown alone.",
        groups=_named_together(atom.relationships, texts, say),
        k=rules.k,
    )


def value(figure: Figure | None, say: Language) -> str:
    """Return a figure's number as it is printed; a dash where there is none."""
    if figure is None or figure.mean is None:
        return "–"
    if figure.end_coded == "at_least":
        return say.gettext("at least %(mean)s", mean=say.number(figure.mean))
    if figure.end_coded == "at_most":
        return say.gettext("at most %(mean)s", mean=say.number(figure.mean))
    return say.number(figure.mean)


def short_value(figure: Figure | None, say: Language) -> str:
    """Return a figure's number as it stands beside a chart, with a sign for an end."""
    if figure is None or figure.mean is None:
        return "–"
    sign = {"at_least": "≥ ", "at_most": "≤ ", None: ""}[figure.end_coded]
    return sign + say.number(figure.mean)


def not_seen(label: str, say: Language) -> str:
    """Say that a group has no figure, because too many of it had no chance to see."""
    return say.gettext(
        "%(group)s: more than two in five had no chance to see this, so there is no figure.",
        group=label,
    )


def seen_by_others(figure: Figure | None, texts: Texts, say: Language) -> str:
    """Say where the answers of others lie, and how far so few can tell."""
    if (said := _without_figure(figure, say)) is not None or figure is None or not figure.band:
        return said or ""
    return say.gettext(
        "The answers of others centre on “%(point)s” (%(mean)s). If we asked again, the result "
        "would probably fall between %(low)s and %(high)s.",
        point=nearest_point(figure.mean or 0, texts),
        mean=value(figure, say),
        low=say.number(figure.band[0]),
        high=say.number(figure.band[1]),
    )


def placed_by_others(figure: Figure | None, texts: Texts, say: Language) -> str:
    """Say in short between which points of the scale others place something."""
    if (said := _without_figure(figure, say)) is not None or figure is None or not figure.band:
        return said or ""
    low, high = (nearest_point(end, texts) for end in figure.band)
    if low == high:
        return say.gettext("Others place this at “%(point)s”.", point=low)
    return say.gettext("Others place this between “%(low)s” and “%(high)s”.", low=low, high=high)


def _without_figure(figure: Figure | None, say: Language) -> str | None:
    """Say why there is no figure to speak of; None if there is one."""
    if figure is None:
        return say.gettext("Too few answers to show anything here without showing somebody.")
    if figure.mean is None or figure.band is None:
        return say.gettext(
            "More than two in five had no chance to see this, so there is no figure."
        )
    if figure.end_coded == "at_least":
        return say.gettext("Nearly all answers stand at the upper end of the scale.")
    if figure.end_coded == "at_most":
        return say.gettext("Nearly all answers stand at the lower end of the scale.")
    return None


def nearest_point(mean: float, texts: Texts) -> str:
    """Return the label of the scale point that a mean is nearest to, halves upwards."""
    points = texts.scale.points
    return points[min(int(mean + 0.5), len(points)) - 1].label


def bands_overlap(figures: Sequence[Figure | None], say: Language) -> str | None:
    """Say in short whether all bands of a chart overlap; None with fewer than two."""
    rows = _ends([("", figure) for figure in figures])
    if rows is None:
        return None
    if _overlap(*rows):
        return say.gettext("All bands overlap.")
    return say.gettext("Not all bands overlap: compare the highest with the lowest.")


def standing_apart(seen: Sequence[tuple[str, Figure | None]], say: Language) -> str | None:
    """Say which of several rows stands clearly above another; None with fewer than two bands.

    Clearly: their bands do not overlap.
    """
    rows = _ends(seen)
    if rows is None:
        return None
    if _overlap(*rows):
        return say.gettext("All bands overlap, so nothing here stands clearly above the rest.")
    return say.gettext(
        "Others see “%(high)s” more often than “%(low)s”: these two bands do not overlap.",
        high=rows[0][0],
        low=rows[1][0],
    )


Banded = tuple[str, Band]


def _ends(seen: Sequence[tuple[str, Figure | None]]) -> tuple[Banded, Banded] | None:
    """Return the row whose band begins highest, and the one whose band ends lowest."""
    bands = [(label, figure.band) for label, figure in seen if figure and figure.band]
    if len(bands) < 2:
        return None
    return max(bands, key=lambda row: row[1][0]), min(bands, key=lambda row: row[1][1])


def _overlap(highest: Banded, lowest: Banded) -> bool:
    return highest[1][0] <= lowest[1][1]


def how_alike(figure: Figure | None, say: Language) -> str | None:
    """Say how much others agree among themselves, where that may be told."""
    match figure.spread if figure else None:
        case "alike":
            return say.gettext("They see it much alike.")
        case "somewhat":
            return say.gettext("Their views vary somewhat.")
        case "differently":
            return say.gettext("Their views differ widely, so the middle says little.")
        case _:
            return None


def own_view(own: Figure | None, others: Figure | None, say: Language) -> str | None:
    """Say how the leader's own view stands beside that of others; never as a mistake."""
    if own is None or own.mean is None or others is None or others.gap is None:
        return None
    mean = say.number(own.mean)
    match others.gap.view, others.gap.field:
        case "alike", _:
            return say.gettext("Your own view (%(mean)s) is not far from that.", mean=mean)
        case "clear", "talk":
            return say.gettext(
                "You see it clearly more often (%(mean)s): a different view, worth a conversation.",
                mean=mean,
            )
        case _, "talk":
            return say.gettext(
                "You see it more often (%(mean)s): a different view, worth a conversation.",
                mean=mean,
            )
        case "clear", _:
            return say.gettext(
                "You see it clearly less often (%(mean)s): others see more here than you do, and "
                "you can lean on that.",
                mean=mean,
            )
        case _:
            return say.gettext(
                "You see it less often (%(mean)s): others see more here than you do, and you can "
                "lean on that.",
                mean=mean,
            )


def changed(compared: Compared, group: str | None, say: Language) -> str:
    """Say what has changed clearly, as all others see it or, with its name, as a group does."""
    before, after = value(compared.before, say), value(compared.after, say)
    match group, compared.change:
        case None, "more":
            return say.gettext(
                "Others see it clearly more often than last time: %(before)s then, %(after)s now.",
                before=before,
                after=after,
            )
        case None, "less":
            return say.gettext(
                "Others see it clearly less often than last time: %(before)s then, %(after)s now.",
                before=before,
                after=after,
            )
        case _, "more":
            return say.gettext(
                "%(group)s see it clearly more often than last time: %(before)s then, %(after)s "
                "now.",
                group=group,
                before=before,
                after=after,
            )
        case _, "less":
            return say.gettext(
                "%(group)s see it clearly less often than last time: %(before)s then, %(after)s "
                "now.",
                group=group,
                before=before,
                after=after,
            )
        case _:
            raise ValueError("only a clear change is put into words")


def since_proposed(compared: Compared | None, say: Language) -> str:
    """Say what became of a practice that was proposed the last time."""
    match compared.change if compared else None:
        case "more":
            return say.gettext("Others see it clearly more often now.")
        case "less":
            return say.gettext("Others see it clearly less often now: worth a conversation.")
        case "unclear":
            return say.gettext("No clear change so far.")
        case _:
            return say.gettext("Cannot be compared this time.")


def why_strength(figure: Figure, say: Language) -> str:
    """Say why a facet is named as a strength."""
    low = figure.band[0] if figure.band else 0.0
    return say.gettext(
        "Of all facets, others place this among the highest: even the lower end of its band is "
        "%(low)s.",
        low=say.number(low),
    )


def why_practice(
    reason: str, own: Figure | None, others: Figure, say: Language, *, often: bool, first: bool
) -> str:
    """Say why a facet is proposed as a next practice.

    `often`: others see it often already; `first`: it is the first of the proposals.
    """
    if reason == "different_view" and own is not None:
        return say.gettext(
            "You see this clearly more often than others do (%(own)s beside %(others)s). Finding "
            "out why is a step in itself.",
            own=value(own, say),
            others=value(others, say),
        )
    high = say.number(others.band[1] if others.band else 0.0)
    if not first:
        return say.gettext(
            "After that, this leaves most room: its band ends at %(high)s.", high=high
        )
    if often:
        return say.gettext(
            "Others see this often already. Of the facets that matter most at your level it still "
            "leaves most room: its band ends at %(high)s.",
            high=high,
        )
    return say.gettext(
        "Of the facets that matter most at your level, the band of this one ends lowest: at "
        "%(high)s.",
        high=high,
    )


def why_together_next(figure: Figure, say: Language) -> str:
    """Say why a facet is proposed to several leaders to practise together."""
    return say.gettext(
        "Of what matters most at these leaders' levels, this leaves the most room: its band ends "
        "at %(high)s.",
        high=say.number(figure.band[1] if figure.band else 0.0),
    )
