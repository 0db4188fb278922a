"""JSON lines → records: one at a time, and for a bad line the error.

The fields beside the text are kept as they were written, as pieces of JSON: no number, escape or repeated name
changes on its way through. A text that is null is a document without text, as in Parquet, and stays null: people dump
databases, and a line must not be missing for it. Lines must be UTF-8; only a file with the mark of a wide encoding is
held in memory whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, NoReturn

from degloss.encodings import MARKS, strictly
from degloss.errors import InputError
from degloss.source import MOST_BYTES, Watch, opened, unwatched

_BLANK = re.compile(r"[ \t\r\n]*")
# Numbers stay strings: they are only skipped, and Python refuses to make an int of more than 4300 digits.
_VALUES = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_REST: Final = 1 << 20


class Record(NamedTuple):
    """One line of JSON lines, or a row of a table in that form.

    `members` are all fields in their order: the name, and the JSON as it was written, name included.
    """

    line: int
    text: str
    members: tuple[tuple[str, str], ...]


def read_records(name: str, field: str, watch: Watch = unwatched) -> Iterator[Record | InputError]:
    """The records of a file of JSON lines, one at a time, blank lines left out; for a bad line, the error.

    These errors are handed over, not raised, so that one bad line does not end the file; raised is the
    `InputError` of a file that cannot be read at all.
    """
    with opened(name, watch) as source:
        yield from records(source.file, name, field)
        try:
            source.check()
        except InputError as error:
            yield error


def records(file: BinaryIO, name: str, field: str) -> Iterator[Record | InputError]:
    """As `read_records`, of an open file; `name` is what messages call it."""
    for number, line in enumerate(_lines(file, name), 1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            if len(line) > MOST_BYTES:
                raise InputError(f"{where}: one document of more than {MOST_BYTES >> 20} MiB; split it")
            yield _record(line, number, where, field)
        except InputError as error:
            yield error


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The lines in UTF-8; of one that is too long only the beginning, too long itself."""
    first = file.readline(MOST_BYTES + 1)
    for mark, encoding, title in MARKS:
        if first.startswith(mark):
            if encoding == "utf-8":
                first = first[len(mark) :]
                break
            rest = file.read(MOST_BYTES)
            if len(rest) == MOST_BYTES:
                raise InputError(f"{name}: too large for {title}; convert the file to UTF-8 (iconv)")
            text = strictly(first[len(mark) :] + rest, encoding, title, name)
            yield from text.encode().split(b"\n")
            return
    line = first
    while line:
        yield line
        if len(line) > MOST_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(_REST)
        line = file.readline(MOST_BYTES + 1)


def _record(line: bytes, number: int, where: str, field: str) -> Record:
    try:
        members, texts = _members(line.decode("utf-8"), field)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: not UTF-8 at byte {error.start + 1} of the line; convert the file to UTF-8 (iconv)"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}: not JSON ({error.msg}, column {error.colno}); each line must be one JSON object"
        ) from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply; flatten the fields that are not needed") from error
    if members is None:
        raise InputError(f"{where}: not a JSON object; each line must be one, with the text in {field!r}")
    if not texts:
        raise InputError(f"{where}: no field {field!r}{_choice(members)}; name the text's field by --text-field")
    text = "" if texts[-1] is None else texts[-1]
    if not isinstance(text, str):
        raise InputError(
            f"{where}: the field {field!r} holds no string; mend the line, or name the text's field by --text-field"
        )
    return Record(number, text, tuple(members))


def is_null(piece: str) -> bool:
    """Whether the value of a field, a piece of JSON as in `Record.members`, is null.

    >>> is_null('"text": null'), is_null('"text": "null"')
    (True, False)
    """
    return piece.endswith("null")


def _members(line: str, field: str) -> tuple[list[tuple[str, str]] | None, list[object]]:
    """The fields of a JSON object as written, and the values of one; None for JSON that is no object."""
    position = _skip(line, 0)
    if not line.startswith("{", position):
        _, end = _VALUES.raw_decode(line, position)
        _finish(line, end)
        return None, []
    members: list[tuple[str, str]] = []
    values: list[object] = []
    position = _skip(line, position + 1)
    while not line.startswith("}", position) or members:
        if not line.startswith('"', position):
            _fail("Expecting a field name in double quotes", line, position)
        name, end = _VALUES.raw_decode(line, position)
        colon = _skip(line, end)
        if not line.startswith(":", colon):
            _fail("Expecting ':' after a field name", line, colon)
        begin = _skip(line, colon + 1)
        value, end = _VALUES.raw_decode(line, begin)
        members.append((name, line[position:end]))
        if name == field:
            # Numbers came as strings too; a string begins with its quotation mark.
            values.append(value if value is None or line[begin] == '"' else ...)
        position = _skip(line, end)
        if line.startswith("}", position):
            break
        if not line.startswith(",", position):
            _fail("Expecting ',' or '}' after a field", line, position)
        position = _skip(line, position + 1)
    _finish(line, position + 1)
    return members, values


def _skip(line: str, position: int) -> int:
    match = _BLANK.match(line, position)
    return match.end() if match else position


def _finish(line: str, position: int) -> None:
    end = _skip(line, position)
    if end != len(line):
        _fail("Extra data after the value", line, end)


def _fail(message: str, line: str, position: int) -> NoReturn:
    raise json.JSONDecodeError(message, line, position)


def _choice(members: list[tuple[str, str]]) -> str:
    """The names that were there instead, a handful at most."""
    names = [name if len(name) <= 20 else f"{name[:20]}…" for name, _ in members[:6]]
    return f", only {', '.join(map(repr, names))}{' …' if len(members) > 6 else ''}" if names else ""
