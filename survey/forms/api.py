"""What the API takes and says, as models: they check it, and its description is made from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from reports.text import clean_line, clean_text
from survey.models import RoundState
from survey.services.nominations import MOST
from survey.services.people import LONGEST_NAME
from survey.services.programmes import Standing
from survey.services.rounds import LONGEST_MESSAGE

Role = Literal["leader", "coach", "administrator"]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(clean_line)]
Address = Annotated[str, Field(min_length=3, max_length=320, examples=["ada@example.org"])]
Word = Annotated[str, Field(min_length=1, max_length=60)]
Message = Annotated[
    str, Field(max_length=LONGEST_MESSAGE, description="for the raters' mail"),
    AfterValidator(clean_text),
]  # fmt: skip
MOST_LEADERS = 1000
LAST_PAGE = 1_000_000
USUAL = "technical_leader"


class Taken(BaseModel):
    """What a program sends: nothing that is not named here, and of the named kind."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Said(BaseModel):
    """What the server answers."""

    model_config = ConfigDict(extra="forbid")


class Asked(BaseModel):
    """What stands behind the question mark of an address, as text."""

    model_config = ConfigDict(extra="forbid")


class Page(Asked):
    """Which piece of a long list, fifty at a time."""

    page: int = Field(1, ge=1, le=LAST_PAGE)


class Search(Page):
    """Which piece, and of those whose name or address holds some words."""

    q: Annotated[str, AfterValidator(clean_line)] = Field("", max_length=100)


class NewPerson(Taken):
    """Somebody who leads, coaches or administers; raters are added as they are named."""

    name: Name
    email: Address
    roles: list[Role] = Field(max_length=3)


class ChangedPerson(NewPerson):
    """All that is known of a person. Another address or other roles sign them out everywhere."""

    active: bool


class Person(Said):
    """A person."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    active: bool = Field(description="whether they may sign in")


class People(Said):
    """Some people, by name."""

    people: list[Person]
    page: int
    more: bool


class NewMember(Taken):
    """A leader in a programme, by address, and who approves their raters if somebody does."""

    leader: Address
    manager: Annotated[str, Field(max_length=320)] = ""


class NewMembers(Taken):
    """Leaders to add."""

    leaders: list[NewMember] = Field(min_length=1, max_length=MOST_LEADERS)


class NewProgramme(NewMembers):
    """A programme: rounds of many leaders on common days."""

    name: Name
    first_day: date = Field(description="when invitations go out: today or later")
    last_day: date = Field(description="the last day to answer, one to 90 days after that")
    level: Word = Field(examples=["new_lead"])
    language: Word = Field(examples=["en"])
    questionnaire: Word = USUAL
    message: Message = ""
    approves: bool = Field(default=False, description="whether managers approve the raters")


class Programme(Said):
    """A programme, and how many of its rounds stand where."""

    id: UUID
    name: str
    first_day: date
    last_day: date
    level: str
    language: str
    questionnaire: str
    approves: bool
    rounds: dict[Standing, int] = Field(description="how many rounds stand where")
    behind: int = Field(description="how many rounds are behind")


class Programmes(Said):
    """All programmes, the latest closing day first."""

    programmes: list[Programme]


class NewRound(Taken):
    """What a leader asks; whom, is named afterwards."""

    level: Word = Field(examples=["new_lead"])
    language: Word = Field(examples=["en"])
    last_day: date = Field(description="the last day to answer, one to 90 days ahead")
    questionnaire: Word = USUAL
    message: Message = ""
    coach_first: bool = Field(
        default=False, description="whether a coach opens the conversation before the leader reads"
    )


class Rater(Taken):
    """Somebody who is asked."""

    name: Name
    email: Address
    relationship: Word = Field(examples=["manager", "peer", "report"])


class Raters(Taken):
    """All who are asked; they replace those named before."""

    raters: list[Rater] = Field(min_length=1, max_length=MOST)


class ClosingDay(Taken):
    """A later last day to answer."""

    last_day: date


class Round(Said):
    """Where a round stands; never who was asked or has answered."""

    id: UUID
    leader: Person
    programme_id: UUID | None
    pulse: bool = Field(description="whether it only asks what has become of a practice")
    state: RoundState
    level: str
    language: str
    opened_at: datetime | None
    last_day: date
    enough: bool = Field(
        description="whether all raters together had sent enough answers when this was last looked "
        "at, once a day"
    )


class Rounds(Said):
    """Some rounds, the latest closing day first."""

    rounds: list[Round]
    page: int
    more: bool


class PreviewThere(Said):
    """A preview that can be read."""

    round_id: UUID
    leader: str
    released_on: date


class Previews(Said):
    """Previews that the token's person may read."""

    previews: list[PreviewThere]


class Wrong(Said):
    """One thing to mend."""

    place: str = Field(description="the field, such as leaders.0.leader; empty: all of it")
    sentence: str


class Problem(Said):
    """Why something was not done (RFC 9457)."""

    title: str
    status: int
    detail: str
    wrong: list[Wrong] = []
