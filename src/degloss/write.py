"""Results → files: a target is there whole or not at all, and an input is never touched.

A new file is written under a temporary name in the folder of its target, brought to the disk, and then
takes the target's name in one step. Whatever goes wrong on the way, Ctrl-C included, removes the temporary
file and leaves what was there before. A target that exists is refused unless forced; one that is an input,
under whatever name or link, always. A symbolic link that is forced stays a link: the file behind it is
replaced. Devices and pipes cannot be replaced and are written to directly.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from degloss.errors import OutputError
from degloss.extras import package
from degloss.kinds import Packing
from degloss.partfile import Part, taken

FileId = tuple[int, int]
"""Device and inode: what all names and links of one file have in common."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def file_ids(names: Iterable[str | Path]) -> frozenset[FileId]:
    """The identities of the files of these names that exist."""
    found = set()
    for name in names:
        with suppress(OSError, ValueError):
            status = os.stat(name)
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def check_target(target: Path, *, force: bool, inputs: Collection[FileId]) -> bool:
    """Refuses a target that must not be written; says whether it can be replaced, as devices cannot."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        if os.path.lexists(target) and not force:
            raise taken(target) from None
        return True
    except (OSError, ValueError) as error:
        raise output_error(str(target), error) from error
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{target}: is a folder; give a file's name")
    if (status.st_dev, status.st_ino) in inputs:
        raise OutputError(f"{target}: is an input; inputs are never overwritten, give another name")
    if not stat.S_ISREG(status.st_mode):
        return False
    if not force:
        raise taken(target)
    return True


@contextmanager
def new_file(target: Path, *, force: bool = False, inputs: Collection[FileId] = ()) -> Iterator[BinaryIO]:
    """A file to write to that becomes `target` when the block ends without error; raises `OutputError`.

    `inputs` are the files that must not be overwritten, by `file_ids`.
    """
    replaceable = check_target(target, force=force, inputs=inputs)
    try:
        if not replaceable:
            with open_device(target) as file:
                yield file
            return
        part = Part(target)
        try:
            yield part.file
            part.commit(force=force)
        except BaseException:
            part.discard()
            raise
    except OSError as error:
        raise output_error(str(target), error) from error


class Packer:
    """Bytes on their way into a file that may be packed; `cut` ends a piece that can be unpacked by itself.

    If the file has `begun`, there are such pieces in it already.
    """

    def __init__(self, file: BinaryIO, packing: Packing, name: str, *, begun: bool = False) -> None:
        self._file = file
        self._packing = packing
        self._stream: Any = None if packing else file
        self._cut = begun
        self._name = name

    def write(self, data: bytes) -> None:
        if self._stream is None:
            self._stream = self._opened()
        self._stream.write(data)

    def cut(self) -> None:
        if self._packing and self._stream is not None:
            self._stream.close()
            self._stream = None
            self._cut = True

    def close(self) -> None:
        """Ends the last piece; of nothing at all there is one, too."""
        if self._packing and self._stream is None and not self._cut:
            self._stream = self._opened()
        self.cut()

    def _opened(self) -> Any:
        if self._packing == ".zst":
            zstandard = package("zstandard", "zst", f"{self._name}: zstd")
            return zstandard.ZstdCompressor(level=9).stream_writer(self._file, closefd=False)
        return gzip.GzipFile("", "wb", 6, self._file, mtime=0)  # no time and no name: the same text, the same bytes


def write_file(target: Path, data: bytes, *, force: bool = False, inputs: Collection[FileId] = ()) -> None:
    """Writes a whole file at once, or not at all; raises `OutputError`. `inputs` as for `new_file`."""
    with new_file(target, force=force, inputs=inputs) as file:
        file.write(data)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, unless it is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"{folder}: a file stands where a folder is needed; give another name") from error
    except (OSError, ValueError) as error:
        raise output_error(str(folder), error) from error


def ready_folder(folder: Path) -> None:
    """Makes a folder before long work whose results go there, or refuses it now and not after the work."""
    make_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise output_error(str(folder), PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


@contextmanager
def open_device(target: Path) -> Iterator[BinaryIO]:
    """A device or pipe to write to; raises `OutputError`."""
    try:
        with open(target, "wb") as file:
            yield file
    except OSError as error:
        raise output_error(str(target), error) from error


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as bytes, flushed when the block ends; raises `OutputError` or `BrokenPipeError`."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; leave it open, or name a file with -o")
    stream: BinaryIO = sys.stdout.buffer
    # Under python -u it is raw, and a raw stream may write a part and be content.
    wrapper = io.BufferedWriter(stream) if isinstance(stream, io.RawIOBase) else None
    try:
        yield wrapper or stream
        (wrapper or stream).flush()
    except OSError as error:
        silence()
        if isinstance(error, BrokenPipeError):
            raise
        raise output_error("standard output", error) from error
    finally:
        if wrapper is not None:
            with suppress(OSError, ValueError):
                wrapper.detach()


def silence(stream: IO[str] | None = None) -> None:
    """Lets what is left in standard output, or another stream, go nowhere: Python would complain of it at its exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (stream or sys.stdout).fileno())
        os.close(nowhere)


def output_error(name: str, error: OSError | ValueError) -> OutputError:
    """What to tell of a result that cannot be written."""
    code = error.errno if isinstance(error, OSError) else None
    if code in _FULL:
        return OutputError(f"{name}: no space left to write it; make room, or write to another disk")
    if code in (errno.EACCES, errno.EPERM):
        return OutputError(f"{name}: no permission to write there; change that (chmod), or choose another folder")
    if code == errno.EROFS:
        return OutputError(f"{name}: on a disk that is read-only; choose another folder")
    if code == errno.ENOENT:
        return OutputError(f"{name}: its folder does not exist; make it first (mkdir -p)")
    if code == errno.ENAMETOOLONG:
        return OutputError(f"{name}: a name longer than the disk takes; give the input a shorter one")
    if code == errno.ENOTDIR:
        return OutputError(f"{name}: a file stands where a folder is needed; give another name")
    reason = error.strerror if isinstance(error, OSError) else error
    return OutputError(f"{name}: cannot be written ({reason or error}); choose another place")
