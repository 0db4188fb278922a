"""What `test_instructions.py` has counted: degloss and work of the same kinds, each in a process of its own.

`valgrind --tool=cachegrind python tests/instructions.py [STAGE]`. The processes are forked when all is imported and
loaded, so that what they count beyond the first, which does nothing, is their work alone. With the name of a stage that
stage is done twice: so the guard is tried.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import sentencex

from degloss import decode, segment
from degloss.separate import Separator, shipped
from degloss_training import corpus

CORPUS: Final = Path(__file__).parents[1] / "training" / "corpus"
_WHOLE: Final = sys.modules["degloss.separate"]  # `degloss.separate` is the function of that name
STAGES: Final = {
    "segment": (segment, "cuts"), "segment and encode": (_WHOLE, "batches"), "words": (_WHOLE, "look_up"),
    "cues": (_WHOLE, "voices"), "n-grams": (_WHOLE, "grams"),
    "scores": (_WHOLE, "sentence_scores"), "vectors": (_WHOLE, "sentence_vectors"), "context": (_WHOLE, "evidence"),
    "memory": (decode, "remember"), "chain": (_WHOLE, "decisions"),
}  # fmt: skip


def documents(characters: int) -> list[str]:
    """Documents of the corpus, so many code points, cut and joined to 5,000 each."""
    whole = "\n\n".join(document.text for document in corpus.load(CORPUS))[:characters]
    return [whole[start : start + 5_000] for start in range(0, len(whole), 5_000)]


def reference(text: str, width: int, rounds: int) -> None:
    """Splitting, and passes over the code points, look-ups and products of arrays as long as so many code points."""
    for line in text.split("\n"):
        sentencex.segment("de", line)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    for start in range(0, len(codes), width):
        piece = codes[start : start + width]
        borders = np.arange(0, len(piece), 110)
        features = np.ones((len(borders), 523), np.float32)
        for _ in range(rounds):
            hashes = piece * np.uint32(0x01000193) + piece
            index = (hashes >> np.uint32(14)).astype(np.intp)
            np.add.reduceat(_TABLE.take(index, mode="wrap"), borders)
            marks = np.flatnonzero(piece < 65)
            np.bincount(piece[marks], minlength=65)
            np.maximum(features[:, :35], 1) @ _WEIGHTS


_TABLE: Final = np.ones(1 << 18, np.complex64)
_WEIGHTS: Final = np.ones((35, 35), np.float32)


def works(separator: Separator, some: list[str]) -> dict[str, Callable[[], object]]:
    """What is counted: a batch and single documents, each before its reference."""
    whole, single = "\n\n".join(some), some[:16]
    return {
        "nothing": lambda: None,
        "batch": lambda: separator.separate_batch(some),
        "reference of batch": lambda: reference(whole, len(whole), 8),
        "single": lambda: [separator.separate(text) for text in single],
        "reference of single": lambda: [reference(text, 5_000, 30) for text in single],
    }


@contextmanager
def twice(stage: str) -> Iterator[None]:
    """This stage is done twice."""
    module, name = STAGES[stage]
    once: Callable[..., Any] = getattr(module, name)

    def again(*arguments: Any) -> Any:
        done = once(*arguments)
        if name == "batches":
            list(done)
        return once(*arguments)

    setattr(module, name, again)
    try:
        yield
    finally:
        setattr(module, name, once)


def main() -> None:
    separator, some = shipped(), documents(160_000)
    separator.separate_batch(some[:2])
    for name, work in works(separator, some).items():
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try:
                with twice(sys.argv[1]) if len(sys.argv) > 1 else nullcontext():
                    work()
            finally:
                os._exit(sys.exc_info()[0] is not None)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{name} failed")
        print(child, name)


if __name__ == "__main__":
    main()
