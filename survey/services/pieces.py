"""Long lists, of which a page shows one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, or_

T = TypeVar("T")
MOST = 50


@dataclass(frozen=True)
class Piece(Generic[T]):
    """Some rows of a list: the piece of that number, from 1, and whether there are more."""

    rows: list[T]
    number: int
    more: bool


def piece(fetch: Callable[[Select[Any]], Iterable[T]], query: Select[Any], number: int) -> Piece[T]:
    """Return one piece of what `fetch` finds; a query in a fixed order, please."""
    found = list(fetch(query.limit(MOST + 1).offset((number - 1) * MOST)))
    return Piece(found[:MOST], number, len(found) > MOST)


def holding(words: str, *columns: Any) -> ColumnElement[bool]:
    """Say in a query whether any of these columns has the words in it, in whatever case."""
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
