"""CSV and TSV → rows, and back: every column stays, whatever separates the cells.

What separates cells – comma, semicolon, tab or bar – is the one under which the header has the text's column. The
same character, line break and byte order mark are used for the output, which is UTF-8.

A spreadsheet runs a cell that begins with = + - @ (or their wide forms), tab or a line break as a formula, so that
the text of a stranger can call a program. `neutral` puts an apostrophe in front of such cells, as spreadsheets
themselves do; plain numbers stay. It can be undone: of cells that begin with apostrophes and then such a character,
take one apostrophe away.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, Literal, NamedTuple

from degloss.encodings import DAMAGED, MARKS, Note, Remark, bytes_amiss, guess, guessed
from degloss.errors import InputError
from degloss.records import Record
from degloss.source import MOST_BYTES, STDIN, Source, Watch, opened, unwatched

SEPARATORS: Final = (",", ";", "\t", "|")
"""What may be between cells."""
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*(e[+-]?\d+)?\Z", re.IGNORECASE)
_PIECE: Final = 1 << 20
_ESCAPED = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as Python's `surrogateescape` reads them."""


class Header(NamedTuple):
    """What is known of a table before its first row: its columns, where the text is, and how it is written."""

    columns: tuple[str, ...]
    place: int
    separator: str
    line_break: str
    mark: bool

    def width(self) -> int:
        return len(self.columns)


class Row(NamedTuple):
    """A row: the line it begins in, its text, all its cells, the text included, and the header above it."""

    line: int
    text: str
    cells: tuple[str, ...]
    header: Header


def read_rows(
    name: str, field: str, note: Note, *, tabs: bool, watch: Watch = unwatched
) -> Iterator[Header | Row | InputError]:
    """The header, then the rows, one at a time; for a bad row the error. `tabs` for TSV.

    Raises `InputError` for a file that cannot be read at all, or has no column of the name `field`.
    """
    encoding, mark, sound = _encoding(name, note)
    with opened(name, watch) as source:
        stream = io.TextIOWrapper(source.file, encoding, "strict" if sound else "surrogateescape", newline="")
        try:
            yield from _rows(source, stream, field, tabs=tabs, mark=mark, sound=sound)
        except UnicodeDecodeError as error:
            raise InputError(f"{name}: not {encoding.upper()} ({error.reason}); convert it to UTF-8 (iconv)") from error
        finally:
            stream.detach()


def _rows(
    source: Source, stream: io.TextIOWrapper, field: str, *, tabs: bool, mark: bool, sound: bool
) -> Iterator[Header | Row | InputError]:
    """As `read_rows`; unless the bytes are `sound`, those that could not be decoded stand there as lone surrogates."""
    name = source.name
    csv.field_size_limit(MOST_BYTES)
    first = _first(stream)
    mark, first = mark or first.startswith("\ufeff"), first.removeprefix("\ufeff")
    if not first.strip():
        raise InputError(f"{name}: no header; the first line must name the columns")
    if not sound and _ESCAPED.search(first):
        raise InputError(f"{name}: its header is not UTF-8; convert it to UTF-8 (iconv)")
    header = _header(first, field, name, tabs=tabs, mark=mark)
    yield header
    for found in _split(chain(io.StringIO(first, newline=""), _lines(stream, name)), header, name):
        if isinstance(found, InputError):
            yield found
            continue
        line, cells = found
        if len(cells) != header.width():
            yield InputError(
                f"{name}:{line}: {len(cells)} {'cell' if len(cells) == 1 else 'cells'} where the header has"
                f" {header.width()}; check its separators and quotation marks"
            )
            continue
        if not sound and any(map(_ESCAPED.search, cells)):
            yield InputError(f"{name}:{line}: not UTF-8; mend the row, or convert the table to UTF-8 (iconv)")
            continue
        yield Row(line, cells[header.place], tuple(cells), header)
    try:
        source.check()
    except InputError as error:
        yield error


