"""The services of `deploy/compose.yaml` do together what they are for.

Containers need an engine; what runs in them runs here as it does there: the same commands with the
same settings, on a real PostgreSQL and a real Redis, in the order that the file demands.
"""

import re
import shlex
import subprocess
import time
import tomllib
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from survey.demo.browser import Browser
from survey.demo.catcher import free_port
from tests.launching import PROGRAM, running

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy"
COMPOSE = YAML(typ="safe").load(FOLDER / "compose.yaml")
OURS = ["upgrade", "web", "work"]


def example():
    """The values that the example of an environment file holds."""
    lines = (FOLDER / "compose.env").read_text(encoding="utf-8").splitlines()
    return dict(
        shlex.split(line)[0].split("=", 1) for line in lines if line and not line.startswith("#")
    )


def filled(text, values):
    """Return a text with its variables, as compose replaces them; one that lacks is an error."""

    def value(found):
        name, default = found["name"], found["default"]
        return values.get(name) or default or pytest.fail(f"{name} is not set")

    return re.sub(r"\$\{(?P<name>\w+)(?::\?|:-(?P<default>[^}]*))?\}", value, text)


@pytest.fixture
def installed(cluster, redis, catcher, tmp_path):
    """What each service is told, with this machine's addresses instead of containers' names."""
    url = cluster.create("compose")
    port = free_port()
    values = example() | {
        "DATABASE_PASSWORD": "s3cret",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "MAIL_URL": f"smtp://127.0.0.1:{catcher.port}",
    }
    there = {
        "postgresql+psycopg://preview360:s3cret@database/preview360": url,
        "redis://queue:6379/0": redis.url,
    }
    told = {"PATH": str(PROGRAM.parent), "PREVIEW360_KEYRING": str(tmp_path / "keyring")}
    for name, text in COMPOSE["services"]["web"]["environment"].items():
        value = filled(text, values)
        told[name] = there.pop(value, value)
    assert not there, "an address is another one"
    yield port, told
    cluster.drop("compose")


def command(service, port):
    words = [word.replace("0.0.0.0:8360", f"127.0.0.1:{port}") for word in service["command"]]
    return [str(PROGRAM.with_name(words[0])), *words[1:]]


def test_pages_and_work_serve_people_together(installed, catcher):
    port, told = installed
    services = COMPOSE["services"]
    assert all(services[name]["environment"] == services["web"]["environment"] for name in OURS)
    add = "person add robin@example.org --name Robin --role leader"
    for words in (command(services["upgrade"], port), [str(PROGRAM), *add.split()]):
        subprocess.run(words, env=told, check=True, timeout=60)

    with ExitStack() as both:
        both.enter_context(running(command(services["web"], port), port, env=told))
        work = subprocess.Popen(command(services["work"], port), env=told)
        both.callback(work.wait, timeout=60)
        both.callback(work.terminate)
        kind, *check = services["web"]["healthcheck"]["test"]
        assert kind == "CMD"
        check = [word.replace(":8360", f":{port}") for word in check]
        subprocess.run(check, env=told, check=True, timeout=30)
        reader = Browser()
        reader.open(f"{told['PREVIEW360_BASE_URL']}/sign-in")
        reader.send({"email": "robin@example.org"})
        reader.send({"code": code_sent(catcher)})
        assert reader.address.endswith("/rounds")


def code_sent(catcher):
    for _ in range(300):
        with suppress(LookupError, StopIteration):
            text = catcher.text_to("robin@example.org", "your code")
            return re.search(r"^\s+(\d{6})$", text, re.MULTILINE)[1]
        time.sleep(0.1)
    raise AssertionError("no code came")


def test_pages_and_work_begin_after_the_database_is_of_their_version():
    for name in ("web", "work"):
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["upgrade"] == {"condition": "service_completed_successfully"}


def test_no_volume_holds_both_database_and_keyring():
    for service in COMPOSE["services"].values():
        names = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert len(names & {"database", "keyring"}) < 2


def test_the_image_holds_all_packages_and_libraries_that_the_program_needs():
    text = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"COPY {package} {package}\n" in text
    for extra in project["project"]["optional-dependencies"]:
        assert f"--extra {extra}" in text
    setup = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
    needed = re.findall(r"^library \S+ (\S+)$", setup, re.MULTILINE)
    assert len(needed) == 3
    for library in needed:
        assert library in text
