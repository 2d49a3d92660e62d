"""Settings from the environment: PREVIEW360_<NAME>, with defaults for trying it out."""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error as NotBase64
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.policy import EmailPolicy
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from reports.language import spoken
from reports.partition import SMALLEST_K
from survey.errors import Refused, marked
from survey.keyring import Side

PREFIX = "PREVIEW360_"
MAIL_SCHEMES = ("smtp", "smtps", "file")
# What a queue can stand on, and the module that each needs.
QUEUE_DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg", "redis": "redis", "rediss": "redis"}
FEWEST_DAYS_OF_RECORDS = 180
SHORTEST_KEY = 20


class SettingUnknown(Refused):
    """A variable that looks like a setting and is none: probably misspelt."""

    message = marked("%(name)s is no setting. Known are: %(known)s")


class Settings(BaseSettings):
    """Everything an installation can set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    organisation: str = Field("Your organisation", description="name in pages and mails")
    contact: str = Field("", description="address that answers replies to mails")
    base_url: str = Field(
        "http://127.0.0.1:8360", description="where people reach this server; links begin with it"
    )
    database_url: str = Field(
        "sqlite:///preview360-data/preview360.db", description="SQLAlchemy URL of the database"
    )
    queue_url: str = Field(
        "sqlite:///preview360-data/queue.db",
        description="what wakes workers: `sqlite:///file`, `postgresql://…` or `redis://…`",
    )
    keyring: Path = Field(
        Path("preview360-keyring"), description="folder of secrets, apart from the database"
    )
    side: Side = Field(
        Side.BOTH,
        description="web (pages, mails), closing (closes rounds, holds ballot keys) or both",
    )
    mail_url: str = Field(
        "",
        description="`smtp://user:password@host:587` (with STARTTLS where offered), "
        "`smtps://user:password@host:465`, or `file:folder` while developing; empty: mails wait",
    )
    mail_from: str = Field("Preview360 <preview360@localhost>", description="sender of all mails")
    mail_timeout: float = Field(20, gt=0, le=300, description="seconds to wait for a mail server")
    k: int = Field(
        SMALLEST_K,
        ge=SMALLEST_K,
        le=20,
        description="fewest raters in a group that is shown; never below 3, and fixed for a round "
        "when it is prepared",
    )
    rounds_a_person: int = Field(
        12, ge=0, le=1000, description="most rounds that ask one person within 90 days; 0: no limit"
    )
    keep_previews: int = Field(
        1095,
        ge=0,
        le=36_500,
        description="days until a preview and all that came of it go; 0: never",
    )
    keep_records: int = Field(
        365,
        ge=0,
        le=36_500,
        description="days until mails, the audit list and who was asked go; 0: never; at least "
        f"{FEWEST_DAYS_OF_RECORDS}",
    )
    print_ahead: int = Field(
        14,
        ge=0,
        le=365,
        description="days for which a new preview is kept as a PDF, printed before somebody asks; "
        "0: printed when somebody does",
    )
    language: str = Field(
        "en",
        description="language of pages where nobody chose one: en or de; a round speaks its own",
    )
    time_zone: str = Field("UTC", description="where a closing day ends, such as Europe/Berlin")
    log: Literal["text", "json"] = Field(
        "text", description="lines of the log for people (text) or for a collector (json)"
    )
    metrics_key: str = Field(
        "",
        description="what Prometheus shows to read `/metrics`, at least "
        f"{SHORTEST_KEY} characters; empty: nobody reads it",
    )
    proxies: int = Field(0, ge=0, le=5, description="reverse proxies in front of this server")
    oidc_issuer: str = Field(
        "",
        description="the OpenID Connect provider with which the organisation's people sign in, as "
        "it calls itself: `https://login.example.org/realms/works`",
    )
    oidc_client: str = Field("", description="what the provider calls this installation")
    oidc_secret: str = Field("", description="what only the provider and this installation know")
    oidc_verified: str = Field(
        "email_verified", description="claim that says whether an address is verified"
    )
    webhook_url: str = Field(
        "", description="where another program is told what becomes of rounds; empty: nowhere"
    )
    webhook_secret: str = Field(
        "",
        description="what these messages are signed with: `whsec_` and 24 to 64 bytes as base64",
    )
    mailed_codes: bool = Field(
        True, description="whether people may sign in with a mailed code (beside a provider)"
    )
    second_step: Literal["optional", "administrators", "everybody"] = Field(
        "optional",
        description="who has to set up a passkey or an authenticator app beside mailed codes: "
        "`administrators`, `everybody`, or nobody (`optional`)",
    )

    @field_validator("keep_records")
    @classmethod
    def _outlasts_pulses(cls, value: int) -> int:
        if 0 < value < FEWEST_DAYS_OF_RECORDS:
            raise ValueError(
                f"should be 0 or at least {FEWEST_DAYS_OF_RECORDS}: pulses ask the same raters"
            )
        return value

    @field_validator("metrics_key")
    @classmethod
    def _cannot_be_guessed(cls, value: str) -> str:
        if value and len(value) < SHORTEST_KEY:
            raise ValueError(f"should have at least {SHORTEST_KEY} characters, or be empty")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        parts = _parts(value)
        plain = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("should be http:// or https:// and a host")
        if value.lower().rstrip("/") != plain.lower() or " " in value:
            raise ValueError("should be http:// or https:// and a host, without a path")
        return plain

    @field_validator("database_url")
    @classmethod
    def _is_database_url(cls, value: str) -> str:
        try:
            make_url(value).get_dialect()().import_dbapi()
        except (NoSuchModuleError, ImportError) as error:
            raise ValueError(f"needs a driver that is not installed: {error}") from None
        except ArgumentError:
            raise ValueError("should be an SQLAlchemy URL, such as sqlite:///file.db") from None
        return value

    @field_validator("queue_url")
    @classmethod
    def _is_queue_url(cls, value: str) -> str:
        try:
            store = make_url(value).get_backend_name()
        except ArgumentError:
            store = ""
        if store not in QUEUE_DRIVERS or (store == "sqlite" and not make_url(value).database):
            raise ValueError("should begin with sqlite:///, postgresql:// or redis://")
        if find_spec(QUEUE_DRIVERS[store]) is None:
            raise ValueError(f"needs a driver that is not installed: {QUEUE_DRIVERS[store]}")
        return value

    @field_validator("mail_url")
    @classmethod
    def _is_mail_url(cls, value: str) -> str:
        if not value:
            return value
        parts = _parts(value)
        if parts.scheme not in MAIL_SCHEMES:
            raise ValueError("should begin with smtp://, smtps:// or file:")
        if parts.scheme == "file" and not value.removeprefix("file:").strip("/"):
            raise ValueError("should name a folder, as in file:mails")
        if parts.scheme != "file" and not parts.hostname:
            raise ValueError("should name a host, as in smtp://mail.example.org:587")
        if not unquote(parts.password or "").isascii():
            raise ValueError("mail servers take a password only in ASCII letters")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        try:
            [sender] = EmailPolicy().header_factory("From", value).addresses
            Address(addr_spec=parseaddr(value)[1])
            [written] = EmailPolicy().header_factory("From", _folded(value)).addresses
        except (ValueError, HeaderParseError, IndexError, TypeError):
            raise ValueError(
                "should hold one address, as in Example Works <feedback@example.org>"
            ) from None
        if written.addr_spec != sender.addr_spec:
            raise ValueError("has a name that cannot be written into a mail; make it shorter")
        return value

    @field_validator("language")
    @classmethod
    def _is_spoken(cls, value: str) -> str:
        if value not in spoken():
            raise ValueError(f"is no language of the pages; known: {', '.join(spoken())}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; write it like Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _keyring_is_apart(self) -> Self:
        """Refuse a keyring that every copy of the database would take along."""
        database = self.database_file()
        if database and self.keyring.resolve().is_relative_to(database.resolve().parent):
            raise ValueError(
                f"PREVIEW360_KEYRING: {self.keyring} lies in the folder of the database; whoever "
                "copies that folder could read sealed answers. Choose a folder elsewhere"
            )
        return self

    @model_validator(mode="after")
    def _webhooks_can_be_signed(self) -> Self:
        """Refuse a receiver without a secret, or by a way on which others read along."""
        if not self.webhook_url:
            return self
        if not _is_private_way(self.webhook_url):
            raise ValueError("PREVIEW360_WEBHOOK_URL: should begin with https://")
        prefix, _, key = self.webhook_secret.partition("_")
        try:
            length = len(b64decode(key, validate=True))
        except NotBase64:
            length = 0
        if prefix != "whsec" or not 24 <= length <= 64:
            raise ValueError(
                "PREVIEW360_WEBHOOK_SECRET: should be whsec_ and 24 to 64 bytes as base64, such as "
                'echo "whsec_$(openssl rand -base64 32)" prints'
            )
        return self

    @model_validator(mode="after")
    def _somebody_can_sign_in(self) -> Self:
        """Refuse half of what a provider needs, and to go without codes where there is none."""
        if not self.oidc_issuer:
            if not self.mailed_codes:
                raise ValueError(
                    "PREVIEW360_MAILED_CODES: without codes and without PREVIEW360_OIDC_ISSUER "
                    "nobody could sign in"
                )
            return self
        if not _is_private_way(self.oidc_issuer):
            raise ValueError("PREVIEW360_OIDC_ISSUER: should begin with https://")
        if not self.oidc_client:
            raise ValueError("PREVIEW360_OIDC_CLIENT: should say what the provider calls us")
        if find_spec("authlib") is None:
            raise ValueError("PREVIEW360_OIDC_ISSUER: needs the extra preview360[oidc]")
        return self

    def absolute_queue_url(self) -> str:
        """Return the queue's URL; a SQLite file is meant from where the program was started."""
        return _from_here(self.queue_url)

    def database_file(self) -> Path | None:
        """Return the SQLite file, if the database is one."""
        url = make_url(self.database_url)
        if url.database == ":memory:" or (url.database or "").startswith("file:"):
            return None
        return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None

    def absolute_database_url(self) -> str:
        """Return the database's URL; a SQLite file is meant from where the program was started."""
        return self.database_url if self.database_file() is None else _from_here(self.database_url)

    def zone(self) -> ZoneInfo:
        """Return the time zone in which days begin and end."""
        return ZoneInfo(self.time_zone)

    def is_secure(self) -> bool:
        """Say whether people reach this server by https."""
        return self.base_url.startswith("https://")


def from_environment() -> Settings:
    """Return the settings that the environment holds. Raises SettingUnknown, ValidationError."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            raise SettingUnknown(name=name, known=", ".join(known))
    return Settings()


def _folded(sender: str) -> str:
    """Return a sender as it stands in a mail, in lines of 78 letters."""
    header: str = EmailPolicy().header_factory("From", sender).fold(policy=EmailPolicy())
    return header.removeprefix("From:").replace("\n", "")


def _from_here(url: str) -> str:
    """Return a database's URL, with the whole path if it is a SQLite file."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and parts.database:
        parts = parts.set(database=str(Path(parts.database).absolute()))
    return parts.render_as_string(hide_password=False)


def _is_private_way(url: str) -> bool:
    """Say whether nobody on the way can read along: https, or this very machine."""
    parts = _parts(url)
    here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    return bool(parts.hostname) and (here or parts.scheme == "https")


def _parts(url: str) -> SplitResult:
    """Return the parts of a URL; a port that is none is an error."""
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        # The error would quote what may be part of a password.
        raise ValueError(
            "its port is no number; write / # ? @ in a password as %2F %23 %3F %40"
        ) from None
    return parts
