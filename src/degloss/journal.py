"""How far a run has come, so that `--resume` goes on there, whatever ended it.

A journal is a file of JSON lines beside the output (hidden: `.degloss-….journal`; in a folder, inside it). Its first
line says what the run was: options, model, version, and for one output file all inputs with their sizes and times. A
run that differs from it is not resumed. Then:

    {"at": job, "items": n, "bytes": m, …}           of this job n documents are written, in m bytes of its part
    {"done": job, "input": …, "source": …, "result": …}   the result of this input, and the stamps of both: it is
                                                     complete; written before it takes its name, with the stamp of
                                                     what has that name, as "replaced"
    {"failed": job, "source": …}                     this input could not be read
    {"finished": true}                               nothing is left to do

Each line also has the documents and failures up to it, and the bytes of the file of failures, so that all three go on
from the same point. A line that was cut off does not count, nor do last lines that the disk does not bear out: of a run
that was killed before a result took its name, or of a result or a part that somebody removed since. What was written
after the last line that counts is cut off from the part and done again: every document is there once, in order, and
counted once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from degloss.errors import OutputError
from degloss.partfile import JOURNAL, PART, companion, lock
from degloss.plan import Job
from degloss.write import make_folder, output_error

FOLDER_JOURNAL: Final = f".degloss{JOURNAL}"
Stamp = list[int]
"""Size in bytes and time of the last change in nanoseconds: what tells a file from a later state of it."""


def stamp(path: str | Path) -> Stamp | None:
    """The stamp of a file; None if it cannot be had."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a journal from here on, without a last one that was cut short (killed, disk full)."""
    return (line for line in file if line.endswith(b"\n"))


def make_way(path: Path, *, force: bool) -> None:
    """Refuses to begin a run anew over one that was interrupted and can be resumed; with `force` forgets that one.

    Raises `OutputError`, also if that run is not over yet.
    """
    try:
        with open(os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            if not lock(file.fileno()):
                raise _busy(path)
            lines = list(whole_lines(file))
            if force or len(lines) < 2:
                path.unlink()
            elif b'"finished"' not in lines[-1]:
                raise OutputError(
                    f"{path}: of a run that was interrupted; add --resume to go on with it, or --force to begin anew"
                )
    except FileNotFoundError:
        return
    except OSError as error:
        raise output_error(str(path), error) from error


def _busy(path: Path) -> OutputError:
    return OutputError(f"{path}: another run is writing there; wait for that one")


def owns(journal: Journal | None, job: Job) -> bool:
    """Whether the target of a job is as an earlier pass of this run left it, and may be replaced."""
    earlier = None if journal is None else journal.done.get(job.key)
    return earlier is not None and job.target is not None and earlier["result"] == stamp(job.target)


def altered(journal: Journal | None, job: Job) -> bool:
    """Whether an earlier pass of this run made the result of a job, and it is there but not as that pass left it."""
    earlier = None if journal is None else journal.done.get(job.key)
    now = None if earlier is None or job.target is None else stamp(job.target)
    return earlier is not None and now is not None and now != earlier["result"]


def continues(at: dict[str, Any], job: Job) -> bool:
    """Whether the run had come this far with this job, and what it wrote is there to go on with."""
    if at["at"] != job.key or at["source"] != stamp(job.source) or job.target is None:
        return False
    part = stamp(companion(job.target, PART))
    return part is not None and part[0] >= int(at["bytes"])


@dataclass
class Journal:
    """The journal of a run that can be resumed, with what an earlier run wrote into it."""

    path: Path
    file: BinaryIO
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, dict[str, Any]] = field(default_factory=dict)
    at: dict[str, Any] | None = None
    last: str | None = None  # the job that was done last, if nothing was noted since
    totals: dict[str, int] = field(default_factory=dict)
    finished: bool = False
    empty: bool = False

    @classmethod
    def opened(
        cls, path: Path, run: dict[str, Any], holds: Callable[[dict[str, Any]], bool] = lambda line: True
    ) -> Journal:
        """The journal at this path, begun or taken up; raises `OutputError` if it is that of another run.

        `holds` says of a line whether what it tells is still so. Last lines of which it is not are taken back.
        """
        make_folder(path.parent)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            file = open(descriptor, "r+b")  # noqa: SIM115 - open as long as the run
            if not lock(descriptor):
                raise _busy(path)
            made = cls(path, file)
            made._take_up(run, holds)
        except OSError as error:
            raise output_error(str(path), error) from error
        return made

    def note(self, line: dict[str, Any], totals: dict[str, int], *, durable: bool = False) -> None:
        """Adds a line; a durable one, and all before it, is on the disk when this returns."""
        self.empty = False
        try:
            self.file.write(json.dumps({**line, **totals}).encode() + b"\n")
            self.file.flush()
            if durable:
                os.fsync(self.file.fileno())
        except OSError as error:
            raise output_error(str(self.path), error) from error

    def close(self, *, remove: bool = False) -> None:
        """Closes the journal; removes it when there is nothing, or nothing left, to resume."""
        if remove or self.empty:
            with suppress(OSError):
                self.path.unlink()
        with suppress(OSError):
            self.file.close()

    def _take_up(self, run: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> None:
        lines, ends = self._lines()
        if not lines:
            self._rewrite([run])
            self.empty = True
            return
        if lines[0] != run:
            differ = sorted(key for key in {*lines[0], *run} if lines[0].get(key) != run.get(key))
            raise OutputError(
                f"{self.path}: of a run that differs in {', '.join(differ)}; give the same inputs and options,"
                " or remove it to begin anew"
            )
        while len(lines) > 1 and not holds(lines[-1]):
            lines.pop()
            ends.pop()
        self.empty = len(lines) < 2
        for line in lines[1:]:
            self.totals = {name: line[name] for name in ("documents", "failures", "errors") if name in line}
            if "done" in line:
                self.done[line["done"]] = line
                self.at = None
            elif "failed" in line:
                if self.done.get(line["failed"], {}).get("source") == line["source"]:
                    del self.done[line["failed"]]  # its result could not take its name
                self.failed[line["failed"]] = line
                self.at = None
            elif "at" in line:
                self.at = line
            self.finished, self.last = "finished" in line, line.get("done")
        if self.finished:  # another pass over the folder: what failed is tried again
            self.failed, self.totals, self.at = {}, {}, None
            self._rewrite([run, *({**line, "documents": 0, "failures": 0, "errors": 0} for line in self.done.values())])
        else:
            self.file.truncate(ends[-1])
            self.file.seek(ends[-1])

    def _lines(self) -> tuple[list[dict[str, Any]], list[int]]:
        """The complete lines, and the bytes up to the end of each."""
        lines: list[dict[str, Any]] = []
        ends: list[int] = []
        for line in whole_lines(self.file):
            try:
                value = json.loads(line)
            except ValueError:
                break
            if not isinstance(value, dict):
                break
            lines.append(value)
            ends.append(len(line) + (ends[-1] if ends else 0))
        return lines, ends

    def _rewrite(self, lines: list[dict[str, Any]]) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self.file.flush()
        os.fsync(self.file.fileno())
