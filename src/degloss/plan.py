"""What the command line is asked to do, as values: the options, and the jobs they make of the inputs.

`planning` makes them; what works on jobs needs to know no more than this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from degloss.formats import Form
from degloss.kinds import ROWS, Kind, Readable
from degloss.source import STDIN
from degloss.write import FileId

ERRORS: Final = ".errors.jsonl"
BACKUP_JOURNAL: Final = "degloss-journal.jsonl"
"""The file by which a backup of `clean --in-place` is known."""


@dataclass(frozen=True)
class Options:
    """What was asked for beside the inputs."""

    output: str | None = None
    force: bool = False
    text_field: str | None = None
    type: Readable | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    backup: Path | None = None
    max_loss: float = 0.9
    resume: bool = False
    strict: bool = False
    workers: int = 1
    mend: bool = False
    quiet: bool = False

    @property
    def field(self) -> str:
        return self.text_field or "text"

    @property
    def target(self) -> Path | None:
        """The file or folder to write to; None for standard output, and in place."""
        return None if self.output in (None, STDIN) else Path(str(self.output))

    @property
    def errors(self) -> Path | None:
        """Where failures are recorded: beside the output, unless that is a device; here if it is an address."""
        if "://" in (self.output or ""):
            return Path(f"{str(self.output).rstrip('/').rpartition('/')[2]}{ERRORS}")
        target = self.backup or self.target
        if target is None or (target.exists() and not target.is_file() and not target.is_dir()):
            return None
        if target.name in ("", ".."):  # of this folder, or one above, the name is not in what was given
            target = target.resolve()
        return target.parent / f"{target.name}{ERRORS}"


@dataclass(frozen=True)
class Job:
    """One input and its target, None for the stream all share; `key` is what a journal calls it."""

    key: str
    source: str
    target: Path | None
    kind: Kind
    form: Form

    @property
    def arrow(self) -> bool:
        """Whether the result is Parquet."""
        return self.kind == "parquet" and (self.form.keep is not None or self.form.format == "table")


@dataclass(frozen=True)
class Plan:
    """All jobs, and the file they share (standard output if None) or the folder they go to."""

    jobs: tuple[Job, ...]
    options: Options
    shared: Path | None = None
    folder: Path | None = None
    inputs: frozenset[FileId] = frozenset()
    forms: tuple[Form, ...] = ()
    """The form of every kind, also of those that are not among the inputs: part of what a run is."""

    @property
    def several(self) -> bool:
        """Whether the results of more than one document may follow each other in the stream all share."""
        shared = [job for job in self.jobs if job.target is None]
        return len(shared) > 1 or any(job.kind in ROWS for job in shared)
