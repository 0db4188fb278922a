"""The wheel: what is in it, and that it works where nothing else is installed.

Building needs hatchling and installing needs numpy, sentencex and typer, all from the package index pip is set
up with; where there is none, these tests are skipped and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import degloss
from degloss.artefact import MANIFEST, WEIGHTS, shipped_folder

ROOT = Path(__file__).parents[1]
MODEL = "degloss/models/german/"
COPIED = ("pyproject.toml", "README.md", "LICENSE", "src", "training/degloss_training", "models")
TEXT = "Das Amt hat am Montag einen Plan vorgelegt.\n\nhttps://t.me/beispiel/12\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / "models" / "german" / MANIFEST).exists(),
        reason="models/german has no manifest yet, so there is no model to ship: make train",
    ),
]


def environment() -> dict[str, str]:
    """The environment without what points at this checkout; pip's own settings stay."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def run(*command: str | Path, folder: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment(), input=stdin,
        capture_output=True, text=True, encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip


def succeed_or_skip(done: subprocess.CompletedProcess[str]) -> None:
    """Without a package index there is nothing to test; any other failure is one."""
    said = done.stdout + done.stderr
    unreachable = ("No matching distribution found", "Could not find a version", "Connection", "Temporary failure")
    if done.returncode and any(sign in said for sign in unreachable):
        pytest.skip(f"pip reaches no package index: {said.strip().splitlines()[-1]}")
    assert done.returncode == 0, said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of a copy of the sources so that nothing is left behind in the checkout."""
    folder = tmp_path_factory.mktemp("build")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    succeed_or_skip(run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "dist", ".", folder=folder))
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", folder, folder=folder).returncode == 0
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    succeed_or_skip(run(programs / "python", "-m", "pip", "install", wheel, folder=folder))
    return programs


def test_the_wheel_holds_what_is_needed_and_no_more(wheel: Path) -> None:
    assert wheel.name == f"degloss-{degloss.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        for name in (WEIGHTS, MANIFEST, "MODEL_CARD.md"):
            assert file.read(MODEL + name) == (ROOT / "models" / "german" / name).read_bytes()
    sources = {f"degloss/{p.relative_to(ROOT / 'src/degloss')}" for p in (ROOT / "src/degloss").rglob("*.py")}
    lexicons = {f"degloss/{p.relative_to(ROOT / 'src/degloss')}" for p in (ROOT / "src/degloss").rglob("*.txt")}
    assert sources | lexicons | {"degloss/py.typed"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"degloss", "degloss_start", "degloss_training", f"degloss-{degloss.__version__}.dist-info"}
    assert {name for name in names if name.startswith("degloss/models/")} == {
        MODEL + name for name in (WEIGHTS, MANIFEST, "MODEL_CARD.md")
    }
    assert wheel.stat().st_size < 16 << 20


def test_the_environment_is_empty_but_for_the_wheel(installed: Path, tmp_path: Path) -> None:
    script = (
        "import degloss, importlib.util as u; print(degloss.__file__);"
        "print(*[n for n in ('sklearn', 'scipy', 'pandas', 'joblib', 'matplotlib', 'pytest') if u.find_spec(n)])"
    )
    done = run(installed / "python", "-c", script, folder=tmp_path)
    place, others = done.stdout.split("\n")[:2]
    assert Path(place).is_relative_to(installed.parent)
    assert others == ""


def test_the_command_works_there(installed: Path, tmp_path: Path) -> None:
    command = installed / "degloss"
    done = run(command, "--version", folder=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (f"degloss {degloss.__version__}\n", "", 0)
    done = run(command, "model", folder=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    assert json.loads(done.stdout) == json.loads((shipped_folder() / MANIFEST).read_bytes())
    done = run(command, "label", "-", "--format", "jsonl", folder=tmp_path, stdin=TEXT)
    assert (done.stderr, done.returncode) == ("", 0)
    found = json.loads(done.stdout)["sentences"]
    assert [(s["start"], s["end"]) for s in found] == [(0, 43), (45, 69)]
    done = run(command, "clean", "-", folder=tmp_path, stdin=TEXT)
    assert (done.stdout, done.returncode) == (TEXT.splitlines()[0] + "\n", 0)


def test_the_library_says_there_what_it_says_here(installed: Path, tmp_path: Path) -> None:
    script = "import degloss, sys; print([s[:3] for s in degloss.separate(sys.argv[1]).sentences])"
    done = run(installed / "python", "-c", script, TEXT, folder=tmp_path)
    assert done.stdout == f"{[s[:3] for s in degloss.separate(TEXT).sentences]}\n"


@pytest.mark.parametrize("name", ["train", "evaluate", "corpus"])
def test_training_says_what_it_needs(name: str, installed: Path, tmp_path: Path) -> None:
    done = run(installed / "degloss", name, "--help", folder=tmp_path)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.count("\n") == 1
    assert "pip install 'degloss[train]'" in done.stderr
