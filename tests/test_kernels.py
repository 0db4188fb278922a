"""Training asks for the same kernels on every x86-64 processor."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from degloss_training import kernels

MODEL = Path(__file__).parents[1] / "models" / "german" / "manifest.json"
X86 = platform.machine() in ("x86_64", "AMD64")
PROGRAM = """
import json, os, sys
import numpy
from degloss_training import kernels
kernels.pin()
print(json.dumps({"arguments": sys.argv[1:], "names": kernels.names(), "flags": sys.flags.dev_mode,
                  **{name: os.environ.get(name) for name in kernels.PINNED}}))
"""


def begun(**environment: str) -> dict[str, object]:
    """What a program sees that pins its kernels."""
    outside = {name: value for name, value in os.environ.items() if name not in kernels.PINNED}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", PROGRAM, "a b", "--c"],
        env={**outside, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 1, "the program goes on once"
    found: dict[str, object] = json.loads(lines[0])
    return found


@pytest.mark.skipif(not X86, reason="kernels are pinned on x86-64 alone")
def test_the_program_goes_on_with_pinned_kernels_and_all_its_arguments() -> None:
    found = begun()
    assert found["arguments"] == ["a b", "--c"]
    assert found["flags"] is True
    assert {name: found[name] for name in kernels.PINNED} == kernels.PINNED
    names = found["names"]
    assert isinstance(names, list)
    assert names
    assert all(name.endswith(" Haswell") for name in names)


@pytest.mark.skipif(not X86, reason="kernels are pinned on x86-64 alone")
def test_what_is_set_already_stays() -> None:
    assert begun(OPENBLAS_CORETYPE="Sandybridge")["OPENBLAS_CORETYPE"] == "Sandybridge"


def test_the_shipped_model_was_trained_so() -> None:
    names = json.loads(MODEL.read_bytes())["kernels"]
    assert names
    assert all(name.endswith(" Haswell") for name in names)