def _split(lines: Iterable[str], header: Header, name: str) -> Iterator[tuple[int, list[str]] | InputError]:
    """The rows below the header: the line each begins in, and its cells.

    Between tabs quotation marks may be those of CSV, or just stand there. Lines that are no row of CSV, each with as
    many cells as the header, are taken as they stand; what could be one row of CSV as well as several rows is refused.
    """
    read: list[str] = []  # the lines of a row
    tabs = header.separator == "\t"
    # Strict, since a stray quotation mark would swallow the rows behind it.
    reader = csv.reader(_noted(lines, read) if tabs else lines, delimiter=header.separator, strict=True)
    next(reader)
    while True:
        read.clear()
        line, wrong, cells = reader.line_num + 1, "", []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = str(error)
        where = f"{line}" if reader.line_num <= line else f"{line}-{reader.line_num}"
        if tabs and (wrong or len(cells) not in (0, header.width())) and _are_rows(read, header):
            bare = ((place, text.rstrip("\r\n")) for place, text in enumerate(read, line))
            yield from ((place, text.split("\t")) for place, text in bare if text)
            continue
        several = len(read) > 1 and _are_rows([read[0], read[-1]], header)
        if wrong:
            yield InputError(f"{name}:{where}: no row of a table ({wrong}); check its quotation marks")
        elif several and line_of(cells, raw=True, separator="\t", line_break="") != "".join(read).rstrip("\r\n"):
            yield InputError(
                f"{name}:{where}: one row of several lines, or several rows of which two have a"
                ' quotation mark; double the marks that are of the text ("""Ja."), or put all cells in such'
            )
        elif cells:
            yield line, cells


def _noted(lines: Iterable[str], read: list[str]) -> Iterator[str]:
    for line in lines:
        read.append(line)
        yield line


def _are_rows(lines: list[str], header: Header) -> bool:
    """Whether each of these lines has as many cells as the header, but for empty ones, which are passed over; in a
    single column that says nothing of several."""
    tabs = header.width() - 1
    return (len(lines) == 1 or tabs > 0) and all(line.count("\t") == tabs for line in lines if line.rstrip("\r\n"))


def _first(stream: io.TextIOWrapper) -> str:
    """The line of the header; a name in quotation marks may have line breaks, and then it is several."""
    lines = [stream.readline(_PIECE)]
    size, quotes = len(lines[0]), lines[0].count('"')
    while quotes % 2 and size < _PIECE and (line := stream.readline(_PIECE)):
        lines.append(line)
        size += len(line)
        quotes += line.count('"')
    return "".join(lines)


def _lines(stream: io.TextIOWrapper, name: str) -> Iterator[str]:
    while line := stream.readline(MOST_BYTES):
        if len(line) == MOST_BYTES:
            raise InputError(f"{name}: one line of more than {MOST_BYTES >> 20} MiB; split it")
        yield line


def _header(line: str, field: str, name: str, *, tabs: bool, mark: bool) -> Header:
    best: list[str] = []
    for separator in ["\t"] if tabs else SEPARATORS:
        try:
            columns = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator, strict=True))
        except (csv.Error, StopIteration):
            continue
        if columns.count(field) > 1:
            raise InputError(f"{name}: has several columns {field!r}; rename one, or name another one by --text-field")
        if field in columns:
            bare = line.rstrip("\r\n")
            return Header(tuple(columns), columns.index(field), separator, line[len(bare) :] or "\n", mark)
        best = max(best, columns, key=len)
    raise InputError(f"{name}: no column {field!r}{some_names(best)}; name the text's column by --text-field")


def some_names(names: Iterable[str]) -> str:
    """The names that were there instead, a handful at most.

    >>> some_names(["id", "beitrag"])
    ", only 'id', 'beitrag'"
    """
    listed = list(names)
    shown = [name if len(name) <= 20 else f"{name[:20]}…" for name in listed[:6]]
    return f", only {', '.join(map(repr, shown))}{' …' if len(listed) > 6 else ''}" if shown else ""


