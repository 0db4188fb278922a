"""Why a sentence got its label: the strongest of the numbers that were added up.

The sentence model is a sum, and the chain can be taken apart into one, so every part of a decision can be named. For
the label that won, against its rival:

- the sentence alone: the weight of each n-gram times its family's scale, and of each standardised cue;
- the context: what each standardised context feature has brought, by its weights and by what is heard;
- the memory: what is remembered at the sentence, of what was said before it and is said behind it;
- the boundaries: what is left of the final log-odds, all that the chain made of the labels before and behind;
  and the cues of the boundary before the sentence.

The rival of commentary and of boilerplate is article, that of article whichever of the two came nearer. All
numbers are log-odds (2.2 is nine to one), positive where they speak for the label that won. Nothing is
computed another way here: the numbers are those of `Separator.stages`, and the parts sum up to the scores. What is
heard of a sentence is divided among the features of its context as it grows with them (`decode.shares`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss import boundary, context, decode
from degloss.cues import Cues, voices
from degloss.documents import LABELS, Favor, Label, Sentence
from degloss.encode import Batch, batches
from degloss.formats import painted
from degloss.ngrams import Family, families, scale
from degloss.reading import legible
from degloss.separate import Separator, Stages
from degloss.show import visible
from degloss.words import look_up

Weights = NDArray[np.float32]
Difference = Callable[[Weights], NDArray[np.float64]]


class Reason(NamedTuple):
    """One part of a score: what it is, and how much it speaks for the label."""

    name: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """The reasons for one sentence's label, each kind with the strongest first, whichever way it points.

    alone       log-odds of the label against its rival, for the sentence alone: `ngrams`, `cues` and a bias
    final       the same in its context, of the calibrated probabilities: `context`, a bias, `memory` and `boundaries`
    ngrams      `word "so"`, `words "so ist"`, `characters "so i"`, in their normal form
    memory      what is remembered of the sentences around
    boundaries  what the chain made of the labels of the sentences before and behind
    edges       of the boundary to the sentence before, given its label: a part of `boundaries`
    """

    sentence: Sentence
    text: str
    rival: Label
    alone: float
    final: float
    ngrams: tuple[Reason, ...]
    cues: tuple[Reason, ...]
    context: tuple[Reason, ...]
    biases: tuple[float, float]
    memory: float
    boundaries: float
    edges: tuple[Reason, ...]


def explain(
    separator: Separator, text: str, *, favor: Favor = "balanced", everything: bool = False
) -> Iterator[Explanation]:
    """The explanations of every sentence that is not article, or of every sentence, in order."""
    sentences = separator.separate(text, favor=favor).sentences
    stages = separator.stages([text])
    row = 0
    for _, batch in batches([legible(text)]):
        words = look_up(batch)
        grams, cues = families(batch, words), voices(batch, words)
        for place in range(len(batch)):
            sentence = sentences[row]
            if everything or sentence.label != "article":
                before = LABELS.index(sentences[row - 1].label) if row else None
                heard = _Heard(batch, grams, cues, place)
                yield _explanation(separator, stages, heard, row, sentence, before)
            row += 1


class _Heard(NamedTuple):
    """A sentence of a batch, with all n-grams and cues of it."""

    batch: Batch
    grams: list[Family]
    cues: Cues
    place: int


def _explanation(
    separator: Separator,
    stages: Stages,
    heard: _Heard,
    row: int,
    sentence: Sentence,
    before: int | None,
) -> Explanation:
    model, chain = separator.model.sentence, separator.model.chain
    chances = np.maximum(stages.chances[row], 1e-300)
    won = LABELS.index(sentence.label)
    rival = 0 if won else 1 + int(chances[1:].argmax())

    def difference(weights: NDArray[Any]) -> NDArray[np.float64]:
        """Of the last axis, the label's minus its rival's; without a column, article weighs nothing."""
        columns = np.asarray(weights, np.float64)
        if columns.shape[-1] < len(LABELS):
            columns = np.concatenate([np.zeros((*columns.shape[:-1], 1)), columns], -1)
        return np.asarray(columns[..., won] - columns[..., rival])

    def calibrated(weights: NDArray[Any]) -> NDArray[np.float64]:
        """The same of weights of the chain, as they count in the calibrated log-odds."""
        return difference(weights) * chain.sharpness

    final = float(np.log(chances[won]) - np.log(chances[rival]))
    voice = heard.cues.voice
    looks = (heard.cues.values[heard.place] - model.mean) / model.spread
    told = stages.spoken.told[row : row + 1]
    here = decode.standardised(stages.features[row : row + 1], chain.mean, chain.spread)
    brought, average = decode.shares(chain, here)
    if before is None:
        edges = _sorted([("begins the document", float(calibrated(chain.first)))])
    else:
        edges = _sorted(zip(boundary.EDGES, stages.edges[row] * calibrated(chain.edges[:, before]), strict=True))
    return Explanation(
        sentence=sentence,
        text=stages.sentences.texts[0][sentence.start : sentence.end],
        rival=LABELS[rival],
        alone=float(difference(stages.scores[row])),
        final=final,
        ngrams=_ngrams(heard, model.table, difference),
        cues=_sorted(zip(heard.cues.names[:voice], looks * difference(model.weights), strict=True)),
        context=_sorted(zip(context.names(heard.cues), calibrated(brought[0]), strict=True)),
        biases=(float(difference(model.bias)), float(calibrated(average))),
        memory=float(told[0, : chain.remembered] @ calibrated(chain.told[: chain.remembered])),
        boundaries=final - float(calibrated(stages.spoken.emission[row])),
        edges=edges,
    )


def _ngrams(heard: _Heard, table: Weights, difference: Difference) -> tuple[Reason, ...]:
    """The n-grams of a sentence, those that stand in it more than once as one."""
    batch, grams, _, row = heard
    sums: defaultdict[str, float] = defaultdict(float)
    for family in grams:
        first = int(family.first[row])
        places = range(first, first + int(family.count[row]))
        weights = difference(table[family.index[places.start : places.stop]]) * scale(family.count[row : row + 1])
        kind = family.name.split()[0]
        for place, weight in zip(places, weights.tolist(), strict=True):
            sums[f'{kind} "{_string(batch, family, place)}"'] += weight
    return _sorted(sums.items())


def _string(batch: Batch, family: Family, place: int) -> str:
    """What an n-gram was made of: words in their normal form, or the characters themselves."""

    def between(start: int, end: int) -> str:
        return "".join(map(chr, batch.normal[start:end].tolist()))

    if family.name.startswith(("word", "skeleton")):
        words = range(place, place + family.length)
        return " ".join(between(int(batch.word_starts[word]), int(batch.word_ends[word])) for word in words)
    return between(max(place - 1, 0), place - 1 + family.length)


def _sorted(pairs: Iterable[tuple[str, Any]]) -> tuple[Reason, ...]:
    """The reasons that count for anything, the strongest first, equal ones by name."""
    reasons = [Reason(name, float(weight)) for name, weight in pairs if weight]
    return tuple(sorted(reasons, key=lambda reason: (-abs(reason.weight), reason.name)))


def explanation_text(explanation: Explanation, *, top: int = 5, color: bool = False) -> str:
    """An explanation as a few lines of plain text, with the `top` strongest reasons of each kind."""
    sentence = explanation.sentence
    against = f"against {explanation.rival}"
    alone = f"{sentence.lone_label} {sentence.lone_score:.2f}"
    lines = [
        f"{painted(sentence.label, color=color)} {sentence.confidence:.2f}  {visible(explanation.text)}",
        f"    alone     {explanation.alone:+.2f} {against} (alone it would be {alone})",
        f"      n-grams   {_listed(_distinct(explanation.ngrams, top))}",
        f"      looks     {_listed(explanation.cues[:top])}",
        f"    final     {explanation.final:+.2f} {against}",
        f"      context   {_listed(explanation.context[:top])}",
        f"      memory    {explanation.memory:+.2f} of the sentences around",
        f"      neighbours {explanation.boundaries:+.2f}, of that the boundary before:"
        f" {_listed(explanation.edges[:top])}",
    ]
    return "\n".join(lines) + "\n"


def _distinct(reasons: tuple[Reason, ...], top: int) -> list[Reason]:
    """The strongest n-grams of which none is a piece of a stronger one: pieces tell the same once more."""
    chosen: list[Reason] = []
    strings: list[str] = []
    for reason in reasons:
        string = reason.name.partition(" ")[2][1:-1].strip()
        if not any(string in other or other in string for other in strings if other):
            chosen.append(reason)
            strings.append(string)
            if len(chosen) == top:
                break
    return chosen


def _listed(reasons: Iterable[Reason]) -> str:
    def short(name: str) -> str:
        # N-grams alone stand in quotation marks, and they alone may be of any length.
        return f'{name[:58]}…"' if len(name) > 60 and name.endswith('"') else name

    return ", ".join(f"{reason.weight:+.2f} {visible(short(reason.name))}" for reason in reasons) or "nothing"
