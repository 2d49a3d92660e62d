"""What commands share: the application with its database, and looking things up by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import click
from sqlalchemy import false, select

from survey import create_app, jobs
from survey.cli.database import check_up_to_date
from survey.db import session
from survey.errors import NotFound, Refused
from survey.models import Person, Round
from survey.services import people
from survey.services.people import clean_address
from survey.services.tables import TableInvalid
from survey.site import site

Command = TypeVar("Command", bound=Callable[..., Any])


def with_application(command: Command) -> Command:
    """Run a command within the application, and commit what it did."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        app = create_app()
        check_up_to_date(app)
        with app.app_context():
            result = command(*arguments, **options)
            session().commit()
            return result

    return cast(Command, run)


def cleaned_up() -> str:
    """Destroy keys and traces, and say whether that was done; if not, the worker will."""
    try:
        jobs.clean_up(site())
    except Refused as refusal:
        return f"Its keys are still there ({refusal}); the server tries again."
    return "Its keys are destroyed."


def faulty(what: str, table: Path, error: TableInvalid) -> click.ClickException:
    """Return the error that ends a command, with each fault of a table on a line."""
    faults = "\n".join(f"{table}: {fault}" for fault in error.faults)
    return click.ClickException(f"{what}.\n{faults}")


def person_called(address: str) -> Person:
    """Return the person with an address. Raises NotFound."""
    person = people.by_address(session(), clean_address(address))
    if person is None:
        raise NotFound("Nobody here has the address %(address)s.", address=address)
    return person


def round_called(name: str, *, or_pulse: bool = False) -> Round:
    """Return the round whose id begins so. Raises NotFound for none or several."""
    known = name.replace("-", "")
    query = select(Round)
    try:
        first, last = (UUID(known.ljust(32, digit)) for digit in "0f")
        query = query.where(Round.id.between(first, last))
    except ValueError:
        query = query.where(false())
    if not or_pulse:
        query = query.where(Round.is_whole())
    found = session().scalars(query).all()
    if not known or len(found) != 1:
        raise NotFound("%(count)s rounds begin with %(name)s.", count=len(found), name=name)
    return found[0]