def _encoding(name: str, note: Note) -> tuple[str, bool, bool]:
    """The encoding of a table, whether it has a byte order mark, and whether all its bytes are sound: it may be UTF-8
    but for a few of them, and read otherwise every letter would be wrong. Without a mark the whole file is looked
    through once."""
    if name == STDIN:
        return "utf-8", False, False  # it cannot be read twice; a mark shows with the header
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    with opened(name) as source:
        piece = source.file.read(_PIECE)
        for mark, encoding, _ in MARKS:
            if piece.startswith(mark):
                return encoding, True, mark != codecs.BOM_UTF8
        while True:
            begun = read - len(decoder.getstate()[0])
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                if _nearly_utf8(name):
                    where = f"damaged at byte {begun + error.start + 1} ({error.reason})"
                    told = f"{name}: UTF-8, {where}; rows with such bytes are left out, get the file anew or mend them"
                    note(Remark(told, DAMAGED))
                    return "utf-8", False, False
                # The guess is made by the place where the trouble begins: before it all is ASCII.
                encoding, title = guess(error.object[max(0, error.start - 100) :] + source.file.read(_PIECE))
                note(guessed(name, title))
                return encoding, False, True
            if not piece:
                return "utf-8", False, True
            read += len(piece)
            piece = source.file.read(_PIECE)


def _nearly_utf8(name: str) -> bool:
    """Whether a table that is not UTF-8 is that but for a few bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    wrong = right = 0
    with opened(name) as source:
        while piece := source.file.read(_PIECE):
            more = bytes_amiss(decoder.decode(piece), piece)
            wrong, right = wrong + more[0], right + more[1]
    return wrong + len(decoder.getstate()[0]) <= right


def as_record(row: Row) -> Record:
    """The row in the form of JSON lines.

    >>> as_record(Row(2, "Ja.", ("7", "Ja."), Header(("id", "text"), 1, ",", "\\n", False)))
    Record(line=2, text='Ja.', members=(('id', '"id": "7"'), ('text', '"text": "Ja."')))
    """
    pieces = zip(row.header.columns, map(_json, row.header.columns), map(_json, row.cells), strict=True)
    return Record(row.line, row.text, tuple((name, f"{key}: {value}") for name, key, value in pieces))


def line_of(cells: Iterable[str], *, raw: bool, separator: str = ",", line_break: str = "\n") -> str:
    """The cells as one line of CSV, neutralised unless `raw`.

    >>> line_of(["7", "+++ Eilmeldung +++", "-3,5"], raw=False)
    '7,\\'+++ Eilmeldung +++,"-3,5"\\n'
    """
    buffer, cells = io.StringIO(), list(cells if raw else map(neutral, cells))
    # What could be taken for several rows between tabs is quoted in all its cells, which no such rows are.
    several = separator == "\t" and any("\t" in cell and ("\n" in cell or "\r" in cell) for cell in cells)
    # With this line break every kind of line break in a cell is quoted.
    quoting: Literal[0, 1] = csv.QUOTE_ALL if several else csv.QUOTE_MINIMAL
    csv.writer(buffer, delimiter=separator, lineterminator="\r\n", quoting=quoting).writerow(cells)
    return buffer.getvalue()[:-2] + line_break


def texts(columns: dict[str, object]) -> list[str]:
    """Values of `columns.columns` as cells: lists as JSON, what is missing empty.

    >>> texts({"article": "Der Rat tagt.", "spans": [{"start": 0, "end": 13}], "confidence": None})
    ['Der Rat tagt.', '[{"start": 0, "end": 13}]', '']
    """
    return [
        value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        for value in columns.values()
    ]


def neutral(cell: str) -> str:
    """The cell, so that no spreadsheet runs it as a formula.

    >>> neutral('=HYPERLINK("https://beispiel.de")'), neutral("'+1 sagt er"), neutral("-12,5")
    ('\\'=HYPERLINK("https://beispiel.de")', "''+1 sagt er", '-12,5')
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.match(cell) else cell


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
