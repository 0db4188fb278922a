"""The recipes of docs/pipelines.md, run as they stand there, each where what it needs is installed."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import degloss
from degloss.columns import COLUMNS

DOC = Path(__file__).parents[1] / "docs" / "pipelines.md"
TEXTS = [
    "Ministerin stellt Plan vor\n\nBerlin – Das Ministerium hat am Montag einen Plan vorgelegt.",
    "Teile die Wahrheit! 👉 https://t.me/beispiel",
    "",
    None,
    "Ich kann darüber nur den Kopf schütteln!\n\nWer soll das denn alles bezahlen? 😡",
]


def recipe(heading: str) -> str:
    section = DOC.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return str(code)


def run(code: str, folder: Path) -> str:
    (folder / "recipe.py").write_text(code, encoding="utf-8")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYSPARK_PYTHON": sys.executable,
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    done = subprocess.run(
        [sys.executable, "recipe.py"], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300,
        check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def pages(tmp_path: Path) -> pd.DataFrame:
    table = pd.DataFrame({"id": range(40), "text": TEXTS * 8})
    return table


ENGINES = {
    "Spark": ["pyspark", "pyarrow"],
    "Ray Data": ["ray", "pyarrow"],
    "Hugging Face datasets": ["datasets", "pyarrow"],
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_says_what_label_frame_says(engine: str, pages: pd.DataFrame, tmp_path: Path) -> None:
    for package in ENGINES[engine]:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the recipe for {engine} is not run: {package} is not installed")
    if engine == "Spark" and shutil.which("java") is None:
        pytest.skip("the recipe for Spark is not run: there is no Java")
    pages.to_parquet(tmp_path / "pages.parquet")
    run(recipe(engine), tmp_path)
    made = pd.read_parquet(tmp_path / "labelled.parquet").sort_values("id", ignore_index=True)
    wanted = degloss.label_frame(pages)
    assert list(made.columns) == list(wanted.columns)
    for (_, row), (_, expected) in zip(made.iterrows(), wanted.iterrows(), strict=True):
        for name in wanted.columns:
            assert plain(row[name]) == plain(expected[name]), name


def plain(value: Any) -> Any:
    """The value without what makes one kind of missing or of list differ from another."""
    if value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return value if pd.api.types.is_scalar(value) else [dict(span) for span in value]


def test_spacy(tmp_path: Path) -> None:
    pytest.importorskip("spacy", reason="the recipe for spaCy is not run: spaCy is not installed")
    texts = [text for text in TEXTS if text]
    lines = run(f"texts = {texts!r}\n{recipe('spaCy')}", tmp_path).splitlines()
    labels = [segment.label for found in degloss.separate_many(texts) for segment in found.segments]
    assert [line.split()[0] for line in lines if line.startswith(degloss.LABELS)] == labels


def test_scikit_learn(tmp_path: Path) -> None:
    sentences = ["Der Rat berät am Montag.", "So ein Unsinn!", "https://t.me/beispiel"] * 2
    code = f"sentences, labels = {sentences!r}, {['article', 'commentary', 'boilerplate'] * 2!r}\n"
    lines = run(f"{code}{recipe('scikit-learn')}\nprint(arrays.table.shape)", tmp_path).splitlines()
    assert lines[-2:] == ["['article']", f"{(1 << 18, 2)}"]


def test_the_schema_for_spark_names_the_columns_in_their_order() -> None:
    (assigned,) = [node for node in ast.parse(recipe("Spark")).body if isinstance(node, ast.Assign)
                   and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "GAINED"]  # fmt: skip
    schema = re.sub(r"<.*>", "", ast.literal_eval(assigned.value))
    assert [field.split()[0] for field in schema.split(",")] == list(COLUMNS)
