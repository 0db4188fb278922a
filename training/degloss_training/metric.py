"""The metric: who speaks, counted by annotated unit, as share and spread over documents.

A unit takes the label that covers most of its characters; a unit no sentence touches counts as boilerplate, and
units labelled uncertain are left out. Commentary is measured against article alone (gold boilerplate left out),
boilerplate against everything. Intervals come from resampling documents, not units: the units of a document
stand or fall together. A draw with nothing to find and nothing found says nothing of a measure and is left out of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.documents import LABELS, Label, Segment, Sentence

MEASURES: Final = (
    "precision", "recall", "F commentary", "macro F", "exact", "false alarm", "article lost", "F boilerplate",
)  # fmt: skip
RESAMPLES: Final = 1000

_ABOUT: Final[dict[str, tuple[Label, ...]]] = {
    "precision": ("commentary",), "recall": ("commentary",), "F commentary": ("commentary",),
    "macro F": ("article", "commentary"), "false alarm": ("article",), "article lost": ("article",),
    "F boilerplate": ("boilerplate",),
}  # fmt: skip
"""Measures that say nothing where one of these labels is missing."""


@dataclass(frozen=True)
class Judged:
    """One document: its kind, and the gold and the predicted label number of each unit."""

    name: str
    kind: str
    gold: tuple[int, ...]
    predicted: tuple[int, ...]


@dataclass(frozen=True)
class Interval:
    """A measure with the 2.5th and 97.5th percentile of its resampled values, which are not numbers if no draw says
    anything."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.shown(".3f", ".3f")

    def shown(self, value: str, border: str) -> str:
        """The measure and its interval in these formats; – for an interval that nothing is known of.

        >>> Interval(0.5, 0.25, 1).shown(".3f", ".2f"), Interval(1, math.nan, math.nan).shown(".3f", ".2f")
        ('0.500 [0.25, 1.00]', '1.000 [–]')
        """
        inside = "–" if math.isnan(self.low) else f"{self.low:{border}}, {self.high:{border}}"
        return f"{self.value:{value}} [{inside}]"

    @property
    def figures(self) -> dict[str, float | None]:
        """Its three numbers by name; None for what is none, which JSON has no word for."""
        return {name: None if math.isnan(number) else number for name, number in vars(self).items()}

    @classmethod
    def of(cls, figures: Mapping[str, float | None]) -> Interval:
        """The interval of these figures."""
        return cls(**{name: math.nan if number is None else number for name, number in figures.items()})


def judge(
    name: str, kind: str, spans: Sequence[tuple[int, int, str]], sentences: Sequence[Segment] | Sequence[Sentence]
) -> Judged:
    """Compares the sentences found with the annotated spans of one document.

    >>> spans = [(0, 9, "article"), (10, 14, "commentary")]
    >>> judge("a", "mixed", spans, [Segment(0, 14, "article")])
    Judged(name='a', kind='mixed', gold=(0, 1), predicted=(0, 0))
    """
    gold, predicted = [], []
    first = 0
    ordered = all(a[0] <= b[0] for a, b in pairwise(spans))
    for start, end, label in spans:
        if label == "uncertain":
            continue
        cover: dict[str, int] = {}
        # Where units come in order, sentences that end before this one are done with.
        while ordered and first < len(sentences) and sentences[first].end <= start:
            first += 1
        for sentence in sentences[first:]:
            if sentence.start >= end:
                break
            shared = min(end, sentence.end) - max(start, sentence.start)
            if shared > 0:
                cover[sentence.label] = cover.get(sentence.label, 0) + shared
        gold.append(next(i for i, known in enumerate(LABELS) if known == label))
        # In a tie the label that comes first in the text.
        most = max(cover, key=cover.__getitem__, default="boilerplate")
        predicted.append(next(i for i, known in enumerate(LABELS) if known == most))
    return Judged(name, kind, tuple(gold), tuple(predicted))


# Counts a document contributes, in this order; every measure is a function of their sums.
_TP, _FP, _FN, _TN, _BTP, _BFP, _BFN, _EXACT, _ALARM, _LOST, _ONE = range(11)


def _counts(document: Judged) -> list[float]:
    pairs = list(zip(document.gold, document.predicted, strict=True))
    spoken = [(g, p) for g, p in pairs if g != 2]
    article = [p for g, p in spoken if g == 0]
    return [
        sum(g == 1 == p for g, p in spoken),
        sum(g == 0 and p == 1 for g, p in spoken),
        sum(g == 1 and p != 1 for g, p in spoken),
        sum(g == 0 and p != 1 for g, p in spoken),
        sum(g == 2 == p for g, p in pairs),
        sum(g != 2 == p for g, p in pairs),
        sum(g == 2 != p for g, p in pairs),
        all((g == 1) == (p == 1) for g, p in spoken),
        any(p == 1 for p in article),
        sum(p != 0 for p in article) / max(1, len(article)),
        1,
    ]


