"""The preview page by page: a release arranged for reading, without a new number in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from questionnaires.definition import SELF, AskedFacet, PulseQuestion, Questionnaire
from reports import wording
from reports.charts import Chart, groups_chart, others_chart
from reports.language import language
from reports.release import OTHERS, Figure, PulseRelease, Release, Scope


@dataclass(frozen=True)
class Group:
    """A printed group: how many were asked and answered, and why it is put together so."""

    label: str
    asked: int | None
    n: int
    why: str | None


@dataclass(frozen=True)
class Part:
    """A theme or facet on its page: its chart and the sentences that sum it up."""

    label: str
    sentences: tuple[str, ...]
    chart: Chart


@dataclass(frozen=True)
class ThemePage:
    """One theme: what it is, why it matters at this level, and its facets."""

    number: int
    whole: Part
    high_means: str
    why: str
    facets: tuple[Part, ...]


@dataclass(frozen=True)
class Proposal:
    """A strength or a next practice: what it is, why it was chosen and what to do with it."""

    label: str
    why: str
    behaviours: tuple[str, ...]
    notice: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class FocusFacet:
    """A facet in focus at a level: what is wished for, and whether others see it often already."""

    label: str
    behaviours: tuple[str, ...]
    often: bool


@dataclass(frozen=True)
class Stage:
    """A level on the pathway, with what matters most there."""

    label: str
    text: str
    facets: tuple[FocusFacet, ...]


@dataclass(frozen=True)
class Beside:
    """A facet (or theme) with the leader's own value beside that of others."""

    label: str
    own: str
    others: str


