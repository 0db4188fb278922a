"""What the shipped model is made of: how many documents of each layout, how much each kind weighs, which settings.

Most of it was chosen by grouped folds, the weights of `j1` and `j4` by the gate set and the seeds, with a look at real
posts and pages; docs/experiments.md has the figures. Changing a number here changes the model: train again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from degloss.documents import Label
from degloss_training import compose, sources
from degloss_training.corpus import Document
from degloss_training.prepare import Prepared, legible_documents, prepare
from degloss_training.settings import Settings

SEED: Final = 1

LAYOUTS: Final[dict[str, int]] = {
    "appended": 600, "marked": 320, "pure": 800, "front": 120, "middle": 200, "inline": 80, "thread": 200,
    "post": 500, "forward": 240, "own": 160, "teaser": 160, "digest": 120, "short": 300,
}  # fmt: skip
"""Composed documents of each layout, with public texts. From the repository alone there are fewer sources, and the
documents would repeat them: then a sixth of these."""

TIMES: Final = 3
"""So many times as many are composed, and labelled documents laid anew so often; each weighs as much less. The more
varied they are, the less the chain learns any by heart."""

POSTS: Final = ("b1", "c1", "c6", "c9", "d1", "e1", "e2", "f2", "h1", "i3", "i4", "j2", "j4")
"""The batches of authored channel posts."""

BRIEF: Final = ("g2", "i2")
"""The batches of authored texts of a few sentences."""

SENTENCE_WEIGHTS: Final[dict[str, float]] = {
    "seed": 16, "relay seed": 8, "post": 1.5, "own": 1.5, "teaser": 1.5, "digest": 1.5, "authored": 1, "relay": 0.5,
    **{f"authored {b}": 2 for b in POSTS}, "authored f1": 0.3, "relay f1": 0.1,
}  # fmt: skip
CHAIN_WEIGHTS: Final[dict[str, float]] = {
    "seed": 20, "relay seed": 6, "pure": 2.5, "post": 2, "own": 1.5, "forward": 1.5, "teaser": 1.5, "digest": 1.5,
    "authored": 1.2, "relay": 1, "short": 12,
    **{f"authored {b}": 11.55 for b in BRIEF}, **{f"relay {b}": 4.8 for b in BRIEF},
    **{f"authored {b}": 3.5 for b in POSTS}, "authored c9": 2, "authored d1": 2, "authored h1": 1,
    "authored j1": 0.84, "authored j4": 0.5,
    "relay c9": 0.5, "relay d1": 0.5, "relay h1": 0.3, "relay j1": 0.7, "relay j4": 0.15,
}  # fmt: skip
"""Weight of a sentence by the kind of its document, 1 where none is named. Authored documents are few but their
article and commentary are about one thing; to the sentence model, which must learn voices, they are often a
trap on purpose."""

VOICES: Final = 0.3
"""How much article and commentary of authored documents count for the sentence model beside those of real people,
short texts aside: it should learn the voices of many, not of those who wrote for us. Altered by the composer, and as
remarks of the furniture, what was written for us counts in full all the same."""

COSTS: Final[dict[tuple[str, Label], float]] = {
    ("page", "article"): 2.0,
    ("post", "article"): 1.3, ("post", "boilerplate"): 1.3, ("post", "commentary"): 3.9,
}  # fmt: skip
"""How much a sentence counts by the genre of its document and by its label: on pages losing the article is the worse
mistake; in posts the owner's words are few and plain, and are missed otherwise."""

SETTINGS: Final = Settings()


def genre(kind: str) -> str:
    """Whether documents of this kind are posts of a channel, short texts, or pages."""
    batch = kind.rpartition(" ")[2]
    if kind == "short" or batch in BRIEF:
        return "short"
    if kind in ("post", "own", "forward", "teaser", "digest") or batch in POSTS:
        return "post"
    return "page"


def prepared(labelled: Sequence[Document], public: Path | None) -> Prepared:
    """The training documents as arrays, weighed."""
    return as_arrays(documents(labelled, public))


def as_arrays(found: Sequence[Document]) -> Prepared:
    """Documents as arrays, weighed as the recipe says."""
    return prepare(found, _divided(SENTENCE_WEIGHTS), _divided(CHAIN_WEIGHTS), COSTS, genre, VOICES)


def _divided(weights: dict[str, float]) -> dict[str, float]:
    """These weights, those of the documents that are made `TIMES` times divided by it."""
    weights = {**dict.fromkeys([*LAYOUTS, "relay"], 1.0), **weights}
    made = {*LAYOUTS, "relay"}
    return {kind: w / TIMES if kind.partition(" ")[0] in made else w for kind, w in weights.items()}


def documents(labelled: Sequence[Document], public: Path | None, share: float = 1) -> list[Document]:
    """Every training document: the labelled ones, the same laid anew, and a share of the composed ones.

    Labelled documents are read as the package reads texts; public ones are by `sources`.
    """
    labelled = legible_documents(labelled)
    material = sources.gather(labelled, public)
    layouts = {name: TIMES * int(share * number / (1 if public else 6)) for name, number in LAYOUTS.items()}
    composed = compose.compose(material, layouts, SEED)
    several = [d for d in labelled if len({s.label for s in d.spans}) > 1]
    relaid = [compose.relay(d, SEED + time) for time in range(TIMES) for d in several]
    return [*labelled, *composed, *relaid]
