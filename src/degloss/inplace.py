"""Files cleaned where they are: never without a backup, and undone by `degloss restore`.

Before a file is replaced, its bytes are copied into the backup folder, under `originals/`, and a line of the journal
`degloss-journal.jsonl` says where it was and what it is to become (SHA-256 of both); only when copy and line are on
the disk does the cleaned file take its place, in one step. So at every moment either the file or its copy is the
original, and restoring can tell a file that degloss cleaned from one that somebody changed since.

Links are refused, symbolic and hard ones, since a replaced file would lose its other names; so is what is not plain
UTF-8, since it would come out as such.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from degloss.encodings import MARKS, Note
from degloss.errors import DeglossError, InputError, OutputError
from degloss.journal import Stamp, stamp, whole_lines
from degloss.partfile import Part, sweep, sync_folder
from degloss.plan import BACKUP_JOURNAL, Job
from degloss.show import counted
from degloss.source import opened, unreadable
from degloss.tally import Tally
from degloss.write import make_folder, output_error

_ORIGINALS: Final = "originals"
_PIECE: Final = 1 << 20


class Backup:
    """The backup folder of a run in place."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        self._journal = folder / BACKUP_JOURNAL
        make_folder(folder)
        self._entries: dict[str, dict[str, Any]] = {}
        if self._journal.exists():
            if not resume:
                raise OutputError(
                    f"{folder}: holds a backup already; name another folder, go on with it by --resume,"
                    " or undo it by degloss restore"
                )
            self._entries = {entry["file"]: entry for entry in entries(folder)}
            _drop_torn_line(self._journal)
        elif any(folder.iterdir()):
            raise OutputError(f"{folder}: is not empty; name a new folder for the backup")
        self._copies = {entry["copy"]: name for name, entry in self._entries.items()}

    def done(self, job: Job) -> bool:
        """Whether an earlier run of this backup cleaned the file of a job."""
        entry = self._entries.get(os.path.abspath(job.source))
        return entry is not None and _digest(Path(job.source)) == entry["after"]

    def save(self, job: Job, begun: Stamp | None, cleaned: Path) -> bool:
        """Copies the file of a job before `cleaned` replaces it; says whether that is to be done.

        Raises `InputError` for a file that must not be replaced, `OutputError` if the copy cannot be made.
        """
        source = Path(job.source)
        self._refuse(job, begun)
        before, after = _digest(source), _digest(cleaned)
        if before == after:
            return False
        copy = self._folder / _ORIGINALS / job.key
        name = os.path.abspath(source)
        earlier = self._entries.get(name)
        if earlier is not None and earlier["before"] != before:
            raise InputError(f"{source}: changed since its backup was made; name another folder for a new backup")
        if self._copies.get(job.key, name) != name:
            raise OutputError(f"{copy}: is the original of another file; name another folder for this backup")
        try:
            self._journal.touch()  # before the first copy, or a run killed here would leave a folder that is no backup
            make_folder(copy.parent)
            sweep(copy.parent)
            part = Part(copy, original=source)
            try:
                with open(source, "rb") as file:
                    shutil.copyfileobj(file, part.file, _PIECE)
                # A copy that no line speaks of is left from a run killed before it noted it: its file was not replaced.
                part.commit(force=True)
            except BaseException:
                part.discard()
                raise
            if _digest(copy) != before or stamp(source) != begun:
                raise InputError(f"{source}: changed while it was read; do it again when nobody writes to it")
            self._note({"file": name, "copy": job.key, "before": before, "after": after})
        except OSError as error:
            raise output_error(str(copy), error) from error
        return True

    def _refuse(self, job: Job, begun: Stamp | None) -> None:
        source = Path(job.source)
        if source.is_symlink():
            raise InputError(f"{source}: a symbolic link; clean the file it points to")
        if source.stat().st_nlink > 1:
            raise InputError(f"{source}: has other names (hard links), which would keep the old text; copy it first")
        if begun is None or stamp(source) != begun:
            raise InputError(f"{source}: changed while it was read; do it again when nobody writes to it")
        if job.kind == "parquet":
            return
        decoder = codecs.getincrementaldecoder("utf-8")()
        with opened(job.source) as stream:
            piece = stream.file.read(_PIECE)
            mark = next((mark for mark, _, _ in MARKS if piece.startswith(mark)), b"")
            plain = mark in (b"", codecs.BOM_UTF8)
            try:
                while plain and piece:
                    decoder.decode(piece)
                    piece = stream.file.read(_PIECE)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                plain = False
        if not plain:
            raise InputError(f"{source}: not plain UTF-8, and would become it; convert it first (iconv), or use -o")
        if mark and job.kind not in ("csv", "tsv"):  # of tables the mark stays
            raise InputError(
                f"{source}: begins with a byte order mark, which would be lost; save it without one, or use -o"
            )

    def _note(self, entry: dict[str, Any]) -> None:
        with open(self._journal, "ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._folder)
        self._copies[entry["copy"]] = entry["file"]


def _drop_torn_line(journal: Path) -> None:
    """Takes off a last line that was cut short, or the next one would be written behind it."""
    try:
        with open(journal, "r+b") as file:
            file.truncate(sum(map(len, whole_lines(file))))
            os.fsync(file.fileno())
    except OSError as error:
        raise output_error(str(journal), error) from error


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What the journal of a backup says of each file; raises `InputError`."""
    try:
        with open(folder / BACKUP_JOURNAL, "rb") as file:
            lines = list(whole_lines(file))  # the file of a line that was cut short was not replaced
    except OSError as error:
        raise unreadable(str(folder / BACKUP_JOURNAL), error) from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if not all(isinstance(entry[key], str) for key in ("file", "copy", "before", "after")):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{folder / BACKUP_JOURNAL}:{number}: no line of a journal; get the backup anew") from None
        yield entry


def restore(folder: Path, tally: Tally, note: Note, *, force: bool) -> None:
    """Puts the originals of a backup back; what somebody changed since is refused unless forced."""
    untouched = 0
    listed = {entry["file"]: entry for entry in entries(folder)}
    for entry in reversed(listed.values()):
        try:
            if _put_back(folder, entry, force=force):
                tally.done += 1
            else:
                untouched += 1
        except DeglossError as error:
            tally.fail(error, entry["file"])
    rest = f", {untouched:,} {'was' if untouched == 1 else 'were'} as before" if untouched else ""
    note(f"{counted(tally.done, 'file')} restored{rest}; the backup stays in {folder}")


def _put_back(folder: Path, entry: dict[str, Any], *, force: bool) -> bool:
    target, copy = Path(entry["file"]), folder / _ORIGINALS / entry["copy"]
    now = _digest(target) if target.exists() else None
    if now == entry["before"]:
        return False
    if _digest(copy) != entry["before"]:
        raise InputError(f"{copy}: not the original any more; get the backup anew")
    if now not in (None, entry["after"]) and not force:
        raise OutputError(f"{target}: changed since it was cleaned; --force puts the original there all the same")
    try:
        part = Part(target, original=copy)
        try:
            with open(copy, "rb") as file:
                shutil.copyfileobj(file, part.file, _PIECE)
            part.commit(force=True)
        except BaseException:
            part.discard()
            raise
    except OSError as error:
        raise output_error(str(target), error) from error
    return True


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(str(path), error) from error
