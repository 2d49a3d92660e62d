"""Whatever watches the server learns whether it answers and can do its work, and nothing else."""

import sqlite3

import pytest
import sqlalchemy as sa

from survey import create_app
from tests.conftest import on_sqlite


def test_a_process_in_order_is_alive_and_ready_and_sets_no_cookie(client):
    for address, words in (("/health", "alive\n"), ("/ready", "ready\n")):
        answer = client.get(address)
        assert (answer.status_code, answer.text) == (200, words)
        assert answer.mimetype == "text/plain"
        assert "Set-Cookie" not in answer.headers


def test_with_a_database_of_another_version_it_is_not_ready(client, session):
    session.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    session.commit()
    session.close()
    answer = client.get("/ready")

    assert (answer.status_code, answer.text) == (
        503,
        "not ready: the database is not of this version\n",
    )
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("database", ["postgresql"])
def test_without_its_database_it_is_alive_and_not_ready(settings):
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
    client = create_app(settings.model_copy(update={"database_url": url})).test_client()

    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (
        503,
        "not ready: the database cannot be reached\n",
    )


def test_without_its_keyring_it_is_not_ready_and_makes_no_new_one(client, keyring):
    keyring.path.rename(keyring.path.with_name("elsewhere"))
    answer = client.get("/ready")

    assert (answer.status_code, answer.text) == (503, "not ready: the keyring cannot be used\n")
    assert not keyring.path.exists()


@on_sqlite
def test_it_is_ready_while_somebody_writes(client, settings):
    writer = sqlite3.connect(settings.database_file(), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    answer = client.get("/ready")
    writer.close()

    assert answer.status_code == 200
