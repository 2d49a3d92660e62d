"""The units in `deploy/systemd` are right, let little out, and start what they are for."""

import os
import shlex
import subprocess
import urllib.request
from pathlib import Path

import pytest

from survey.config import PREFIX, Settings
from survey.demo.catcher import free_port
from tests.conftest import on_sqlite
from tests.launching import PROGRAM, environment, running

FOLDER = Path(__file__).parent.parent / "deploy" / "systemd"
SERVICES = sorted(each.name for each in FOLDER.glob("*.service"))
INSTALLED = "/opt/preview360/bin"
# Of 100, as systemd counts what a service that is taken over could reach.
MOST_EXPOSED = 20


def told(name):
    """The settings that the example holds."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return dict(
        shlex.split(line)[0].split("=", 1) for line in lines if line and not line.startswith("#")
    )


def command(name):
    """What a unit starts, with the program of this environment."""
    [line] = [
        line
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()
        if line.startswith("ExecStart=")
    ]
    return shlex.split(line.removeprefix("ExecStart=").replace(INSTALLED, str(PROGRAM.parent)))


def test_systemd_finds_no_fault_in_the_units(tmp_path):
    for unit in FOLDER.iterdir():
        text = unit.read_text(encoding="utf-8").replace(INSTALLED, str(PROGRAM.parent))
        (tmp_path / unit.name).write_text(text)
    units = [each.name for each in tmp_path.iterdir() if each.suffix in (".service", ".timer")]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in sorted(units))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_taken_over_reaches_little(service):
    counted = subprocess.run(
        [
            *("systemd-analyze", "security", "--offline=yes", "--no-pager"),
            *(f"--threshold={MOST_EXPOSED}", f"./{service}"),
        ],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )

    assert counted.returncode == 0, counted.stdout + counted.stderr


def test_the_example_holds_settings_that_are_taken():
    values = told("preview360.env")
    settings = Settings(**{name.removeprefix(PREFIX).lower(): values[name] for name in values})

    assert settings.organisation == "Example Works"
    assert settings.mail_from == "Example Works <feedback@example.org>"
    assert not settings.keyring.is_relative_to(settings.database_file().parent)


@on_sqlite
def test_pages_are_served_on_the_socket_that_systemd_keeps(settings, session):
    session.close()
    port = free_port()
    # It hands the socket over to the pages once somebody asks, and hands no settings on by itself.
    names = [f"--setenv={name}={value}" for name, value in environment(settings).items()]
    keeper = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", *names]
    with running([*keeper, *command("preview360-web.service")], port):
        address = f"http://127.0.0.1:{port}/ready"
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert answer.read() == b"ready\n"


@on_sqlite
@pytest.mark.parametrize("service", ["preview360.service", "preview360-work.service"])
def test_a_service_starts_and_ends_in_good_order(service, settings, session):
    session.close()
    more = ["--port", str(free_port())] if service == "preview360.service" else []
    process = subprocess.Popen([*command(service), *more], env=environment(settings))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    process.terminate()
    assert process.wait(timeout=60) == 0


@on_sqlite
def test_a_command_runs_with_the_services_settings(settings, session, tmp_path):
    session.close()
    lines = [f"{name}={shlex.quote(value)}" for name, value in environment(settings).items()]
    (tmp_path / "preview360.env").write_text("\n".join(lines))
    script = (FOLDER / "preview360").read_text(encoding="utf-8")
    for example, own in {
        "/etc/preview360.env": f"{tmp_path}/preview360.env",
        "/var/lib/preview360": str(tmp_path),
        INSTALLED: str(PROGRAM.parent),
    }.items():
        assert example in script
        script = script.replace(example, own)
    (tmp_path / "backups").mkdir()
    (tmp_path / "run").write_text(script)
    for words in (["settings"], ["backup", "backups"]):
        done = subprocess.run(
            ["sh", str(tmp_path / "run"), *words],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    [backup] = (tmp_path / "backups").iterdir()
    assert backup.stat().st_mode & 0o077 == 0
