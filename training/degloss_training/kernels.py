"""Training with the same machine instructions on every x86-64 processor with AVX2.

NumPy, and OpenBLAS under it, choose their kernels by the processor. They differ in the last bits, and the fit of the
chain makes these larger, up to some 0.01 of F: the same corpus would give another model on another machine. So training
asks for the kernels that all these processors have; they are as fast here.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Final

from threadpoolctl import threadpool_info

PINNED: Final = {
    "OPENBLAS_CORETYPE": "Haswell",
    # Of two generations of NumPy's names; it passes over those it does not know.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR,AVX512F,AVX512CD,AVX512_SKX,AVX512_CLX,AVX512_CNL",
}
"""What the libraries read from the environment when they are loaded; values that are set already stay."""


def pin() -> None:
    """Begins the program again with `PINNED`, unless it is there; nothing is done on Windows and other processors."""
    missing = {name: value for name, value in PINNED.items() if name not in os.environ}
    if missing and os.name == "posix" and platform.machine() in ("x86_64", "AMD64"):
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **missing})


def names() -> list[str]:
    """The BLAS libraries in use, each with its version and the processor its kernels are for."""
    found = [(info["internal_api"], info.get("version"), info.get("architecture")) for info in threadpool_info()]
    return sorted({" ".join(str(part) for part in parts if part) for parts in found if parts[0] != "openmp"})
