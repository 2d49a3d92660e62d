"""The whole way from the command line: what the pages do, commands do as well."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, timedelta

import pytest
from sqlalchemy import select

from questionnaires import loader
from survey import create_app, db
from survey.clock import utc_now
from survey.config import Settings
from survey.models import Round
from survey.services import people, practices, pulses
from survey.services.practices import Written
from survey.site import site
from tests import factories
from tests.conftest import NOW
from tests.launching import PROGRAM
from tests.world import add_passkey


@pytest.fixture
def run(tmp_path, program):
    """Run the program in an empty folder; returns its exit code and what it printed."""
    environment = {"PATH": os.environ["PATH"], "PREVIEW360_MAIL_URL": f"file:{tmp_path}/mails"}

    def command(*words, code=0):
        return program(*words, folder=tmp_path, environment=environment, code=code)

    command.environment = environment
    return command


@pytest.fixture
def installed(run):
    run("db", "upgrade")
    return run


def day(ahead: int) -> str:
    return (utc_now() + timedelta(days=ahead)).date().isoformat()


def test_a_pulse_is_listed_and_shown_and_no_round_to_be_changed(tmp_path, installed):
    run = installed
    name = pulse_in(tmp_path)
    [line] = [line for line in run("round", "list").splitlines() if line.startswith(name)]
    assert line.endswith("\tdraft\t2027-01-15\tRobin Example\tpulse")
    assert "draft" in run("round", "show", name)
    (tmp_path / "raters.csv").write_text("name,email,relationship\nPeer,p@example.org,peer\n")
    for words in (
        ("open", name),
        ("discard", name),
        ("raters", name, "raters.csv"),
        ("change", name, "--level", "manager"),
        ("extend", name, "--last-day", day(90)),
    ):
        assert "0 rounds begin with" in run("round", *words, code=1)


def pulse_in(folder) -> str:
    """Plan a pulse in the installation of a folder; returns its id."""
    with installation_in(folder) as session:
        robin = factories.person(session, "Robin", "leader")
        release = factories.released(session, site().keyring, robin)
        plan = practices.choose(session, release, ["MM1"], NOW.date())
        practices.write(session, plan, Written({"MM1": "hands over whole results"}))
        pulse, *_ = pulses.plan_pulses(session, plan, NOW, UTC)
        session.commit()
        return str(pulse.round_id)


@contextmanager
def installation_in(folder):
    """The session of the installation that the commands made in a folder."""
    url = f"sqlite:///{folder}/preview360-data/preview360.db"
    app = create_app(Settings(database_url=url, keyring=folder / "preview360-keyring"))
    with app.app_context():
        yield db.session()
        db.db.engine.dispose()


def test_a_round_goes_all_the_way_by_command(installed, tmp_path):
    run = installed
    (tmp_path / "people.csv").write_text(
        "name,email,roles\nRobin,robin@example.org,leader\nCasey,casey@example.org,coach\n"
    )
    (tmp_path / "raters.csv").write_text(
        "name,email,relationship\n"
        + "".join(f"Peer {n},p{n}@example.org,peer\n" for n in range(4))
        + "Max,max@example.org,manager\n"
    )
    run("person", "add", "andy@example.org", "--name", "Andy", "--role", "administrator")
    assert run("person", "import", "people.csv") == "People added: 2, changed: 0.\n"
    assert "robin@example.org\tRobin\tleader" in run("person", "list")
    assert "may read" in run("person", "give-access", "robin@example.org", "casey@example.org")
    assert "no longer" in run(
        "person", "take-access-back", "robin@example.org", "casey@example.org"
    )

    name = run(
        "round", "prepare", "robin@example.org", "--level", "new_lead", "--last-day", day(10)
    ).strip()[:8]
    assert run("round", "raters", name, "raters.csv") == "5 raters are named.\n"
    assert "is open" in run("round", "open", name)
    run("work", "--once")
    assert len(list((tmp_path / "mails").glob("*.eml"))) == 7
    assert "peer\t4 asked\tnot yet" in run("round", "show", name)
    assert "closes at the end" in run("round", "extend", name, "--last-day", day(20))
    assert "not passed" in run("round", "close", name, code=1)
    assert "destroyed" in run("round", "void", name, "--yes")
    assert "void" in run("round", "list")
    assert list((tmp_path / "preview360-keyring" / "rounds").iterdir()) == []


def test_a_questionnaire_is_checked(run, tmp_path):
    assert "27 items" in run("questionnaire", "check", str(loader.INSTRUMENTS / "technical_leader"))
    (tmp_path / "questionnaire.yaml").write_text("format: 1\n")

    said = run("questionnaire", "check", str(tmp_path), code=1)
    assert "questionnaire.yaml:1: name: is missing" in said
    assert "technical_leader\t1.0" in run("questionnaire", "list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["person", "add", "nonsense", "--name", "X"], "is not a mail address"),
        (["round", "open", "ffff"], "0 rounds begin with ffff."),
        (
            ["round", "prepare", "x@example.org", "--level", "a", "--last-day", "2030-01-01"],
            "Nobody",
        ),
    ],
)
def test_what_is_refused_is_one_sentence_and_exit_code_1(installed, words, said):
    assert said in installed(*words, code=1)


def test_a_faulty_table_is_listed_row_by_row(installed, tmp_path):
    (tmp_path / "people.csv").write_bytes("name,email\nJürgen,j@example.org\n".encode("latin-1"))

    said = installed("person", "import", "people.csv", code=1)
    assert "people.csv: row 2, row: this is not text in UTF-8" in said


def test_a_wrong_setting_is_named(tmp_path):
    done = subprocess.run(
        [PROGRAM, "db", "upgrade"],
        cwd=tmp_path,
        env={"PREVIEW360_K": "2", "PREVIEW360_TIME_ZONE": "Nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "PREVIEW360_K: Input should be greater than or equal to 3" in done.stderr
    assert "PREVIEW360_TIME_ZONE: is no time zone" in done.stderr


def test_serving_waits_for_the_database(run):
    assert "Run `preview360 db upgrade` first" in run("serve", code=1)


def test_a_taken_port_is_said(installed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"Port {port} on 127.0.0.1 cannot be used" in installed(
            "serve", "--port", port, code=1
        )


def test_a_server_answers_and_stops_when_asked(installed, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [PROGRAM, "serve", "--port", str(port)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
    )
    try:
        assert "Sign in" in page_of(f"http://127.0.0.1:{port}/")
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0


def page_of(address):
    for _ in range(100):
        try:
            with urllib.request.urlopen(address) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


def test_a_lost_second_step_is_removed_by_command(tmp_path, installed):
    installed("person", "add", "ada@example.org", "--name", "Ada", "--role", "leader")
    words = ("person", "remove-second-step", "ada@example.org")
    assert "Ada has set up no second step." in installed(*words, code=1)
    with installation_in(tmp_path) as session:
        add_passkey(session, people.by_address(session, "ada@example.org"))
        session.commit()

    assert installed(*words) == "Ada <ada@example.org> signs in with a mailed code alone.\n"
    assert "no second step" in installed(*words, code=1)


def test_a_person_is_changed_by_command(installed):
    installed("person", "add", "ada@example.org", "--name", "Ada", "--role", "leader")
    installed(
        "person", "change", "ada@example.org",
        "--name", "Ada Two", "--address", "two@example.org", "--role", "coach", "--inactive",
    )  # fmt: skip
    assert installed("person", "list") == "two@example.org\tAda Two\tcoach (inactive)\n"

    installed("person", "change", "two@example.org", "--role", "none", "--active")
    assert installed("person", "list") == "two@example.org\tAda Two\t\n"


def test_a_prepared_round_is_changed_by_command(installed):
    installed("person", "add", "ada@example.org", "--name", "Ada", "--role", "leader")
    new = ["--level", "new_lead", "--last-day", day(7)]
    name = installed("round", "prepare", "ada@example.org", *new).strip()
    installed("round", "change", name[:8], "--last-day", day(9), "--language", "de")

    assert f"until {day(9)}" in installed("round", "show", name)


def test_mails_are_listed_and_sent_again_by_command(run, tmp_path):
    """The folder for mails cannot be made at first: a file is in its place."""
    run("db", "upgrade")
    run("person", "add", "ada@example.org", "--name", "Ada", "--role", "leader")
    run("person", "add", "casey@example.org", "--name", "Casey", "--role", "coach")
    run("person", "give-access", "ada@example.org", "casey@example.org")
    (tmp_path / "mails").touch()
    run("work", "--once")
    [line] = run("mail", "list").splitlines()
    name, kind, address, state, trouble = line.split("\t")
    assert (kind, address, state) == ("coach_access", "casey@example.org", "waiting")
    assert trouble == f"{tmp_path}/mails: File exists"

    assert "still waits" in run("mail", "again", name[:8], code=1)
    assert "0 mails begin with zz" in run("mail", "again", "zz", code=1)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("TIMEZONE", "UTC", "PREVIEW360_TIMEZONE is no setting. Known are: PREVIEW360_ORGA"),
        ("TIME_ZONE", "Europe", "PREVIEW360_TIME_ZONE: is no time zone"),
        ("MAIL_URL", "smtp://host:port", "PREVIEW360_MAIL_URL: its port is no number"),
        ("MAIL_FROM", "nonsense", "PREVIEW360_MAIL_FROM: should hold one address"),
        ("BASE_URL", "http://host:port", "PREVIEW360_BASE_URL: its port is no number"),
        ("LANGUAGE", "english", "PREVIEW360_LANGUAGE: is no language of the pages; known: en, de"),
        ("DATABASE_URL", "foo://x", "PREVIEW360_DATABASE_URL: needs a driver"),
        ("DATABASE_URL", "oracle://x", "PREVIEW360_DATABASE_URL: needs a driver"),
        ("DATABASE_URL", "sqlite:////proc/x/y.db", "The database's folder /proc/x cannot be made"),
        ("DATABASE_URL", f"sqlite:///{__file__}", "The database cannot be used: file is not"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(run, monkeypatch, setting, value, said):
    run.environment[f"PREVIEW360_{setting}"] = value

    assert said in run("person", "list", code=1)


def test_a_command_without_a_database_says_how_to_make_one(run):
    assert run("person", "list", code=1) == (
        "The database is not up to date. Run `preview360 db upgrade` first.\n"
    )


@pytest.mark.parametrize("last_day", ["9999-12-31", "0001-01-01"])
def test_a_day_beyond_all_calendars_is_refused(installed, last_day):
    installed("person", "add", "ada@example.org", "--name", "Ada", "--role", "leader")
    new = ["--level", "new_lead", "--last-day", last_day]

    assert "at most 90 days from now" in installed(
        "round", "prepare", "ada@example.org", *new, code=1
    )


def test_a_round_for_somebody_who_could_not_read_it_is_refused(installed):
    installed("person", "add", "ada@example.org", "--name", "Ada")
    new = ["--level", "new_lead", "--last-day", day(7)]

    assert "Ada is no leader here" in installed("round", "prepare", "ada@example.org", *new, code=1)


def test_the_database_is_not_taken_back_without_asking(installed):
    assert "will be lost" in installed("db", "downgrade", code=1)
    installed("db", "downgrade", "--yes")
    assert "db upgrade" in installed("person", "list", code=1)


def test_a_server_that_cannot_listen_says_why(installed):
    assert "Choose another" in installed("serve", "--host", "nohost.invalid", code=1)
    assert "not in the range" in installed("serve", "--port", "99999", code=2)


def test_settings_are_printed_without_passwords(run):
    run.environment["PREVIEW360_DATABASE_URL"] = "postgresql+psycopg://preview:s3cret@db/preview"
    run.environment["PREVIEW360_MAIL_URL"] = "smtp://us%40er:s3cret@mail.example.org"
    run.environment["PREVIEW360_METRICS_KEY"] = "s3cret" * 4
    said = run("settings")
    lines = {line.split("\t")[0]: line.split("\t")[1:3] for line in said.splitlines()}

    assert "s3cret" not in said
    assert lines["PREVIEW360_DATABASE_URL"] == ["postgresql+psycopg://preview:…@db/preview", "set"]
    assert lines["PREVIEW360_MAIL_URL"] == ["smtp://us%40er:…@mail.example.org", "set"]
    assert lines["PREVIEW360_METRICS_KEY"] == ["…", "set"]
    assert lines["PREVIEW360_K"] == ["3", "default"]


def test_the_demonstration_deletes_nobody_elses_files(run, tmp_path):
    mine = tmp_path / "work" / "data" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")

    assert "holds other files" in run("demo", "--once", "--folder", "work", code=1)
    assert mine.read_text() == "precious"


def test_the_doctor_says_the_custody_level_and_ends_with_1_where_something_is_to_mend(installed):
    said = installed("doctor", code=1)

    assert said.startswith("Custody: together.")
    assert "MEND\thttp://127.0.0.1:8360 is not https" in said
    assert "ok\tThe keyring" in said


PHRASE = "four words are good"


def test_an_installation_moves_to_another_database_by_command(installed, tmp_path, cluster):
    run = installed
    run("person", "add", "robin@example.org", "--name", "Robin", "--role", "leader")
    url = cluster.create("moved")
    said = run("db", "copy", url)
    assert "person\t1 rows\t" in said
    assert "Now set PREVIEW360_DATABASE_URL" in said
    assert "its table person holds rows" in run("db", "copy", url, code=1)
    assert "PREVIEW360_DATABASE_URL: should be" in run("db", "copy", "nonsense", code=1)

    run.environment["PREVIEW360_DATABASE_URL"] = url
    assert "robin@example.org\tRobin\tleader" in run("person", "list")
    cluster.drop("moved")


def test_an_installation_whose_database_is_lost_comes_back_by_command(installed, tmp_path):
    run = installed
    with installation_in(tmp_path) as session:
        round_ = factories.opened(session, site().keyring, now=utc_now(), roster={"peer": 3})
        session.commit()
    (tmp_path / "backups").mkdir()
    assert "--keep needs a folder" in run("backup", "backup.db", "--keep", "1", code=2)
    run("backup", "backups")
    time.sleep(1)
    said = run("backup", "backups", "--keep", "1")
    [file] = (tmp_path / "backups").iterdir()
    assert said.startswith(f"backups/{file.name}: ")
    assert "The keyring preview360-keyring is not in it" in said
    assert "was deleted." in said
    assert "is there already" in run("backup", f"backups/{file.name}", code=1)
    assert "holds rows" in run("restore", f"backups/{file.name}", code=1)
    assert "is no backup" in run("restore", "preview360-keyring/secret", code=1)

    shutil.rmtree(tmp_path / "preview360-data")
    said = run("restore", f"backups/{file.name}")
    assert "were restored and compared" in said
    assert "MEND\tRound" not in said
    assert str(round_.id)[:8] in run("round", "list")

    shutil.rmtree(tmp_path / "preview360-data")
    shutil.rmtree(tmp_path / "preview360-keyring" / "ballots")
    said = run("restore", f"backups/{file.name}")
    assert f"Round {round_.id} is open, and its keys are not there" in said
    assert "end the round: `preview360 round void`" in said


def let_the_day_pass(tmp_path):
    """Move a round's days into the past, as if its time had gone by."""
    with sqlite3.connect(tmp_path / "preview360-data" / "preview360.db") as database:
        days = [f"{utc_now() - timedelta(days=days):%Y-%m-%d %H:%M:%S}" for days in (9, 1)]
        database.execute("UPDATE round SET opens_at = ?, closes_at = ?", days)
    database.close()


