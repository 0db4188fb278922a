"""Jobs → documents → blocks: what is read, in order, in portions that are labelled at once.

A block goes across the borders of files, since labelling 256 short texts together takes hardly longer than one. What
happens beside the documents – an input begins, ends, fails – is in the same stream, so that whoever writes the results
does it at the right place. No more than a few blocks are ever in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from degloss.encodings import Note
from degloss.errors import DeglossError, InputError, OutputError, too_large
from degloss.journal import Journal, Stamp, altered, continues, owns, stamp
from degloss.kinds import ROWS, parts
from degloss.plan import Job, Plan
from degloss.read import Document, Head, read_documents
from degloss.separate import BATCH_DOCUMENTS
from degloss.slices import SLICE
from degloss.source import Watch, unwatched
from degloss.write import check_target


class Begin(NamedTuple):
    """An input was opened; of its documents `skipped` are done already."""

    job: Job
    head: Head
    stamp: Stamp | None
    skipped: int = 0


class Given(NamedTuple):
    """A document of it."""

    job: Job
    document: Document


class Failure(NamedTuple):
    """What should have been a document, or with `broken` an input of which no more can be had."""

    job: Job
    error: DeglossError
    place: str
    broken: bool


class End(NamedTuple):
    """An input was read to its end."""

    job: Job


Item = Begin | Given | Failure | End
Block = list[Item]


def in_blocks(items: Iterable[Item], *, resumable: bool = False) -> Iterator[Block]:
    """The items in portions of about a million characters, or 256 documents.

    What is packed is packed block by block if the run is `resumable`. Then a packed file of many documents begins a
    block, so that its blocks, and with them its bytes, are the same wherever the run was interrupted.
    """
    block: Block = []
    documents = characters = 0
    for item in items:
        if resumable and block and isinstance(item, Begin) and _packed_rows(item.job):
            yield block
            block, documents, characters = [], 0, 0
        block.append(item)
        if isinstance(item, Given):
            documents += 1
            characters += len(item.document.text)
        if documents == BATCH_DOCUMENTS or characters >= SLICE or len(block) > 4 * BATCH_DOCUMENTS:
            yield block
            block, documents, characters = [], 0, 0
    if block:
        yield block


def _packed_rows(job: Job) -> bool:
    return job.kind in ROWS and job.target is not None and parts(job.target.name).packing != ""


def read_items(
    made: Plan,
    note: Note,
    *,
    journal: Journal | None = None,
    given_up: Callable[[Job], bool] = lambda job: False,
    watch: Watch = unwatched,
) -> Iterator[Item]:
    """All that the jobs read. What the journal has is passed over, and a job that is `given_up` read no further."""
    for job in made.jobs:
        documents = skipped(job, made, journal)
        if documents is not None:
            yield from _read(job, made, note, documents, given_up, watch, journal)


def _read(
    job: Job,
    made: Plan,
    note: Note,
    skipped: int,
    given_up: Callable[[Job], bool],
    watch: Watch,
    journal: Journal | None,
) -> Iterator[Item]:
    options = made.options
    number = 0
    try:
        if job.kind == "html" and options.backup is not None:
            raise InputError(f"{job.source}: HTML would become plain text; write it to a folder by -o instead")
        if job.target is not None and options.backup is None:
            check_result(job.target, job, made, journal)  # before the work, and again when writing
        begun = stamp(job.source)
        for found in read_documents(job.source, job.kind, options.field, note, mend=options.mend, watch=watch):
            if not isinstance(found, Document | InputError):
                yield Begin(job, found, begun, skipped)
                continue
            number += 1
            if number <= skipped:
                continue
            if given_up(job):
                return
            if isinstance(found, Document):
                yield Given(job, found)
            else:
                yield Failure(job, found, str(found).partition(": ")[0], broken=False)
    except DeglossError as error:
        yield Failure(job, error, job.source, broken=True)
    except MemoryError:
        yield Failure(job, too_large(job.source), job.source, broken=True)
    else:
        yield End(job)


def check_result(target: Path, job: Job, made: Plan, journal: Journal | None) -> bool:
    """Refuses a result that must not be written; says whether it may replace what is there."""
    if altered(journal, job) and not made.options.force:
        raise OutputError(
            f"{target}: was changed since degloss wrote it, and {job.source}, too; rename or delete the result to"
            " have it done anew"
        )
    replace = made.options.force or owns(journal, job)
    check_target(target, force=replace, inputs=made.inputs)
    return replace


def skipped(job: Job, made: Plan, journal: Journal | None) -> int | None:
    """How many documents of a job are done already; None if all are, also if their result was changed since."""
    if journal is None:
        return 0
    at = journal.at
    if made.shared is not None:  # the jobs are numbered, and what is before a number is done
        if at is None or int(job.key) > int(at["at"]):
            return 0
        return None if int(job.key) < int(at["at"]) or at.get("ended") else int(at["items"])
    for earlier in (journal.done.get(job.key), journal.failed.get(job.key)):
        if earlier is not None and earlier["source"] == stamp(job.source):
            result = earlier.get("result")
            if result is None or (job.target is not None and result == stamp(job.target)):
                return None
            if altered(journal, job) and not made.options.force:
                return None
    return int(at["items"]) if at is not None and continues(at, job) else 0
