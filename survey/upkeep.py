"""Looks over what keeps an installation going: workers, mail, printing, room, the way to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from reports.printing import PrintFailed
from survey import jobs
from survey.doctor import Finding
from survey.models import Person, Schedule
from survey.services import mails, webhooks
from survey.site import Site
from survey.transport import MailTrouble, transport

# A scheduler may start a worker only once an hour.
LATE = timedelta(hours=2)
LYING = timedelta(hours=1)
LEAST_ROOM = 500_000_000
NOWHERE = "localhost"


def look_over(site: Site, session: Session, least_room: int = LEAST_ROOM) -> list[Finding]:
    """Look at what keeps this side going; nothing is changed, and no mail is sent.

    `least_room` is what has to be free on a disk, in bytes.
    """
    findings = [*_worker(site, session), *_room(site, least_room)]
    if site.keyring.side.serves:
        findings += [
            *_administrators(session),
            *_mail_server(site),
            *_mails(site, session),
            *_printing(site),
            *_way(site),
            *_organisation(site),
            *_webhooks(site, session),
        ]
    return findings


def _worker(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether anybody does this side's work."""
    names = jobs.periods(site.keyring.side)
    ours = select(Schedule).where(Schedule.name.in_(names)).order_by(Schedule.due_at)
    first = session.scalars(ours).first()
    cure = "`preview360 serve` has a worker; beside gunicorn, run `preview360 work`."
    if first is None:
        yield Finding("No worker has run yet: no mail leaves, and no round closes.", cure)
    elif first.due_at < site.now() - LATE:
        yield Finding(f"No worker has come for “{first.name}” since {first.due_at:%F %H:%M}.", cure)
    else:
        yield Finding("A worker does what is due.")


def _room(site: Site, least: int) -> Iterator[Finding]:
    """Find out whether there is room to write on the disks that are written to."""
    file = site.settings.database_file()
    folders = {site.settings.keyring.absolute(), *({file.absolute().parent} if file else ())}
    for folder in sorted(each for each in folders if each.is_dir()):
        free = shutil.disk_usage(folder).free
        if free < least:
            yield Finding(
                f"Only {free // 1_000_000} MB are free for {folder}: soon no answer can be saved.",
                "Make room on that disk, or move the folder to a larger one.",
            )


def _administrators(session: Session) -> Iterator[Finding]:
    """Find out whether there is anybody who can add people."""
    if session.scalars(select(Person).where(Person.administers, Person.active)).first() is None:
        yield Finding(
            "Nobody is an administrator: nobody can sign in to add people.",
            "`preview360 person add ADDRESS --name NAME --role administrator`",
        )


def _mail_server(site: Site) -> Iterator[Finding]:
    """Find out whether the mail server lets us in."""
    settings = site.settings
    if not settings.mail_url:
        return
    try:
        with transport(settings.mail_url, settings.mail_timeout) as server:
            server.check()
    except MailTrouble as trouble:
        cure = "Mend PREVIEW360_MAIL_URL or the server; mails wait meanwhile, and none is given up."
        yield Finding(f"No mail can be handed over: {trouble}.", cure)
    else:
        yield Finding(
            "The mail server lets us in; `preview360 mail test` shows whether mails arrive."
        )
    if settings.mail_from.rstrip(">").endswith(f"@{NOWHERE}"):
        yield Finding(
            f"Mails come from {settings.mail_from}: nobody can answer, and servers refuse it.",
            "Set PREVIEW360_MAIL_FROM to an address of your organisation.",
        )


def _mails(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether mails lie although they could leave."""
    lying = mails.backlog(session, site.now() - LYING)["waiting"]
    if lying:
        yield Finding(
            f"{lying} mails could have left an hour ago and still wait.",
            "`preview360 mail list` says why.",
        )


def _printing(site: Site) -> Iterator[Finding]:
    """Find out whether a PDF can be made."""
    try:
        site.printer.print("<p>A page.</p>")
    except PrintFailed as error:
        yield Finding(
            f"No preview can be printed: {error}.",
            "Is Pango installed? On Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
            "libharfbuzz-subset0",
        )
    else:
        yield Finding("Previews can be printed.")
    finally:
        site.printer.close()


def _way(site: Site) -> Iterator[Finding]:
    """Find out whether the proxy that brings https is known."""
    if site.settings.is_secure() and not site.settings.proxies:
        yield Finding(
            "People come by https, so through a proxy, and PREVIEW360_PROXIES is 0: all of them "
            "seem to be the proxy, and who guesses links locks out everybody.",
            "Set PREVIEW360_PROXIES to the number of proxies, usually 1.",
        )


def _webhooks(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether another program has stopped taking what it is to be told."""
    trouble, url = webhooks.latest_trouble(session), site.settings.webhook_url
    if url and trouble:
        yield Finding(
            f"{url} does not take what it is told: {trouble}. {webhooks.given_up(session)} "
            "messages were given up.",
            "Mend it; `preview360 webhook test` tries it, `preview360 webhook again` sends what "
            "was given up.",
        )


def _organisation(site: Site) -> Iterator[Finding]:
    """Find out whether the organisation's sign-in answers under the name that is set."""
    if not site.settings.oidc_issuer:
        return
    # Not everybody has installed what it is made of.
    from survey import openid

    try:
        named = openid.issuer()
    except openid.OrganisationAway:
        yield Finding(
            f"The organisation's sign-in at {site.settings.oidc_issuer} does not answer.",
            "Is PREVIEW360_OIDC_ISSUER right, and can this machine reach it?",
        )
        return
    if named == site.settings.oidc_issuer:
        yield Finding("The organisation's sign-in answers.")
    else:
        yield Finding(
            f"The organisation's sign-in calls itself {named}: nobody gets in with its account.",
            f"Set PREVIEW360_OIDC_ISSUER to {named}.",
        )
