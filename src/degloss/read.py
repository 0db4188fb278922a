"""Inputs → documents: one after the other, whatever they are stored in.

Offsets count the code points of a document's text, so nothing is translated: CRLF stays, and only a byte order mark
is left out. A text file is a document, and so is an HTML page, of which trafilatura takes the text; of JSON lines
and tables each row is one. `Document.derived` says that its text is not to be found in the input as it is, because
it was taken out of HTML or mended: then the output has to carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from degloss.encodings import Note, decode
from degloss.errors import InputError
from degloss.extras import package
from degloss.kinds import Kind, no_json
from degloss.pages import page_text
from degloss.parquet import ArrowRow, Schema, read_parquet
from degloss.records import Record, read_records
from degloss.source import Watch, opened, unwatched
from degloss.tables import Header, Row, read_rows

Head = Header | Schema | None
"""What is known of an input before its first document."""


class Document(NamedTuple):
    """A text on its way: what messages call it, the text, the row it comes from, whether the text is derived."""

    name: str
    text: str
    row: Record | Row | ArrowRow | None = None
    derived: bool = False


def read_documents(
    name: str, kind: Kind, field: str, note: Note, *, mend: bool = False, watch: Watch = unwatched
) -> Iterator[Head | Document | InputError]:
    """First what is known beforehand, then each document, or the error of a row that is none.

    Raises `InputError` for an input that cannot be read, or not to its end, and `ExtraMissing`. With `mend` wrongly
    decoded letters are put right.
    """
    if kind in ("text", "html"):
        yield None
        text = read_text(name, note, page=kind == "html", watch=watch)
        yield Document(name, mended(text, name) if mend else text, None, mend or kind == "html")
        return
    if kind == "json":
        raise no_json(name)
    rows: Iterator[Header | Schema | Record | Row | ArrowRow | InputError]
    if kind == "jsonl":
        yield None
        rows = read_records(name, field, watch)
    elif kind == "parquet":
        rows = read_parquet(name, field, watch)
    else:
        rows = read_rows(name, field, note, tabs=kind == "tsv", watch=watch)
    for row in rows:
        if isinstance(row, Header | Schema | InputError):
            yield row
        else:
            where = f"{name}:{row.line}"
            yield Document(where, mended(row.text, where) if mend else row.text, row, mend)


def read_text(name: str, note: Note, *, page: bool = False, watch: Watch = unwatched) -> str:
    """The text of a file, or of standard input for "-"; of a `page` of HTML its text. Raises `InputError`."""
    with opened(name, watch) as source:
        text = decode(source.whole(), name, note, page=page)
    return page_text(text, name) if page else text


def mended(text: str, name: str) -> str:
    """The text with letters put right that were decoded wrongly, and nothing else changed (extra `mojibake`).

    >>> mended("GrÃ¼ÃŸe aus KÃ¶ln", "brief.txt")
    'Grüße aus Köln'
    """
    return str(package("ftfy", "mojibake", f"{name}: --fix-mojibake").fix_encoding(text))
