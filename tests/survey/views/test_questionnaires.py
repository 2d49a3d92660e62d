"""Administrators look at questionnaires as raters see them, and take newer versions."""

import io
import re
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from questionnaires import loader
from questionnaires.loader import INSTRUMENTS
from survey.models import Round, StoredQuestionnaire
from tests import factories
from tests.conftest import on_sqlite
from tests.visitor import Visitor

FOLDER = INSTRUMENTS / "technical_leader"
INDEX = "/administration/questionnaires"


@pytest.fixture
def andy(app, session):
    andy = factories.person(session, "Andy", "administrator", "leader")
    session.commit()
    session.close()
    return Visitor(app, andy)


def files(version="1.1", name="technical_leader", **changed):
    """The shipped files as another version, some of them changed."""
    found = {path.name: path.read_text() for path in sorted(Path(FOLDER).glob("*.yaml"))}
    structure = found["questionnaire.yaml"]
    structure = re.sub(r"version: .*", f'version: "{version}"', structure, count=1)
    found["questionnaire.yaml"] = re.sub(r"name: .*", f"name: {name}", structure, count=1)
    found |= changed
    return [(io.BytesIO(text.encode()), name) for name, text in found.items()]


def send(andy, sent):
    andy.open(INDEX)
    return andy.send({"files": sent})


def test_a_questionnaire_is_shown_as_raters_see_it(andy):
    page = andy.open(INDEX)
    assert "for new rounds" in page
    assert "<td>not yet</td>" in page
    page = andy.open(f"{INDEX}/technical_leader/1.0?relationship=peer&level=new_lead&language=de")
    rater = factories.QUESTIONNAIRE
    texts = rater.texts["de"]
    for item in rater.items_at("new_lead"):
        said = texts.items[item.id].at("new_lead").said_to("peer", "Kim Example")
        assert said in page
    assert page.count(texts.scale.points[0].label) == 27
    assert 'lang="de"' in page
    own = andy.open(f"{INDEX}/technical_leader/1.0?relationship=self&level=manager&language=en")
    assert "Looking ahead" in own
    assert "Kim Example does this" not in own


def test_what_there_is_not_is_not_shown(andy):
    andy.open(f"{INDEX}/technical_leader/9.9")
    assert andy.status == 404
    page = andy.open(f"{INDEX}/technical_leader/1.0?relationship=x&level=y&language=z")
    assert (andy.status, "as a rater sees it" in page) == (200, True)


def test_a_newer_version_is_asked_from_then_on_and_rounds_keep_theirs(andy, session):
    andy.open("/rounds/new")
    andy.send({})
    en = (FOLDER / "en.yaml").read_text().replace("title: ", "title: Newer ", 1)
    page = send(andy, files(**{"en.yaml": en}))
    assert "New rounds ask technical_leader 1.1 now." in page
    assert re.findall(r"<td>(1\.\d)", page) == ["1.1", "1.0"]
    assert page.index("Newer") < page.index("for new rounds") < page.index("1.0")
    andy.open("/rounds/new")
    andy.send({})

    asked = session.query(StoredQuestionnaire.version).join(Round)
    assert sorted(version for (version,) in asked) == ["1.0", "1.1"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (list, "questionnaire.yaml: is not there"),
        (partial(files, "1.0"), "is not newer than 1.0"),
        (partial(files, "0.9"), "is not newer than 1.0"),
        (
            partial(files, **{"en.yaml": "format: 1\nlanguage: en\n"}),
            "en.yaml:1: title: is missing",
        ),
        (partial(files, **{"../../x.yaml": "a"}), "1.1 now"),
    ],
    ids=["nothing", "the same", "older", "with mistakes", "with a path for a name"],
)
def test_files_are_checked_before_anything_is_taken(andy, session, sent, said):
    page = send(andy, sent())

    taken = "now" in said
    assert said in page
    assert andy.status == (200 if taken else 422)
    assert session.query(StoredQuestionnaire).count() == taken


@on_sqlite
def test_nobody_waits_for_the_database_while_files_are_read(andy, settings, monkeypatch):
    """A rater's save must not wait for a file that takes seconds."""
    read = loader.read
    others = []

    def read_slowly(folder):
        other = sqlite3.connect(settings.database_file(), timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        others.append(other)
        other.close()
        return read(folder)

    monkeypatch.setattr(loader, "read", read_slowly)
    assert "1.1 now" in send(andy, files())
    assert len(others) == 1


def test_where_there_are_several_one_is_chosen(andy, session):
    send(andy, files("1.0", name="other_leader"))
    page = andy.open("/rounds/new")
    assert "/rounds/new?questionnaire=other_leader" in page
    andy.open("/rounds/new?questionnaire=other_leader")
    andy.send({})

    [stored] = session.query(StoredQuestionnaire).join(Round)
    assert stored.name == "other_leader"
    session.close()
    andy.open("/rounds/new?questionnaire=nothing")
    assert andy.status == 404
