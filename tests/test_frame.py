"""Tables: what is gained, that nothing else changes, and what is said of wrong ones."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

import degloss as package
from conftest import ARTICLE, CLEAN, COMMENT, LINK, PAGE
from degloss.columns import COLUMNS, columns
from degloss.frame import label_frame
from degloss.separate import Separator

TEXTS: list[object] = [PAGE, None, "", COMMENT, float("nan"), f"{ARTICLE} 👩‍👩‍👧 Schön."]


def test_columns_of_one_document(separator: Separator) -> None:
    found = separator.separate(PAGE)
    row = columns(found)
    assert tuple(row) == COLUMNS
    assert (row["article"], row["commentary"], row["boilerplate"]) == (CLEAN.rstrip("\n"), COMMENT, LINK)
    assert row["spans"] == [{"start": s.start, "end": s.end, "label": s.label} for s in found.segments]
    lengths = {s: s.end - s.start for s in found.sentences}
    total = sum(lengths.values())
    assert row["commentary_share"] == round(len(COMMENT) / total, 4)
    assert row["confidence"] == pytest.approx(sum(s.confidence * n for s, n in lengths.items()) / total, abs=6e-5)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_columns_of_a_text_without_sentences(text: str, separator: Separator) -> None:
    assert list(columns(separator.separate(text)).values()) == ["", "", "", [], 0.0, None]


@pytest.mark.parametrize("kind", ["object", "string"])
def test_each_row_gains_what_its_text_alone_would(kind: Any, separator: Separator) -> None:
    rows = list("xxyzzz")
    table = pd.DataFrame({"id": range(6), "body": pd.array(TEXTS, dtype=kind)}, index=rows)
    assert table["body"].isna().sum() == 2
    before = table.copy(deep=True)
    made = label_frame(table, "body", separator=separator)
    pd.testing.assert_frame_equal(table, before)
    assert list(made.columns) == ["id", "body", *COLUMNS]
    pd.testing.assert_frame_equal(made[["id", "body"]], before)
    found = separator.separate_many(text for text in TEXTS if isinstance(text, str))
    for (_, row), text in zip(made.iterrows(), TEXTS, strict=True):
        expected = columns(next(found)) if isinstance(text, str) else dict.fromkeys(COLUMNS)
        for name, value in expected.items():
            assert pd.isna(row[name]) if value is None else row[name] == value, name
    assert next(found, None) is None
    assert {made[name].dtype for name in ("article", "commentary", "boilerplate")} == {before["body"].dtype}
    assert made["confidence"].dtype == made["commentary_share"].dtype == "float64"


def test_a_series_becomes_the_column_of_the_texts(separator: Separator) -> None:
    made = label_frame(pd.Series([PAGE, COMMENT], index=[5, 3], name="whatever"), separator=separator)
    assert list(made.columns) == ["text", *COLUMNS]
    assert list(made.index) == [5, 3]
    assert list(made["commentary"]) == [COMMENT, COMMENT]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_tables_without_a_text(values: list[None], separator: Separator) -> None:
    made = label_frame(pd.DataFrame({"text": values}), separator=separator)
    assert list(made.columns) == ["text", *COLUMNS]
    assert made[list(COLUMNS)].isna().all(axis=None)
    assert made["confidence"].dtype == "float64"


def test_favor_is_handed_on(separator: Separator) -> None:
    # One exclamation mark: the model of the tests is not sure.
    doubtful = pd.Series(["Das Amt hat einen Plan vorgelegt!"])
    assert label_frame(doubtful, favor="recall", separator=separator)["article"][0]
    assert not label_frame(doubtful, favor="precision", separator=separator)["article"][0]


def test_the_shipped_model_is_used_if_no_other_is_given() -> None:
    made = package.label_frame(pd.Series([PAGE]))
    assert made.iloc[0][list(COLUMNS)].to_dict() == columns(package.separate(PAGE))


WRONG: list[tuple[object, str, type[Exception], str]] = [
    ([PAGE], "text", TypeError, "Series or DataFrame, not list"),
    (pd.DataFrame({"body": [PAGE]}), "text", KeyError, "0 columns 'text' in ['body']"),
    (pd.DataFrame([[PAGE, PAGE]], columns=["text", "text"]), "text", KeyError, "2 columns 'text'"),
    (pd.DataFrame({"text": [PAGE], "article": ["kept"]}), "text", ValueError, "['article'] are there already"),
    (pd.DataFrame({("article", "text"): [PAGE]}), ("article", "text"), ValueError, "columns of several levels"),
    (pd.DataFrame({"text": [PAGE, 3]}, index=["a", "b"]), "text", TypeError, "row 'b': a text must be str, not int"),
]


@pytest.mark.parametrize(("data", "text", "kind", "message"), WRONG)
def test_wrong_tables_are_refused(data: Any, text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        label_frame(data, text)
    assert message in str(error.value.args[0])


def test_a_name_is_no_separator() -> None:
    with pytest.raises(TypeError, match=r"separator takes a Separator \(degloss.load\), not str"):
        label_frame(pd.Series([PAGE]), separator="models/german")  # type: ignore[arg-type]


def test_without_pandas_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "import degloss\n"
        "try: degloss.label_frame(['x'])\n"
        "except degloss.ExtraMissing as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "label_frame needs the package pandas; pip install 'degloss[pandas]'\n"
