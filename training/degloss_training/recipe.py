"""What the shipped model is made of: how many documents of each layout, how much each kind weighs, which settings.

Chosen by grouped folds; docs/experiments.md has the figures. Changing a number here changes the model: train again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from degloss_training import compose, corpus, sources
from degloss_training.corpus import Document
from degloss_training.fit import Settings

SEED: Final = 1

LAYOUTS: Final[dict[str, int]] = {
    "appended": 250, "marked": 120, "pure": 250, "front": 60, "middle": 80, "inline": 40, "thread": 80,
    "post": 250, "forward": 120, "own": 60,
}  # fmt: skip
"""Composed documents of each layout, with public texts. From the repository alone there are fewer sources, and the
documents would repeat them: then a third of these."""

WEIGHTS: Final[dict[str, float]] = {"seed": 3.0, "post": 3.0, "own": 3.0, "forward": 2.0, "authored": 3.0, "relay": 1.5}
"""Weight of a sentence by the kind of its document, 1 where none is named. Authored documents are few but real in
their topics: article and commentary are about one thing."""

SETTINGS: Final = Settings()


def documents(folder: Path, public: Path | None) -> list[Document]:
    """Every training document: the corpus, its documents laid anew, and the composed ones."""
    labelled = corpus.load(folder)
    material = sources.gather(labelled, public)
    layouts = LAYOUTS if public else {name: number // 3 for name, number in LAYOUTS.items()}
    composed = compose.compose(material, layouts, SEED)
    relaid = [compose.relay(d, SEED) for d in labelled if len({s.label for s in d.spans}) > 1]
    return labelled + composed + relaid
