"""One file or stream that results go to, in whatever form: lines, packed lines, or Parquet.

It knows what stands above the results, how to bring them to the disk in a state that can be continued, and whose
name to give to the trouble of writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Final, NamedTuple

from degloss.blocks import Begin
from degloss.errors import InputError
from degloss.formats import Cells, Form, encode_line
from degloss.kinds import Packing
from degloss.parquet import ArrowRow, ParquetRows, Schema
from degloss.partfile import Part
from degloss.read import Document, Head
from degloss.tables import SEPARATORS, Header
from degloss.tally import Figures
from degloss.write import Packer, output_error

_PIECE: Final = 1 << 20


class Output:
    """One file or stream that results go to. A `part` becomes the `target` by `commit`."""

    def __init__(self, file: BinaryIO, packing: Packing, name: str, part: Part | None = None) -> None:
        self.name = name
        self.part = part
        self.begin: Begin | None = None
        self.head: str | None = None
        self.items = 0
        self.documents = 0
        self.figures = Figures()
        self.changed = False
        self._line_breaks: tuple[bytes, bytes] | None = None  # of an input, and those that are written instead
        self._file = file
        self._packing = packing
        self._packer = Packer(file, packing, name, begun=part is not None and file.tell() > 0)
        self._rows: ParquetRows | None = None
        self._unpacked: IO[bytes] | None = None

    def start(self, item: Begin, *, continued: bool) -> None:
        """An input begins: what stands above its results, unless it stands there already."""
        if item.job.arrow and isinstance(item.head, Schema):
            gains = item.job.form.keep is None
            item.job.form.head(item.head, item.job.kind)
            if self._packing:  # the library wants a file that it can ask for its place
                import tempfile

                self._unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish` or `abandon`
            self._rows = ParquetRows(self._unpacked or self._file, item.head, self.name, gains=gains)
            return
        head = item.job.form.head(item.head, item.job.kind)
        self._line_breaks = None
        if self.head is None:
            self.head = head
            if not continued:
                self.write(encode_line(head))
        elif item.job.form.tabular:
            self._fit(item.job.form, item.head, head)

    def _fit(self, form: Form, table: Head, head: str) -> None:
        """Raises `InputError` for a table whose rows cannot follow those above; its lines are to end as these do."""
        above, its = _parts(self.head or ""), _parts(head)
        if its.columns == above.columns:
            if its.line_break != above.line_break:
                self._line_breaks = its.line_break.encode(), above.line_break.encode()
            return
        if isinstance(table, Header):
            for separator in SEPARATORS:
                if _parts(form.head(table._replace(separator=separator), "csv")).columns == above.columns:
                    raise InputError(
                        f"has {table.separator!r} between its cells, and the table before it {separator!r}; give a"
                        " folder by -o, or write them alike"
                    )
        raise InputError("has other columns than the table before it; give a folder by -o")

    def add(self, document: Document, piece: bytes | Cells) -> None:
        """The result of a document."""
        if isinstance(piece, bytes):
            if self._line_breaks is not None:
                old, new = self._line_breaks
                piece = piece.removesuffix(old) + new
            self.write(piece)
        elif self._rows is not None and isinstance(document.row, ArrowRow):
            self._rows.add(document.row, *piece)

    def write(self, data: bytes) -> None:
        if data:
            self._packer.write(data)

    def abandon(self) -> None:
        """Nothing more is written, not even by the library for Parquet when it cleans up."""
        if self._rows is not None:
            self._rows.abandon()
        if self._unpacked is not None:
            self._unpacked.close()

    def checkpoint(self) -> int | None:
        """Brings all to the disk; how many bytes there are, None if the file cannot be continued from here."""
        if self._rows is not None or self.part is None:
            return None
        self._packer.cut()
        return self.part.sync()

    def finish(self) -> None:
        """All results are written; what is left to write is written."""
        if self._rows is not None:
            self._rows.close()
        if self._unpacked is not None:
            self._unpacked.seek(0)
            while piece := self._unpacked.read(_PIECE):
                self._packer.write(piece)
            self._unpacked.close()
        if self._packing or self._rows is None:
            self._packer.close()


class _Parts(NamedTuple):
    columns: str
    line_break: str


def _parts(head: str) -> _Parts:
    """A header without its byte order mark: the columns as they stand there, and the line break."""
    bare = head.rstrip("\r\n")
    return _Parts(bare.removeprefix("\ufeff"), head[len(bare) :])


@contextmanager
def named(output: Output) -> Iterator[None]:
    """Gives the trouble with a file its name. That with standard output is told where it was opened."""
    try:
        yield
    except OSError as error:
        if not output.name:
            raise
        raise output_error(output.name, error) from error
