"""Passkeys (WebAuthn, level 2): a key pair in a device or password manager, checked by fido2.

Each answers a challenge that is asked of one browser, for ten minutes, and taken once. The
device says that it has checked who uses it, so that a passkey alone signs in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from reports.text import clean_line
from survey.errors import NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import Passkey, Person
from survey.services import second_step, sign_in

MOST = 20
LONGEST_NAME = 60
CHECKED = UserVerificationRequirement.REQUIRED
Response = TypeVar("Response", RegistrationResponse, AuthenticationResponse)
log = logging.getLogger(__name__)


class PasskeyRefused(Refused):
    """What the browser sent is no answer of a passkey to what it was asked."""

    status = 422
    message = marked(
        "This passkey does not fit, or it took longer than ten minutes. Please try once more."
    )


class TooManyPasskeys(Refused):
    """Nobody needs so many."""

    status = 422
    message = marked("There are %(most)s passkeys already. Remove one first.")


def ask_for_new(
    session: Session, keyring: Keyring, browser: str, person: Person, origin: str, now: datetime
) -> Mapping[str, Any]:
    """Return what a browser needs to make a passkey for a person."""
    user = PublicKeyCredentialUserEntity(
        id=person.id.bytes, name=person.email, display_name=person.name
    )
    known = [AttestedCredentialData(each.credential) for each in _of(session, person)]
    options, state = _server(origin).register_begin(
        user,
        known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=CHECKED,
    )
    sign_in.expect(session, keyring, browser, state["challenge"], None, now)
    return dict(options.public_key)


def add(
    session: Session,
    keyring: Keyring,
    browser: str,
    person: Person,
    answer: str,
    name: str,
    origin: str,
    language: str,
    now: datetime,
) -> Passkey:
    """Take a new passkey for a person. Raises PasskeyRefused, TooManyPasskeys."""
    if len(_of(session, person)) >= MOST:
        raise TooManyPasskeys(most=MOST)
    response = _read(RegistrationResponse, answer)
    state = _asked(session, keyring, browser, response, now)
    try:
        data = _server(origin).register_complete(state, response)
        credential = AttestedCredentialData(data.credential_data or b"")
    except Exception as error:
        raise _refused(error) from error
    if session.scalar(select(Passkey).where(Passkey.credential_id == credential.credential_id)):
        raise PasskeyRefused
    passkey = Passkey(
        person_id=person.id,
        credential_id=credential.credential_id,
        credential=bytes(credential),
        uses=data.counter,
        # The device has made it by now: a name is no reason to refuse it.
        name=clean_line(name)[:LONGEST_NAME] or "Passkey",
        added_at=now,
    )
    session.add(passkey)
    session.flush()
    second_step.tell(session, person, marked("passkey added"), language, now, person)
    return passkey


def ask_for_any(
    session: Session, keyring: Keyring, browser: str, origin: str, now: datetime
) -> Mapping[str, Any]:
    """Return what a browser needs to let somebody choose one of their passkeys."""
    options, state = _server(origin).authenticate_begin(user_verification=CHECKED)
    sign_in.expect(session, keyring, browser, state["challenge"], None, now)
    return dict(options.public_key)


def use(
    session: Session, keyring: Keyring, browser: str, answer: str, origin: str, now: datetime
) -> Person:
    """Return whose passkey has answered. Raises PasskeyRefused; commit in both cases."""
    response = _read(AuthenticationResponse, answer)
    state = _asked(session, keyring, browser, response, now)
    query = select(Passkey).where(Passkey.credential_id == response.raw_id)
    passkey = session.scalars(query).one_or_none()
    if passkey is None:
        raise PasskeyRefused
    try:
        known = [AttestedCredentialData(passkey.credential)]
        _server(origin).authenticate_complete(state, known, response)
    except Exception as error:
        raise _refused(error) from error
    _count(session, passkey, response.response.authenticator_data.counter, now)
    person = session.get_one(Person, passkey.person_id)
    owner = response.response.user_handle
    if not person.may_sign_in() or (owner and owner != person.id.bytes):
        raise PasskeyRefused
    return person


def remove(
    session: Session, person: Person, passkey_id: UUID, language: str, now: datetime
) -> None:
    """Forget one of a person's passkeys. Raises NotFound."""
    passkey = session.get(Passkey, passkey_id)
    if passkey is None or passkey.person_id != person.id:
        raise NotFound
    session.delete(passkey)
    second_step.tell(session, person, marked("passkey removed"), language, now, person)


def _of(session: Session, person: Person) -> list[Passkey]:
    return list(session.scalars(select(Passkey).where(Passkey.person_id == person.id)))


def _count(session: Session, passkey: Passkey, uses: int, now: datetime) -> None:
    """Note a use; a device that counts and has counted less is a copy. Raises PasskeyRefused."""
    noted = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey.id, or_(Passkey.uses == 0, Passkey.uses < uses))
        .values(uses=uses, used_at=now)
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if noted is None:
        log.warning("a passkey counts backwards: it may have been copied")
        raise PasskeyRefused


def _server(origin: str) -> Fido2Server:
    """Return what checks answers: made for our own address, and for no other page of its host."""
    host = urlsplit(origin).hostname or ""
    entity = PublicKeyCredentialRpEntity(name="Preview360", id=host)
    return Fido2Server(entity, verify_origin=lambda given: given == origin)


def _read(kind: type[Response], answer: str) -> Response:
    try:
        read: Response = kind.from_dict(json.loads(answer))
    except Exception as error:
        # Whatever is sent: the library raises as many kinds of errors as it has parts.
        raise _refused(error) from error
    return read


def _asked(
    session: Session, keyring: Keyring, browser: str, response: Response, now: datetime
) -> Mapping[str, Any]:
    """Return what fido2 has to compare, if this browser was asked just that, and not answered."""
    challenge = websafe_encode(response.response.client_data.challenge)
    if sign_in.take(session, keyring, browser, challenge, now) is None:
        raise PasskeyRefused
    return {"challenge": challenge, "user_verification": CHECKED}


def _refused(error: Exception) -> PasskeyRefused:
    log.info("a passkey was refused: %s", type(error).__name__)
    return PasskeyRefused()
