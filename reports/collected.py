"""Answers that were collected elsewhere, read from a table: a row a rater, a column an item.

Our own headings are `relationship`, optionally `rater` and `identified`, and the ids of
items and prompts. Exports of LimeSurvey are read as they come, others by saying which
heading and value mean what.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from questionnaires.definition import SELF, Prompt, Questionnaire
from reports.answers import NO_CHANCE, Answers
from reports.sheets import Line
from reports.text import clean_line, clean_text

NOT_OBSERVED = "NOBS"
YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n", "")
# Columns that say something of the collecting, not of the leader.
RATER, IDENTIFIED, SENT = "rater", "identified", "submitdate"
OF_THE_TOOL = frozenset(
    ("id", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl")
)
# How survey tools name the fields of a question: MM[MM01], OP3[2], OP3-2.
FIELD = re.compile(r"(?P<outer>\w+?)(?:\[(?P<inner>\w+)\]|-(?P<number>\d))")
LONGEST_COMMENT = 10_000


@dataclass(frozen=True)
class Fault:
    """One thing to mend; row 1 holds the headings, and row 0 is the whole file."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = [f"row {self.row}"] if self.row else []
        if self.column:
            place.append(f"column {self.column}")
        return ": ".join([", ".join(place), self.reason] if place else [self.reason])


