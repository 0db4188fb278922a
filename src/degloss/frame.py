"""Tables in, tables out: `label_frame`, the one function that notebooks, Spark, Ray and Hugging Face need.

pandas is imported when the function is called and not before, since degloss itself does without. docs/pipelines.md
has the few lines that put it into each of these engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from degloss.columns import COLUMNS, columns
from degloss.documents import Favor
from degloss.extras import package
from degloss.separate import Separator, shipped

if TYPE_CHECKING:
    import pandas as pd


def label_frame(
    data: pd.Series[Any] | pd.DataFrame,
    text: str = "text",
    *,
    favor: Favor = "balanced",
    separator: Separator | None = None,
) -> pd.DataFrame:
    """A table with every text separated: its own columns, and behind them those of `degloss.columns.COLUMNS`.

    `data` is a data frame with the texts in the column `text`, or a series of texts, which becomes that column.
    `separator` is another model than the shipped one. Rows, their order and the index stay; `data` is not changed.
    A missing text (None, NaN, NA) is missing in all new columns too. The columns of text have the type of the column
    `text`; `spans` has a list of dictionaries in each row, offsets in code points.

    Raises `KeyError` if there is no column `text`, `ValueError` if a column is there already that would be gained or if
    columns have several levels, `TypeError` for a text that is no string, and `ExtraMissing` without pandas.

    >>> import pandas as pd
    >>> posts = pd.DataFrame({"id": [7, 8], "text": ["Teile diesen Beitrag", None]})
    >>> label_frame(posts)[["id", "boilerplate", "commentary_share"]]
       id           boilerplate  commentary_share
    0   7  Teile diesen Beitrag               0.0
    1   8                   NaN               NaN
    """
    if separator is not None and not isinstance(separator, Separator):
        raise TypeError(f"separator takes a Separator (degloss.load), not {type(separator).__name__}")
    pandas = package("pandas", "pandas", "label_frame")
    if isinstance(data, pandas.Series):
        table: pd.DataFrame = data.to_frame(text)
    elif isinstance(data, pandas.DataFrame):
        table = data.copy(deep=False)
    else:
        raise TypeError(f"label_frame takes a pandas Series or DataFrame, not {type(data).__name__}")
    if table.columns.nlevels > 1:
        raise ValueError("columns of several levels: give a table of one level, as table.droplevel makes it")
    there = list(table.columns)
    if there.count(text) != 1:
        raise KeyError(f"{there.count(text)} columns {text!r} in {there}; name the one with the texts by text=")
    taken = [name for name in COLUMNS if name in there]
    if taken:
        raise ValueError(f"columns {taken} are there already and would be overwritten; drop or rename them")

    given = table[text]
    missing = given.isna().tolist()
    found = (separator or shipped()).separate_many(_texts(given, missing), favor=favor)
    nothing = dict.fromkeys(COLUMNS)
    rows = [nothing if gone else columns(next(found)) for gone in missing]
    strings = given.dtype if pandas.api.types.is_string_dtype(given.dtype) else "object"
    kinds = {"spans": "object", "commentary_share": "float64", "confidence": "float64"}
    for name in COLUMNS:
        table[name] = pandas.Series([row[name] for row in rows], table.index, kinds.get(name, strings))
    return table


def _texts(given: pd.Series[Any], missing: list[bool]) -> Iterator[str]:
    for place, value, gone in zip(given.index, given.tolist(), missing, strict=True):
        if not gone:
            if not isinstance(value, str):
                raise TypeError(f"row {place!r}: a text must be str, not {type(value).__name__}; convert the column")
            yield value
