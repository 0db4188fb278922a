"""The gate set as texts with annotated units, to be cut, joined and written otherwise, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from degloss.separate import shipped
from degloss_training import corpus
from degloss_training.evaluate import units
from degloss_training.metric import Judged, judge

GATE: Final = Path(__file__).parents[1] / "training" / "gate"
Units = list[tuple[int, int, str]]
"""Start, end and label of each unit, in code points."""
Marked = tuple[str, Units]


@cache
def gate() -> tuple[Marked, ...]:
    return tuple((d.text, units(d)) for d in corpus.load(GATE))


def judged(texts: Sequence[Marked]) -> list[Judged]:
    """What the shipped model says of the units of each text."""
    found = shipped().separate_batch([text for text, _ in texts])
    return [judge("", "", of, separation.sentences) for (_, of), separation in zip(texts, found, strict=True)]
