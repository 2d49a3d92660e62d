"""The team report page by page: a team release arranged for reading, without a new number in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from questionnaires.definition import Questionnaire
from reports import wording
from reports.charts import Chart, others_chart
from reports.language import language
from reports.preview import Proposal
from reports.release import Scope, TeamRelease


@dataclass(frozen=True)
class ThemeOfTeam:
    """One theme: what it is, the sentence that sums it up, its facets in one chart."""

    label: str
    high_means: str
    sentence: str
    chart: Chart


class TeamReport:
    """A team release with the questionnaire it was asked with, as its pages read it.

    `for_coach`: it was made for somebody who may read each of the previews, without asking.
    """

    def __init__(
        self, release: TeamRelease, questionnaire: Questionnaire, *, for_coach: bool = False
    ) -> None:
        self.release, self.for_coach = release, for_coach
        self.questionnaire = questionnaire
        self.say = language(release.language)
        self.texts = questionnaire.texts[release.language]
        self.facets = [
            facet
            for theme in questionnaire.structure.themes
            for facet in theme.facets
            if facet.id in release.behind
        ]

    def leaders(self) -> str:
        """Return the leaders' names as a list in words."""
        return self.say.listed(self.release.leaders)

    def levels(self) -> str:
        """Return the levels as a list in words."""
        return self.say.listed([self.texts.levels[level].label for level in self.release.levels])

    def glance(self) -> Chart:
        """Return the themes that are shown, in one chart."""
        places: list[tuple[Scope, str, str]] = [
            ("theme", theme.id, self.texts.themes[theme.id].label)
            for theme in self.questionnaire.structure.themes
            if self.release.figure("theme", theme.id)
        ]
        return others_chart(self.release, places, self.say)

    def glance_in_words(self) -> str | None:
        """Say whether a theme stands clearly above another."""
        seen = [
            (self.texts.themes[theme.id].label, self.release.figure("theme", theme.id))
            for theme in self.questionnaire.structure.themes
        ]
        return wording.standing_apart(seen, self.say)

    def themes(self) -> Iterator[ThemeOfTeam]:
        """Give each theme of which at least a facet is shown."""
        for theme in self.questionnaire.structure.themes:
            places: list[tuple[Scope, str, str]] = [
                ("facet", facet.id, self._label(facet.id))
                for facet in theme.facets
                if facet in self.facets
            ]
            if places:
                text = self.texts.themes[theme.id]
                figure = self.release.figure("theme", theme.id)
                sentence = wording.seen_by_others(figure, self.texts, self.say) if figure else ""
                chart = others_chart(self.release, places, self.say)
                yield ThemeOfTeam(text.label, text.high_means, sentence, chart)

    def strengths(self) -> Iterator[Proposal]:
        """Give the strengths to build on together."""
        for facet in self.release.strengths:
            figure = self.release.figure("facet", facet)
            if figure is not None:
                yield self._proposal(facet, wording.why_strength(figure, self.say))

    def practices(self) -> Iterator[Proposal]:
        """Give what may be practised together."""
        for practice in self.release.practices:
            figure = self.release.figure("facet", practice.facet)
            if figure is not None:
                yield self._proposal(practice.facet, wording.why_together_next(figure, self.say))

    def not_shown(self) -> str:
        """Return the facets without a figure, as a list in words."""
        shown = self.release.behind
        return self.say.listed(
            [
                self._label(facet.id)
                for facet in self.questionnaire.structure.facets()
                if facet.id not in shown
            ]
        )

    def of_some_leaders(self) -> str:
        """Return the facets that not all leaders have a figure for, with how many, as a list."""
        all_ = len(self.release.leaders)
        return self.say.listed(
            [
                f"{self._label(facet)} ({len(behind)})"
                for facet, behind in self.release.behind.items()
                if len(behind) < all_
            ]
        )

    def _proposal(self, facet: str, why: str) -> Proposal:
        # Statements are worded level by level, so there are none for all.
        text = self.texts.facets[facet]
        return Proposal(text.label, why, (), text.notice, text.suggestions)

    def _label(self, facet: str) -> str:
        return self.texts.facets[facet].label
