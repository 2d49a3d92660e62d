"""Team reports: made once from what leaders offer, and opened for nobody who could subtract.

A release goes into one team report only. So no two of them differ by one leader, and who may
read which single previews is all that has to be looked at when one is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Exists, exists, select, update
from sqlalchemy.orm import Session

from reports.release import Release as Document
from reports.release import TeamRelease
from reports.rules import LEADERS_FROM
from survey.errors import Conflict, NotAllowed, NotFound, Refused, marked
from survey.models import CoachAccess, MailKind, Person, Release, Round, Team, TeamMember
from survey.services import audit, mails, people, questionnaires

if TYPE_CHECKING:
    from reports.team import Reason


class InATeam(Conflict):
    """An offer that was taken up cannot be taken back."""

    message = marked("This preview is part of a team report already.")


class NotOffered(Refused):
    """Somebody else was faster, or a leader has taken the offer back."""

    status = 422
    message = marked("One of these previews is not offered any more. Please look again.")


class NotTogether(Refused):
    """Previews that may not be put together."""

    status = 422


class WouldTell(NotAllowed):
    """A reader who could work out what another leader's preview says."""

    message = marked(
        "You may read some of the previews behind this team report. Without them it would be about "
        "fewer than %(leaders)s leaders, so it is not opened for you."
    )


WHY_NOT: dict[Reason, str] = {
    "too_few": marked("A team report needs the previews of at least %(leaders)s leaders."),
    "one_leader_twice": marked(
        "Two of these previews are of %(name)s. Choose one of each leader, and none of two who "
        "share a name."
    ),
    "asked_otherwise": marked(
        "%(name)s was asked about with other questions than the rest. Choose previews of the same "
        "questionnaire in the same version."
    ),
}


def offer(session: Session, leader: Person, round_id: UUID, now: datetime) -> None:
    """Let a preview's figures go into a team report. Raises NotFound, InATeam."""
    _set_offered(session, leader, round_id, offered=True)
    audit.record(session, leader, marked("preview offered for a team report"), leader, now)


def take_offer_back(session: Session, leader: Person, round_id: UUID, now: datetime) -> None:
    """Take an offer back, as long as nobody has taken it up. Raises NotFound, InATeam."""
    _set_offered(session, leader, round_id, offered=False)
    audit.record(session, leader, marked("offer for a team report taken back"), leader, now)


def _set_offered(session: Session, leader: Person, round_id: UUID, *, offered: bool) -> None:
    release = session.get(Release, round_id)
    if release is None or release.round.leader_id != leader.id:
        raise NotFound
    changed = session.execute(
        update(Release)
        .where(Release.round_id == round_id, ~_is_member())
        .values(offered=offered)
        .returning(Release.round_id)
    )
    if changed.scalar_one_or_none() is None:
        raise InATeam
    session.refresh(release)


def _is_member() -> Exists:
    return exists().where(TeamMember.round_id == Release.round_id)


def offered(session: Session) -> list[Release]:
    """Return the previews that leaders offer, by leader, the latest of each first."""
    query = (
        select(Release)
        .join(Round)
        .join(Person, Person.id == Round.leader_id)
        .where(Release.offered)
        .order_by(Person.name, Round.closes_at.desc())
    )
    return list(session.scalars(query))


def make(
    session: Session,
    name: str,
    round_ids: Collection[UUID],
    language: str,
    now: datetime,
    actor: Person | None = None,
) -> Team:
    """Make a team report from offered previews; every leader in it is told by mail.

    Raises NameInvalid, NotOffered, NotTogether.
    """
    name = people.clean_name(name)
    # Whoever claims the rows first has them; an offer is used up by this.
    claimed = session.scalars(
        update(Release)
        .where(Release.round_id.in_(round_ids), Release.offered)
        .values(offered=False)
        .returning(Release)
        .execution_options(populate_existing=True)
    ).all()
    if len(claimed) < len(set(round_ids)):
        raise NotOffered
    document = together_of(name, claimed, language)
    stored = claimed[0].round.questionnaire
    team = Team(
        name=name, questionnaire_id=stored.id, made_on=now.date(), document=document.to_json()
    )
    session.add(team)
    session.flush()
    team.members += [TeamMember(round_id=release.round_id) for release in claimed]
    session.flush()
    for release in claimed:
        _tell(session, team, release.round, now)
    audit.record(session, actor, marked("team report made"), name, now)
    return team


def together_of(name: str, releases: Sequence[Release], language: str) -> TeamRelease:
    """Return what releases say together. Raises NotTogether."""
    # Imports pandas, which a web process that makes no report has no need of.
    from reports.team import NoTeam, together

    if not releases:
        raise NotTogether(WHY_NOT["too_few"], leaders=LEADERS_FROM)
    asked = questionnaires.read(releases[0].round.questionnaire)
    documents = [Document.model_validate_json(release.document) for release in releases]
    # What was not asked in this language cannot be printed in it.
    if language not in asked.texts:
        language = releases[0].round.language
    try:
        return together(name, documents, asked, language)
    except NoTeam as why:
        raise NotTogether(WHY_NOT[why.reason], leaders=LEADERS_FROM, name=why.leader) from None


def _tell(session: Session, team: Team, round_: Round, now: datetime) -> None:
    key = f"team_report:{team.id}:{round_.id}"
    kind = MailKind.TEAM_REPORT
    mails.queue(session, kind, key, round_.leader, round_.language, now, round_=round_)


def of_round(session: Session, round_id: UUID) -> Team | None:
    """Return the team report that a round's preview is part of."""
    return session.scalar(
        select(Team)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.round_id == round_id)
    )


def every(session: Session) -> list[Team]:
    """Return all team reports, the latest first."""
    return list(session.scalars(select(Team).order_by(Team.made_on.desc(), Team.name)))


def readable(session: Session, reader: Person, team_id: UUID) -> Team:
    """Return a team report for an administrator or one of its leaders.

    Raises NotFound for anybody else, and WouldTell for a reader who may open so many of the
    single previews that fewer than four leaders would be left.
    """
    team = session.get(Team, team_id)
    if team is None or not (reader.administers or _leads_in(reader, team)):
        raise NotFound
    document = TeamRelease.model_validate_json(team.document)
    # What cannot be matched would count as not known to the reader.
    matched = {member.release.sha256 for member in team.members} == set(document.releases)
    if not matched or not document.hides_each_leader_from(_known(session, reader, team)):
        raise WouldTell(leaders=document.leaders_from)
    return team


def _leads_in(reader: Person, team: Team) -> bool:
    leaders = {member.release.round.leader_id for member in team.members}
    return reader.leads and reader.id in leaders


def _known(session: Session, reader: Person, team: Team) -> list[str]:
    """Return the digests of the team's releases that are somebody's own, or of whom they coach.

    Whatever their roles are at this moment: who gives one back has read what it opened.
    """
    coached = select(CoachAccess.leader_id).where(CoachAccess.coach_id == reader.id)
    leaders = {reader.id, *session.scalars(coached)}
    return [
        member.release.sha256
        for member in team.members
        if member.release.round.leader_id in leaders
    ]
