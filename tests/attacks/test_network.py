"""Whoever watches addresses, cookies, caches, logs and mails learns neither links nor words."""

import pytest

from tests.attacks.network import ATTACKS
from tests.attacks.score import Leaks
from tests.attacks.target import ProductTarget, UsualTarget
from tests.conftest import on_sqlite

GROUP = "network and logs"


@pytest.fixture
def product(app, session, keyring, catcher):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return ProductTarget(app, session, keyring, catcher)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_learned_on_the_way(attack, product, table, database):
    on_twin, on_product = table.contest(GROUP, attack, UsualTarget(), product, database)

    assert on_twin, "the attack does not even win against the twin"
    assert not on_product


@pytest.fixture
def open_page(browser):
    contexts = []

    def opened(address):
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        return page, asked

    yield opened
    for context in contexts:
        context.close()


@on_sqlite
def test_a_page_asks_nobody_else_and_tells_nobody_where_one_comes_from(
    product, sink, open_page, table
):
    """In a real browser: what the server elsewhere sees, of a visit and of leaving the page."""
    seen = {}
    for name, target in (("twin", UsualTarget(sink.url)), ("product", product)):
        sink.forget()
        with target.serving() as url:
            page, asked = open_page(url + target.link)
            seen[name, "request"] = [each for each in asked if not each.startswith(url)]
            sink.forget()
            page.evaluate(
                """address => {
                    const link = document.createElement("a");
                    link.href = address;
                    document.body.append(link);
                    link.click();
                }""",
                f"{sink.url}/left",
            )
            page.wait_for_url("**/left")
        seen[name, "referrer"] = [told for told in sink.referrers if target.link in told]
    for kind, told in (("request", "request to another server"), ("referrer", "link as referrer")):
        found = Leaks.of(seen["twin", kind]), Leaks.of(seen["product", kind])
        table.add(GROUP, told, "", *found)
        assert found[0].wins()
        assert not found[1].wins(), seen
