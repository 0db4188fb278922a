"""What became of the documents: counted, and failures told and recorded.

The first failures are told one by one, all of them are recorded as JSON lines beside the output, so that a run
over night can be mended in the morning. With `strict` the first one ends the run.
"""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from degloss.documents import LABELS, Label, Separation
from degloss.encodings import Note, Remark
from degloss.errors import DeglossError, OutputError
from degloss.write import output_error, write_file

_TOLD: Final = 20  # failures, and notes of a kind, told one by one; a wrong option makes a million of them
_NAMED: Final = 3  # documents named as the slowest, and as the least certain
UNCERTAIN: Final = 0.7
"""A document is uncertain if the mean confidence of its sentences, by length, is below. Confidence is calibrated, so
at least three tenths of such a text are to be expected wrong: a person should look."""


class NothingDone(DeglossError):
    """All inputs failed and were told; nothing is to be written."""


class Stopped(DeglossError):
    """The first failure ended the run, as was asked for."""


class Counts(NamedTuple):
    """A document in figures: the characters in sentences of each label, and the mean confidence by length."""

    sizes: tuple[int, ...]
    confidence: float

    @staticmethod
    def of(found: Separation) -> Counts:
        """The figures of a separation; of one without sentences the confidence is 1."""
        lengths = found.ends - found.starts
        sizes = np.bincount(found.labels, weights=lengths, minlength=len(LABELS)).astype(int)
        size = int(sizes.sum())
        return Counts(tuple(sizes.tolist()), float(np.dot(lengths, found.confidences)) / size if size else 1.0)

    def lost(self, keep: Iterable[Label]) -> float:
        """The share of the characters that goes if only these labels are kept, 0 to 1."""
        size = sum(self.sizes)
        return 1 - sum(self.sizes[LABELS.index(label)] for label in keep) / size if size else 0.0


@dataclass
class Figures:
    """What was found in documents: the characters of each label, and which documents to look at; can be added up."""

    sizes: list[int] = field(default_factory=lambda: [0] * len(LABELS))
    uncertain: int = 0
    emptied: int = 0
    _least: list[tuple[float, str]] = field(default_factory=list)
    _slowest: list[tuple[float, str]] = field(default_factory=list)

    def count(self, name: str, counts: Counts, seconds: float, *, emptied: bool = False) -> None:
        """Counts what was found in a document, and whether none of it is kept; whether it is done is known when it is
        written."""
        self.emptied += emptied
        for place, size in enumerate(counts.sizes):
            self.sizes[place] += size
        if counts.confidence < UNCERTAIN:
            self.uncertain += 1
            _keep(self._least, (-counts.confidence, name))
        _keep(self._slowest, (seconds, name))

    def add(self, other: Figures) -> None:
        """Counts what others counted."""
        self.sizes = [ours + theirs for ours, theirs in zip(self.sizes, other.sizes, strict=True)]
        self.uncertain += other.uncertain
        self.emptied += other.emptied
        for ours, theirs in ((self._least, other._least), (self._slowest, other._slowest)):
            for item in theirs:
                _keep(ours, item)

    def rename(self, named: Callable[[str], str]) -> None:
        """Gives the documents other names."""
        self._least = [(value, named(name)) for value, name in self._least]
        self._slowest = [(value, named(name)) for value, name in self._slowest]

    def least_certain(self) -> list[tuple[float, str]]:
        """The least certain documents and their confidence."""
        return [(-value, name) for value, name in sorted(self._least, reverse=True)]

    def slowest(self) -> list[tuple[float, str]]:
        """The slowest documents and their seconds."""
        return sorted(self._slowest, reverse=True)


