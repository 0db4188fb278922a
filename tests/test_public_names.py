"""What degloss offers, and which of its modules may know which."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import degloss
from conftest import PAGE, command
from degloss import errors

SOURCE = Path(degloss.__file__).parent

PUBLIC = {
    "separate", "separate_many", "label_frame", "load", "Separator", "Separation", "Sentence", "Segment", "LABELS",
    "Label", "Favor", "__version__", "DeglossError", "InputError", "OutputError", "ModelError", "ModelMissing",
    "ModelFormatError", "ModelDamaged",
    "CorpusError", "TrainingError", "ExtraMissing", "ClusterError",
}  # fmt: skip

# From the bottom to the top: a module may import those before it, never one behind it.
ORDER = (
    "errors", "extras", "documents", "annotations", "characters", "segment", "slices", "encode", "markup",
    "garbled", "spellings", "candidates", "reading", "words", "skeleton", "ngrams", "vectors", "marks", "places",
    "likeness", "cues", "classify", "context", "boundary", "memory", "messages", "decode", "artefact", "separate",
    "columns", "frame", "spacy", "kinds", "source", "encodings", "records", "tables", "parquet", "pages", "read",
    "show", "report", "formats", "partfile", "write", "tally", "plan", "listing", "planning", "journal", "blocks",
    "workers", "sink", "inplace", "outputs", "progress", "jobs", "parts", "cluster", "explain", "exits", "options",
    "cli",
)  # fmt: skip
OUTSIDE = ("__init__", "__main__")

NEVER = {"sklearn", "scipy", "pandas", "joblib", "matplotlib", "degloss_training"}
INTEGRATED = {"frame": "pandas"}
"""The one package that a module is there for; it loads when it is used (`test_importing_degloss_loads_little`)."""


def imports(module: str) -> Iterator[str]:
    """Every module that a module imports, wherever in it."""
    for node in ast.walk(ast.parse((SOURCE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            yield str(node.module)
            if node.module == "degloss":
                yield from (f"degloss.{alias.name}" for alias in node.names)


def test_public_names() -> None:
    assert set(degloss.__all__) == PUBLIC
    assert len(degloss.__all__) == len(PUBLIC)
    shown = {
        name for name, value in vars(degloss).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }  # fmt: skip
    assert shown == PUBLIC - {"__version__"}
    assert callable(degloss.separate)


def test_every_error_is_public_and_has_one_root() -> None:
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}
    assert set(classes) < PUBLIC
    assert all(issubclass(value, degloss.DeglossError) for value in classes.values())


def test_version_is_that_of_the_distribution() -> None:
    assert degloss.__version__ == importlib.metadata.version("degloss")


def test_every_module_has_its_place() -> None:
    assert {path.stem for path in SOURCE.glob("*.py")} == {*ORDER, *OUTSIDE}
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_go_one_way(module: str) -> None:
    known = {name for name in imports(module) if name.partition(".")[0] == "degloss"} - {"degloss"}
    behind = {name.split(".")[1] for name in known} & set(ORDER[ORDER.index(module) :])
    assert not behind


@pytest.mark.parametrize("module", [*ORDER, *OUTSIDE])
def test_nothing_of_training_is_imported(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports(module)} & (NEVER - {INTEGRATED.get(module)})


@pytest.mark.parametrize("module", ORDER)
def test_modules_say_why_they_exist(module: str) -> None:
    documentation = importlib.import_module(f"degloss.{module}").__doc__ or ""
    assert len(documentation.split()) > 20
    assert len((SOURCE / f"{module}.py").read_text(encoding="utf-8").splitlines()) <= 300


def loaded(*lines: str) -> set[str]:
    """The packages that are loaded after these lines of Python."""
    script = "\n".join(["import sys", *lines, "print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_importing_degloss_loads_little() -> None:
    packages = loaded("import degloss")
    assert "numpy" in packages
    assert not packages & {*NEVER, "typer", "rich", "spacy", "distributed", "fsspec"}


@pytest.mark.parametrize("name", ["clean", "label", "explain"])
def test_running_loads_nothing_of_training(name: str, model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(PAGE, encoding="utf-8")
    arguments = command(model, name, page)[3:]
    packages = loaded(
        f"sys.argv = ['degloss', *{arguments!r}]",
        "from degloss.cli import main",
        "try: main()",
        "except SystemExit as end: assert end.code == 0",
    )
    assert "typer" in packages
    assert not packages & {*NEVER, "rich", "spacy", "distributed", "fsspec"}
