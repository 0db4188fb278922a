"""Names → bytes: inputs opened, unpacked and watched.

`.gz` and `.zst` are unpacked on the way, piece by piece, whatever their size. A small file can hold an endless
text, so two limits refuse such bombs: one document may have `MOST_BYTES`, and what was unpacked may be
`MOST_FOLD` times the packed bytes. Text packs to a tenth or a twentieth, bombs to a thousandth.

A file that changes while it is read gives a mixture that never existed; `Source.check` finds that out by the
file's size and time.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from degloss.errors import InputError
from degloss.extras import package
from degloss.kinds import Packing, parts

STDIN: Final = "-"
MOST_BYTES: Final = 256 << 20
"""The most bytes one document may have. Separating takes some hundred times that in memory."""
MOST_FOLD: Final = 250
_FREE: Final = 64 << 20  # so much may come out of any file: a short text of one letter packs well, too
_PIECE: Final = 1 << 10  # zstd makes up to 32 KiB of a byte
_MAGIC: Final[dict[bytes, Packing]] = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


class Source:
    """An open input: its bytes as `file`, unpacked."""

    def __init__(self, name: str, file: BinaryIO, raw: BinaryIO) -> None:
        self.name = name
        self.file = file
        self._raw = raw
        self._status = _status(raw)

    def position(self) -> int:
        """How many bytes of the file, as it lies on the disk, were read so far; 0 if nobody knows."""
        try:
            return self._status[0] if self._raw.closed and self._status else self._raw.tell()
        except (OSError, ValueError):
            return 0

    def whole(self) -> bytes:
        """All bytes; raises `InputError` if they are too many for one document."""
        data = self.file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise InputError(f"{self.name}: one document of more than {MOST_BYTES >> 20} MiB; split it")
        self.check()
        return data

    def check(self) -> None:
        """Raises `InputError` if the file changed since it was opened."""
        if self._status is not None and _status(self._raw) != self._status:
            raise InputError(f"{self.name}: changed while it was read; do it again when nobody writes to it")


Watch = Callable[[Source], None]
"""Takes an input when it is opened, to ask it later for its position."""


def unwatched(source: Source) -> None:
    """Nobody wants to know."""


@contextmanager
def opened(name: str, watch: Watch = unwatched) -> Iterator[Source]:
    """The input of this name, "-" for standard input; raises `InputError` for all that can go wrong with it."""
    try:
        if name == STDIN:
            if sys.stdin is None:
                raise InputError("-: standard input is closed; give a file")
            raw: BinaryIO = sys.stdin.buffer
            begin = raw.peek(4)[:4] if isinstance(raw, io.BufferedReader) else b""
            packing: Packing = next((p for magic, p in _MAGIC.items() if begin.startswith(magic)), "")
            source = Source(name, unpacked(raw, packing, name), raw)
            watch(source)
            yield source
            return
        try:
            opened_file = open(name, "rb")  # noqa: SIM115 - closed below, whichever way this ends
        except ValueError as error:  # a zero byte
            raise InputError(f"{name}: no name a file can have ({error}); check the path") from error
        with opened_file as raw:
            source = Source(name, unpacked(raw, parts(name).packing, name), raw)
            watch(source)
            yield source
    except OSError as error:
        raise unreadable(name, error) from error


def unpacked(raw: BinaryIO, packing: Packing, name: str) -> BinaryIO:
    """The stream behind a packed one; of damage and bombs it raises `InputError` while it is read."""
    if not packing:
        return raw
    stream = _Zstd(raw, name) if packing == ".zst" else gzip.GzipFile(fileobj=raw, mode="rb")
    return io.BufferedReader(_Guarded(stream, raw, name), 1 << 16)


class _Guarded(io.RawIOBase):
    """An unpacked stream that stops where it becomes a bomb and calls damage by its name."""

    def __init__(self, stream: Any, raw: BinaryIO, name: str) -> None:
        self._stream, self._raw, self._name = stream, raw, name
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._stream.read(len(buffer))
        except EOFError as error:
            raise InputError(f"{self._name}: ends in the middle of the packed data; get the file anew") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{self._name}: damaged, or not packed as its name says ({error})") from error
        self._size += len(piece)
        if self._size > _FREE:
            with_packed = max(self._packed(), 1)
            if self._size > MOST_FOLD * with_packed:
                raise InputError(
                    f"{self._name}: unpacks to more than {MOST_FOLD} times its size, as a decompression bomb does;"
                    " if it is none, unpack it yourself first"
                )
        buffer[: len(piece)] = piece
        return len(piece)

    def _packed(self) -> int:
        try:
            return self._raw.tell()
        except (OSError, ValueError):  # a pipe: what was read cannot be told, so only the free part passes
            return 0


class _Zstd:
    """The bytes of a file in zstd's format. Unlike the library's own reader it notices a file that was cut off."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        zstandard = package("zstandard", "zst", f"{name}: zstd")
        self._error: type[Exception] = zstandard.ZstdError
        self._unpacker: Any = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._raw, self._name = raw, name
        self._frame: Any = None
        self._packed = b""
        self._plain = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._plain:
            piece, self._packed = self._packed[:_PIECE], self._packed[_PIECE:]
            piece = piece or self._raw.read(_PIECE)
            if not piece:
                if self._frame is not None:
                    raise EOFError
                return b""
            self._frame = self._frame or self._unpacker.decompressobj()
            try:
                self._plain = memoryview(self._frame.decompress(piece))
            except self._error as error:
                raise InputError(f"{self._name}: damaged, or not packed as its name says ({error})") from error
            if self._frame.eof:
                self._packed = self._frame.unused_data + self._packed
                self._frame = None
        result, self._plain = bytes(self._plain[:size]), self._plain[size:]
        return result


def unreadable(name: str, error: OSError) -> InputError:
    """What to tell of an input that cannot be read."""
    remedies = {
        FileNotFoundError: "no such file; check the path",
        PermissionError: "no permission to read it; change that (chmod), or run as its owner",
        IsADirectoryError: "a folder, not a file; give the files in it, or a folder to write to with -o",
    }
    if isinstance(error, FileNotFoundError) and os.path.islink(name):
        return InputError(f"{name}: a link to a file that is not there; mend the link, or leave it out")
    for kind, remedy in remedies.items():
        if isinstance(error, kind):
            return InputError(f"{name}: {remedy}")
    return InputError(f"{name}: cannot be read ({error.strerror or error}); check the file and its disk")


def _status(raw: BinaryIO) -> tuple[int, int] | None:
    """What changes when a file does; None for pipes and the like."""
    try:
        found = os.fstat(raw.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None
