"""What the types cannot say: ids that must match, texts that must be there, holes to fill."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from questionnaires.definition import SELF, Structure, Texts, Wording

Path = tuple[str | int, ...]
FEWEST_OPTIONS = 2
# A pulse is open for two weeks; the one before has ended long since, and the year is over after.
APART = 45
LONGEST_AFTER = 365
PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place; `language` is None for the structure file."""

    language: str | None
    path: Path
    message: str


@dataclass(frozen=True)
class Ids:
    """The ids of a structure, for which each text file must have words."""

    relationships: frozenset[str]
    levels: frozenset[str]
    themes: frozenset[str]
    facets: frozenset[str]
    items: frozenset[str]
    prompts: frozenset[str]


def ids_in(tree: Any) -> Ids:
    """Return the ids in a structure file as it was parsed, right or not in everything else."""
    themes = _parts(tree, "themes")
    facets = [facet for theme in themes for facet in _parts(theme, "facets")]
    items = [item for facet in facets for item in _parts(facet, "items")]
    return Ids(
        relationships=frozenset((SELF, *_names(tree, "relationships"))),
        levels=frozenset(_names(tree, "levels")),
        themes=_ids(themes),
        facets=_ids(facets),
        items=_ids(items),
        prompts=_ids(_parts(tree, "prompts")),
    )


def _parts(tree: Any, field: str) -> list[Any]:
    parts = tree.get(field) if isinstance(tree, Mapping) else None
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, tuple) else []


def _names(tree: Any, field: str) -> list[str]:
    names = tree.get(field) if isinstance(tree, Mapping) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, tuple) else []


