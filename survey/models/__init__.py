"""What is stored: one class a table, its facts and the rules that the database keeps."""

from survey.models.audit import AuditEntry
from survey.models.base import Base
from survey.models.custody import BallotKey, Leftover, Trustee
from survey.models.mail import Mail, MailKind, MailState
from survey.models.people_import import ImportState, PeopleImport
from survey.models.person import Authenticator, Passkey, Person, SignInCode
from survey.models.plan import Plan, PlannedPractice, Pulse
from survey.models.printout import Printout, PrintState
from survey.models.proposal import Proposal, ProposalKind, ProposalState
from survey.models.questionnaire import StoredQuestionnaire
from survey.models.round import (
    ENDED,
    Answered,
    Approval,
    Ballot,
    CoachAccess,
    Invitation,
    Nomination,
    Programme,
    Release,
    Round,
    RoundState,
)
from survey.models.schedule import Schedule
from survey.models.team import Team, TeamMember
from survey.models.token import Token
from survey.models.webhook import Webhook, WebhookKind

__all__ = [
    "ENDED",
    "Answered",
    "Approval",
    "AuditEntry",
    "Authenticator",
    "Ballot",
    "BallotKey",
    "Base",
    "CoachAccess",
    "ImportState",
    "Invitation",
    "Leftover",
    "Mail",
    "MailKind",
    "MailState",
    "Nomination",
    "Passkey",
    "PeopleImport",
    "Person",
    "Plan",
    "PlannedPractice",
    "PrintState",
    "Printout",
    "Programme",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Pulse",
    "Release",
    "Round",
    "RoundState",
    "Schedule",
    "SignInCode",
    "StoredQuestionnaire",
    "Team",
    "TeamMember",
    "Token",
    "Trustee",
    "Webhook",
    "WebhookKind",
]
