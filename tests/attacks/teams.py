"""Attacks by whoever reads team reports and some single previews, and subtracts.

A find is a leader whose figures were worked out by somebody who may not open their preview.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from reports.release import OTHERS, Release, TeamRelease
from survey.models import CoachAccess, Person, Team
from survey.models import Release as Stored
from survey.services import teams
from survey.services.teams import NotOffered, WouldTell

FACETS = ("MM1", "MM2", "MM3")
# Figures have one decimal; times five leaders a difference may be a quarter of a point off.
NEAR = 0.26
Figures = Mapping[str, tuple[float, int]]


class Desk(Protocol):
    """Where somebody makes and reads team reports; the leaders' releases are there to compare."""

    releases: Sequence[Release]

    def team(self, members: Collection[int]) -> object | None:
        """Make a report of these leaders, by number; None if it is refused."""

    def read(self, team: object, opened: Collection[int]) -> Figures | None:
        """Return a report's figures for somebody who opens these previews; None if refused."""


def figures_of(release: Release) -> Figures:
    """Return what a preview prints of all others."""
    found = {}
    for key in (*FACETS, "MM"):
        figure = release.figure("theme" if key == "MM" else "facet", key, OTHERS)
        if figure is not None and figure.mean is not None:
            found[key] = (figure.mean, figure.n)
    return found


def _worked_out(told: float, leader: Release, key: str) -> list[str]:
    mean = figures_of(leader)[key][0]
    return [f"{leader.leader}: {key}"] if abs(told - mean) < NEAR else []


def team_minus_single_reports(desk: Desk) -> list[str]:
    """Who coaches three leaders of four takes their figures from the team's."""
    opened, hidden = range(3), desk.releases[3]
    team = desk.team(range(4))
    figures = desk.read(team, opened) if team else None
    if figures is None:
        return []
    found = []
    for key in FACETS:
        mean, n = figures[key]
        known = [figures_of(desk.releases[leader])[key] for leader in opened]
        left = n - sum(each for _, each in known)
        told = (mean * n - sum(each * raters for each, raters in known)) / left
        found += _worked_out(told, hidden, key)
    return found


def team_minus_a_smaller_team(desk: Desk) -> list[str]:
    """Two team reports that differ by one leader tell what is said of that leader."""
    small, large = desk.team(range(4)), desk.team(range(5))
    if small is None or large is None:
        return []
    one, other = desk.read(small, ()), desk.read(large, ())
    if one is None or other is None:
        return []
    found = []
    for key in FACETS:
        (less, few), (more, many) = one[key], other[key]
        found += _worked_out((more * many - less * few) / (many - few), desk.releases[4], key)
    return found


def theme_minus_facets(desk: Desk) -> list[str]:
    """The sixth leader has one facet less: what is over of the theme is said of the sixth."""
    team = desk.team(range(1, 6))
    figures = desk.read(team, ()) if team else None
    if figures is None:
        return []
    raters = 5
    theme = figures["MM"][0] * 5 * raters
    rest = theme - sum(figures[key][0] * figures[key][1] for key in FACETS) / 3
    # A sixth of the two facets' sum is left: each counts a half in the theme, and a third here.
    told = 6 * rest / raters / 2
    last = figures_of(desk.releases[5])
    mean = sum(last[key][0] for key in FACETS if key in last) / 2
    return ["the sixth leader"] if abs(told - mean) < NEAR else []


ATTACKS: tuple[Callable[[Desk], list[str]], ...] = (
    team_minus_single_reports,
    team_minus_a_smaller_team,
    theme_minus_facets,
)


class AsUsual:
    """Any leaders together, for anybody who may make reports: means with two decimals."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self.releases = releases

    def team(self, members: Collection[int]) -> object | None:
        """Make a report."""
        return [figures_of(self.releases[leader]) for leader in members]

    def read(self, team: object, opened: Collection[int]) -> Figures | None:
        """Return its figures: raters count alike, themes as well."""
        assert isinstance(team, list)
        figures = {}
        for key in (*FACETS, "MM"):
            seen = [each[key] for each in team if key in each]
            n = sum(raters for _, raters in seen)
            figures[key] = (round(sum(mean * raters for mean, raters in seen) / n, 2), n)
        return figures


class OurTeams:
    """The product's services on a real database."""

    def __init__(
        self, session: Session, stored: Sequence[Stored], reader: Person, now: datetime
    ) -> None:
        self.session, self.stored, self.reader, self.now = session, stored, reader, now
        self.releases = [Release.model_validate_json(each.document) for each in stored]
        for each in stored:
            teams.offer(session, each.round.leader, each.round_id, now)

    def team(self, members: Collection[int]) -> object | None:
        """Make a report, as an administrator does."""
        ids = [self.stored[leader].round_id for leader in members]
        try:
            return teams.make(self.session, "The team", ids, "en", self.now, self.reader)
        except NotOffered:
            return None

    def read(self, team: object, opened: Collection[int]) -> Figures | None:
        """Read it, as a coach of some of the leaders."""
        assert isinstance(team, Team)
        for leader in opened:
            leader_id = self.stored[leader].round.leader_id
            self.session.add(CoachAccess(leader_id=leader_id, coach_id=self.reader.id))
        self.session.flush()
        try:
            document = teams.readable(self.session, self.reader, team.id).document
        except WouldTell:
            return None
        figures = TeamRelease.model_validate_json(document).figures
        return {each.key: (each.mean or 0.0, each.n) for each in figures}
