"""An OpenID Connect provider as organisations run them: Django OAuth Toolkit in a process.

`python -m tests.provider PORT BACK` serves it on 127.0.0.1 for one client, whose browsers may
come back to BACK. It knows Robin, and Sam, whose address nobody has checked; both sign in with
the same password.
"""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from waitress import serve

CLIENT, SECRET, PASSWORD = "preview360", "only-both-know-this", "an-invented-password"
CHECKED, UNCHECKED = "robin", "sam"
LOGIN_PAGE = """<!doctype html><title>Example Works</title><h1>Example Works</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<button>Log in</button></form>"""


def main() -> None:
    """Serve until ended."""
    port, back = int(sys.argv[1]), sys.argv[2]
    with TemporaryDirectory() as folder:
        _configure(f"http://127.0.0.1:{port}/o", folder)
        django.setup()
        call_command("migrate", verbosity=0)
        _fill(back)
        serve(get_wsgi_application(), host="127.0.0.1", port=port, _quiet=True)


def _configure(issuer: str, folder: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/provider.db",
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": issuer,
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "OAUTH2_VALIDATOR_CLASS": "tests.provider_claims.Claims",
            "SCOPES": {"openid": "who one is", "email": "the address"},
        },
        ROOT_URLCONF="tests.provider_claims",
        SECRET_KEY="invented",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"registration/login.html": LOGIN_PAGE},
                        )
                    ]
                },
            }
        ],
        LOGIN_URL="/login",
        USE_TZ=True,
    )


def _fill(back: str) -> None:
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    for name in (CHECKED, UNCHECKED):
        User.objects.create_user(name, f"{name}@example.org", PASSWORD)
    Application.objects.create(
        client_id=CLIENT,
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=back,
        skip_authorization=True,
        algorithm=Application.RS256_ALGORITHM,
    )


if __name__ == "__main__":
    main()