def everybody_answers(tmp_path):
    """Let all raters of the only round answer by their links."""
    with installation_in(tmp_path) as session:
        [round_] = session.scalars(select(Round)).all()
        for link in factories.links(session, site().keyring, round_).values():
            factories.answer(session, site().keyring, link, now=round_.opens_at)


def test_a_trustee_makes_a_key_and_opens_a_round_with_it(installed, tmp_path):
    run = installed
    said = run("trustee", "new", "council", "--passphrase", PHRASE)
    assert (tmp_path / "council.key").stat().st_mode & 0o777 == 0o600
    [fingerprint] = re.findall(r"see it: ([0-9a-f ]{24})", said)
    assert "is there already" in run("trustee", "new", "council", "--passphrase", PHRASE, code=1)
    assert "at least 12" in run("trustee", "new", "x", "--passphrase", "short", code=1)
    assert not (tmp_path / "x.key").exists()
    for path in ("nowhere/council", "people.csv/council", "n" * 300):
        assert "cannot be written" in run("trustee", "new", path, "--passphrase", PHRASE, code=1)

    run("person", "add", "council@example.org", "--name", "Works Council")
    said = run("trustee", "appoint", "council@example.org", "council.key", code=1)
    assert "no trustee's key" in said
    assert fingerprint in run("trustee", "appoint", "council@example.org", "council.pub")
    assert f"{fingerprint}\tnow\tcouncil@example.org" in run("trustee", "list")
    assert f"the key that Works Council keeps, too (fingerprint {fingerprint})" in run(
        "doctor", code=1
    )

    run("person", "add", "robin@example.org", "--name", "Robin", "--role", "leader")
    (tmp_path / "raters.csv").write_text(
        "name,email,relationship\n" + "".join(f"Peer {n},p{n}@example.org,peer\n" for n in range(3))
    )
    prepare = ("round", "prepare", "robin@example.org", "--level", "new_lead")
    name = run(*prepare, "--last-day", day(10)).strip()
    run("round", "raters", name, "raters.csv")
    run("round", "open", name)
    everybody_answers(tmp_path)
    let_the_day_pass(tmp_path)

    for _ in range(2):
        run("work", "--once")
    wanted = [mail.read_text() for mail in (tmp_path / "mails").glob("*.eml")]
    [asked] = [mail for mail in wanted if "wait for your key" in mail]
    assert f"preview360 trustee open {name} --key YOUR.key" in asked
    assert "the key that Works Council keeps" in run("round", "close", name, code=1)
    open_ = ("trustee", "open", name, "--key")
    assert "does not open" in run(*open_, "council.key", "--passphrase", "wrong words", code=1)
    run("trustee", "new", "other", "--passphrase", PHRASE)
    said = run(*open_, "other.key", "--passphrase", PHRASE, code=1)
    assert (
        f"not the key of the round's trustee Works Council, whose fingerprint is {fingerprint}"
        in said
    )
    assert "open\t" in run("round", "list")

    said = run(*open_, "council.key", "--passphrase", PHRASE)
    assert "its release stands. Its keys are destroyed." in said
    assert "released\t" in run("round", "list")
    assert "have no trustee" in run("trustee", "retire")
    assert f"{fingerprint}\t{utc_now().date()}\t" in run("trustee", "list")


