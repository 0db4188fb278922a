"""The first thing the command `degloss` loads, so that Ctrl-C during the imports is no traceback.

It is outside the package, since importing anything from that imports the package first, and with it NumPy, which
takes most of the start. Until everything is loaded Ctrl-C ends the process the way the system does, silently;
`degloss.exits.end` then takes over.
"""

import gc
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """The entry point of the command."""
    # Ignored means that somebody wants it ignored, as a shell does for what runs in the background.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is imported stays, so that looking for garbage among it is in vain, now and later.
    gc.disable()
    from degloss.cli import main as run

    gc.freeze()
    gc.enable()
    sys.exit(run())
