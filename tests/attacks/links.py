"""Attacks with links and accounts: scanners, strangers, colleagues, people with an account."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from survey.demo.browser import forms_in
from tests.attacks.network import WORDS
from tests.attacks.target import Target, cookies
from tests.launching import at_once


def scanner_follows_links(target: Target) -> list[str]:
    """A mail scanner opens the link, and every link on every page."""
    before, client = target.stored(), target.client()
    seen: set[str] = set()
    ahead = [target.link]
    while ahead:
        address = ahead.pop()
        seen.add(address)
        client.head(address, buffered=True)
        page = client.get(address, follow_redirects=True, buffered=True).text
        found = re.findall(r'(?:href|action)="(/[^"]*)"', page)
        ahead += [each for each in found if each not in seen and each not in ahead]
    return [] if target.stored() == before else ["changed"]


def scanner_presses_buttons(target: Target) -> list[str]:
    """A scanner that runs scripts presses whatever can be pressed, form by form."""
    before, client = target.answered(), target.client()
    ahead, pressed = [target.link], set()
    while ahead:
        address = ahead.pop()
        answer = client.get(address, follow_redirects=True)
        for form in forms_in(answer.text):
            action = urljoin(answer.request.path, form.action)
            # To decline is to send nothing.
            if (address, action) not in pressed and not action.endswith("/decline"):
                pressed.add((address, action))
                client.post(action, data=form.fields)
                ahead += [page for page in target.pages() if page not in ahead]
    return ["sent"] * (target.answered() - before)


def link_forwarded_after_sending(target: Target) -> list[str]:
    """Whoever gets hold of the link later reads what was sent."""
    client = target.client()
    target.type(client, WORDS)
    target.finish(client)
    target.send(client)
    pages = [target.client().get(page, follow_redirects=True).text for page in target.pages()]
    return [page for page in pages if WORDS in page]


def sent_twice_at_once(target: Target) -> list[str]:
    """Two clicks, or two tabs: the answer counts twice."""
    client = target.client()
    target.type(client, WORDS)
    target.finish(client)
    before = target.answered()
    at_once([lambda: target.send(target.client())] * 4)
    assert target.answered() > before
    return ["twice"] * (target.answered() - before - 1)


def guessed_tokens(target: Target) -> list[str]:
    """Somebody with a link of their own tries its neighbours."""
    own = target.token
    near = [own[:-1] + letter for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"]
    near += [str(number) for number in range(1, 50)] + [own[::-1], own[1:], own + "A"]
    found = [token for token in near if token != own]
    return [token for token in found if target.client().get(f"/r/{token}").status_code == 200]


def closed_links_tell_themselves(target: Target) -> list[str]:
    """The page of a link that no longer works tells that it once did."""
    target.close()
    answers = [target.client().get(address) for address in (target.link, target.unknown)]
    told = {(answer.status_code, answer.text) for answer in answers}
    return [] if len(told) == 1 else [answers[0].text]


def one_answer_more_after_the_close(target: Target) -> list[str]:
    """Somebody answers after the close, and two reports are compared."""
    client = target.client()
    target.type(client, WORDS)
    target.finish(client)
    target.close()
    before = target.report()
    target.send(client)
    return [] if target.report() == before else ["added"]


def timeline_after_an_answer(target: Target) -> list[str]:
    """The leader looks again after each coffee: who has answered since?"""
    client = target.client()
    target.type(client, WORDS)
    target.finish(client)
    before = target.timeline()
    target.send(client)
    assert target.answered() == 1
    return [] if target.timeline() == before else ["one more"]


def form_of_another_site(target: Target) -> list[str]:
    """A page elsewhere sends a form with the cookies of whoever looks at it."""
    client = target.client()
    target.type(client, WORDS)
    target.finish(client)
    before = target.stored()
    for act in ("start", "send", "decline", "check", "part/10"):
        client.post(f"{target.link}/{act}", data={"OP1-1": "Forged", "filled": "OP1-1"})
    return [] if target.stored() == before else ["changed"]


def objects_of_others(target: Target) -> list[str]:
    """A leader asks for addresses that belong to another."""
    client = target.enter()
    assert client.get(target.own).status_code == 200
    return [each for each in target.foreign if client.get(each).status_code == 200]


def cookie_copied_before_signing_out(target: Target) -> list[str]:
    """Somebody copied the cookie; the person signs out."""
    client, thief = target.enter(), target.client()
    for cookie in cookies(client):
        thief.set_cookie(cookie.key, cookie.value)
    assert thief.get(target.own).status_code == 200
    target.leave(client)
    return [target.own] if thief.get(target.own).status_code == 200 else []


def codes_guessed_at_once(target: Target) -> list[str]:
    """Twelve guesses in one moment count less than twelve, so that guessing can go on."""
    guess = target.guesser()
    right = target.right_code()
    wrong = "000000" if right != "000000" else "000001"
    at_once([lambda: guess(wrong)] * 12)
    return [right] if guess(right) else []


def locked_out_by_a_stranger(target: Target) -> list[str]:
    """A stranger asks for codes for somebody's address until that person gets none."""
    for _ in range(25):
        target.ask_for_code("robin@example.org", remote="192.0.2.1")
    before = target.codes_sent()
    target.ask_for_code("robin@example.org")
    return [] if target.codes_sent() > before else ["robin@example.org"]


ATTACKS = (
    scanner_follows_links,
    scanner_presses_buttons,
    link_forwarded_after_sending,
    sent_twice_at_once,
    guessed_tokens,
    closed_links_tell_themselves,
    one_answer_more_after_the_close,
    timeline_after_an_answer,
    form_of_another_site,
    objects_of_others,
    cookie_copied_before_signing_out,
    codes_guessed_at_once,
    locked_out_by_a_stranger,
)
