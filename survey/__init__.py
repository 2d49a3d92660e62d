"""Who asks whom, and when: the web application, its data and its commands."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Request, request
from flask.sessions import SecureCookieSessionInterface
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from survey import access, db, headers, jobs, limits, logs, metrics, refusals, speech, views
from survey.bell import Bell
from survey.clock import Clock, utc_now
from survey.config import Settings, from_environment
from survey.errors import for_log
from survey.keyring import Keyring
from survey.site import EXTENSION, Site
from survey.views import health

TEMPLATES = Path(__file__).parent.parent / "templates"
LARGEST_REQUEST = 128_000
MOST_PARTS = 300


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookies, with a digest that nobody has doubts about."""

    digest_method = staticmethod(hashlib.sha256)


class Application(Flask):
    """Flask, but errors are logged without address and message: both may tell on a rater."""

    session_interface = Cookies()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match a request, under the name that people know; what watches the server knows none."""
        if request is not None and request.path in health.UNDER_ANY_HOST:
            return self.url_map.bind_to_environ(request.environ, subdomain="")
        return super().create_url_adapter(request)

    def log_exception(self, exc_info: Any) -> None:
        """Log which view failed, where, and with what kind of error."""
        error = for_log(exc_info[1])
        self.logger.error("%s %s failed: %s", request.method, request.endpoint, error)


def create_app(
    settings: Settings | None = None,
    clock: Clock = utc_now,
    config: Mapping[str, Any] | None = None,
) -> Flask:
    """Make the application for one installation.

    Without settings they come from the environment. `config` is Flask's own
    configuration, for tests.
    """
    settings = settings or from_environment()
    keyring = Keyring(settings.keyring, settings.side)
    bell = Bell(settings.absolute_queue_url(), jobs.RUNG)
    site = Site(settings, keyring, clock, bell)
    app = Application(__name__, template_folder=str(TEMPLATES))
    secret = _cookie_key(site.keyring)
    app.config.update(_flask_config(settings), SECRET_KEY=secret)
    app.config.update(config or {})
    app.extensions[EXTENSION] = site
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
    )
    # First, so that whatever fails after it is said with its own request.
    logs.init_app(app, settings.proxies)
    metrics.init_app(app, settings)
    db.init_app(app)
    # Batch mode, since SQLite cannot alter a table in place.
    Migrate(app, db.db, directory=str(db.MIGRATIONS), render_as_batch=True)
    limits.init_sizes(app)
    csrf = CSRFProtect(app)
    speech.init_app(app)
    headers.init_app(app, settings)
    refusals.init_app(app)
    views.init_app(app, csrf)
    if settings.oidc_issuer:
        # Not everybody has installed what it is made of.
        from survey.views import openid

        openid.init_app(app, settings)
    limits.init_app(app, bell, clock, secret)
    access.init_app(app)
    return app


def _cookie_key(keyring: Keyring) -> bytes:
    """Return what signs cookies; the closing side serves nobody, and has none to sign."""
    return keyring.secret() if keyring.side.serves else secrets.token_bytes(32)


def _flask_config(settings: Settings) -> dict[str, Any]:
    host = settings.base_url.partition("://")[2]
    return {
        "SQLALCHEMY_DATABASE_URI": settings.absolute_database_url(),
        # An error's message must not carry what was stored into a log.
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},
        "TRUSTED_HOSTS": [host.rpartition(":")[0] or host],
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": LARGEST_REQUEST,
        "MAX_FORM_PARTS": MOST_PARTS,
        "SESSION_COOKIE_NAME": "__Host-preview360" if settings.is_secure() else "preview360",
        "SESSION_COOKIE_SECURE": settings.is_secure(),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # A rater may take a long break in the middle of a page.
        "WTF_CSRF_TIME_LIMIT": None,
        # Our pages send no referrer, so there is none to check.
        "WTF_CSRF_SSL_STRICT": False,
    }
