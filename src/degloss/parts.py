"""Files anywhere → parts: what one machine of many labels at a time, and how it does so.

A part is some megabytes: many text files, or a stretch of one large file of JSON lines. It says which bytes are
meant and not what they are, so whoever labels it reads it itself, from wherever fsspec can read. Cut is at line
ends, and only where the results do not name the line they come from; packed files are not cut at all.
"""

from __future__ import annotations

import glob
import io
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

import fsspec
from fsspec.core import url_to_fs
from fsspec.utils import infer_compression, read_block

from degloss.documents import Favor
from degloss.encodings import decode
from degloss.errors import ExtraMissing, InputError, OutputError
from degloss.formats import Form, encode_line
from degloss.kinds import TABLES, Kind, kind_of, no_json
from degloss.pages import page_text
from degloss.plan import ERRORS
from degloss.read import Document
from degloss.records import records
from degloss.separate import Separator
from degloss.show import counted
from degloss.source import MOST_BYTES, STDIN, unreadable
from degloss.tally import Counts, Figures
from degloss.write import new_file, output_error

PART_BYTES: Final = 8 << 20
"""A second or so of work: long beside what it costs to hand out a part, short enough to lose."""
PART_FILES: Final = 256
_PACKED: Final = 8  # how much larger a packed file is taken to be than it is
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # marks of encodings in which a line end is not one byte


@dataclass(frozen=True)
class Piece:
    """One file, or `size` bytes of it from `begin`; `name` is what people call it, `url` where it is."""

    name: str
    url: str
    kind: Kind
    begin: int = 0
    size: int | None = None


@dataclass(frozen=True)
class Failure:
    """A document that failed; of a record also its line, counted from the piece's begin."""

    name: str
    line: int
    reason: str


@dataclass
class Report:
    """What became of a part: how many documents were done, what failed, what is worth telling.

    `lines` are the line ends in a part that is a stretch of a file: the lines of the next one count from there. None if
    nobody came to count them.
    """

    done: int = 0
    figures: Figures = field(default_factory=Figures)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: int | None = 0


def find(source: str) -> list[tuple[str, str, int]]:
    """Name, place and size in bytes of each file of this name or glob, sorted; raises `InputError` if there is none.

    Of files on this machine the name stays relative if it was, and the place is absolute.
    """
    if source == STDIN:
        raise InputError("-: standard input stays on this machine; give files that all machines can read")
    try:
        if "://" not in source:
            named = os.path.lexists(source)
            names = [source] if named else sorted(glob.glob(source, recursive=True))
            # A pipe is read only if it is named: what a glob finds must not keep the run waiting.
            files = [name for name in names if not (os.path.isdir(name) if named else _is_no_file(name))]
            found = [(name, os.path.abspath(name), os.path.getsize(name)) for name in files]
            folder = bool(names) and not files
        else:
            system, path = _system(source)
            named = not glob.has_magic(path)
            infos = system.glob(path, detail=True) if glob.has_magic(path) else {path: system.info(path)}
            folder = bool(infos) and all(info["type"] != "file" for info in infos.values())
            urls = [(system.unstrip_protocol(key), infos[key]) for key in sorted(infos)]
            found = [(url, url, int(info.get("size") or 0)) for url, info in urls if info["type"] == "file"]
    except OSError as error:
        raise unreadable(source, error) from error
    except (ImportError, ValueError) as error:
        raise InputError(f"{source}: {error}; install what fsspec needs for it, or check the address") from error
    if folder:
        raise InputError(f"{source}: a folder; give its files by a glob in quotation marks, '{source}/**/*.txt'")
    if not named:  # a glob also finds what earlier runs recorded of their failures
        found = [one for one in found if not one[0].endswith(ERRORS)]
    if not found:
        raise InputError(f"{source}: no such file; check the path")
    return found


def _is_no_file(name: str) -> bool:
    return os.path.exists(name) and not os.path.isfile(name)


def parts(files: Iterable[tuple[str, str, int]], *, records: bool, cut: bool) -> Iterator[tuple[Piece, ...]]:
    """The files in parts, in order. `records` says that all are JSON lines; with `cut` large ones of these are cut."""
    waiting: list[Piece] = []
    waiting_bytes = 0
    for name, url, size in files:
        packing = infer_compression(url)
        kind = kind_in(url, records=records)
        if cut and kind == "jsonl" and not packing and size > PART_BYTES and not _is_wide(url):
            if waiting:
                yield tuple(waiting)
            for begin in range(0, size, PART_BYTES):
                yield (Piece(name, url, kind, begin, min(PART_BYTES, size - begin)),)
            waiting, waiting_bytes = [], 0
            continue
        waiting.append(Piece(name, url, kind))
        waiting_bytes += size * (_PACKED if packing else 1)
        if waiting_bytes >= PART_BYTES or len(waiting) == PART_FILES:
            yield tuple(waiting)
            waiting, waiting_bytes = [], 0
    if waiting:
        yield tuple(waiting)


def kind_in(url: str, *, records: bool) -> Kind:
    """What a file holds, by its name without the ending of its packing; with `records` JSON lines if it can be."""
    return kind_of(os.path.splitext(url)[0] if infer_compression(url) else url, field="text" if records else None)


