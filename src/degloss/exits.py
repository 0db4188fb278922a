"""How a run ends: whatever goes wrong, a line on standard error and an exit code, never a traceback.

0    done
1    nothing could be done, or the results could not be written
2    wrong usage
3    some documents failed, the others are done
129  the terminal it ran in was closed (SIGHUP), unless that is to be ignored (nohup)
130  interrupted (Ctrl-C)
141  whoever read the output stopped reading: no message, as other filters do it
143  told to end (SIGTERM)
"""

from __future__ import annotations

import errno
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

from degloss.errors import DeglossError
from degloss.show import visible
from degloss.tally import NothingDone, Tally
from degloss.write import silence

FAILED: Final = 1
PARTLY: Final = 3
INTERRUPTED: Final = 128 + 2
PIPE_BROKEN: Final = 128 + 13
_HANGUP: Final = getattr(signal, "SIGHUP", None)
"""There is none on Windows."""
_NO_MEMORY: Final = "not enough memory for this input; split it, or take a machine with more"


def tell(message: str) -> None:
    """A message on standard error, on one line; lost without a trace where nobody listens."""
    if sys.stderr is None:  # print would take standard output instead
        return
    with suppress(OSError, ValueError):
        print(f"degloss: {visible(message)}", file=sys.stderr, flush=True)


def perform(work: Callable[[Tally], object], *, resumable: bool = False) -> int:
    """Does the work of a command; the exit code of what became of it."""
    tally = Tally(tell)
    code = 0
    try:
        try:
            work(tally)
        finally:
            tally.tell_counts()
    except NothingDone:
        code = FAILED
    except DeglossError as error:
        tell(str(error))
        code = FAILED
    except MemoryError:
        tell(_NO_MEMORY)
        code = FAILED
    except BrokenPipeError:
        silence()
        return PIPE_BROKEN
    except KeyboardInterrupt:
        if resumable:
            tell("interrupted; the same command goes on from here")
        else:
            tell("interrupted; no file is half-written, those that are there are complete")
        return INTERRUPTED
    if tally.failed:
        code = code or (PARTLY if tally.done or tally.settled else FAILED)
        if tally.failed + tally.done > 1:
            where = tally.recorded()
            tell(
                f"{tally.failed:,} of {tally.failed + tally.done:,} documents failed{f'; see {where}' if where else ''}"
            )
    return code


def end(command: Callable[[], object]) -> NoReturn:
    """Runs the whole command line and ends the process, also where the arguments or the help went wrong."""
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _terminate)
        if _HANGUP is not None and signal.getsignal(_HANGUP) is signal.SIG_DFL:
            signal.signal(_HANGUP, _terminate)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as it was during the imports
            signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(ValueError, AttributeError):  # the help has letters that not every terminal's encoding has
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code: int | str | None = FAILED
    try:
        command()
    except SystemExit as exit:
        # Of the version and the help typer says 1 when nobody reads them.
        unread = exit.code == FAILED and isinstance(exit.__context__, BrokenPipeError)
        code = PIPE_BROKEN if unread else exit.code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        silence()
        code = PIPE_BROKEN
    except OSError as error:
        silence()
        where = f"cannot go on ({error.strerror or error}); check where the output goes"
        tell(_NO_MEMORY if error.errno == errno.ENOMEM else where)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # nobody listens any more, which Python would end with 120 for
            silence(stream)
    if _HANGUP is not None and code == 128 + _HANGUP and sys.__stderr__ is not None:
        silence(sys.__stderr__)  # all is said, but the thread of a bar may still draw where there is no terminal
    gc.freeze()  # else Python looks for garbage in all there is before it ends, which takes longer than many a page
    sys.exit(code)


def _terminate(signal_number: int, frame: FrameType | None) -> NoReturn:
    """Ends as if by an error, so that temporary files are removed; whoever closes a terminal may say so twice, and that
    must not break off the cleaning up."""
    for further in (signal.SIGTERM, _HANGUP):
        if further is not None:
            signal.signal(further, signal.SIG_IGN)
    raise SystemExit(128 + signal_number)
