"""Blocks → labelled blocks: here, or in several processes at once, in order either way.

The processes are those of Python's own `concurrent.futures`. Each loads the model once; a block goes there as it was
read and comes back as lines to write, so that all that takes time is done in them. Never more than two blocks a
process are on their way: however large the input, and however slow the disk, memory stays bounded. (joblib, which
would do the same, hands out results without waiting for whoever takes them.) The blocks are the same for any number
of processes, and so are the results.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from degloss.blocks import Block, Given, Item
from degloss.documents import Favor
from degloss.errors import InputError, too_large
from degloss.formats import Cells, encode_line
from degloss.separate import Separator, load, shipped
from degloss.tally import Counts

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_ON_THEIR_WAY: Final = 2  # blocks a process: one in work, one waiting
_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_MASKS: Final = hasattr(signal, "pthread_sigmask")  # not on Windows, which has no tracker either
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Labelled(NamedTuple):
    """What became of a document: its lines in UTF-8, or its cells; its figures; its share of the block's seconds."""

    piece: bytes | Cells
    counts: Counts
    seconds: float


Results = list[Labelled | InputError | None]
"""One for each item of a block, None for those that are no documents, an error for one too large for the memory."""


@dataclass(frozen=True)
class Labeller:
    """How to label: the folder of the model, None for the shipped one, and the favor."""

    model: Path | None
    favor: Favor

    def __call__(self, block: Block) -> Results:
        """Labels all documents of a block together, or one by one if memory is too small for that."""
        separator = shipped() if self.model is None else _loaded(self.model)
        with suppress(MemoryError):
            return self._together(block, separator)
        return [self._alone(item, separator) for item in block]  # what the others took is given back by now

    def _alone(self, item: Item, separator: Separator) -> Labelled | InputError | None:
        try:
            return self._together([item], separator)[0]
        except MemoryError:
            return too_large(item.document.name if isinstance(item, Given) else item.job.source)

    def _together(self, block: Block, separator: Separator) -> Results:
        given = [item for item in block if isinstance(item, Given)]
        began = time.perf_counter()
        found = list(separator.separate_many([item.document.text for item in given], favor=self.favor))
        pieces = [item.job.form.document(one, item.document) for item, one in zip(given, found, strict=True)]
        seconds = time.perf_counter() - began
        # Documents are labelled together, so a document's time is its share of the characters.
        size = sum(len(item.document.text) for item in given) or 1
        labelled = (
            Labelled(
                encode_line(piece) if isinstance(piece, str) else piece,
                Counts.of(one),
                seconds * len(item.document.text) / size,
            )
            for item, one, piece in zip(given, found, pieces, strict=True)
        )
        return [next(labelled) if isinstance(item, Given) else None for item in block]


def label_blocks(
    blocks: Iterable[Block], labeller: Labeller, workers: int, *, resumable: bool = False
) -> Iterator[tuple[Block, Results]]:
    """Each block with its results, in order; with more than one worker in as many processes.

    Raises `InputError` if one of these is killed; with `resumable` it says how to go on.
    """
    if workers == 1:
        for block in blocks:
            yield block, labeller(block)
        return
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[tuple[Block, Future[Results]]] = deque()
    with _pool(workers) as pool:
        try:
            for block in blocks:
                waiting.append((block, pool.submit(labeller, block)))
                if len(waiting) >= _ON_THEIR_WAY * workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BrokenProcessPool as error:
            remedy = "take fewer (--jobs)" + (", go on by --resume" if resumable else "")
            raise InputError(f"a worker process was killed, perhaps for want of memory; {remedy}") from error


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that start afresh, each with one thread; when this ends, what they have not begun is dropped."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    _start_tracker()
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update({name: "1" for name in _THREADS if before[name] is None})
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start)
    try:
        # All processes are started now: one that starts while the pool breaks, because another was killed, would leave
        # the executor waiting for it forever (as in Python 3.11).
        with interrupted_later():
            for _ in range(workers):
                pool.submit(_ready)
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


@contextmanager
def interrupted_later() -> Iterator[None]:
    """Keeps Ctrl-C and whatever else ends a run waiting until this ends; otherwise a process that is told half of what
    it has to do would end with a traceback.

    Processes begun meanwhile inherit that Ctrl-C and the closing of the terminal are blocked, until `_start`. In this
    process that is not enough: a thread of the linear algebra would take the signal, and Python would raise it here. So
    its handlers wait as well. What is ignored stays ignored.
    """
    held: list[int] = []
    handlers = {number: handler for number in _ENDING if callable(handler := signal.getsignal(number))}
    if threading.current_thread() is not threading.main_thread():
        handlers = {}  # which no handler interrupts, and which may set none
    # A process that is told to end (SIGTERM) ends without a word.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP}) if _MASKS else None
    try:
        for number in handlers:
            signal.signal(number, lambda number, _: held.append(number))
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in held[:1]:
            signal.raise_signal(number)


def _start_tracker() -> None:
    """Starts the process by which Python keeps count of semaphores, which ignores Ctrl-C and SIGTERM, but would end
    with the terminal; the next one would know of none, and say so by a traceback for each.

    Before any other process, since Python unblocks Ctrl-C when it has started this one."""
    if _MASKS:
        from multiprocessing import resource_tracker

        with interrupted_later():
            resource_tracker.ensure_running()


def _start() -> None:
    """A worker leaves Ctrl-C to the process that started it, which then tells it to end, and ends if that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if _MASKS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this worker when its parent was killed: workers hold both ends of their pipes and would wait for ever."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _ready() -> None:
    """What a worker does first: nothing."""


@cache
def _loaded(folder: Path) -> Separator:
    return load(folder)