def _is_wide(url: str) -> bool:
    try:
        system, path = _system(url)
        with system.open(path, "rb") as file:
            return bytes(file.read(4)).startswith(_WIDE)
    except OSError:
        return True  # one part then, and one failure


def label_part(
    part: Iterable[Piece], separator: Separator, favor: Favor, form: Form, text_field: str, report: Report
) -> Iterator[bytes]:
    """The results of a part, document by document; what goes wrong with one goes into the report."""
    waiting: deque[Document] = deque()

    def texts() -> Iterator[str]:
        for piece in part:
            for document in _documents(piece, text_field, report):
                waiting.append(document)
                yield document.text

    for found in separator.separate_many(texts(), favor=favor):
        document = waiting.popleft()
        lines = form.document(found, document)
        assert isinstance(lines, str)
        yield encode_line(lines)
        report.done += 1
        report.figures.count(document.name, Counts.of(found), 0.0)


def _documents(piece: Piece, text_field: str, report: Report) -> Iterator[Document]:
    try:
        with _opened(piece, report) as file:
            if piece.kind in TABLES:
                raise InputError(f"{piece.name}: tables are not read on a cluster; write the rows as JSON lines")
            if piece.kind == "json":
                raise no_json(piece.name)
            if piece.kind != "jsonl":
                page = piece.kind == "html"
                data = file.read(MOST_BYTES + 1)
                if len(data) > MOST_BYTES:
                    raise InputError(f"{piece.name}: more than {MOST_BYTES >> 20} MiB; split it into documents")
                text = decode(data, piece.name, report.notes.append, page=page)
                yield Document(piece.name, page_text(text, piece.name) if page else text, derived=page)
                return
            # Without a name: who knows how many lines are before this piece puts name and line in front.
            blank = bool(piece.begin)  # the line that stands in front
            for record in records(file, "", text_field):
                if isinstance(record, InputError):
                    line, _, reason = str(record)[1:].partition(": ")
                    report.failures.append(Failure(piece.name, int(line) - blank, reason))
                else:
                    yield Document(f"{piece.name}:{record.line - blank}", record.text, record)
    except (InputError, ExtraMissing) as error:
        report.failures.append(Failure(piece.name, 0, str(error).removeprefix(f"{piece.name}: ")))
    except OSError as error:
        reason = str(unreadable(piece.name, error)).removeprefix(f"{piece.name}: ")
        report.failures.append(Failure(piece.name, 0, f"{reason} (on the machine that was to label it)"))
    except EOFError:
        report.failures.append(Failure(piece.name, 0, "ends in the middle of the packed data; get the file anew"))


@contextmanager
def _opened(piece: Piece, report: Report) -> Iterator[BinaryIO]:
    system, path = _system(piece.url)
    if piece.size is None:
        with system.open(path, "rb", compression="infer") as file:
            yield file
        return
    with system.open(path, "rb") as file:
        block: bytes = read_block(file, piece.begin, piece.size, b"\n")
    report.lines = block.count(b"\n")
    # Only a file has a byte order mark: a blank line in front keeps what looks like one from being taken for it.
    yield io.BytesIO(b"\n" + block if piece.begin else block)


def write_part(lines: Iterable[bytes], url: str) -> None:
    """Writes the results of a part to wherever fsspec can write, whole or not at all; raises `OutputError`.

    Who does a part again, because the machine that did it is gone, writes the same bytes again.
    """
    if "://" not in url:
        with new_file(Path(url), force=True) as file:
            file.writelines(lines)
        return
    system, path = _system(url)
    try:
        from tempfile import NamedTemporaryFile

        with NamedTemporaryFile() as spool:
            spool.writelines(lines)
            spool.flush()
            system.put_file(spool.name, path)
    except OSError as error:
        raise output_error(url, error) from error


def part_urls(folder: str, ending: str) -> Iterator[str]:
    """Where the results of each part go in a folder: `part-000000.jsonl` and so on."""
    place = folder if "://" in folder else os.path.abspath(folder)
    return (f"{place.rstrip('/')}/part-{number:06}{ending}" for number in count())


def make_place(folder: str, *, force: bool) -> None:
    """Makes the folder for parts; raises `OutputError` if there are parts in it already, unless forced to replace."""
    try:
        system, path = _system(folder)
        system.makedirs(path, exist_ok=True)
        old = [name for name in system.ls(path, detail=False) if os.path.basename(name).startswith("part-")]
        if old and not force:
            raise OutputError(
                f"{folder}: has {counted(len(old), 'part')} in it; give another folder, or --force replaces all"
            )
        for name in old:  # a shorter run would leave the last ones of the run before
            system.rm_file(name)
    except OSError as error:
        raise output_error(folder, error) from error
    except (ImportError, ValueError) as error:
        raise OutputError(f"{folder}: {error}; install what fsspec needs for it, or check the address") from error


def _system(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of an address and the path in it. Without :// it is a file here, whatever else is in its name."""
    if "://" in url:
        system, path = url_to_fs(url)
        return system, str(path)
    return fsspec.filesystem("file"), os.path.abspath(url)
