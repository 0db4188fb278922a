"""How much degloss does, in processor instructions: a number that no other work on the machine moves.

Counted by valgrind and told as a ratio to plain library calls of the same kinds in the same run (`instructions.py`), so
that another version of Python, NumPy or sentencex moves both. docs/performance.md tells how the guard was tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).with_name("instructions.py")

RATIOS: Final = {"batch": 3.214, "single": 1.332}
"""Instructions for one instruction of the reference."""
MOST: Final = 1.09
"""Times these ratios. The same code gives them to four digits, run after run; a tenth more work fails."""


def counted() -> dict[str, int]:
    """The instructions of each piece of work, beyond those of a process that does nothing."""
    fixed = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, SCRIPT],
        check=True, capture_output=True, text=True, env={**os.environ, **fixed},
    )  # fmt: skip
    whole = {pid: int(n.replace(",", "")) for pid, n in re.findall(r"==(\d+)== I +refs: +([\d,]+)", done.stderr)}
    names = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    start = next(whole[pid] for pid, name in names.items() if name == "nothing")
    return {name: whole[pid] - start for pid, name in names.items()}


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is missing (apt-get install valgrind)")
def test_no_more_is_done_than_was() -> None:
    found = counted()
    ratios = {name: found[name] / found[f"reference of {name}"] for name in RATIOS}
    assert all(ratios[name] <= MOST * RATIOS[name] for name in RATIOS), (ratios, found)
