"""Reads a questionnaire from its folder; a mistake names file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from questionnaires.completeness import faults, ids_in
from questionnaires.definition import Questionnaire, Structure, Texts

INSTRUMENTS = Path(__file__).parent / "instruments"
STRUCTURE_FILE = "questionnaire.yaml"
LARGEST_FILE = 1_000_000
# Nobody mends more at once, and sorting them out takes the square of their number.
MOST_MISTAKES = 200
# A questionnaire has eight levels. The library's time grows faster than the square of their number.
DEEPEST = 20


@dataclass(frozen=True)
class Mistake:
    """One thing to mend in a questionnaire's files."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


class QuestionnaireInvalid(Exception):
    """A questionnaire cannot be used; `mistakes` says everything that is wrong."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def builtin(name: str) -> Questionnaire:
    """Return a questionnaire that ships with the program.

    Raises QuestionnaireInvalid if there is none of that name.
    """
    return read(INSTRUMENTS / name)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the questionnaires that ship with the program."""
    return tuple(sorted(path.parent.name for path in INSTRUMENTS.glob(f"*/{STRUCTURE_FILE}")))


def read(folder: Path) -> Questionnaire:
    """Read the questionnaire in a folder (or one of its files).

    Raises QuestionnaireInvalid with every mistake in every file.
    """
    folder = folder.resolve()
    folder = folder.parent if folder.suffix == ".yaml" else folder
    structure = _Document(folder / STRUCTURE_FILE, Structure)
    texts = {
        path.stem: _Document(path, Texts)
        for path in sorted(folder.glob("*.yaml"))
        if path != structure.path
    }
    mistakes = [
        *structure.mistakes,
        *chain.from_iterable(text.mistakes for text in texts.values()),
        *_mistakes_between(structure, texts),
    ]
    if mistakes or structure.value is None:
        raise QuestionnaireInvalid(mistakes)
    return Questionnaire(
        structure=structure.value,
        texts={language: text.value for language, text in texts.items() if text.value},
    )


def _mistakes_between(
    structure: _Document[Structure], texts: dict[str, _Document[Texts]]
) -> Iterator[Mistake]:
    """Give what is wrong between files that are right in themselves."""
    for language, text in texts.items():
        if text.value and text.value.language != language:
            yield text.mistake(("language",), f"should be {language}, as the file is named")
    if structure.tree is None:
        return
    if not texts:
        yield structure.mistake((), "has no text file beside it, such as en.yaml")
    readable = {language: text.value for language, text in texts.items() if text.value}
    for fault in faults(structure.value, ids_in(_plain(structure.tree)), readable):
        document = texts[fault.language] if fault.language else structure
        yield document.mistake(fault.path, fault.message)


Value = TypeVar("Value", bound=BaseModel)


class _Document(Generic[Value]):
    """A YAML file: the value read from it, or its mistakes, and the lines of its fields."""

    def __init__(self, path: Path, model: type[Value]) -> None:
        self.path = path
        self.value: Value | None = None
        self.mistakes: list[Mistake] = []
        self.tree: Any = None
        try:
            self.tree = _parse(path)
            self.value = model.model_validate(_plain(self.tree))
        except _Unreadable as error:
            self.mistakes = [self.mistake((), str(error), error.line)]
        except ValidationError as error:
            self.mistakes = [
                self.mistake(problem["loc"], _in_words(problem))
                for problem in _innermost(error.errors()[:MOST_MISTAKES])
            ]

    def mistake(self, path: tuple[str | int, ...], message: str, line: int = 0) -> Mistake:
        """Return a mistake at a field of this file, with the line it stands on."""
        names, found = _walk(self.tree, path)
        file = f"{self.path.parent.name}/{self.path.name}"
        return Mistake(file, line or found, ".".join(names), message)


class _Unreadable(Exception):
    """A file from which no value can be read at all."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _parse(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise _Unreadable(f"is larger than {LARGEST_FILE // 1000} kB")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _Unreadable("is not there") from None
    except UnicodeDecodeError as error:
        raise _Unreadable(f"is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None
    tree = _tree(text)
    if not isinstance(tree, CommentedMap):
        raise _Unreadable("should hold fields, one a line, as `name: value`", 1)
    return tree


def _tree(text: str) -> Any:
    yaml = YAML()
    try:
        # A file of nested aliases can stand for more values than fit into memory.
        depth = 0
        for event in yaml.parse(text):
            if isinstance(event, AliasEvent):
                raise _Unreadable("aliases (*) are not read here", event.start_mark.line + 1)
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                raise _Unreadable("is nested too deeply", event.start_mark.line + 1)
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _Unreadable(str(error.problem or error.context), line) from None
    except YAMLError as error:
        raise _Unreadable(str(error).splitlines()[0]) from None
    except TypeError:
        # The library cannot keep a mapping whose own key holds a mapping.
        raise _Unreadable("a field's name should be text, not fields of its own") from None
    except ValueError as error:
        # A number or day that there is not.
        raise _Unreadable(f"cannot be read: {type(error).__name__}") from None


def _plain(node: Any) -> Any:
    """Return the tree in Python's own types, sequences as tuples."""
    if isinstance(node, dict):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return tuple(_plain(value) for value in node)
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _walk(tree: Any, path: tuple[str | int, ...]) -> tuple[list[str], int]:
    """Follow a path as far as it goes; return its steps, by id where there is one, and the line."""
    names: list[str] = []
    node, line = tree, 1 if isinstance(tree, CommentedMap) else 0
    for step in path:
        name = str(step)
        if isinstance(node, CommentedMap) and step in node:
            line, node = node.lc.key(step)[0] + 1, node[step]
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, node = node.lc.item(step)[0] + 1, node[step]
            name = str(node.get("id", step)) if isinstance(node, CommentedMap) else name
        else:
            node = None
        names.append(name)
    return names, line


def _innermost(problems: Sequence[Any]) -> list[Any]:
    """Return problems without those of a place that only follow from one deeper inside."""
    places = [problem["loc"] for problem in problems]
    return [
        problem
        for problem in problems
        if not any(
            len(place) > len(problem["loc"]) and place[: len(problem["loc"])] == problem["loc"]
            for place in places
        )
    ]


def _in_words(problem: Any) -> str:
    """Say what is wrong with a field the way a person would."""
    given = problem.get("input")
    match problem["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not a field of this file"
        case "string_type":
            return f"should be text, not {given!r} (put it in quotes)"
        case "string_pattern_mismatch":
            return f"{given!r} does not fit the pattern {problem['ctx']['pattern']}"
        case _:
            return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, not {given!r}"[:300]
