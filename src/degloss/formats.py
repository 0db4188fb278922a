"""Separations → lines: the forms in which results leave the command line.

`clean` is the text itself. `text` and `html` are for the eye, `tsv` has a line a sentence, `jsonl` is for programs,
and `table` is the table that came in with the columns of `columns`; offsets are code points. What UTF-8 cannot hold, a
lone surrogate, comes out as `\\ud800`: in JSON that is the same string, in TSV it is one of the escapes, elsewhere it
is the one thing that does not survive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from degloss.columns import COLUMNS, columns
from degloss.documents import LABELS, Label, Separation
from degloss.errors import InputError
from degloss.kinds import KINDS, ROWS, TABLES, Kind, parts
from degloss.parquet import ArrowRow, Schema
from degloss.parquet import as_record as arrow_record
from degloss.read import Document, Head
from degloss.records import Record, is_null
from degloss.show import escape, visible
from degloss.tables import Header, Row, line_of, texts
from degloss.tables import as_record as row_record

Format = Literal["text", "tsv", "jsonl", "html", "table"]
ENDINGS: Final[dict[Format, str]] = {
    "text": ".txt", "tsv": ".tsv", "jsonl": ".jsonl", "html": ".html", "table": ".csv",
}  # fmt: skip

TSV_COLUMNS: Final = (
    "start", "end", "label", "confidence", "lone_label", "lone_score", "sentence", "file",
)  # fmt: skip
_DIGITS: Final = 4  # of probabilities: finer differences mean nothing, and files stay the same across machines
_COLORS: Final[dict[Label, str]] = {"article": "32", "commentary": "33", "boilerplate": "2"}
_WIDTH: Final = max(map(len, LABELS))


class Cells(NamedTuple):
    """What becomes of a row of Parquet: the text it is to have, and what it gains, if anything."""

    text: str
    gained: dict[str, object] | None


@dataclass(frozen=True)
class Form:
    """How results look: a document by `document`, and what stands above all by `head`.

    `keep` is what `clean` keeps; None means that all is to be labelled, in a `format`. `field` is where records and
    tables have their text. `headed` if several documents share a stream, `color` for terminals, and `raw` leaves
    cells in CSV as they are that a spreadsheet would run. Can be pickled: other processes use it, too.
    """

    field: str
    keep: tuple[Label, ...] | None = None
    format: Format = "text"
    headed: bool = False
    color: bool = False
    raw: bool = False

    def head(self, head: Head, kind: Kind) -> str:
        """What stands above the results of an input; raises `InputError` if its columns get in the way."""
        if self.tabular:
            if isinstance(head, Header | Schema) and self.keep is None:
                names = head.columns if isinstance(head, Header) else head.arrow.names
                taken = [name for name in names if name in COLUMNS]
                if taken:
                    raise InputError(f"has a column {taken[0]!r} already, which it is to gain; rename or drop it")
            if isinstance(head, Header):
                names = head.columns if self.keep is not None else head.columns + COLUMNS
                return "\ufeff" * head.mark + self._line(names, head)
            return self._line(("file", *COLUMNS)) if self.keep is None and kind not in ROWS else ""
        if self.format == "html":
            from degloss import report  # which needs more of the standard library than all other formats

            return report.head()
        return "\t".join(TSV_COLUMNS) + "\n" if self.format == "tsv" else ""

    def document(self, found: Separation, document: Document) -> str | Cells:
        """The lines of a document; of a row of Parquet that stays one, its cells."""
        if self.keep is not None:
            return self._cleaned(found, document, self.keep)
        if self.format == "table":
            return self._row(found, document)
        if self.format == "html":
            from degloss import report

            return report.document(found, document.name)
        if self.format == "tsv":
            return label_tsv(found, document.name)
        if self.format == "text":
            several = self.headed or document.row is not None
            return label_text(found, document.name, headed=several, color=self.color)
        record = _record(document)
        text = found.text if document.derived else None
        if record is None:
            return label_jsonl(found, document.name, text)
        return label_record(found, record, self.field, text)

    def unchanged(self, document: Document) -> bytes | Cells:
        """A row as it was."""
        row = document.row
        if isinstance(row, Row):
            return encode_line(self._line(row.cells, row.header))
        if isinstance(row, ArrowRow):
            return Cells(row.text, None)
        return encode_line(_object(piece for _, piece in row.members) if row else document.text)

    @property
    def tabular(self) -> bool:
        """Whether tables stay tables, so that only those of the same columns go into one file."""
        return self.keep is not None or self.format == "table"

    def _cleaned(self, found: Separation, document: Document, keep: tuple[Label, ...]) -> str | Cells:
        row = document.row
        if isinstance(row, Row):
            cells = list(row.cells)
            cells[row.header.place] = found.keep(keep)
            return self._line(cells, row.header)
        if isinstance(row, ArrowRow):
            return Cells(found.keep(keep), None)
        if row is not None:
            return clean_record(found, row, self.field, keep)
        return clean_text(found, keep)

    def _row(self, found: Separation, document: Document) -> str | Cells:
        row, more = document.row, columns(found)
        if isinstance(row, ArrowRow):
            return Cells(found.text, more)
        if isinstance(row, Row):
            kept = list(row.cells)
            kept[row.header.place] = found.text
            return self._line([*kept, *texts(more)], row.header)
        if row is not None:
            return gain_record(found, row, self.field, more, document.derived)
        return self._line([document.name, *texts(more)])

    def _line(self, cells: Iterable[str], header: Header | None = None) -> str:
        if header is None:
            return line_of(cells, raw=self.raw)
        return line_of(cells, raw=self.raw, separator=header.separator, line_break=header.line_break)


def format_for(kind: Kind, wanted: Format | None, output: str | None = None) -> Format:
    """The format of a kind of input: the one asked for, else that of the output's ending.

    Without either tables stay tables and all else is for people.

    >>> format_for("csv", None), format_for("jsonl", None), format_for("csv", "jsonl", "x.csv")
    ('table', 'text', 'jsonl')
    >>> format_for("jsonl", None, "x.jsonl.gz"), format_for("tsv", None, "x.tsv"), format_for("text", None, "x.ndjson")
    ('jsonl', 'table', 'jsonl')
    """
    ending = parts(output or "").ending.lower()
    if kind in TABLES and ending in (".csv", ".tsv", ".parquet"):
        return wanted or "table"
    if KINDS.get(ending) == "jsonl":
        ending = ENDINGS["jsonl"]
    if KINDS.get(ending) == "html":
        ending = ENDINGS["html"]
    of_ending = next((format for format, its in ENDINGS.items() if its == ending), None)
    return wanted or of_ending or ("table" if kind in TABLES else "text")


def _record(document: Document) -> Record | None:
    """The row of a document as JSON lines have it."""
    row = document.row
    if isinstance(row, Row):
        return row_record(row)
    if isinstance(row, ArrowRow):
        return arrow_record(row)
    return row


def encode_line(line: str) -> bytes:
    """UTF-8, with lone surrogates as `\\udXXX`, which is what JSON calls them too."""
    return line.encode("utf-8", "backslashreplace")


def clean_text(separation: Separation, labels: Iterable[Label]) -> str:
    """What is kept, with a line break at its end; nothing at all where nothing is kept."""
    kept = separation.kept(labels)
    if kept:
        kept.append("\r\n" if "\r\n" in separation.text else "\n")
    return "".join(kept)


def label_text(separation: Separation, name: str, *, headed: bool, color: bool) -> str:
    """A line for each sentence, for people: label, confidence, sentence."""
    lines = [heading(name)] if headed else []
    for sentence in separation.sentences:
        label = painted(sentence.label, color=color) + " " * (_WIDTH - len(sentence.label))
        text = visible(separation.text[sentence.start : sentence.end])
        lines.append(f"{label}  {sentence.confidence:.2f}  {text}\n")
    return "".join(lines)


def heading(name: str) -> str:
    """The line above the lines of one document, where those of several follow each other."""
    return f"==> {visible(name)} <==\n"


def painted(label: Label, *, color: bool) -> str:
    """A label, in its colour if there are to be colours."""
    return f"\x1b[{_COLORS[label]}m{label}\x1b[0m" if color else label


def label_tsv(separation: Separation, name: str) -> str:
    """A line for each sentence, in the columns of `TSV_COLUMNS`."""
    file = escape(name)
    rows = (
        f"{s.start}\t{s.end}\t{s.label}\t{s.confidence:.{_DIGITS}f}\t{s.lone_label}\t{s.lone_score:.{_DIGITS}f}"
        f"\t{escape(separation.text[s.start : s.end])}\t{file}\n"
        for s in separation.sentences
    )
    return "".join(rows)


def label_jsonl(separation: Separation, name: str, text: str | None = None) -> str:
    """One line for the document: the file, its text if it cannot be had from there, and its sentences."""
    said = {} if text is None else {"text": text}
    return _json({"file": name, **said, "sentences": _sentences(separation)}) + "\n"


def label_record(separation: Separation, record: Record, field: str, text: str | None = None) -> str:
    """The line of a record: its other fields as they were, and its sentences; the text only if it is another."""
    pieces = [piece for name, piece in record.members if name not in (field, "sentences")]
    if text is not None and not _without_text(record, field):
        pieces.append(f"{_json(field)}: {_json(text)}")
    pieces.append(f'"sentences": {_json(_sentences(separation))}')
    return _object(pieces)


def gain_record(separation: Separation, record: Record, field: str, more: dict[str, object], derived: bool) -> str:
    """The line of a record: all its fields as they were, and what tables gain; older fields of these names go."""
    text = f"{_json(field)}: {_json(separation.text)}"
    derived = derived and not _without_text(record, field)
    pieces = [text if derived and name == field else piece for name, piece in record.members if name not in COLUMNS]
    pieces += [f"{_json(name)}: {_json(value)}" for name, value in more.items()]
    return _object(pieces)


def clean_record(separation: Separation, record: Record, field: str, labels: Iterable[Label]) -> str:
    """The line of a record: all its fields as they were, but for the text, which is cleaned unless it is null."""
    if _without_text(record, field):
        return _object(piece for _, piece in record.members)
    kept = f"{_json(field)}: {_json(separation.keep(labels))}"
    return _object(kept if name == field else piece for name, piece in record.members)


def _without_text(record: Record, field: str) -> bool:
    """Whether the text of a record is null; of fields of the same name the last one counts."""
    return next((is_null(piece) for name, piece in reversed(record.members) if name == field), False)


def _object(pieces: Iterable[str]) -> str:
    return "{" + ", ".join(pieces) + "}\n"


def _sentences(separation: Separation) -> list[dict[str, Any]]:
    return [
        {"start": s.start, "end": s.end, "label": s.label, "confidence": round(s.confidence, _DIGITS)}
        for s in separation.sentences
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
