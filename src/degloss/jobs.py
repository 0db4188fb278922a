"""What the command line is asked to do, as jobs: which input goes where, done one after the other.

Planned first, so that a mistake in the arguments shows before any work: folders are listed, every target is
named, and two inputs that want the same target are refused. Then run: what is wrong with one input is told
and counted and does not stop the others; what is wrong with the one stream they all write to does.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from degloss.documents import Favor, Separation
from degloss.errors import DeglossError, InputError, OutputError
from degloss.formats import Form, encode_line
from degloss.read import STDIN, Note, Record, read_records, read_text
from degloss.separate import Separator
from degloss.write import FileId, check_target, file_ids, make_folder, new_file, standard_output

RECORDS: Final = ".jsonl"
_NAMED: Final = (".txt", RECORDS, ".tsv")
"""Endings that a new ending replaces, and that say that a target is to be a file."""
_TOLD: Final = 20  # failures told one by one; a wrong option makes a million of the same kind

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Job:
    """One input and its target, None for the stream all share."""

    source: str
    target: Path | None
    records: bool


@dataclass(frozen=True)
class Plan:
    """All jobs, and the file they share: standard output if None."""

    jobs: tuple[Job, ...]
    shared: Path | None
    force: bool
    inputs: frozenset[FileId]

    @property
    def several(self) -> bool:
        """Whether the results of more than one document may follow each other in the stream all share."""
        shared = [job for job in self.jobs if job.target is None]
        return len(shared) > 1 or any(job.records for job in shared)


@dataclass
class Tally:
    """How many documents were done and how many failed, and whom to tell."""

    tell: Note
    done: int = 0
    failed: int = 0

    def fail(self, error: DeglossError) -> None:
        """Counts a document that failed."""
        self.failed += 1
        if self.failed <= _TOLD:
            self.tell(str(error))
        elif self.failed == _TOLD + 1:
            self.tell("further errors are counted, not shown")


class NothingDone(DeglossError):
    """All inputs failed and were told; nothing is to be written."""


def plan(
    sources: list[str],
    output: str | None,
    *,
    ending: str | None,
    force: bool,
    text_field: str | None,
    tally: Tally,
) -> Plan:
    """The jobs for these files, folders and standard input; raises `InputError` or `OutputError`.

    `ending` is what the names of written files end in, None for that of the input. With a `text_field` all
    inputs are JSON lines, without one those whose names say so.
    """
    target = None if output in (None, STDIN) else Path(str(output))
    if sources.count(STDIN) > 1:
        raise InputError("-: standard input can be read only once; give - once")
    folders = [source for source in sources if source != STDIN and os.path.isdir(source)]
    if folders and (target is None or _is_file(output, target, several=True)):
        raise InputError(f"{folders[0]}: a folder; say with -o which folder to write to")
    several = len(sources) > 1 or bool(folders)
    if target is None or _is_file(output, target, several=several):
        jobs = [Job(source, None, _has_records(source, text_field)) for source in sources]
        made = Plan(tuple(jobs), target, force, file_ids(s for s in sources if s != STDIN))
        if target is not None:
            check_target(target, force=force, inputs=made.inputs)
        return made
    jobs = []
    for source in sources:
        if source == STDIN:
            raise InputError("-: standard input has no name to write under in a folder; give -o a file's name")
        if source not in folders:
            jobs.append(_filed(source, Path(source).name, target, ending, text_field))
            continue
        pattern = RECORDS if text_field is not None else ".txt"
        found = list(_walk(Path(source), pattern, target, tally))
        if not found:
            raise InputError(f"{source}: no *{pattern} files in this folder; give the files by name")
        jobs += [_filed(str(path), str(path.relative_to(source)), target, ending, text_field) for path in found]
    _refuse_collisions(jobs)
    return Plan(tuple(jobs), None, force, file_ids(job.source for job in jobs))


def _is_file(output: str | None, target: Path, *, several: bool) -> bool:
    """Whether results go into one file of this name: else it is a folder, there already or to be made."""
    if target.is_dir() or str(output).endswith(("/", os.sep)):
        return False
    return not several or target.exists() or target.suffix in _NAMED


def _has_records(source: str, text_field: str | None) -> bool:
    return text_field is not None or source.endswith(RECORDS)


def _filed(source: str, name: str, folder: Path, ending: str | None, text_field: str | None) -> Job:
    """A job that writes into a folder, under the name of its input."""
    if ending is not None:
        stem, suffix = os.path.splitext(name)
        name = (stem if suffix in _NAMED else name) + ending
    return Job(source, folder / name, _has_records(source, text_field))


def _walk(folder: Path, ending: str, target: Path, tally: Tally) -> Iterator[Path]:
    """The files with this ending in a folder and below, in order of their names; not those in the target."""

    def unreadable(error: OSError) -> None:
        tally.fail(InputError(f"{error.filename}: folder cannot be read ({error.strerror}); check its permissions"))

    own = file_ids([target]) - file_ids([folder])
    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in sorted(folders) if not own & file_ids([Path(place, name)])]
        yield from (Path(place, name) for name in sorted(names) if name.endswith(ending))


def _refuse_collisions(jobs: list[Job]) -> None:
    seen: dict[Path | None, str] = {}
    for job in jobs:
        if job.target in seen:
            raise OutputError(
                f"{job.target}: both {seen[job.target]} and {job.source} go there; do one after the other"
            )
        seen[job.target] = job.source


def run(made: Plan, separator: Separator, favor: Favor, form: Form, *, text_field: str, tally: Tally) -> None:
    """Does all jobs; failures go into the tally, only an `OutputError` of the shared stream is raised."""
    with _shared(made) as stream:
        heads = chain([form.head], repeat("" if stream is not None else form.head))
        for records, jobs in groupby(made.jobs, lambda job: job.records):
            if records:
                for job in jobs:
                    with _output(job, made, stream, tally) as put:
                        put.head(next(heads))
                        for record, found in _separated(separator, _records(job, text_field, tally), favor):
                            put.document(form.record(found, record, f"{job.source}:{record.line}"))
            else:
                for job, found in _separated(separator, _texts(jobs, made, tally), favor):
                    with _output(job, made, stream, tally) as put:
                        put.head(next(heads))
                        put.document(form.text(found, job.source))
        if tally.failed and not tally.done:
            raise NothingDone


def texts(made: Plan, text_field: str, tally: Tally) -> Iterator[tuple[str, str]]:
    """The name and the text of each document; those that cannot be read are counted as failed."""
    for job in made.jobs:
        try:
            if job.records:
                for record, text in _records(job, text_field, tally):
                    yield f"{job.source}:{record.line}", text
            else:
                yield job.source, read_text(job.source, tally.tell)
        except InputError as error:
            tally.fail(error)


def _texts(jobs: Iterable[Job], made: Plan, tally: Tally) -> Iterator[tuple[Job, str]]:
    for job in jobs:
        try:
            if job.target is not None:
                # Asked before the work and again when writing.
                check_target(job.target, force=made.force, inputs=made.inputs)
            text = read_text(job.source, tally.tell)
        except (InputError, OutputError) as error:
            tally.fail(error)
        else:
            yield job, text


def _records(job: Job, text_field: str, tally: Tally) -> Iterator[tuple[Record, str]]:
    for record in read_records(job.source, text_field):
        if isinstance(record, InputError):
            tally.fail(record)
        else:
            yield record, record.text


def _separated(
    separator: Separator, items: Iterable[tuple[_Item, str]], favor: Favor
) -> Iterator[tuple[_Item, Separation]]:
    """Each item with the separation of its text; the separator reads ahead by a batch."""
    waiting: deque[_Item] = deque()

    def read() -> Iterator[str]:
        for item, text in items:
            waiting.append(item)
            yield text

    for found in separator.separate_many(read(), favor=favor):
        yield waiting.popleft(), found


def _shared(made: Plan) -> AbstractContextManager[BinaryIO | None]:
    if made.jobs and made.jobs[0].target is not None:
        return nullcontext(None)
    if made.shared is not None:
        return new_file(made.shared, force=made.force, inputs=made.inputs)
    return standard_output()


@dataclass
class _Output:
    """Where the results of a job go, and how many have gone there."""

    file: BinaryIO
    documents: int = 0

    def head(self, line: str) -> None:
        self.file.write(encode_line(line))

    def document(self, lines: str) -> None:
        self.file.write(encode_line(lines))
        self.documents += 1


@contextmanager
def _output(job: Job, made: Plan, stream: BinaryIO | None, tally: Tally) -> Iterator[_Output]:
    """The output of one job. What goes wrong with the job is counted, with the stream of all it is raised."""
    failed_before = tally.failed
    try:
        if stream is not None:
            output = _Output(stream)
            try:
                yield output
            finally:
                tally.done += output.documents
        elif job.target is not None:
            make_folder(job.target.parent)
            with new_file(job.target, force=made.force, inputs=made.inputs) as file:
                output = _Output(file)
                yield output
                if not output.documents and tally.failed > failed_before:
                    raise NothingDone
            tally.done += output.documents
    except NothingDone:
        pass
    except InputError as error:
        tally.fail(error)
    except OutputError as error:
        if stream is not None:
            raise
        tally.fail(error)