def _f(
    tp: NDArray[np.float64], fp: NDArray[np.float64], fn: NDArray[np.float64], nothing: float
) -> NDArray[np.float64]:
    precision = np.where(tp + fp > 0, tp / np.maximum(tp + fp, 1), 1.0)
    recall = np.where(tp + fn > 0, tp / np.maximum(tp + fn, 1), 1.0)
    f = np.where(precision + recall > 0, 2 * precision * recall / np.maximum(precision + recall, 1e-12), 0.0)
    return np.where(tp + fp + fn > 0, f, nothing)


def _measures(s: NDArray[np.float64], nothing: float = 1.0) -> NDArray[np.float64]:
    """(…, 8) the measures of sums of counts (…, 11); `nothing` is the share of nothing, where there is none of a
    label: by definition 1."""
    tp, fp, fn, tn = s[..., _TP], s[..., _FP], s[..., _FN], s[..., _TN]
    commentary = _f(tp, fp, fn, nothing)
    return np.stack(
        [
            np.where(tp + fp > 0, tp / np.maximum(tp + fp, 1), nothing),
            np.where(tp + fn > 0, tp / np.maximum(tp + fn, 1), nothing),
            commentary,
            (commentary + _f(tn, fn, fp, nothing)) / 2,
            s[..., _EXACT] / s[..., _ONE],
            s[..., _ALARM] / s[..., _ONE],
            s[..., _LOST] / s[..., _ONE],
            _f(s[..., _BTP], s[..., _BFP], s[..., _BFN], nothing),
        ],
        -1,
    )


def score(documents: Sequence[Judged], seed: int = 0) -> dict[str, Interval]:
    """Each measure over all documents, with its 95 % interval by resampling documents."""
    if not documents:
        raise ValueError("no documents to score")
    counts = np.array([_counts(d) for d in documents], np.float64)
    value = _measures(counts.sum(0))
    drawn = _draws(len(documents), seed)
    resampled = _measures(np.stack([counts[d].sum(0) for d in drawn]), math.nan)
    return _intervals(value, resampled)


def meaningful(documents: Sequence[Judged]) -> tuple[str, ...]:
    """The measures that say something of these documents: F of commentary means nothing where there is none, and no
    article is lost where there is none.

    >>> meaningful([Judged("a", "pure", (0, 0, 2), (0, 1, 2))])
    ('exact', 'false alarm', 'article lost', 'F boilerplate')
    >>> meaningful([Judged("b", "own", (1, 1), (1, 0))])
    ('precision', 'recall', 'F commentary', 'exact')
    """
    present = {LABELS[gold] for document in documents for gold in document.gold}
    return tuple(m for m in MEASURES if present.issuperset(_ABOUT.get(m, ())))


def difference(ours: Sequence[Judged], theirs: Sequence[Judged], seed: int = 0) -> dict[str, Interval]:
    """Ours minus theirs on the same documents, resampled in pairs."""
    if [d.name for d in ours] != [d.name for d in theirs]:
        raise ValueError("a paired difference needs the same documents in the same order")
    a = np.array([_counts(d) for d in ours], np.float64)
    b = np.array([_counts(d) for d in theirs], np.float64)
    value = _measures(a.sum(0)) - _measures(b.sum(0))
    drawn = _draws(len(ours), seed)
    resampled = np.stack([_measures(a[d].sum(0), math.nan) - _measures(b[d].sum(0), math.nan) for d in drawn])
    return _intervals(value, resampled)


def _intervals(value: NDArray[np.float64], resampled: NDArray[np.float64]) -> dict[str, Interval]:
    """Each measure with what its draws (draws, 8) leave open, those that say nothing of it left out."""
    found = {}
    for i, measure in enumerate(MEASURES):
        kept = resampled[~np.isnan(resampled[:, i]), i]
        low, high = np.percentile(kept, [2.5, 97.5]) if len(kept) else (math.nan, math.nan)
        found[measure] = Interval(float(value[i]), float(low), float(high))
    return found


def _draws(size: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, size, (RESAMPLES, size))


def by_kind(documents: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The documents of each kind, and of mixed and repost together, in order of their names."""
    kinds: dict[str, list[Judged]] = {}
    for d in documents:
        kinds.setdefault(d.kind, []).append(d)
        if d.kind in ("mixed", "repost"):
            kinds.setdefault("mixed+repost", []).append(d)
    return dict(sorted(kinds.items()))


def expected_calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over bins of equal width (Guo et al. 2017)."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(place, minlength=bins)
    gap = np.abs(np.bincount(place, right, bins) - np.bincount(place, confidence, bins))
    return float(gap.sum() / max(1, size.sum()))
