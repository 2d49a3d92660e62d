"""The built wheel works in an empty environment, away from the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pdfplumber
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def program(tmp_path_factory):
    """The program, installed from a wheel into an environment of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", folder, ROOT], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    # pip, as people use it; the index is the one that this machine uses.
    subprocess.run(
        [
            folder / "env" / "bin" / "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            wheel,
        ],
        check=True,
    )
    return folder / "env" / "bin" / "preview360"


def test_the_program_and_its_demonstration_run_from_the_wheel_in_an_empty_folder(program, tmp_path):
    version = subprocess.check_output([program, "--version"], cwd=tmp_path, text=True)
    assert version.startswith("preview360, version 0.")
    done = subprocess.run(
        [program, "demo", "--once"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with pdfplumber.open(tmp_path / "demo" / "preview.pdf") as document:
        assert "Robin Sample" in document.pages[0].extract_text()
        assert len(document.pages) >= 12
