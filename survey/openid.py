"""Signing in with the organisation's own account: OpenID Connect, spoken by Authlib.

The organisation says whose address it is; who that is here, our own list of people says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from flask import Flask, current_app, session
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from survey.config import Settings
from survey.errors import NotAllowed, Refused, marked
from survey.services.people import AddressInvalid, clean_address
from survey.site import site

EXTENSION = "preview360_organisation"
WELL_KNOWN = "/.well-known/openid-configuration"
SECONDS_TO_ANSWER = 10
LEEWAY_SECONDS = 60
BEGUN = "_state_"
# What Authlib raises where a provider does not answer, or says what makes no sense.
ILL = (RequestException, RuntimeError, ValueError, KeyError, TypeError, AttributeError)
log = logging.getLogger(__name__)


class OrganisationAway(Refused):
    """The provider does not answer, or not as it should."""

    status = 503
    message = marked(
        "The sign-in of your organisation does not answer just now. Please try again in a few "
        "minutes."
    )


class NotConfirmed(NotAllowed):
    """What came back does not show who signs in."""

    message = marked(
        "Your organisation has not confirmed who you are. Please begin again from the sign-in page."
    )


class AddressUnverified(NotAllowed):
    """The provider names an address, and does not say that it has been checked."""

    message = marked(
        "Your organisation has not confirmed that %(address)s is your address. Whoever runs its "
        "sign-in can change that."
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Get ready to ask the provider; it is not asked before somebody signs in."""
    told: dict[str, Any] = {"default_timeout": SECONDS_TO_ANSWER, "scope": "openid email"}
    if not settings.oidc_secret:
        told["token_endpoint_auth_method"] = "none"  # noqa: S105
    app.extensions[EXTENSION] = OAuth(app).register(
        "organisation",
        client_id=settings.oidc_client,
        client_secret=settings.oidc_secret or None,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + WELL_KNOWN,
        client_kwargs={"code_challenge_method": "S256", **told},
    )


def leave(back: str) -> Response:
    """Send the browser to the provider, to return to `back` with what only it can bring.

    Raises OrganisationAway.
    """
    # Of those that were not finished: a browser takes only so much.
    for name in [name for name in session if name.startswith(BEGUN)]:
        del session[name]
    try:
        if issuer() != site().settings.oidc_issuer:
            raise ValueError("it calls itself something else than is set")
        answer: Response = _provider().authorize_redirect(back)
    except ILL as error:
        raise _away(error) from error
    return answer


def issuer() -> str:
    """Ask the provider what it calls itself. Raises OrganisationAway."""
    try:
        return str(_provider().load_server_metadata()["issuer"])
    except ILL as error:
        raise _away(error) from error


def verified_address() -> str:
    """Return the address of whoever returns from the provider, which says that it is theirs.

    Raises OrganisationAway, NotConfirmed, AddressUnverified.
    """
    settings = site().settings
    try:
        token = _provider().authorize_access_token(
            claims_options=expected(settings), leeway=LEEWAY_SECONDS
        )
        claims = _claims(token)
    except (AuthlibBaseError, JoseError) as error:
        # Its kind says what is wrong; its text could quote what was sent.
        log.warning("the organisation's sign-in was not confirmed: %s", type(error).__name__)
        raise NotConfirmed from error
    except ILL as error:
        raise _away(error) from error
    try:
        address = clean_address(str(claims.get("email", "")))
    except AddressInvalid as error:
        raise NotConfirmed from error
    # Some providers write it as a word or a number.
    if str(claims.get(settings.oidc_verified)).lower() not in ("true", "1"):
        raise AddressUnverified(address=address)
    return address


def expected(settings: Settings) -> dict[str, Any]:
    """Return what a token must say: from our provider, for us. Authlib asks only if told."""
    return {
        "iss": {"essential": True, "value": settings.oidc_issuer},
        "aud": {"essential": True, "value": settings.oidc_client},
    }


def _claims(token: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the token says; the address is asked for where it is not in it."""
    claims: Mapping[str, Any] | None = token.get("userinfo")
    if claims is None:
        raise NotConfirmed
    if "email" not in claims and "userinfo_endpoint" in _provider().server_metadata:
        more: Mapping[str, Any] = _provider().userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise NotConfirmed
        return more
    return claims


def _provider() -> FlaskOAuth2App:
    provider: FlaskOAuth2App = current_app.extensions[EXTENSION]
    return provider


def _away(error: Exception) -> OrganisationAway:
    log.error("the organisation's sign-in failed: %s", type(error).__name__)
    # Authlib would keep for ever what it was told while something was wrong there.
    _provider().server_metadata.clear()
    return OrganisationAway()
