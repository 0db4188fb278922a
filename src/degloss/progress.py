"""How a long run is getting on: a bar on a terminal, lines in a log otherwise, and a summary at the end.

Nothing shows in the first second, and without a terminal in the first half minute: short runs stay quiet until their
summary. The time that remains follows from the bytes read so far, packed ones as they lie on the disk.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from degloss.documents import LABELS
from degloss.encodings import Note
from degloss.plan import Plan
from degloss.show import counted, some, visible
from degloss.source import STDIN, Source
from degloss.tally import UNCERTAIN, Tally

_BAR_AFTER: Final = 1.0
_LINE_EVERY: Final = 30.0
_SLOW: Final = 0.1  # a document that takes less is not worth a name


class Progress:
    """The progress of a run over inputs of these names and sizes in bytes; shown only if results go to files.

    What a `resumed` run did is told even if it is little: nobody knows how much there was left to do.
    """

    def __init__(self, sizes: Iterable[tuple[str, int]], tell: Note, *, shown: bool, resumed: bool = False) -> None:
        listed = list(sizes)
        self.sizes = dict(listed)
        self.total = sum(size for _, size in listed)
        self._tell = tell
        self._tally: Tally | None = None
        self._began = self._told = time.monotonic()
        self._before = 0
        self._source: Source | None = None
        self._shown = shown
        self._resumed = resumed
        self._terminal = shown and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None

    @classmethod
    def of(cls, made: Plan, tell: Note) -> Progress:
        """The progress of a run on this machine."""
        in_files = made.shared is not None or made.folder is not None or made.options.backup is not None
        sizes = ((job.source, _size(job.source)) for job in made.jobs)
        return cls(sizes, tell, shown=in_files and not made.options.quiet, resumed=made.options.resume)

    def advance(self, size: int) -> None:
        """So many bytes more were read, on other machines."""
        self._before += size

    def watch(self, source: Source) -> None:
        """An input was opened: those before it are read."""
        if self._source is None or self._source.name != source.name:
            self._before += 0 if self._source is None else self.sizes.get(self._source.name, 0)
        self._source = source

    def position(self) -> int:
        """The bytes read so far."""
        here = 0 if self._source is None else min(self._source.position(), self.sizes.get(self._source.name, 0))
        return self._before + here

    def show(self, tally: Tally) -> None:
        """To be called now and then."""
        now = time.monotonic()
        if not self._shown:
            return
        if self._terminal:
            if now - self._began >= _BAR_AFTER and not _moved(lambda: self._update_bar(tally)):
                self._shown = False  # the work goes on, watched by nobody
                self.close()
        elif now - self._told >= _LINE_EVERY:
            self._told = now
            self._tell(self.line(tally, now - self._began))

    def line(self, tally: Tally, seconds: float) -> str:
        """How it stands, on a line for a log."""
        read = self.position()
        rate = read / seconds if seconds else 0.0
        line = f"{counted(tally.done, 'document')}, {size_text(read)}"
        if self.total:
            line += f" of {size_text(self.total)} ({read / self.total:.0%})"
        line += f", {size_text(rate)}/s"
        if rate and self.total:
            line += f", {time_text((self.total - read) / rate)} left"
        return line + (f", {tally.failed:,} failed" if tally.failed else "")

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            _moved(self._bar.stop)
            self._bar = None

    def summary(self, tally: Tally) -> list[str]:
        """What to tell at the end: documents, bytes, shares, the uncertain and the slowest ones."""
        told = tally.done + tally.failed > 1 or (self._resumed and tally.done > tally.before)
        if not self._shown or not told:
            return []
        seconds = time.monotonic() - self._began
        before = f" ({tally.before:,} of them before)" if tally.before else ""
        figures = tally.figures
        size = sum(figures.sizes)
        shares = [f"{label} {part / size:.0%}" for label, part in zip(LABELS, figures.sizes, strict=True) if size]
        read = self.position()  # none where nobody knows, as of a pipe
        lines = [
            f"{counted(tally.done, 'document')}{before}{f', {size_text(read)}' if read else ''} in {time_text(seconds)}"
            + (f": {', '.join(shares)} of the text" if shares else "")
        ]
        if figures.emptied:
            lines.append(f"nothing kept of {counted(figures.emptied, 'document')}")
        if figures.uncertain:
            names = [f"{visible(name)} {confidence:.2f}" for confidence, name in figures.least_certain()]
            lines.append(
                f"{figures.uncertain:,} uncertain (confidence below {UNCERTAIN}): {some(names, figures.uncertain)}"
            )
        slow = [f"{visible(name)} {time_text(taken)}" for taken, name in figures.slowest() if taken >= _SLOW]
        if slow:
            lines.append(f"slowest: {', '.join(slow)}")
        return lines

    def _update_bar(self, tally: Tally) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

            self._bar = Progress(
                TextColumn("{task.fields[documents]:,} documents"), BarColumn(), TextColumn("{task.percentage:3.0f}%"),
                TransferSpeedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[failed]}"),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._bar.start()
            self._bar.add_task("", total=self.total or None, documents=0, failed="")
        failed = f"{tally.failed:,} failed" if tally.failed else ""
        self._bar.update(self._bar.task_ids[0], completed=self.position(), documents=tally.done, failed=failed)


def _moved(move: Callable[[], object]) -> bool:
    """Whether the bar could be moved; it cannot where the terminal is gone.

    A signal that came meanwhile is not lost over it: where rich cleans up, its exception is but the context of the
    terminal's.
    """
    try:
        move()
    except OSError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, SystemExit | KeyboardInterrupt):
                raise cause from None
            cause = cause.__context__
        return False
    return True


def size_text(size: float) -> str:
    """A number of bytes for people.

    >>> size_text(512), size_text(1_234_567), size_text(25e9)
    ('512 B', '1.2 MB', '25.0 GB')
    """
    units = ["B", "KB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def time_text(seconds: float) -> str:
    """A time for people.

    >>> time_text(0.25), time_text(75), time_text(3999)
    ('0.2 s', '1:15 min', '1:06 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"


def _size(source: str) -> int:
    try:
        return 0 if source == STDIN else os.stat(source).st_size
    except (OSError, ValueError):
        return 0
