"""The page of a follow-up that says what has changed since the preview before."""

from __future__ import annotations

from collections.abc import Iterator

from reports import wording
from reports.change import Change
from reports.charts import Chart, changes_chart
from reports.follow_up import compared
from reports.preview import Preview
from reports.release import OTHERS, Scope


class Changes:
    """A preview beside the one before it, as the page reads it."""

    def __init__(self, preview: Preview, before: Preview) -> None:
        """Compare them. Raises NotAFollowUp."""
        self.preview, self.before, self.say = preview, before, preview.say
        self.compared = compared(
            before.release, before.questionnaire, preview.release, preview.questionnaire
        )
        self.clear = [each for each in self.compared if each.change != "unclear"]

    def chart(self) -> Chart | None:
        """Return a chart of the clear changes as all others see them; None without any."""
        changes = [
            (each, self.preview.label(each.scope, each.key))
            for each in self.clear
            if each.of == OTHERS
        ]
        return changes_chart(changes, self.say) if changes else None

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Give each clear change: what it is about, and in words."""
        for each in self.clear:
            group = self.preview.group_label(each.of)
            yield self.preview.label(each.scope, each.key), wording.changed(each, group, self.say)

    def proposed(self) -> Iterator[tuple[str, str]]:
        """Give what was proposed to practise the last time, and what became of it."""
        seen = {each.key: each for each in self.compared if each.of == OTHERS}
        for practice in self.before.release.practices:
            label = self.before.label("facet", practice.facet)
            yield label, wording.since_proposed(seen.get(practice.facet), self.say)

    def unclear(self) -> str:
        """Return what all others see without a clear change, as a list in words."""
        return self._listed("unclear")

    def not_compared(self) -> str:
        """Return what was asked but could not be compared for all others, as a list in words."""
        return self._listed(None)

    def least(self) -> str | None:
        """Return the difference that would be clear wherever all others are compared."""
        found = [each.least for each in self.compared if each.of == OTHERS]
        return self.say.number(max(found)) if found else None

    def _listed(self, change: Change | None) -> str:
        found = {(c.scope, c.key): c.change for c in self.compared if c.of == OTHERS}
        places: list[tuple[Scope, str]] = [("theme", theme) for theme in self.preview.themes]
        places += [("facet", facet.id) for facet in self.preview.asked]
        return self.say.listed(
            [self.preview.label(*place) for place in places if found.get(place) == change]
        )
