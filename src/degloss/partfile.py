"""Files in the making: written under a name of their own beside the target, then renamed in one step.

That name follows from the target's, so that what a killed run left behind is found: it is taken over by the next
run to the same target, swept away by any other that writes into the folder, or, if a journal stands beside it,
continued by `--resume`. A lock on the file tells a run that lives from one that is gone; the system takes it off
however a run ends.

What takes the place of a file, or is the copy of one, gets its owner, group, mode and extended attributes; until then
nobody else can read it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from degloss.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows; two runs to one target are not told apart there
    fcntl = None  # type: ignore[assignment]

PREFIX: Final = ".degloss-"
PART: Final = ".part"
JOURNAL: Final = ".journal"
_FLAGS: Final = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def companion(target: Path, ending: str) -> Path:
    """The name of the part or of the journal of a target, beside it (or what it is a link to) and never too long."""
    place = Path(os.path.realpath(target))
    digest = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:12]
    return place.parent / f"{PREFIX}{digest}{ending}"


class Part:
    """A file in the making. It ends by `commit`, `discard` or `leave`; all may raise `OSError`.

    `at` continues what a killed run left, from that byte on. The part of a copy gets all that the file `original` has
    beside its bytes, times included.
    """

    def __init__(self, target: Path, at: int | None = None, *, original: Path | None = None) -> None:
        self.place = Path(os.path.realpath(target))
        self._original = original
        self.path = companion(self.place, PART)
        self.file = self._continued(at) if at is not None else self._begun()

    def commit(self, *, force: bool) -> None:
        """Brings it to the disk and gives it the target's name: over what is there if forced, else never."""
        self.sync()
        if self._original is not None:
            _resemble(self.path, self._original, times=True)
        elif force:
            with suppress(FileNotFoundError):
                _resemble(self.path, self.place, times=False)
        _rename(self.path, self.place, force=force)
        self.file.close()

    def sync(self) -> int:
        """Brings what was written to the disk; how many bytes there are."""
        self.file.flush()
        os.fsync(self.file.fileno())
        return self.file.tell()

    def discard(self) -> None:
        """Removes it."""
        with suppress(OSError):
            self.path.unlink()
        with suppress(OSError):  # what is buffered may not fit on a full disk
            self.file.close()

    def leave(self) -> None:
        """Closes it and leaves it there to be continued."""
        with suppress(OSError):
            self.file.close()

    def _begun(self) -> BinaryIO:
        private = self._original is not None or self.place.exists()
        for _ in range(10):
            remove_stale(self.path)
            try:
                descriptor = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
            except FileExistsError:  # another run was faster, or there is a file that is not ours
                continue
            if lock(descriptor) and _same(descriptor, self.path):
                return open(descriptor, "wb")
            os.close(descriptor)
        raise _busy(self.place)

    def _continued(self, at: int) -> BinaryIO:
        descriptor = os.open(self.path, _FLAGS)
        try:
            if not lock(descriptor):
                raise _busy(self.place)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size < at:
                raise OutputError(
                    f"{self.path}: not what the interrupted run left; remove it and {self.path.stem}{JOURNAL}"
                )
            os.ftruncate(descriptor, at)
            os.lseek(descriptor, at, os.SEEK_SET)
        except BaseException:
            os.close(descriptor)
            raise
        return open(descriptor, "wb")


def remove_stale(path: Path) -> None:
    """Removes a part that no run is writing any more."""
    with suppress(OSError):
        descriptor = os.open(path, _FLAGS)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and lock(descriptor) and _same(descriptor, path):
                path.unlink()
        finally:
            os.close(descriptor)


def sweep(folder: Path, keep: Path | None = None) -> None:
    """Removes what killed runs left in a folder, but what can be continued: `keep`, or with a journal beside it."""
    with suppress(OSError):
        for path in Path(os.path.realpath(folder)).glob(f"{PREFIX}*{PART}"):
            if path != keep and not path.with_suffix(JOURNAL).exists():
                remove_stale(path)


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk, where that is possible."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def taken(target: Path) -> OutputError:
    """What to tell of a target that is there already."""
    return OutputError(f"{target}: exists already; give another name, or --force to replace it")


def _rename(part: Path, place: Path, *, force: bool) -> None:
    if force:
        os.replace(part, place)
    else:
        try:
            os.link(part, place)  # unlike a renaming, this fails if someone else took the name meanwhile
            part.unlink()
        except FileExistsError:
            raise taken(place) from None
        except OSError:  # a file system without hard links
            if place.exists():
                raise taken(place) from None
            os.replace(part, place)
    sync_folder(place.parent)


def _resemble(part: Path, other: Path, *, times: bool) -> None:
    """Gives a part the mode of another file, and as far as that is permitted its owner, group and attributes."""
    its, own = other.stat(), part.stat()
    for owner in (its.st_uid, -1):  # who may not give files away may still give them to another group
        with suppress(OSError, AttributeError):  # there are none on Windows
            os.chown(part, owner, its.st_gid)
            break
    with suppress(OSError):
        shutil.copystat(other, part)  # extended attributes, times and mode
    part.chmod(stat.S_IMODE(its.st_mode))
    if not times:
        os.utime(part, ns=(own.st_atime_ns, own.st_mtime_ns))


def lock(descriptor: int) -> bool:
    """Locks an open file until it is closed; says whether nobody else had it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _same(descriptor: int, path: Path) -> bool:
    """Whether the open file still has this name: between opening and locking another run may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False


def _busy(target: Path) -> OutputError:
    return OutputError(f"{target}: another run is writing it; wait for that one, or give another name")
