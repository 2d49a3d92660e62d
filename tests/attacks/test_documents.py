"""What people type or upload stays text, in pages, mails and PDFs."""

import random

import pytest

from reports.aggregate import aggregate
from survey.demo.catcher import Catcher
from tests.attacks.documents import ATTACKS, ProductDesk, UsualDesk
from tests.attacks.results import made_up
from tests.conftest import on_sqlite
from tests.reports.conftest import setting

# What is attacked are documents.
pytestmark = on_sqlite


class Envelopes(Catcher):
    """A mail server that also keeps to whom each mail was handed over."""

    def __init__(self):
        super().__init__()
        self.got = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        self.got.append((list(envelope.rcpt_tos), self.mails[-1]))
        return answer


@pytest.fixture
def server():
    server = Envelopes()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def product(app, session, settings, questionnaire, server, sink, tmp_path):
    answers = made_up(random.Random(1), questionnaire)
    release = aggregate(setting(questionnaire), answers, random.Random(1))
    site = app.extensions["preview360"]
    site.settings = settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{server.port}"})
    return ProductDesk(app, session, release, questionnaire, server, sink, tmp_path)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_typed_stays_text(attack, product, server, sink, tmp_path, table):
    twin = UsualDesk(server, sink, tmp_path)
    on_twin, on_product = table.contest("documents", attack, twin, product)

    assert on_twin, "the attack does not even win against the twin"
    assert not on_product
