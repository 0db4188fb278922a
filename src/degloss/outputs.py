"""Labelled blocks → files: each result into its own file or all into one, complete or not there.

Items come in the order in which they were read. What goes wrong with a file of one job is counted, and the others go
on; what goes wrong with the one stream that all share ends the run. With a journal the state is written down after
every block, and a part is left on the disk when the run is interrupted, so that it can go on there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from degloss.blocks import Begin, Block, Failure, Given, Item, check_result
from degloss.encodings import Remark
from degloss.errors import DeglossError, InputError, OutputError
from degloss.inplace import Backup
from degloss.journal import Journal, stamp
from degloss.kinds import parts
from degloss.partfile import PART, Part, companion, sweep
from degloss.plan import Job, Plan
from degloss.read import Document
from degloss.sink import Output, named
from degloss.tally import NothingDone, Tally
from degloss.workers import Labelled, Results
from degloss.write import check_target, make_folder, open_device, output_error, standard_output


class Outputs:
    """Where the items of a run go."""

    def __init__(self, made: Plan, tally: Tally, journal: Journal | None, backup: Backup | None) -> None:
        self._plan, self._tally, self._journal, self._backup = made, tally, journal, backup
        self._shared: Output | None = None
        self._current: Output | None = None  # the file of the job that is being written
        self._given_up: set[str] = set()
        self._failed_before = tally.failed
        self._place: dict[str, Any] | None = None  # how far the shared file has come, for the journal
        self._folders: set[Path] = set()

    def given_up(self, job: Job) -> bool:
        """Whether what is still read of this job is for nothing."""
        return job.key in self._given_up

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Opens what all share; at the end it takes its name, and if the block fails it never does."""
        if self._plan.shared is not None:
            with self._shared_file(self._plan.shared):
                yield
        elif self._plan.jobs and self._plan.jobs[0].target is None:
            with standard_output() as stream:
                self._shared = Output(stream, "", "")
                yield
        else:
            try:
                yield
            finally:
                self._drop(keep=self._journal is not None and not self._journal.empty)

    def take(self, block: Block, results: Results) -> None:
        """Writes a block, then notes in the journal how far the run has come."""
        for item, labelled in zip(block, results, strict=True):
            try:
                self._take(item, labelled)
            except InputError as error:
                self._fail(item.job, error)
            except OutputError as error:
                if self._shared is not None:
                    raise
                self._fail(item.job, error)
        self._checkpoint()

    def _take(self, item: Item, labelled: Labelled | InputError | None) -> None:
        if isinstance(item, Begin):
            self._begin(item)
        elif self.given_up(item.job):  # a second reason would count the input twice
            return
        elif isinstance(item, Failure) and item.broken:
            self._fail(item.job, item.error)
        elif isinstance(item, Failure):
            self._miss(item.job, item.error, item.place)
        elif isinstance(item, Given) and isinstance(labelled, InputError):
            self._miss(item.job, labelled, item.document.name)
        elif isinstance(item, Given):
            assert isinstance(labelled, Labelled)
            self._add(item.job, item.document, labelled)
        else:
            self._end(item.job)

    def _miss(self, job: Job, error: DeglossError, place: str) -> None:
        """A document of a job failed, and the others go on."""
        if self._backup is not None:  # the row would be missing from the only copy
            raise InputError(f"{error}; the file is left as it is")
        self._tally.fail(error, job.source, place)
        self._output().items += 1

    def _begin(self, item: Begin) -> None:
        self._failed_before = self._tally.failed
        if self._shared is None:
            self._current = self._own_file(item)
        output = self._output()
        output.items, output.begin = item.skipped, item
        self._place = {"at": item.job.key}
        with named(output):
            try:
                output.start(item, continued=bool(item.skipped))
            except InputError as error:
                raise InputError(f"{item.job.source}: {error}") from error

    def _own_file(self, item: Begin) -> Output:
        target = item.job.target
        assert target is not None
        make_folder(target.parent)
        if target.parent not in self._folders:
            self._folders.add(target.parent)
            sweep(target.parent, self._continued())
        at = self._journal.at if self._journal is not None and item.skipped else None
        try:
            part = Part(target, None if at is None else int(at["bytes"]))
        except OSError as error:
            raise output_error(str(target), error) from error
        return Output(part.file, parts(target.name).packing, str(target), part)

    def _continued(self) -> Path | None:
        """The part that is to go on, perhaps of a later job."""
        at = None if self._journal is None else self._journal.at
        return None if at is None or self._plan.folder is None else companion(self._plan.folder / at["at"], PART)

    @contextmanager
    def _shared_file(self, target: Path) -> Iterator[None]:
        journal, plan = self._journal, self._plan
        at = None if journal is None else journal.at
        if not check_target(target, force=plan.options.force, inputs=plan.inputs):
            with open_device(target) as file:  # a device or a pipe
                self._shared = Output(file, "", str(target))
                yield
            return
        try:
            sweep(target.parent)
            part = Part(target, None if at is None else int(at["bytes"]))
        except OSError as error:
            raise output_error(str(target), error) from error
        output = self._shared = Output(part.file, parts(target.name).packing, str(target), part)
        output.head = None if at is None else at["head"]
        try:
            yield
            with named(output):
                output.finish()
                part.sync()
                if journal is not None:
                    journal.note({"done": "", "result": stamp(part.path)}, self._totals(), durable=True)
                part.commit(force=plan.options.force)
        except BaseException as error:
            if journal is not None and not journal.empty and not isinstance(error, NothingDone):
                part.leave()
            else:
                part.discard()
            raise

    def _add(self, job: Job, document: Document, labelled: Labelled) -> None:
        output, form, piece, lost = self._output(), job.form, labelled.piece, 0.0
        failed = False
        output.items += 1
        if form.keep is not None:
            lost = labelled.counts.lost(form.keep)
            if self._backup is not None and lost > self._plan.options.max_loss:
                error = InputError(
                    f"{document.name}: would lose {lost:.0%} of its text; left as it is, look at it or raise --max-loss"
                )
                if document.row is None:
                    raise error
                self._tally.fail(error, job.source, document.name)
                piece, lost, failed = form.unchanged(document), 0.0, True
            elif document.row is None and not piece:
                what = f"no {' or '.join(form.keep)}" if sum(labelled.counts.sizes) else "no text"
                self._tally.note(Remark(f"{document.name}: {what} in it, so the result is empty", "empty results"))
            output.changed = output.changed or lost > 0
        with named(output):
            output.add(document, piece)
        if failed:
            return
        figures = self._tally.figures if output is self._shared else output.figures
        figures.count(document.name, labelled.counts, labelled.seconds, emptied=lost == 1)
        output.documents += 1
        if output is self._shared:
            self._tally.done += 1

    def _end(self, job: Job) -> None:
        output = self._current
        if output is None:
            self._place = {"at": job.key, "ended": True}
            return
        begin, part = output.begin, output.part
        assert begin is not None
        assert part is not None
        assert job.target is not None
        if not output.documents and not begin.skipped and self._tally.failed > self._failed_before:
            self._drop()  # its failures are counted already
            if self._journal is not None:
                self._journal.note({"failed": job.key, "source": begin.stamp}, self._totals())
            return
        with named(output):
            output.finish()
            part.sync()
            if self._backup is not None:
                if output.changed and self._backup.save(job, begin.stamp, part.path):
                    part.commit(force=True)
                else:
                    part.discard()
            else:
                replace = check_result(job.target, job, self._plan, self._journal)
                totals = self._totals()  # in which the documents of this output are waiting
                self._tally.done += output.documents
                if self._journal is not None:
                    done = {"done": job.key, "input": job.source, "source": begin.stamp, "result": stamp(part.path)}
                    self._journal.note({**done, "replaced": stamp(job.target)}, totals)
                try:
                    part.commit(force=replace)
                except BaseException:
                    self._tally.done -= output.documents
                    raise
        if self._backup is not None:
            self._tally.done += output.documents
        self._tally.figures.add(output.figures)
        self._current = None

    def _fail(self, job: Job, error: DeglossError) -> None:
        """A job of which nothing, or nothing more, comes out."""
        self._drop()
        self._given_up.add(job.key)
        self._tally.fail(error, job.source)
        self._place = {"at": job.key, "ended": True}
        if self._journal is not None and self._shared is None:
            self._journal.note({"failed": job.key, "source": stamp(job.source)}, self._totals())

    def _drop(self, *, keep: bool = False) -> None:
        """Gives up the file that is being written."""
        output, self._current = self._current, None
        if output is not None and output.part is not None:
            output.abandon()
            if keep:
                output.part.leave()
            else:
                output.part.discard()

    def _checkpoint(self) -> None:
        output = self._current or self._shared
        if self._journal is None or output is None or output.begin is None or self._place is None:
            return
        if output is self._current and not output.items:  # a head alone is written anew
            return
        with named(output):
            size = output.checkpoint()
        if size is None:
            return
        line = {**self._place, "items": output.items, "bytes": size}
        line |= {"head": output.head} if self._shared is not None else {"source": output.begin.stamp}
        self._journal.note(line, self._totals(), durable=True)

    def _totals(self) -> dict[str, int]:
        pending = self._current.documents if self._current is not None else 0
        return {
            "documents": self._tally.done + pending,
            "failures": self._tally.failed,
            "errors": self._tally.records_size(),
        }

    def _output(self) -> Output:
        output = self._current or self._shared
        assert output is not None
        return output
