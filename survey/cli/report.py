"""A preview from a file of answers; needs no database and no server."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from questionnaires import loader
from questionnaires.definition import Questionnaire
from questionnaires.loader import QuestionnaireInvalid
from reports.collected import Collected, FileInvalid, Meaning, collect
from reports.layout import PAGES, Page
from reports.partition import SMALLEST_K, TooFewRaters
from reports.preview import Preview
from reports.printing import Printer, PrintFailed
from reports.sheets import MOST_ROWS, SheetUnreadable, read_sheet
from survey.cli.round_ import DAY
from survey.services import people
from survey.services.tables import UNREADABLE

if TYPE_CHECKING:
    from reports.aggregate import Setting
    from reports.release import Release

PATH = click.Path(dir_okay=False, path_type=Path)


class Pairs(click.ParamType[tuple[str, str]]):
    """Two words around an equals sign, such as PEER=peer."""

    name = "word=meaning"

    def convert(self, value: str, param: object, ctx: object) -> tuple[str, str]:
        """Return both words."""
        said, sign, meant = value.rpartition("=")
        if not sign or not said.strip() or not meant.strip():
            raise click.BadParameter(f"{value} is not of the form WORD=MEANING")
        return said.strip(), meant.strip()


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--questionnaire",
    "name",
    default="technical_leader",
    show_default=True,
    help="One that ships with the program, or a folder with one.",
)
@click.option("--leader", required=True, help="Whom the answers are about.")
@click.option("--level", required=True, help="self_leader, new_lead, manager or senior_leader.")
@click.option("--output", type=PATH, help="The preview as a PDF.")
@click.option("--guide", type=PATH, help="The debrief guide for the coach as a PDF.")
@click.option("--json", "release_file", type=PATH, help="The release that everything is made from.")
@click.option(
    "--before",
    "earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The release (--json) of the leader's last round: says what has changed.",
)
@click.option("--language", default="en", show_default=True)
@click.option("--page", default="a4", show_default=True, type=click.Choice(PAGES))
@click.option(
    "--k",
    default=SMALLEST_K,
    show_default=True,
    type=click.IntRange(SMALLEST_K),
    help="Fewest raters in a group that is shown.",
)
@click.option(
    "--relationship-column",
    default="relationship",
    show_default=True,
    help="The heading above what each rater is to the leader.",
)
@click.option(
    "--relationship",
    "relationships",
    type=Pairs(),
    multiple=True,
    help="What a word in that column means, such as PEER=peer; may be repeated.",
)
@click.option(
    "--column",
    "columns",
    type=Pairs(),
    multiple=True,
    help="What a heading means, such as Q1=MM01; may be repeated.",
)
@click.option(
    "--answer",
    "answers",
    type=Pairs(),
    multiple=True,
    help="What an answer means, such as Often=4 or Cannot say=NOBS; may be repeated.",
)
@click.option(
    "--asked",
    type=Pairs(),
    multiple=True,
    help="How many were asked, such as peer=8; may be repeated.",
)
@click.option("--opened-on", type=DAY, help="First day on which answers were collected.")
@click.option("--closed-on", type=DAY, help="Last day of it; today, if it is not said.")
def report(
    file: Path,
    name: str,
    leader: str,
    level: str,
    output: Path | None,
    guide: Path | None,
    release_file: Path | None,
    earlier: Path | None,
    language: str,
    page: Page,
    k: int,
    relationship_column: str,
    relationships: Sequence[tuple[str, str]],
    columns: Sequence[tuple[str, str]],
    answers: Sequence[tuple[str, str]],
    asked: Sequence[tuple[str, str]],
    opened_on: datetime | None,
    closed_on: datetime | None,
) -> None:  # fmt: skip
    """Make a preview from FILE, a CSV or XLSX table with one row a rater.

    Its headings are relationship (self, manager, peer, direct_report) and the ids of items
    and prompts; an empty cell was skipped, NOBS had no chance to see. Exports of LimeSurvey
    (headings: question code; responses: answer codes) are read as they come. With any fault
    nothing is written.
    """
    if not (output or guide or release_file):
        raise click.UsageError(
            "Say what to write: --output preview.pdf, --guide guide.pdf, --json release.json."
        )
    _check_files((file, earlier), (output, guide, release_file))
    closed = closed_on or datetime.now()  # noqa: DTZ005 - the day on this desk
    if opened_on and opened_on > closed:
        raise click.UsageError("--opened-on lies after --closed-on.")
    questionnaire = _questionnaire(name, level, language)
    meaning = Meaning(relationship_column, dict(relationships), dict(columns), dict(answers))
    collected = _collected(file, questionnaire, level, meaning)
    # pandas is imported only where a report is made.
    from reports.aggregate import Setting

    setting = Setting(
        questionnaire=questionnaire,
        language=language,
        leader=people.clean_name(leader),
        level=level,
        opened_on=opened_on.date() if opened_on else None,
        closed_on=closed.date(),
        k=k,
        asked=_asked(asked, questionnaire, collected),
        sealed=False,
    )
    release = _release(setting, collected)
    written: dict[Path, bytes] = {}
    if release_file:
        written[release_file] = release.to_json().encode()
    preview = Preview(release, questionnaire, _before(earlier, release, questionnaire))
    written |= _printed(preview, output, guide, page)
    _write(written)
    for note in collected.notes:
        click.echo(note, err=True)
    groups = ", ".join(f"{atom.label} ({atom.n})" for atom in release.atoms)
    click.echo(f"Shown: {groups}. Written: {', '.join(str(path) for path in written)}.")


def _check_files(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """Refuse to write over what is read, or one file over another."""
    seen = {path.resolve() for path in read if path}
    for path in filter(None, written):
        if path.resolve() in seen:
            raise click.UsageError(f"{path} is named twice; nothing is written over another file.")
        seen.add(path.resolve())


def _questionnaire(name: str, level: str, language: str) -> Questionnaire:
    known = loader.builtin_names()
    if name not in known and not Path(name).is_dir():
        raise click.ClickException(
            f"There is no questionnaire {name}; known: {', '.join(known)}, or a folder with one."
        )
    try:
        questionnaire = loader.builtin(name) if name in known else loader.read(Path(name))
    except QuestionnaireInvalid as error:
        raise click.ClickException("\n".join(map(str, error.mistakes))) from None
    for what, given, allowed in (
        ("level", level, questionnaire.structure.levels),
        ("language", language, tuple(questionnaire.texts)),
    ):
        if given not in allowed:
            raise click.ClickException(
                f"{questionnaire.name} has no {what} {given}; known: {', '.join(allowed)}."
            )
    return questionnaire


def _collected(file: Path, questionnaire: Questionnaire, level: str, meaning: Meaning) -> Collected:
    try:
        return collect(read_sheet(file.read_bytes()), questionnaire, level, meaning)
    except SheetUnreadable as error:
        place = f"row {error.row}: " if error.row else ""
        reason = UNREADABLE[error.problem] % {"most": MOST_ROWS}
        raise click.ClickException(f"{file}: {place}{reason}") from None
    except FileInvalid as error:
        faults = "\n".join(f"{file}: {fault}" for fault in error.faults)
        raise click.ClickException(f"Nothing was written.\n{faults}") from None


def _asked(
    pairs: Sequence[tuple[str, str]], questionnaire: Questionnaire, collected: Collected
) -> dict[str, int] | None:
    """Return how many of each relationship were asked; None if it was not said."""
    if not pairs:
        return None
    asked: dict[str, int] = {}
    for relationship, number in pairs:
        if relationship not in questionnaire.structure.relationships or not number.isdecimal():
            raise click.ClickException(f"--asked {relationship}={number}: such as peer=8.")
        asked[relationship] = int(number)
    for relationship in questionnaire.structure.relationships:
        there = sum(each.relationship == relationship for each in collected.answers)
        if there > asked.get(relationship, 0):
            raise click.ClickException(
                f"--asked: {there} of {relationship} answered, so at least as many were asked."
            )
    return asked


def _release(setting: Setting, collected: Collected) -> Release:
    from reports.aggregate import aggregate

    try:
        return aggregate(setting, collected.answers, random.SystemRandom())
    except TooFewRaters as reason:
        raise click.ClickException(
            f"Nothing was written: {reason}, without self and those who chose to be shown. With "
            "fewer, figures would say who gave them."
        ) from None


def _before(file: Path | None, release: Release, questionnaire: Questionnaire) -> Preview | None:
    """Return the preview of the leader's last round, for what has changed since."""
    from reports.changes import Changes
    from reports.follow_up import NotAFollowUp

    if file is None:
        return None
    earlier = read_release(file)
    if earlier.leader != release.leader:
        raise click.ClickException(f"{file}: it is about {earlier.leader}, not {release.leader}.")
    if earlier.questionnaire.digest != questionnaire.digest():
        raise click.ClickException(
            f"{file}: it was asked with {earlier.questionnaire.name} "
            f"{earlier.questionnaire.version}, whose words are not those of "
            f"{questionnaire.name} {questionnaire.version}; nothing can be compared."
        )
    before = Preview(earlier, questionnaire)
    try:
        Changes(Preview(release, questionnaire), before)
    except NotAFollowUp as reason:
        raise click.ClickException(f"{file}: {reason}.") from None
    return before


def read_release(file: Path) -> Release:
    """Return a release that was written with --json."""
    from reports.release import Release

    try:
        return Release.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise click.ClickException(
            f"{file}: this is no release as --json writes it ({place}: {first['msg']})."
        ) from None


def _printed(
    preview: Preview, output: Path | None, guide: Path | None, page: Page
) -> dict[Path, bytes]:
    from reports.pdf import guide_html, preview_html

    printer = Printer()
    try:
        return {
            path: printer.print(html(preview), page)
            for path, html in ((output, preview_html), (guide, guide_html))
            if path
        }
    except PrintFailed as reason:
        raise click.ClickException(f"The PDF could not be made: {reason}.") from None
    finally:
        printer.close()


def _write(written: dict[Path, bytes]) -> None:
    """Write all files or none."""
    made: list[tuple[Path, Path]] = []
    try:
        for path, content in written.items():
            beside = path.with_name(f".{path.name}.part")
            made.append((beside, path))
            beside.write_bytes(content)
        for beside, path in made:
            beside.replace(path)
    except OSError as error:
        for beside, _ in made:
            beside.unlink(missing_ok=True)
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None