@dataclass
class Tally:
    """How many documents were done and how many failed, and whom to tell.

    `before` of them were done by an earlier run that this one resumes; `settled` inputs were done by one that came to
    its end, and are not counted again. `records` is the file for failures, which appears with the first of them.
    """

    tell: Note
    strict: bool = False
    records: Path | None = None
    done: int = 0
    failed: int = 0
    before: int = 0
    settled: int = 0
    figures: Figures = field(default_factory=Figures)
    _file: BinaryIO | None = None
    _old: bool = False  # failures of an earlier run are in the file
    _before: BinaryIO | None = None  # these, open and without a name while this run writes its own
    _restored: bool = False  # these are in the file, and none of this run
    _notes: Counter[str] = field(default_factory=Counter)  # of each kind

    def fail(self, error: DeglossError, source: str = "", place: str = "") -> None:
        """Counts a document that failed; raises `Stopped` if that is to end the run."""
        self.failed += 1
        if self.failed <= _TOLD:
            self.tell(str(error))
        elif self.failed == _TOLD + 1:
            self.tell(f"further errors are counted, not shown{'' if self.records else '; with -o all are recorded'}")
        self._record(error, source, place)
        if self.strict:
            raise Stopped("stopped at the first failure (--strict)")

    def note(self, message: str) -> None:
        """Tells what is worth telling but no failure; of many notes of a kind the first ones."""
        kind = message.kind if isinstance(message, Remark) else "others"
        self._notes[kind] += 1
        if self._notes[kind] <= _TOLD:
            self.tell(message)

    def tell_counts(self) -> None:
        """Tells how many notes of each kind were not told."""
        more = [f"{count - _TOLD:,} {kind}" for kind, count in sorted(self._notes.items()) if count > _TOLD]
        if more:
            self.tell(f"further notes, not shown: {', '.join(more)}")

    def begin_records(self) -> None:
        """Makes ready to replace the failures of an earlier run; raises `OutputError` if the file is something else."""
        if self.records is None or self._file is not None or not os.path.lexists(self.records):
            return
        if not _is_record(self.records):
            raise OutputError(f"{self.records}: failures are to be recorded there, and it is another file; rename it")
        self._old = True

    def records_size(self) -> int:
        """How many bytes of failures are recorded, all of them handed to the system."""
        return self._file.tell() if self._file is not None else 0

    def keep_records(self, sources: Collection[str]) -> None:
        """Takes up what an earlier run recorded of these inputs, and forgets the rest."""
        self.begin_records()
        if self.records is None or not self._old:
            return
        try:
            lines = self.records.read_bytes().splitlines(keepends=True)
            kept = b"".join(line for line in lines if line.endswith(b"\n") and json.loads(line)["file"] in sources)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputError(f"{self.records}: not as degloss recorded it ({error}); rename it") from error
        if kept:
            write_file(self.records, kept, force=True)
            self._old = False
            self.continue_records(len(kept))

    def continue_records(self, size: int) -> None:
        """Takes up the file of failures of an earlier run, of which `size` bytes count."""
        if self.records is None or not size:
            return
        with suppress(FileNotFoundError):
            self._file = open(self.records, "r+b", buffering=0)  # noqa: SIM115 - closed by `close`
            self._file.truncate(size)
            self._file.seek(size)

    def close(self, *, complete: bool = False) -> None:
        """Closes the file of failures; that of an earlier run goes once something is done, or the run is `complete`.

        If nothing was done, what an earlier run recorded stays, or comes back: it is of results that are there. Without
        such, nothing is recorded if each failure was told.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
            told = self._before is not None or self.failed <= _TOLD
            if not (self.done or self.settled) and told and self.records is not None:
                self.records.unlink(missing_ok=True)
                if self._before is not None:
                    self._restored = True
                    with suppress(OSError), open(self.records, "xb") as file:
                        shutil.copyfileobj(self._before, file)
        elif self._old and self.records is not None and (complete or self.done > self.before):
            self.records.unlink(missing_ok=True)
        if self._before is not None:
            self._before.close()
            self._before = None
        self._old = False

    def recorded(self) -> Path | None:
        """The file of failures, if there is one of this run."""
        if self.records is None or not self.failed or self._restored:
            return None
        return self.records if self.records.exists() else None

    def recorded_lines(self) -> int:
        """How many failures an earlier run recorded; none if there is no such file, or it is something else."""
        if self.records is None or not _is_record(self.records):
            return 0
        return self.records.read_bytes().count(b"\n")

    def _record(self, error: DeglossError, source: str, place: str) -> None:
        if self.records is None:
            return
        line = {"file": source, "document": place or source, "error": type(error).__name__, "message": str(error)}
        try:
            if self._file is None:
                self.begin_records()
                self.records.parent.mkdir(parents=True, exist_ok=True)
                if self._old:
                    with suppress(OSError):
                        self._before = open(self.records, "rb")  # noqa: SIM115 - closed by `close`
                        self.records.unlink()
                self._file = open(self.records, "wb", buffering=0)  # noqa: SIM115 - closed by `close`
            self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        except OSError as trouble:
            records, self.records = self.records, None
            raise output_error(f"{records}, the file of failures", trouble) from trouble


def _is_record(path: Path) -> bool:
    """Whether a file is one of failures, by its first line; an empty one may be."""
    try:
        with open(path, "rb") as file:
            line = file.readline()
        return not line or json.loads(line).keys() >= {"file", "document", "error", "message"}
    except (OSError, ValueError, AttributeError):
        return False


def _keep(heap: list[tuple[float, str]], item: tuple[float, str]) -> None:
    """Keeps the largest few."""
    if len(heap) < _NAMED:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)