class FileInvalid(ValueError):
    """A table with faults; nothing of it was used."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Meaning:
    """What a file's own headings and values mean; what is not named means itself."""

    relationship_column: str = "relationship"
    relationships: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Collected:
    """Everybody's answers, and what of the file was left out, in sentences."""

    answers: tuple[Answers, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Columns:
    """Where things stand: places in a row, and the headings by which faults name them."""

    headings: Sequence[str]
    relationship: int
    items: Mapping[str, int]
    prompts: Mapping[str, tuple[int, ...]]
    others: Mapping[str, int]


def collect(
    lines: Sequence[Line], questionnaire: Questionnaire, level: str, meaning: Meaning
) -> Collected:
    """Return the answers in a table (headings first) to a questionnaire at a level.

    Raises FileInvalid with every fault at once.
    """
    columns, faults, notes = _columns(lines[0].cells, questionnaire, level, meaning)
    reader = _Reader(questionnaire, columns, meaning, faults)
    sent = [line for line in lines[1:] if any(line.cells) and reader.counts(line)]
    answers = [reader.answers(line) for line in sent]
    faults += _faults_together(sent, answers, columns)
    if faults:
        raise FileInvalid(sorted(faults, key=lambda fault: fault.row))
    return Collected(tuple(answers), (*notes, *reader.left_out()))


def _columns(
    headings: Sequence[str], questionnaire: Questionnaire, level: str, meaning: Meaning
) -> tuple[_Columns, list[Fault], list[str]]:
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(headings):
        places.setdefault(_meant(heading, questionnaire, meaning), []).append(place)
    asked = [item.id for item in questionnaire.items_at(level)]
    prompts = {prompt.id: prompt.fields for prompt in questionnaire.structure.prompts}
    faults = [
        Fault(1, headings[found[-1]], "this heading is there twice")
        for name, found in places.items()
        if name and len(found) > prompts.get(name, 1)
    ]
    faults += _missing(asked, places, headings, level)
    if meaning.relationship_column not in places:
        reason = (
            "this column is missing; it says who each rater is to the leader "
            "(--relationship-column names another)"
        )
        faults.append(Fault(1, meaning.relationship_column, reason))
        # Without it no row can be read; any other fault leaves rows that may have more.
        raise FileInvalid(faults)
    columns = _Columns(
        headings=headings,
        relationship=places[meaning.relationship_column][0],
        items={item: places[item][0] for item in asked if item in places},
        prompts={name: tuple(places[name]) for name in prompts if name in places},
        others={name: places[name][0] for name in (RATER, IDENTIFIED, SENT) if name in places},
    )
    known = {*asked, *prompts, meaning.relationship_column, RATER, IDENTIFIED, SENT, *OF_THE_TOOL}
    items = {item.id for item in questionnaire.structure.items()}
    unknown = [name for name in places if name and name not in known]
    return columns, faults, list(_notes_on_columns(unknown, items, level))


def _missing(
    asked: Sequence[str], places: Mapping[str, object], headings: Sequence[str], level: str
) -> list[Fault]:
    missing = [item for item in asked if item not in places]
    if len(missing) == len(asked):
        return [Fault(1, "", _no_codes(headings))]
    reason = f"this column is missing; the level {level} asks for it"
    return [Fault(1, item, reason) for item in missing]


def _notes_on_columns(unknown: Sequence[str], items: set[str], level: str) -> Iterator[str]:
    if elsewhere := [name for name in unknown if name in items]:
        yield f"Not asked at the level {level}, so left out: {', '.join(elsewhere)}."
    if foreign := [name for name in unknown if name not in items]:
        yield f"Columns that mean nothing here, so left out: {', '.join(foreign)}."


def _meant(heading: str, questionnaire: Questionnaire, meaning: Meaning) -> str:
    """Return the id that a heading stands for, or the heading itself."""
    name = meaning.columns.get(heading, heading)
    ids = {item.id for item in questionnaire.structure.items()}
    ids |= {prompt.id for prompt in questionnaire.structure.prompts}
    if name in ids or not (parts := FIELD.fullmatch(name)):
        return name
    if parts["inner"] in ids:
        return parts["inner"]
    return parts["outer"] if parts["outer"] in ids else name


def _no_codes(headings: Sequence[str]) -> str:
    if any(len(heading.split()) > 5 for heading in headings):
        return (
            "the headings are whole questions, so no column can be told; export again with "
            "question codes as headings (in LimeSurvey: Headings: Question code, Responses: "
            "Answer codes)"
        )
    return (
        "no heading is the id of an item; name the columns after the items (MM01, MM02, …), or say "
        "what they mean with --column HEADING=ID"
    )


class _Reader:
    """Reads one row after the other, and gathers what is wrong or left out."""

    def __init__(
        self,
        questionnaire: Questionnaire,
        columns: _Columns,
        meaning: Meaning,
        faults: list[Fault],
    ) -> None:
        self.questionnaire, self.columns, self.meaning = questionnaire, columns, meaning
        self.faults = faults
        self.points = questionnaire.structure.scale.points
        self.known = (SELF, *questionnaire.structure.relationships)
        self._never_sent: list[int] = []
        self._not_asked: Counter[tuple[str, str]] = Counter()

    def counts(self, line: Line) -> bool:
        """Say whether a response was sent; an export also holds those that were begun."""
        if len(line.cells) != len(self.columns.headings):
            there, wanted = len(line.cells), len(self.columns.headings)
            self._fault(line, None, f"{there} cells where there are {wanted} headings")
            return False
        sent = self.columns.others.get(SENT)
        if sent is None or line.cells[sent]:
            return True
        self._never_sent.append(line.number)
        return False

    def answers(self, line: Line) -> Answers:
        """Return what a row says; what cannot be read is a fault and left open."""
        relationship = self._relationship(line)
        identified = relationship != SELF and self._identified(line)
        items = {}
        for item, place in self.columns.items.items():
            if (answer := self._answer(line, place)) is not None:
                items[item] = answer
        words = {}
        for name, fields in self._words(line).items():
            prompt = self._asked(name, relationship, identified=identified)
            if prompt is None:
                self._not_asked[name, relationship] += 1
            else:
                words[prompt.id] = fields
        return Answers(relationship, identified, items, words)

    def left_out(self) -> Iterator[str]:
        """Say what was not used."""
        if self._never_sent:
            rows = ", ".join(map(str, self._never_sent))
            yield f"Begun but never sent, so not counted: row {rows}."
        for (prompt, relationship), count in self._not_asked.items():
            yield (
                f"{prompt}: {count} left out. The questionnaire does not ask it of {relationship}, "
                "so it could show who wrote it."
            )

    def _relationship(self, line: Line) -> str:
        said = line.cells[self.columns.relationship]
        meant = self.meaning.relationships.get(said, said)
        if meant not in self.known:
            found = f"“{said}” is no relationship" if said else "the relationship is missing"
            self._fault(
                line,
                self.columns.relationship,
                f"{found}; known: {', '.join(self.known)} (--relationship {said or 'PEER'}=… says "
                "what another word means)",
            )
        return meant

    def _identified(self, line: Line) -> bool:
        place = self.columns.others.get(IDENTIFIED)
        said = "" if place is None else line.cells[place].lower()
        if said not in YES + NO:
            self._fault(line, place, f"“{said}” is neither yes nor no")
        return said in YES

    def _answer(self, line: Line, place: int) -> int | None:
        said = line.cells[place]
        said = self.meaning.answers.get(said, said)
        if not said:
            return None
        if said.upper() == NOT_OBSERVED:
            return NO_CHANCE
        if said.isdecimal() and 1 <= int(said) <= self.points:
            return int(said)
        self._fault(
            line,
            place,
            f"“{said[:40]}” is no point of the scale, 1 to {self.points}; leave it empty if it was "
            f"skipped, write {NOT_OBSERVED} for no chance to see",
        )
        return None

    def _words(self, line: Line) -> dict[str, tuple[str, ...]]:
        """Return what was written, by prompt, as many fields as the prompt has."""
        found = {}
        for prompt in self.questionnaire.structure.prompts:
            places = self.columns.prompts.get(prompt.id, ())
            texts = [text for place in places if (text := clean_text(line.cells[place]))]
            if texts and not prompt.private:
                found[prompt.id] = self._fields(line, places, prompt, texts)
        return found

    def _fields(
        self, line: Line, places: Sequence[int], prompt: Prompt, texts: list[str]
    ) -> tuple[str, ...]:
        longest = prompt.max_length
        if prompt.format == "text":
            fields, longest = [" ".join(texts)], LONGEST_COMMENT
        elif prompt.format == "three_words" and len(texts) == 1:
            fields = [word for part in re.split(r"[,;\n]", texts[0]) if (word := clean_line(part))]
        else:
            fields = [clean_line(text) for text in texts]
        if len(fields) > prompt.fields:
            self._fault(line, places[0], f"{len(fields)} words where {prompt.fields} are asked for")
        for text in fields:
            if len(text) > longest:
                self._fault(line, places[0], f"{len(text)} letters; at most {longest} fit")
        return tuple(fields) + ("",) * (prompt.fields - len(fields))

    def _asked(self, name: str, relationship: str, *, identified: bool) -> Prompt | None:
        """Return the prompt that an answer belongs to; None where it was not asked.

        A file may hold the leader's own three words in the column of everybody's.
        """
        asked = self.questionnaire.prompts_for(relationship, identified=identified)
        for prompt in asked:
            if prompt.id == name:
                return prompt
        written = next(p for p in self.questionnaire.structure.prompts if p.id == name)
        if relationship == SELF and written.format == "three_words":
            return next((prompt for prompt in asked if prompt.format == "three_words"), None)
        return None

    def _fault(self, line: Line, place: int | None, reason: str) -> None:
        column = "" if place is None else self.columns.headings[place]
        self.faults.append(Fault(line.number, column, reason))


def _faults_together(
    lines: Sequence[Line], answers: Sequence[Answers], columns: _Columns
) -> Iterator[Fault]:
    """Find what only shows across rows."""
    if not answers:
        yield Fault(0, "", "there is no response in this file")
    if sum(each.relationship == SELF for each in answers) > 1:
        yield Fault(0, columns.headings[columns.relationship], "self is there more than once")
    place = columns.others.get(RATER)
    if place is None:
        return
    first: dict[str, int] = {}
    for line in lines:
        name = line.cells[place]
        if name and name in first:
            yield Fault(line.number, RATER, f"“{name}” has answered in row {first[name]} already")
        first.setdefault(name, line.number)