def test_each_side_does_what_is_its_own(run, tmp_path):
    """One database, two keyrings, as two machines would have them."""
    closing = {**run.environment, "PREVIEW360_SIDE": "closing", "PREVIEW360_KEYRING": "closing"}
    web = {**run.environment, "PREVIEW360_SIDE": "web", "PREVIEW360_KEYRING": "web"}

    def at(side: dict[str, str], *words: str, code: int = 0) -> str:
        run.environment.clear()
        run.environment.update(side)
        said: str = run(*words, code=code)
        return said

    at(web, "db", "upgrade")
    assert "This is the closing side" in at(closing, "serve", code=1)
    at(closing, "work", "--once")
    assert sorted(path.name for path in (tmp_path / "closing").iterdir()) == [
        "ballots",
        "shared",
        "signing",
    ]
    (tmp_path / "web" / "shared").write_bytes((tmp_path / "closing" / "shared").read_bytes())
    (tmp_path / "web" / "shared").chmod(0o600)

    at(web, "person", "add", "robin@example.org", "--name", "Robin", "--role", "leader")
    raters = "".join(f"Peer {n},p{n}@example.org,peer\n" for n in range(3))
    (tmp_path / "raters.csv").write_text("name,email,relationship\n" + raters)
    prepare = ("round", "prepare", "robin@example.org", "--level", "new_lead")
    name = at(web, *prepare, "--last-day", day(10)).strip()
    at(web, "round", "raters", name, "raters.csv")
    assert "This is the closing side" in at(closing, "round", "open", name, code=1)
    at(web, "round", "open", name)
    assert "Custody: apart, the web side" in at(web, "doctor", code=1)
    assert "Custody: apart, the closing side" in at(closing, "doctor")

    let_the_day_pass(tmp_path)
    assert "This is the web side" in at(web, "round", "close", name, code=1)
    assert "Fewer than 3 people answered" in at(closing, "round", "close", name, code=1)
    assert "Its keys are destroyed" in at(web, "round", "void", name, "--yes")
    at(closing, "work", "--once")
    assert len(list((tmp_path / "closing" / "ballots").iterdir())) == 20
    assert list((tmp_path / "web" / "rounds").iterdir()) == []