def _ids(parts: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(part["id"] for part in parts if isinstance(part.get("id"), str))


def faults(structure: Structure | None, ids: Ids, texts: Mapping[str, Texts]) -> list[Fault]:
    """Return everything that keeps structure and texts from being one whole questionnaire.

    Without a structure that is right in itself, what can be said by its ids.
    """
    found = []
    if structure is not None:
        found = [Fault(None, path, message) for path, message in _in_structure(structure)]
    for language, text in texts.items():
        found += [Fault(language, path, message) for path, message in _in_words(ids, text)]
        if structure is not None:
            found += [Fault(language, path, said) for path, said in _in_texts(structure, text)]
    return found


def _in_structure(structure: Structure) -> Iterator[tuple[Path, str]]:
    yield from _repeated("relationships", structure.relationships)
    yield from _repeated("levels", structure.levels)
    if SELF in structure.relationships:
        yield ("relationships",), "self is always there and not listed"
    yield from _repeated("themes", [theme.id for theme in structure.themes])
    yield from _repeated("themes", [facet.id for facet in structure.facets()])
    yield from _repeated("themes", [item.id for item in structure.items()])
    yield from _repeated("prompts", [prompt.id for prompt in structure.prompts])
    yield from _in_scale(structure)
    yield from _in_levels(structure)
    yield from _in_prompts(structure)
    yield from _in_pulse(structure)


def _repeated(field: str, ids: Iterable[str]) -> Iterator[tuple[Path, str]]:
    for each, times in Counter(ids).items():
        if times > 1:
            yield (field,), f"{each} is there {times} times"


def _in_scale(structure: Structure) -> Iterator[tuple[Path, str]]:
    if not 1 < structure.scale.often_from <= structure.scale.points:
        yield ("scale", "often_from"), f"should lie above 1 and at most at {structure.scale.points}"


def _in_levels(structure: Structure) -> Iterator[tuple[Path, str]]:
    levels = set(structure.levels)
    for t, theme in enumerate(structure.themes):
        for f, facet in enumerate(theme.facets):
            for i, item in enumerate(facet.items):
                path = ("themes", t, "facets", f, "items", i, "levels")
                yield from _matching(path, item.levels, levels, "level")
    for level in structure.levels:
        if not any(item.levels.get(level) == "focus" for item in structure.items()):
            yield ("levels",), f"no item is in focus at {level}"


def _in_prompts(structure: Structure) -> Iterator[tuple[Path, str]]:
    known = {SELF, *structure.relationships}
    for p, prompt in enumerate(structure.prompts):
        path = ("prompts", p, "asked_of")
        for relationship in prompt.asked_of:
            if relationship not in known:
                yield path, f"{relationship} is not a relationship of this questionnaire"
        if SELF in prompt.asked_of and len(prompt.asked_of) > 1:
            yield path, "a prompt is put either to self or to others"
        if prompt.required and SELF not in prompt.asked_of:
            yield ("prompts", p, "required"), "only a prompt to self may be required"


def _in_pulse(structure: Structure) -> Iterator[tuple[Path, str]]:
    pulse = structure.pulse
    between = [after - before for before, after in pairwise((0, *pulse.after_days))]
    if pulse.after_days[0] < 1 or min(between[1:], default=APART) < APART:
        yield ("pulse", "after_days"), f"should rise from 1 on, {APART} days or more apart"
    if pulse.after_days[-1] > LONGEST_AFTER:
        yield ("pulse", "after_days"), f"should end at {LONGEST_AFTER}"
    keys = [item.id for item in pulse.items]
    keys += [
        f"{item.id}_{number}" for item in pulse.items if item.per_practice for number in (1, 2)
    ]
    yield from _repeated("pulse", keys)
    if all(item.format == "text" for item in pulse.items):
        yield ("pulse", "items"), "nothing in it can be counted"
    for number, item in enumerate(pulse.items):
        path = ("pulse", "items", number, "options")
        if item.format == "options" and item.options < FEWEST_OPTIONS:
            yield path, f"should be {FEWEST_OPTIONS} or more to choose from"
        if item.format != "options" and item.options:
            yield path, f"has no meaning for {item.format}"
    if tuple(sorted(pulse.change)) != pulse.change or sum(pulse.change) != 0:
        yield ("pulse", "change"), "should rise evenly from less to more, with 0 in the middle"


def _in_words(ids: Ids, texts: Texts) -> Iterator[tuple[Path, str]]:
    yield from _matching(("relationships",), texts.relationships, ids.relationships, "relationship")
    yield from _matching(("levels",), texts.levels, ids.levels, "level")
    yield from _matching(("themes",), texts.themes, ids.themes, "theme")
    yield from _matching(("facets",), texts.facets, ids.facets, "facet")
    yield from _matching(("items",), texts.items, ids.items, "item")
    yield from _matching(("prompts",), texts.prompts, ids.prompts, "prompt")
    for theme_id, theme in texts.themes.items():
        yield from _matching(("themes", theme_id, "why"), theme.why, ids.levels, "level")
    yield from _in_item_texts(texts, ids.levels)


def _in_texts(structure: Structure, texts: Texts) -> Iterator[tuple[Path, str]]:
    yield from _in_scale_texts(structure, texts)
    yield from _in_prompt_texts(structure, texts)
    yield from _in_pulse_texts(structure, texts)


def _matching(
    path: Path, given: Iterable[str], wanted: Set[str], kind: str
) -> Iterator[tuple[Path, str]]:
    present = set(given)
    for each in sorted(wanted - present):
        yield path, f"{each} is missing"
    for each in sorted(present - wanted):
        yield (*path, each), f"there is no {kind} {each}"


def _in_item_texts(texts: Texts, levels: Set[str]) -> Iterator[tuple[Path, str]]:
    for item_id, item in texts.items.items():
        path: Path = ("items", item_id)
        yield from _voices(path, item)
        yield from _holes((*path, "behaviour"), item.behaviour, allowed=())
        for level, wording in item.levels.items():
            if level not in levels:
                yield (*path, "levels", level), f"there is no level {level}"
            yield from _voices((*path, "levels", level), wording)
            yield from _holes((*path, "levels", level, "behaviour"), wording.behaviour, allowed=())


def _in_scale_texts(structure: Structure, texts: Texts) -> Iterator[tuple[Path, str]]:
    if len(texts.scale.points) != structure.scale.points:
        yield ("scale", "points"), f"should name {structure.scale.points} points"
    yield from _voices(("scale", "stem"), texts.scale.stem)
    yield from _holes(("scale", "not_observed", "self"), texts.scale.not_observed.self_, ())
    yield from _holes(("scale", "not_observed", "other"), texts.scale.not_observed.other, ())


def _in_prompt_texts(structure: Structure, texts: Texts) -> Iterator[tuple[Path, str]]:
    to_self = {prompt.id for prompt in structure.prompts if SELF in prompt.asked_of}
    for prompt_id, prompt in texts.prompts.items():
        name = () if prompt_id in to_self else ("name",)
        yield from _holes(("prompts", prompt_id, "text"), prompt.text, allowed=name, needed=name)
        yield from _holes(("prompts", prompt_id, "heading"), prompt.heading, allowed=())


def _in_pulse_texts(structure: Structure, texts: Texts) -> Iterator[tuple[Path, str]]:
    pulse, text = structure.pulse, texts.pulse
    yield from _matching(
        ("pulse", "items"), text.items, {item.id for item in pulse.items}, "pulse item"
    )
    if len(text.change) != len(pulse.change):
        yield ("pulse", "change"), f"should name {len(pulse.change)} points"
    yield from _holes(("pulse", "intro"), text.intro, ("name",))
    for item in pulse.items:
        if item.id not in text.items:
            continue
        path: Path = ("pulse", "items", item.id)
        words = text.items[item.id]
        if len(words.options) != item.options:
            yield (*path, "options"), f"should name {item.options} options"
        needed = ("behaviour",) if item.per_practice else ()
        yield from _holes((*path, "text"), words.text, ("name", *needed), needed)


def _voices(path: Path, wording: Wording) -> Iterator[tuple[Path, str]]:
    yield from _holes((*path, "self"), wording.self_, allowed=())
    yield from _holes((*path, "other"), wording.other, allowed=("name",), needed=("name",))


def _holes(
    path: Path, text: str, allowed: Collection[str], needed: Collection[str] = ()
) -> Iterator[tuple[Path, str]]:
    there = {match.group(1) for match in PLACEHOLDER.finditer(text)}
    for name in sorted(set(needed) - there):
        yield path, f"{{{name}}} is missing"
    for hole in sorted({match.group(0) for match in PLACEHOLDER.finditer(text)}):
        if hole.strip("{}") not in allowed:
            yield path, f"{hole} has no meaning here"