@dataclass(frozen=True)
class Quotes:
    """What people wrote to one prompt; a group without a name is nobody in particular."""

    heading: str
    text: str
    groups: tuple[tuple[str | None, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Counted:
    """How the answers to a pulse's question fall: the counts with their labels, or mostly one."""

    question: str
    n: int
    counts: tuple[tuple[str, int], ...]
    nearly_all: str | None


class PulseShown:
    """A pulse's release as its page reads it."""

    def __init__(self, release: PulseRelease, questionnaire: Questionnaire) -> None:
        self.release, self.questionnaire = release, questionnaire
        self.say = language(release.language)
        self.texts = questionnaire.texts[release.language].pulse
        self.questions = questionnaire.pulse_questions(release.behaviours)

    def counted(self) -> Iterator[Counted]:
        """Give each question that enough raters answered."""
        for question in self.questions:
            tally = self.release.tally(question.key)
            if tally is None:
                continue
            labels = self._labels(question)
            yield Counted(
                question=self._said(question),
                n=tally.n,
                counts=tuple(zip(labels, tally.counts or (), strict=False)),
                nearly_all=None if tally.nearly_all is None else labels[tally.nearly_all],
            )

    def too_few(self) -> tuple[str, ...]:
        """Return the questions that fewer than k answered."""
        return tuple(
            self._said(question)
            for question in self.questions
            if question.item.format != "text" and self.release.tally(question.key) is None
        )

    def quotes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give what people wrote, by question."""
        for comments in self.release.comments:
            question = next(each for each in self.questions if each.key == comments.prompt)
            yield self._said(question), comments.texts

    def _said(self, question: PulseQuestion) -> str:
        text = self.texts.items[question.item.id]
        return text.said_about(self.release.leader, question.behaviour)

    def _labels(self, question: PulseQuestion) -> Sequence[str]:
        if question.item.format == "options":
            return self.texts.items[question.item.id].options
        gettext = self.say.gettext
        return gettext("less"), gettext("no change"), gettext("more")


class Preview:
    """A release with the questionnaire it was asked with, as its pages read it."""

    def __init__(
        self,
        release: Release,
        questionnaire: Questionnaire,
        before: Preview | None = None,
        pulses: Sequence[PulseRelease] = (),
    ) -> None:
        """Take a release, what it was asked with, the preview before it and its pulses, if any."""
        self.release = release
        self.before = before
        self.pulses = tuple(PulseShown(pulse, questionnaire) for pulse in pulses)
        self.questionnaire = questionnaire
        self.say = language(release.language)
        self.texts = questionnaire.texts[release.language]
        self.level = self.texts.levels[release.level]
        self.asked = questionnaire.asked_at(release.level)
        self.themes = tuple(dict.fromkeys(facet.theme for facet in self.asked))

    @property
    def answered(self) -> int:
        """How many others answered."""
        return sum(atom.n for atom in self.release.atoms)

    @property
    def knows_asked(self) -> bool:
        """Say whether it is known how many were asked; a file of answers may not tell."""
        return all(atom.asked is not None for atom in self.release.atoms)

    def answered_together(self) -> int | None:
        """Return how many stand behind each theme of all others; None if that differs."""
        behind = {f.n for f in self.release.figures if (f.scope, f.of) == ("theme", OTHERS)}
        return behind.pop() if len(behind) == 1 else None

    def rated_self(self) -> bool:
        """Say whether the leader's own view stands anywhere beside that of others."""
        return any(figure.gap for figure in self.release.figures)

    def groups(self) -> Iterator[Group]:
        """Give each printed group."""
        for atom in self.release.atoms:
            why = wording.why_together(atom, self.texts, self.release.rules, self.say)
            yield Group(atom.label, atom.asked, atom.n, why)

    def glance(self) -> Chart:
        """Return all themes in one chart."""
        places: list[tuple[Scope, str, str]] = [
            ("theme", theme, self.label("theme", theme)) for theme in self.themes
        ]
        return others_chart(self.release, places, self.say)

    def glance_in_words(self) -> str | None:
        """Say whether a theme stands clearly above another."""
        return wording.standing_apart(
            [
                (self.label("theme", theme), self.release.figure("theme", theme, OTHERS))
                for theme in self.themes
            ],
            self.say,
        )

    def theme_pages(self) -> Iterator[ThemePage]:
        """Give the page of each theme."""
        for number, theme in enumerate(self.themes, start=1):
            text = self.texts.themes[theme]
            facets = (facet for facet in self.asked if facet.theme == theme)
            yield ThemePage(
                number=number,
                whole=self._part("theme", theme, text.label),
                high_means=text.high_means,
                why=text.why[self.release.level],
                facets=tuple(
                    self._part("facet", facet.id, self.label("facet", facet.id)) for facet in facets
                ),
            )

    def statements(self) -> Iterator[Part]:
        """Give the statements that may be shown, by facet, in the wished-for direction."""
        for facet in self.asked:
            if places := self._shown_items(facet):
                seen = [self.release.figure(scope, key, OTHERS) for scope, key, _ in places]
                said = wording.bands_overlap(seen, self.say)
                yield Part(
                    self.label("facet", facet.id),
                    (said,) if said else (),
                    others_chart(self.release, places, self.say),
                )

    def behind_statements(self) -> str:
        """Return the groups whose answers to single statements are shown, as a list in words."""
        shown = {figure.of for figure in self.release.figures if figure.scope == "item"}
        atoms = [atom for atom in self.release.atoms if atom.id in shown]
        return self.say.listed([f"{atom.label} ({atom.n})" for atom in atoms])

    def strengths(self) -> Iterator[Proposal]:
        """Give the strengths to build on."""
        for facet in self.release.strengths:
            yield self._proposal(facet, wording.why_strength(self._others(facet), self.say))

    def practices(self) -> Iterator[Proposal]:
        """Give the proposed next practices."""
        often_from = self.questionnaire.structure.scale.often_from
        for practice in self.release.practices:
            others = self._others(practice.facet)
            why = wording.why_practice(
                practice.reason,
                self.release.figure("facet", practice.facet, SELF),
                others,
                self.say,
                often=others.mean is not None and others.mean >= often_from,
                first=practice is self.release.practices[0],
            )
            yield self._proposal(practice.facet, why)

    def stage_now(self) -> Stage:
        """Return the leader's level."""
        return self._stage(self.release.level, self.level.why)

    def stage_next(self) -> Stage | None:
        """Return the level that follows; None at the last one."""
        levels = self.questionnaire.structure.levels
        after = levels[levels.index(self.release.level) + 1 :]
        return self._stage(after[0], self.texts.levels[after[0]].why) if after else None

    def fields(self) -> dict[str, list[Beside]]:
        """Return the four fields of self beside others: facets, or themes where so few answered."""
        compared = [f for f in self.release.figures if f.of == OTHERS and f.gap is not None]
        facets = [figure for figure in compared if figure.scope == "facet"]
        themes = [figure for figure in compared if figure.scope == "theme"]
        fields: dict[str, list[Beside]] = {
            "build_on": [], "lean_on": [], "next_step": [], "talk": []
        }  # fmt: skip
        for figure in facets or themes:
            if figure.gap is not None:
                fields[figure.gap.field].append(self._compared(figure))
        return fields

    def own_three_words(self) -> tuple[str, ...]:
        """Return the words that the leader hopes for."""
        return tuple(
            word
            for prompt in self.questionnaire.prompts_for(SELF, identified=True)
            if prompt.format == "three_words"
            for word in self.release.own_words.get(prompt.id, ())
            if word
        )

    def own_quotes(self) -> Iterator[tuple[str, str]]:
        """Give what the leader wrote: heading and text."""
        for prompt in self.questionnaire.prompts_for(SELF, identified=True):
            said = [word for word in self.release.own_words.get(prompt.id, ()) if word]
            if said and prompt.format != "three_words":
                yield self.texts.prompts[prompt.id].heading, ", ".join(said)

    def group_label(self, of: str | None) -> str | None:
        """Return the name of an atom; None stays."""
        return next((atom.label for atom in self.release.atoms if atom.id == of), None)

    def label(self, scope: Scope, key: str) -> str:
        """Return the name of a theme or facet."""
        return (self.texts.themes if scope == "theme" else self.texts.facets)[key].label

    def quotes(self) -> Iterator[Quotes]:
        """Give what people wrote, by prompt, in the questionnaire's order."""
        for prompt in self.questionnaire.structure.prompts:
            groups = [group for group in self.release.comments if group.prompt == prompt.id]
            if groups:
                text = self.texts.prompts[prompt.id]
                yield Quotes(
                    heading=text.heading,
                    text=text.said_about(self.release.leader),
                    groups=tuple((self.group_label(group.of), group.texts) for group in groups),
                )

    def private_questions(self) -> tuple[str, ...]:
        """Return the questions for the leader's own notes."""
        prompts = self.questionnaire.private_prompts()
        return tuple(self.texts.prompts[prompt.id].text for prompt in prompts)

    def _stage(self, level: str, text: str) -> Stage:
        facets = []
        for facet in self.questionnaire.asked_at(level):
            behaviours = tuple(
                self.texts.items[item.id].at(level).behaviour
                for item in facet.items
                if item.is_focus_at(level)
            )
            if behaviours:
                label = self.label("facet", facet.id)
                facets.append(FocusFacet(label, behaviours, self._often(facet.id)))
        return Stage(self.texts.levels[level].label, text, tuple(facets))

    def _often(self, facet: str) -> bool:
        others = self.release.figure("facet", facet, OTHERS)
        often_from = self.questionnaire.structure.scale.often_from
        return others is not None and others.mean is not None and others.mean >= often_from

    def _shown_items(self, facet: AskedFacet) -> list[tuple[Scope, str, str]]:
        return [
            ("item", item.id, self._behaviour(item.id))
            for item in facet.items
            if self.release.figure("item", item.id, OTHERS) is not None
        ]

    def _part(self, scope: Scope, key: str, label: str) -> Part:
        own = self.release.figure(scope, key, SELF)
        others = self.release.figure(scope, key, OTHERS)
        seen = wording.seen_by_others if scope == "theme" else wording.placed_by_others
        sentences = (
            seen(others, self.texts, self.say),
            wording.how_alike(others, self.say),
            wording.own_view(own, others, self.say),
            *self._not_seen(scope, key),
        )
        said = tuple(sentence for sentence in sentences if sentence)
        return Part(label, said, groups_chart(self.release, scope, key, self.say))

    def _not_seen(self, scope: Scope, key: str) -> Iterator[str]:
        """Say which groups have no figure, where others have one."""
        others = self.release.figure(scope, key, OTHERS)
        if others is None or others.not_seen:
            return
        for atom in self.release.atoms:
            figure = self.release.figure(scope, key, atom.id)
            if figure is not None and figure.not_seen:
                yield wording.not_seen(atom.label, self.say)

    def _others(self, facet: str) -> Figure:
        figure = self.release.figure("facet", facet, OTHERS)
        if figure is None:
            raise ValueError(f"the release proposes {facet} without showing it")
        return figure

    def _proposal(self, facet: str, why: str) -> Proposal:
        text = self.texts.facets[facet]
        behaviours = tuple(
            self._behaviour(item.id)
            for each in self.asked
            if each.id == facet
            for item in each.items
        )
        return Proposal(text.label, why, behaviours, text.notice, text.suggestions)

    def _behaviour(self, item: str) -> str:
        return self.texts.items[item].at(self.release.level).behaviour

    def _compared(self, figure: Figure) -> Beside:
        own = self.release.figure(figure.scope, figure.key, SELF)
        return Beside(
            label=self.label(figure.scope, figure.key),
            own=wording.value(own, self.say),
            others=wording.value(figure, self.say),
        )