def test_the_audit_says_what_the_database_tells(installed, tmp_path):
    said = installed("audit", code=1)
    assert "Whoever holds this database today learns:" in said
    assert "- 0 open rounds: who has answered or declined so far" in said
    assert "Custody: together." in said
    assert "ok\tNo foreign table, column, trigger or rule" in said

    (tmp_path / "preview360-data" / "old.db").touch()
    assert "MEND" in installed("audit", code=1)


def test_the_mail_server_is_tried_with_a_mail_that_says_nothing(run, tmp_path):
    run("db", "upgrade")
    assert "has taken a mail to ada@example.org" in run("mail", "test", "ada@example.org")
    [mail] = (tmp_path / "mails").glob("*.eml")
    assert "Subject: A test of Preview360" in mail.read_text()
    mail.unlink()
    (tmp_path / "mails").rmdir()
    (tmp_path / "mails").touch()

    said = run("mail", "test", "ada@example.org", code=1)
    assert f"The mail to ada@example.org was not taken: {tmp_path}/mails: File exists" in said
    assert "is not a mail address" in run("mail", "test", "nonsense", code=1)


def test_a_table_of_people_is_only_checked(run, tmp_path):
    run("db", "upgrade")
    run("person", "add", "ada@example.org", "--name", "Ada")
    (tmp_path / "people.csv").write_text(
        "name,email,roles\nAda,ada@example.org,leader\nBert,bert@example.org,\n"
    )
    said = run("person", "import", "people.csv", "--check")

    assert "changed\tada@example.org\tAda\tleader" in said
    assert "new\tbert@example.org\tBert" in said
    assert "bert@example.org" not in run("person", "list")


def test_a_report_from_the_mail_server_marks_the_mail_as_failed(installed, tmp_path):
    run = installed
    run("person", "add", "robin@example.org", "--name", "Robin", "--role", "leader")
    run("person", "add", "casey@example.org", "--name", "Casey", "--role", "coach")
    run("person", "give-access", "robin@example.org", "casey@example.org")
    run("work", "--once")
    [mail] = (tmp_path / "mails").iterdir()
    returned = re.search(r"^Message-ID: (.*)$", mail.read_text(), re.MULTILINE)[0]
    (tmp_path / "report").write_text(
        'Content-Type: multipart/report; boundary="b"\n\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Action: failed\nStatus: 5.1.1\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\n{returned}\n\n--b--\n"
    )
    (tmp_path / "other").write_text("Subject: Hello\n\nHello.\n")

    assert run("mail", "bounced", "report") == (
        "The mail to casey@example.org was not delivered: 5.1.1\n"
    )
    assert "casey@example.org\tfailed\tbounced: 5.1.1" in run("mail", "list")
    assert run("mail", "bounced", "other").startswith("This is no report")
