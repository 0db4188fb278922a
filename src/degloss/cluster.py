"""`degloss label --scheduler`: the same work on many machines, by Dask.

This process finds the files and deals them out in parts (parts.py); workers read a part each, label it and hand back
its lines, or write them where they belong. The model travels once to every worker, also to those that come later.
A worker that is lost takes nothing with it: Dask gives its part to another one. Parts come back in the order they
were dealt out, so the results are those of one machine, byte for byte.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, islice, repeat
from pathlib import Path
from typing import BinaryIO, Final

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, LocalCluster, Worker, WorkerPlugin, get_worker

from degloss.artefact import Model
from degloss.documents import Favor
from degloss.errors import ClusterError, InputError
from degloss.formats import ENDINGS, Form, Format, encode_line
from degloss.parts import Failure, Piece, Report, find, label_part, make_place, part_urls, parts, write_part
from degloss.progress import Progress
from degloss.separate import Separator
from degloss.tally import NothingDone, Tally
from degloss.write import file_ids, new_file, standard_output

LOCAL: Final = "local"
_AHEAD: Final = 3  # parts dealt out for each thread: one it works on, one on its way there, one on its way back
_MEMORY: Final = {"MALLOC_TRIM_THRESHOLD_": 1 << 28, "MALLOC_MMAP_THRESHOLD_": 1 << 25}
"""Dask has its workers give back memory at once (64 KiB), and glibc then fetches every array anew: half the speed."""
_PATIENCE: Final = 20  # seconds to reach the scheduler


_Labelled = tuple[bytes, Report]


@dataclass(frozen=True)
class Task:
    """What is asked of every part, and under which name the workers hold the model."""

    model: str
    form: Form
    favor: Favor


class _Model(WorkerPlugin):
    """Takes the model to every worker, once."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def setup(self, worker: Worker) -> None:
        """Makes the separator there: what it needs besides the model does not travel."""
        self.separator = Separator(self.model)


def label(
    sources: list[str],
    output: str | None,
    separator: Separator,
    *,
    scheduler: str,
    format: Format,
    favor: Favor,
    text_field: str | None,
    force: bool,
    tally: Tally,
    quiet: bool = False,
) -> None:
    """Labels the documents of all files on the machines of a Dask scheduler, or of a cluster on this one (`LOCAL`).

    Where to: `output` None is standard output, the name of a file that file, a folder – there already, ending in "/" or
    with an address of fsspec – gets a file for each part, written by the workers. Failures go into the tally.
    Raises `ClusterError` if the scheduler cannot be reached or has other versions, `InputError` and `OutputError`.
    """
    with _recording(tally):
        files = _found(sources, tally)
        # Only results that do not name their line can be had from the middle of a file.
        dealt = list(parts(files, records=text_field is not None, cut=format == "jsonl"))
        first = dealt[0][0].kind
        form = Form(text_field or "text", format=format, headed=len(files) > 1 or first == "jsonl")
        task = Task(f"degloss-{os.urandom(6).hex()}", form, favor)
        sizes = ((name, size) for name, _, size in files)
        with closing(Progress(sizes, tally.tell, shown=output is not None and not quiet)) as progress:
            if output is not None and _is_folder(output):
                urls = part_urls(output, ENDINGS[format])
                with connected(scheduler, tally) as client:
                    # It may remove older parts: not before there is somebody to make new ones.
                    make_place(output, force=force)
                    deque(labelled(client, separator, task, dealt, urls, tally, progress), maxlen=0)
            else:
                stream = _stream(output, [name for name, *_ in files], force)
                with stream as file, connected(scheduler, tally) as client:
                    file.write(encode_line(form.head(None, first)))
                    file.writelines(labelled(client, separator, task, dealt, repeat(None), tally, progress))
                    if tally.failed and not tally.done:
                        raise NothingDone
        for line in progress.summary(tally):
            tally.tell(line)


@contextmanager
def _recording(tally: Tally) -> Iterator[None]:
    """Failures are recorded while this runs; what is recorded of an earlier run stays if nothing comes of this one."""
    tally.begin_records()
    complete = False
    try:
        yield
        complete = True
    finally:
        tally.close(complete=complete)


def _found(sources: list[str], tally: Tally) -> list[tuple[str, str, int]]:
    found = []
    for source in sources:
        try:
            found += find(source)
        except InputError as error:
            tally.fail(error, source)
    if not found:
        raise NothingDone
    return found


