"""The debrief guide: how a coach may read a preview with its leader, from the same release.

It holds no figure that the preview does not print. Hypotheses are chosen by rules, in
this order: what leaves most room, where views differ, what others rely on; where one
of these is missing, where others differ among themselves and what few could see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from questionnaires.definition import SELF
from reports import wording
from reports.preview import Preview
from reports.release import OTHERS, Figure

MOST_HYPOTHESES = 3
WIDE = 1.0
ROUNDING = 1e-9


@dataclass(frozen=True)
class Hypothesis:
    """Something the data allow, what would speak against it, and questions that find out."""

    title: str
    data: str
    against: str
    questions: tuple[str, ...]


class Guide:
    """A preview as the guide's pages read it."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        self.release = preview.release
        self.say = preview.say
        self.texts = preview.texts

    def hypotheses(self) -> list[Hypothesis]:
        """Return three hypotheses, fewer where the data allow fewer.

        No place comes twice, and no kind of hypothesis before every other kind had its turn.
        """
        kinds = [dict(kind) for kind in self._candidates()]
        found: dict[str, Hypothesis] = {}
        while any(kinds):
            for kind in kinds:
                key = next((key for key in kind if key not in found), None)
                if key is None:
                    kind.clear()
                elif len(found) < MOST_HYPOTHESES:
                    found[key] = kind.pop(key)
                else:
                    return list(found.values())
        return list(found.values())

    def cannot_carry(self) -> Iterator[str]:
        """Say what these data cannot carry."""
        yield from self._groups()
        yield from self._bands()
        if not self.preview.rated_self():
            yield self.say.gettext(
                "The leader's own view stands nowhere beside that of others, so nothing can be "
                "said of how the two differ."
            )
        if not any(figure.scope == "item" and figure.of == OTHERS for figure in self._figures):
            yield self.say.gettext(
                "No single statement is shown. Please do not ask for one: a facet is as close as "
                "these answers go."
            )
        if unseen := self._unseen():
            yield self.say.gettext(
                "Many had no chance to see: %(facets)s. That says something of where the work "
                "takes place, nothing of how well it is done.",
                facets=self.say.listed([self._label(figure) for figure in unseen]),
            )
        if not self.release.comments:
            yield self.say.gettext("There are no comments, so figures have no examples.")

    @property
    def _figures(self) -> tuple[Figure, ...]:
        return self.release.figures

    def _groups(self) -> Iterator[str]:
        for atom in self.release.atoms:
            if not atom.identified and len(atom.relationships) > 1:
                yield self.say.gettext(
                    "%(label)s cannot be told apart, and nothing here says how one of these "
                    "groups alone sees anything.",
                    label=atom.label,
                )
            elif not atom.identified and atom.n < self.release.rules.items_from:
                yield self.say.gettext(
                    "%(label)s are %(n)s: one person more or less could move their dot by half a "
                    "point.",
                    label=atom.label,
                    n=atom.n,
                )

    def _bands(self) -> Iterator[str]:
        wide = [
            figure
            for figure in self._figures
            if (figure.scope, figure.of) == ("facet", OTHERS)
            and figure.band is not None
            and figure.band[1] - figure.band[0] >= WIDE - ROUNDING
        ]
        if wide:
            yield self.say.gettext(
                "These bands are a point wide or more, so their dots rank nothing: %(facets)s.",
                facets=self.say.listed([self._label(figure) for figure in wide]),
            )

    def _unseen(self) -> list[Figure]:
        return [f for f in self._figures if f.scope == "facet" and f.of == OTHERS and f.not_seen]

    def _candidates(self) -> Iterator[Iterator[tuple[str, Hypothesis]]]:
        """Give the possible hypotheses kind by kind, each with the place that it is about."""
        seen = {f.key: f for f in self._figures if f.of == OTHERS and f.scope != "item"}
        # Facets before themes, the widest first; items are too fine for a conversation.
        apart = [figure for figure in seen.values() if figure.gap and figure.gap.view != "alike"]
        apart.sort(key=lambda figure: (figure.scope == "theme", -abs(_gap(figure))))
        divided = [figure for figure in seen.values() if figure.spread == "differently"]
        yield ((p.facet, self._room(seen[p.facet])) for p in self.release.practices)
        yield ((figure.key, self._differs(figure)) for figure in apart)
        yield ((facet, self._relied_on(seen[facet])) for facet in self.release.strengths)
        yield ((figure.key, self._divided(figure)) for figure in divided)
        yield ((figure.key, self._not_seen(figure)) for figure in self._unseen())

    def _room(self, figure: Figure) -> Hypothesis:
        label = self._label(figure)
        gettext = self.say.gettext
        return Hypothesis(
            title=gettext("%(label)s: a small change here would be noticed soon.", label=label),
            data=self._seen(figure),
            against=gettext(
                "Against it: the leader already works on this and others could not see it yet; or "
                "the work of the last months left no room for it."
            ),
            questions=(
                gettext("Where in the last two weeks would there have been a chance for it?"),
                gettext("What would it cost you to do it once, this week?"),
                gettext("Who would be the first to notice, and how would you know?"),
            ),
        )

    def _differs(self, figure: Figure) -> Hypothesis:
        label = self._label(figure)
        gettext = self.say.gettext
        data = f"{self._seen(figure)} {self._own(figure)}"
        if figure.gap is not None and figure.gap.field == "lean_on":
            return Hypothesis(
                title=gettext("%(label)s: others see more here than the leader does.", label=label),
                data=data,
                against=gettext(
                    "Against it: the leader holds the bar higher than the question does; or others "
                    "are being kind."
                ),
                questions=(
                    gettext("What do you think they have seen that you take for granted?"),
                    gettext("Where could you lean on it more than you do?"),
                ),
            )
        return Hypothesis(
            title=gettext("%(label)s: what is meant does not arrive.", label=label),
            data=data,
            against=gettext(
                "Against it: leader and others think of different situations; or of different "
                "months. The comments may tell."
            ),
            questions=(
                gettext("Which moments did you think of when you answered?"),
                gettext("Which ones may they have thought of?"),
                gettext("Whom could you ask, without asking who answered what?"),
            ),
        )

    def _relied_on(self, figure: Figure) -> Hypothesis:
        gettext = self.say.gettext
        return Hypothesis(
            title=gettext("%(label)s: others rely on it.", label=self._label(figure)),
            data=self._seen(figure),
            against=gettext(
                "Against it: it comes at a price that nobody was asked about, such as the leader's "
                "evenings."
            ),
            questions=(
                gettext("When did it come easily, and what made it so?"),
                gettext("How could it help with what you want to practise?"),
            ),
        )

    def _divided(self, figure: Figure) -> Hypothesis:
        gettext = self.say.gettext
        return Hypothesis(
            title=gettext("%(label)s: it depends on whom one asks.", label=self._label(figure)),
            data=f"{self._seen(figure)} {wording.how_alike(figure, self.say) or ''}".strip(),
            against=gettext(
                "Against it: few people, read differently, by chance. Who stands where is not in "
                "these data and must not be guessed."
            ),
            questions=(
                gettext("In which situations are you at your best here, in which not?"),
                gettext("What is different for people who work with you rarely?"),
            ),
        )

    def _not_seen(self, figure: Figure) -> Hypothesis:
        gettext = self.say.gettext
        return Hypothesis(
            title=gettext("%(label)s: it happens where few can see it.", label=self._label(figure)),
            data=self._seen(figure),
            against=gettext("Against it: there was no occasion for it in these months."),
            questions=(
                gettext("Where does it take place, and who is there?"),
                gettext("What would make it visible, without making a show of it?"),
            ),
        )

    def _own(self, figure: Figure) -> str:
        own = self.release.figure(figure.scope, figure.key, SELF)
        mean = wording.value(own, self.say)
        if figure.gap is not None and figure.gap.field == "lean_on":
            return self.say.gettext("The leader sees it less often (%(mean)s).", mean=mean)
        return self.say.gettext("The leader sees it more often (%(mean)s).", mean=mean)

    def _seen(self, figure: Figure) -> str:
        seen = wording.seen_by_others if figure.scope == "theme" else wording.placed_by_others
        return seen(figure, self.texts, self.say)

    def _label(self, figure: Figure) -> str:
        return self.preview.label(figure.scope, figure.key)


def _gap(figure: Figure) -> float:
    return figure.gap.value if figure.gap else 0.0
