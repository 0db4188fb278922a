"""The whole way of a run: inputs → documents → blocks → labels → lines → files.

`run` is the one path of `clean` and `label`, whatever the inputs and however many processes; its lines are the stages,
each a module: `read` and `blocks`, `workers` (which calls `separate` and `formats`), `outputs`. What is wrong with one
document is told and counted and does not stop the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from degloss.artefact import MANIFEST, shipped_folder
from degloss.blocks import in_blocks, read_items, skipped
from degloss.errors import InputError, OutputError
from degloss.inplace import Backup
from degloss.journal import FOLDER_JOURNAL, Journal, altered, continues, make_way, stamp
from degloss.outputs import Outputs
from degloss.partfile import JOURNAL, PART, companion, remove_stale
from degloss.plan import Plan
from degloss.progress import Progress
from degloss.read import Document, read_documents
from degloss.show import counted, some
from degloss.tally import NothingDone, Tally
from degloss.workers import Labeller, label_blocks
from degloss.write import check_target

_NAMED: Final = 3  # results named that somebody changed


def run(made: Plan, labeller: Labeller, tally: Tally) -> None:
    """Does all jobs; failures go into the tally, only an `OutputError` of the shared stream is raised."""
    if made.options.resume and _there(made):
        failed = tally.recorded_lines()
        what = f"{counted(failed, 'failure')} recorded in {tally.records}" if failed else "all results are there"
        tally.tell(
            f"{made.shared}: exists and has no journal, so it is taken as complete: {what}; to do it again, delete it"
            " or give --force"
        )
        return
    backup = Backup(made.options.backup, resume=made.options.resume) if made.options.backup is not None else None
    if backup is not None and made.options.resume:
        left = tuple(job for job in made.jobs if not backup.done(job))
        tally.settled = len(made.jobs) - len(left)
        made = replace(made, jobs=left)
    journal = _journal(made, labeller) if backup is None else None
    if journal is not None and _complete(made, journal, tally):
        return
    tally.begin_records()
    progress = Progress.of(made, tally.tell)
    outputs = Outputs(made, tally, journal, backup)
    workers = made.options.workers
    complete = False
    try:
        with outputs.opened():
            items = read_items(made, tally.note, journal=journal, given_up=outputs.given_up, watch=progress.watch)
            blocks = in_blocks(items, resumable=journal is not None)
            for block, results in label_blocks(blocks, labeller, workers, resumable=made.options.resume):
                outputs.take(block, results)
                progress.show(tally)
            if tally.failed and not (tally.done or tally.settled):
                raise NothingDone
        _finish(made, journal)
        complete = True
    except NothingDone:
        _finish(made, journal, nothing=True)
        raise
    finally:
        progress.close()
        tally.close(complete=complete)
        if journal is not None:
            journal.close()
    if journal is not None and tally.done == tally.before and not tally.failed:
        tally.tell(f"{made.folder}: nothing new, all results are there")
    for line in progress.summary(tally):
        tally.tell(line)


def texts(made: Plan, tally: Tally) -> Iterator[tuple[str, str]]:
    """The name and the text of each document; those that cannot be read are counted as failed."""
    for job in made.jobs:
        try:
            for found in read_documents(job.source, job.kind, made.options.field, tally.note, mend=made.options.mend):
                if isinstance(found, Document):
                    yield found.name, found.text
                elif isinstance(found, InputError):
                    tally.fail(found)
        except InputError as error:
            tally.fail(error)


def _there(made: Plan) -> bool:
    """Whether the one output file is there and no run over it is to be continued; raises `OutputError`."""
    if made.shared is None or made.options.force or any(job.source == "-" for job in made.jobs):
        return False
    if not made.shared.is_file() or any(companion(made.shared, ending).exists() for ending in (JOURNAL, PART)):
        return False
    return check_target(made.shared, force=True, inputs=made.inputs)


def _journal(made: Plan, labeller: Labeller) -> Journal | None:
    """The journal of a run that can be resumed, with what an earlier run of the same kind did; raises `OutputError`."""
    path, options = _journal_path(made), made.options
    if not options.resume:
        if path is not None:
            make_way(path, force=options.force)
        return None
    if any(job.source == "-" for job in made.jobs):
        raise InputError("-: standard input cannot be read again, so a run over it cannot be resumed; give files")
    if path is None:
        raise InputError("--resume needs an output that stays; give -o a file's or folder's name")
    results = made.folder or made.shared
    assert results is not None  # or there would be no path
    jobs = {job.key: job for job in made.jobs}

    def holds(line: dict[str, Any]) -> bool:
        if "done" in line:
            now = stamp(results / line["done"])
            # What it was to replace is no result that somebody changed since: this one never took its name.
            kept = made.folder is not None and not options.force and now not in (None, line.get("replaced"))
            return bool(line["result"] == now) or kept
        if "at" in line and made.folder is not None:
            return line["at"] in jobs and continues(line, jobs[line["at"]])
        return True

    journal = Journal.opened(path, _identity(made, labeller), holds)
    if journal.last is not None:  # perhaps killed where this result had both names
        remove_stale(companion(results / journal.last, PART))
    return journal


def _journal_path(made: Plan) -> Path | None:
    """Where the journal of a run like this one is, if its output can have one."""
    if made.shared is not None:
        return companion(made.shared, JOURNAL)
    return None if made.folder is None else made.folder / FOLDER_JOURNAL


def _identity(made: Plan, labeller: Labeller) -> dict[str, Any]:
    """What makes two runs the same: the labels, the form, and for one output file all inputs as they are."""
    from degloss import __version__

    folder = labeller.model or shipped_folder()
    options = made.options
    identity = {
        "degloss": __version__,
        "model": hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest() if (folder / MANIFEST).exists() else "",
        "favor": labeller.favor,
        "forms": hashlib.sha256(repr(made.forms).encode()).hexdigest(),
        "options": [options.text_field, options.type, options.mend],
    }
    if made.shared is not None:
        inputs = [[job.source, job.kind, stamp(job.source)] for job in made.jobs]
        identity["inputs"] = hashlib.sha256(json.dumps(inputs).encode("utf-8", "surrogatepass")).hexdigest()
    return identity


def _complete(made: Plan, journal: Journal, tally: Tally) -> bool:
    """Takes up the counts of an earlier run; says whether that one had done it all."""
    totals = journal.totals
    tally.done = tally.before = totals.get("documents", 0)
    tally.failed = totals.get("failures", 0)
    tally.continue_records(totals.get("errors", 0))
    if made.shared is None:
        left = [job for job in made.jobs if skipped(job, made, journal) is None]
        settled = {job.source for job in left}
        tally.settled = len(settled)
        _tell_altered([str(job.target) for job in left if altered(journal, job)], tally)
        if journal.finished and made.folder is not None:  # another pass: what was recorded of what stays still holds
            keys = {job.key for job in made.jobs}
            stays = {
                line["input"]
                for key, line in journal.done.items()
                if key not in keys and "input" in line and (made.folder / key).exists()
            }
            tally.keep_records(stays | settled)
        return False
    last = journal.done.get("")
    if last is not None and last["result"] == stamp(made.shared):
        journal.close(remove=True)
        tally.close()
        tally.tell(f"{made.shared}: complete already, nothing is left to do")
        return True
    if journal.at is not None and not companion(made.shared, PART).exists():
        raise OutputError(f"{companion(made.shared, PART)}: missing; remove {journal.path} to begin anew")
    return False


def _tell_altered(results: list[str], tally: Tally) -> None:
    """Tells of results that are done and that somebody changed since."""
    if results:
        were, them = ("was", "it") if len(results) == 1 else ("were", "them")
        tally.tell(
            f"{counted(len(results), 'result')} {were} changed since degloss wrote {them} and left so:"
            f" {some(results[:_NAMED], len(results))}; to have one done anew, rename or delete it"
        )


def _finish(made: Plan, journal: Journal | None, *, nothing: bool = False) -> None:
    """Closes the journal of a run that came to its end. That of a folder stays, for new files and failed ones."""
    if journal is None:
        return
    if made.shared is not None or (nothing and not journal.done):
        journal.close(remove=True)
    else:
        journal.note({"finished": True}, {}, durable=True)