@contextmanager
def connected(scheduler: str, tally: Tally) -> Iterator[Client]:
    """A client of the scheduler at this address, or of a new cluster of all cores of this machine."""
    if scheduler == LOCAL:
        with (
            dask.config.set({"distributed.nanny.pre-spawn-environ": {**_MEMORY, "OMP_NUM_THREADS": 1}}),
            LocalCluster(
                threads_per_worker=1,
                n_workers=CPU_COUNT,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"{scheduler}: no Dask scheduler answers ({error}); start one (dask scheduler), give its address as"
            f" tcp://host:8786, or {LOCAL} for this machine"
        ) from error
    with client:
        _compare(client, scheduler, tally)
        yield client


def _compare(client: Client, scheduler: str, tally: Tally) -> None:
    """Refuses workers that would label otherwise or not at all."""

    def installed() -> str | None:  # goes there by value: nothing has to be installed to ask what is
        try:
            return version("degloss")
        except PackageNotFoundError:
            return None

    ours = version("degloss")
    found = client.run(installed)
    if not found:
        tally.tell(f"{scheduler}: no workers yet; waiting for some (dask worker {scheduler})")
    for worker, theirs in found.items():
        if theirs != ours:
            what = f"has degloss {theirs}" if theirs else "has no degloss"
            raise ClusterError(f"{worker}: {what}, here it is {ours}; install degloss {ours} on every worker")


def labelled(
    client: Client,
    separator: Separator,
    task: Task,
    dealt: Iterable[tuple[Piece, ...]],
    places: Iterable[str | None],
    tally: Tally,
    progress: Progress,
) -> Iterator[bytes]:
    """The lines of each part in order, none for parts with a place to write them to; failures go into the tally."""
    lines: dict[str, int | None] = {}
    waiting: deque[tuple[tuple[Piece, ...], Future[_Labelled]]] = deque()
    todo = enumerate(zip(dealt, places, strict=False))
    try:
        client.register_plugin(_Model(separator.model), name=task.model)
        while True:
            room = _AHEAD * max(1, sum(client.nthreads().values())) - len(waiting)
            for number, (part, place) in islice(todo, max(room, 0)):
                future = client.submit(_label, part, task, place, key=f"{task.model}-{number}", pure=False)
                waiting.append((part, future))
            if not waiting:
                return
            part, future = waiting.popleft()
            found, report = _result(part, future)
            _count(part, report, lines, tally)
            progress.advance(sum(progress.sizes[piece.name] if piece.size is None else piece.size for piece in part))
            progress.show(tally)
            yield found
    except (OSError, CancelledError) as error:
        raise ClusterError(f"lost the scheduler ({error}); start it again, then do this again") from error
    finally:
        with suppress(Exception):  # gone, perhaps
            client.unregister_worker_plugin(task.model)


def _label(part: tuple[Piece, ...], task: Task, place: str | None) -> _Labelled:
    """What a worker does with a part."""
    report = Report()
    model = get_worker().plugins[task.model]
    assert isinstance(model, _Model)
    lines = label_part(part, model.separator, task.favor, task.form, task.form.field, report)
    if place is None:
        return b"".join(lines), report
    write_part(chain([encode_line(task.form.head(None, part[0].kind))], lines), place)
    return b"", report


def _result(part: tuple[Piece, ...], future: Future[_Labelled]) -> _Labelled:
    try:
        return future.result()
    except KilledWorker as error:
        where = part[0].name + (f" and {len(part) - 1} more" if len(part) > 1 else "")
        reason = (
            f"{error.allowed_failures + 1} workers died of this part, for lack of memory perhaps; give them more, or"
            " split the file"
        )
        return b"", Report(failures=[Failure(where, 0, reason)], lines=None)


def _count(part: tuple[Piece, ...], report: Report, lines: dict[str, int | None], tally: Tally) -> None:
    first = part[0]
    before = lines.get(first.name, 0) if first.begin else 0

    def place(name: str, line: int) -> str:
        """A line of the part by its place in the file; how many are before it is unknown where workers died."""
        return f"{name}: line {line} from byte {first.begin} on" if before is None else f"{name}:{before + line}"

    if first.begin:
        report.figures.rename(lambda name: place(first.name, int(name.rpartition(":")[2])))
    tally.done += report.done
    tally.figures.add(report.figures)
    for note in report.notes:
        tally.note(note)
    for failure in report.failures:
        where = place(failure.name, failure.line) if failure.line else failure.name
        tally.fail(InputError(f"{where}: {failure.reason}"), failure.name, where)
    lines[first.name] = None if before is None or report.lines is None else before + report.lines


def _is_folder(output: str) -> bool:
    return "://" in output or output.endswith(("/", os.sep)) or os.path.isdir(output)


def _stream(output: str | None, sources: list[str], force: bool) -> AbstractContextManager[BinaryIO]:
    if output is None:
        return standard_output()
    return new_file(Path(output), force=force, inputs=file_ids(sources))
