"""Clocks: the shortest processor time of several runs, taken in turn."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

Work = Callable[[], object]
Name = TypeVar("Name", bound=Hashable)

_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def shortest(works: Mapping[Name, Work], rounds: int) -> dict[Name, float]:
    """The shortest processor seconds of each piece of work; each round does all of them, one after the other."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - began)
    return best


def shortest_in_pieces(works: Mapping[str, Sequence[Work]], rounds: int) -> dict[str, float]:
    """The same of work that comes in pieces: the sum of each one's shortest run.

    A piece of some milliseconds may run undisturbed where the whole never does.
    """
    best = shortest({(name, i): work for name, pieces in works.items() for i, work in enumerate(pieces)}, rounds)
    return {name: sum(best[name, i] for i in range(len(pieces))) for name, pieces in works.items()}


def shortest_commands(commands: Mapping[str, list[str]], rounds: int) -> dict[str, float]:
    """The shortest wall-clock seconds of each command, done in turn, with compiled modules as after an installation."""
    best = dict.fromkeys(commands, float("inf"))
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(rounds):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(
                    command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
                )
                best[name] = min(best[name], time.perf_counter() - began)
    return best


def peak_megabytes(command: list[str]) -> float:
    """The most memory a command ever held, in millions of bytes (resident set; Linux counts in KiB)."""
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True)
    return int(done.stdout) * 1024 / 1e6
