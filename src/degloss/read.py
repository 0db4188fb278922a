"""Bytes → text: what a file or standard input says, decoded once and never altered.

Offsets count the code points of the decoded text, so nothing is translated: CRLF stays, and only a byte
order mark is left out. The encoding is decided in this order: a byte order mark; UTF-16 without one, known
by its zero bytes; UTF-8, strictly; Windows-1252 or Latin-1, with a note, unless so many control characters
are in it that it is no text.

JSON lines are read one at a time. The fields beside the text are kept as they were written, as pieces of
JSON: no number, escape or repeated name changes on its way through.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO, Final, NamedTuple, NoReturn

from degloss.errors import InputError

STDIN: Final = "-"
Note = Callable[[str], None]
"""Takes a message that is worth telling but no error."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # begins as the mark of UTF-16 does: asked first
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
_SAMPLE: Final = 4096
_BLANK = re.compile(r"[ \t\r\n]*")
# Numbers stay strings: they are only skipped, and Python refuses to make an int of more than 4300 digits.
_VALUES = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


class Record(NamedTuple):
    """One line of JSON lines.

    `members` are all fields in their order: the name, and the JSON as it was written, name included.
    """

    line: int
    text: str
    members: tuple[tuple[str, str], ...]


def read_text(name: str, note: Note) -> str:
    """The whole text of a file, or of standard input for "-"; raises `InputError`."""
    try:
        with _opened(name) as file:
            data = file.read()
    except OSError as error:
        raise unreadable(name, error) from error
    return decode(data, name, note)


def decode(data: bytes, name: str, note: Note) -> str:
    """The text of these bytes; `name` is what messages call them.

    >>> decode("Grüße\\r\\n".encode("utf-16"), "brief.txt", print)
    'Grüße\\r\\n'
    >>> decode("Grüße".encode("latin-1"), "brief.txt", print)
    brief.txt: not UTF-8, read as Windows-1252; if letters look wrong, convert the file to UTF-8 (iconv)
    'Grüße'
    """
    for mark, encoding, title in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding, title, name)
    bare = _bare_utf16(data)
    if bare is not None:
        note(f"{name}: read as UTF-16, though it has no byte order mark")
        return _strictly(data, bare, "UTF-16", name)
    text: str | None = None
    try:
        text = data.decode("utf-8")
        most_controls = len(data) / 5
    except UnicodeDecodeError:
        # Text has next to none, compressed data one in ten. Invalid UTF-8 is already half the proof.
        most_controls = len(data) / 20
    if len(data) - len(data.translate(None, _CONTROLS)) > most_controls:
        raise InputError(f"{name}: binary data, not text; extract its text first, or leave the file out")
    if text is not None:
        return text
    try:
        text, title = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:  # five bytes are nothing in Windows-1252
        text, title = data.decode("latin-1"), "Latin-1"
    note(f"{name}: not UTF-8, read as {title}; if letters look wrong, convert the file to UTF-8 (iconv)")
    return text


def read_records(name: str, field: str) -> Iterator[Record | InputError]:
    """The records of a file of JSON lines, one at a time, blank lines left out; for a bad line, the error.

    These errors are handed over, not raised, so that one bad line does not end the file; raised is the
    `InputError` of a file that cannot be read at all.
    """
    try:
        with _opened(name) as file:
            yield from records(file, name, field)
    except OSError as error:
        raise unreadable(name, error) from error


def records(file: BinaryIO, name: str, field: str) -> Iterator[Record | InputError]:
    """The records of an open file, as `read_records` gives them."""
    for number, line in enumerate(_lines(file, name), 1):
        if line.isspace():
            continue
        try:
            yield _record(line, number, f"{name}:{number}", field)
        except InputError as error:
            yield error


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name == STDIN:
        if sys.stdin is None:
            raise InputError("-: standard input is closed; give a file")
        return nullcontext(sys.stdin.buffer)
    try:
        return open(name, "rb")
    except ValueError as error:  # a zero byte
        raise InputError(f"{name}: no name a file can have ({error}); check the path") from error


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The lines in UTF-8; only files with the mark of a wide encoding are held in memory whole."""
    first = file.readline()
    for mark, encoding, title in _MARKS:
        if first.startswith(mark):
            if encoding == "utf-8":
                first = first[len(mark) :]
                break
            text = _strictly(first[len(mark) :] + file.read(), encoding, title, name)
            yield from text.encode().split(b"\n")
            return
    if first:
        yield first
    yield from file


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
    if not isinstance(texts[-1], str):
        raise InputError(f"{where}: the field {field!r} is not a string; name the text's field by --text-field")
    return Record(number, texts[-1], tuple(members))


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
            values.append(value if line[begin] == '"' else None)
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


def _strictly(data: bytes, encoding: str, title: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: begins as {title}, but is damaged at byte {error.start + 1} ({error.reason});"
            " get the file anew, or convert it to UTF-8"
        ) from error


def _bare_utf16(data: bytes) -> str | None:
    """The encoding of UTF-16 without a mark: in European text every other byte is zero, few are between."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if len(data) % 2 or half < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        # Quotation marks and dashes have no zero byte, so not all can be asked for.
        if zeros > 0.7 * half and others < 0.05 * half:
            return encoding
    return None


def unreadable(name: str, error: OSError) -> InputError:
    """What to tell of a file that cannot be read."""
    remedies = {
        FileNotFoundError: "no such file; check the path",
        PermissionError: "no permission to read it; change that (chmod), or run as its owner",
        IsADirectoryError: "a folder, not a file; give the files in it, or a folder to write to with -o",
    }
    for kind, remedy in remedies.items():
        if isinstance(error, kind):
            return InputError(f"{name}: {remedy}")
    return InputError(f"{name}: cannot be read ({error.strerror or error}); check the file and its disk")
