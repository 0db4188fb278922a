"""The whole way: text → sentences → scores → context → labels.

`Separator.separate_batch` is the one path every caller takes: the library, the command line, training's
evaluation and `explain`. Its lines are the stages, each a module of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from degloss import artefact
from degloss.artefact import Model
from degloss.boundary import edge_features
from degloss.classify import sentence_scores
from degloss.context import Context, context
from degloss.cues import Cues, Packed, kept, packed, voices
from degloss.decode import Spoken, calibrated, decisions, evidence, spoken
from degloss.documents import FAVORS, Favor, Separation
from degloss.encode import Sentences, batches, joined
from degloss.messages import marginals
from degloss.ngrams import grams
from degloss.reading import as_given, as_read
from degloss.slices import SLICE
from degloss.vectors import sentence_vectors
from degloss.words import look_up

if TYPE_CHECKING:
    from os import PathLike

BATCH_DOCUMENTS: Final = 256
"""A batch ends with so many documents or with the characters of a slice, whichever comes first."""
_LARGE_ARRAY: Final = 24 << 20


@dataclass(frozen=True, eq=False)
class Stages:
    """What the stages compute on the way, for `explain` and for training.

    scores  (n, 2) by the lone sentence
    logs    (n, 3, 3) the chain's potentials
    """

    sentences: Sentences
    scores: NDArray[np.float32]
    around: Context
    model: Model
    logs: NDArray[np.float32]

    @cached_property
    def chances(self) -> NDArray[np.float64]:
        """(n, 3) the calibrated probability of each label."""
        return calibrated(self.model.chain, marginals(self.logs))

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """(n, k) the context features."""
        return self.around.features

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """(n, e) the boundary features."""
        return edge_features(self.around)

    @cached_property
    def spoken(self) -> Spoken:
        """What speaks for what at all sentences."""
        pieces = list(spoken(self.model.chain, self.model.memory, self.around))
        return Spoken(*map(np.concatenate, zip(*pieces, strict=True)))


class Separator:
    """A loaded model, ready to separate texts. Holds no state beside the model, so threads may share one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        # The C library of Linux gives the memory of large arrays back to the system at once and has it zeroed page
        # by page when it asks anew, until an array as large as this has been freed (mallopt(3), M_MMAP_THRESHOLD).
        # Never touched, this one takes no memory; without it a batch takes half as long again.
        np.empty(_LARGE_ARRAY, np.uint8)

    def separate(self, text: str, *, favor: Favor = "balanced") -> Separation:
        """Labels every sentence of one text; see `degloss.separate`."""
        if not isinstance(text, str):
            remedy = "for several texts call separate_many" if isinstance(text, (list, tuple)) else _remedy(text)
            raise TypeError(f"a text must be str, not {type(text).__name__}; {remedy}")
        return self.separate_batch([text], favor=favor)[0]

    def separate_many(self, texts: Iterable[str], *, favor: Favor = "balanced") -> Iterator[Separation]:
        """Labels texts one after the other, in batches; as many come out as go in, in their order.

        Where something is no text, or the iterable raises, the texts before it come out first.
        """
        _check(favor)
        if isinstance(texts, str):
            raise TypeError("separate_many takes several texts; for one text call separate")
        return self._many(texts, favor)

    def _many(self, texts: Iterable[str], favor: Favor) -> Iterator[Separation]:
        numbered = enumerate(texts)
        while True:
            waiting, trouble = _waiting(numbered)
            if waiting:
                yield from self.separate_batch(waiting, favor=favor)
            if trouble is not None:  # what came before it is not lost
                raise trouble
            if not waiting:
                return

    def separate_batch(self, texts: Sequence[str], *, favor: Favor = "balanced") -> list[Separation]:
        """Labels a batch of texts that fits in memory many times over; the other methods call this one."""
        _check(favor)
        if isinstance(texts, str):
            raise TypeError("separate_batch takes several texts; for one text call separate")
        for number, text in enumerate(texts):
            _check_text(number, text)
        with np.errstate(under="ignore"):  # what is next to nothing is nothing, whatever the caller had NumPy raise
            stages = self.stages(texts)
            sentences, scores, logs = stages.sentences, stages.scores, stages.logs
            del stages  # all the rest of it, which takes more memory than what follows
            return separations(sentences, scores, *decisions(self.model.chain, logs, favor))

    def stages(self, texts: Sequence[str]) -> Stages:
        """The stages up to the chain, for a batch of texts."""
        plain, readings = as_read(texts)
        read, heard, vectors, scores = self._alone(plain)
        around = context(read, heard, scores, vectors)
        sentences = as_given(read, texts, readings)
        return Stages(sentences, scores, around, self.model, evidence(self.model.chain, self.model.memory, around))

    def _alone(
        self, texts: Sequence[str]
    ) -> tuple[Sentences, list[Cues | Packed], list[NDArray[np.int16]], NDArray[np.float32]]:
        """What each sentence says for itself: for long texts in slices, of which little is kept."""
        parts: list[tuple[int, Sentences, int]] = []
        heard: list[Cues | Packed] = []
        vectors, scores = [], []
        for number, batch in batches(texts):
            words = look_up(batch)
            cues = voices(batch, words)
            found = grams(batch, words)
            scores.append(sentence_scores(self.model.sentence, found, cues))
            spoken = sentence_vectors(self.model.embedding, found)
            heard.append(packed(cues) if batch.slice else cues)
            vectors.append(kept(spoken) if batch.slice else spoken)
            parts.append((number, batch.sentences, batch.slice.start if batch.slice else 0))
        return joined(texts, parts), heard, vectors, scores[0] if len(scores) == 1 else np.concatenate(scores)


def separations(
    sentences: Sentences, scores: NDArray[np.float32], labels: NDArray[np.int8], confidences: NDArray[np.float32]
) -> list[Separation]:
    """The results of a batch, text by text."""
    starts, ends = sentences.starts, sentences.ends
    if len(sentences.texts) > 1:  # else all that would be subtracted is zero
        before = sentences.offsets[sentences.document]
        starts, ends = starts - before, ends - before
    size = np.int32 if sentences.offsets[-1] < 1 << 31 else np.int64
    starts, ends = starts.astype(size), ends.astype(size)
    lone_labels, lone_scores = _lone(scores)
    for array in (starts, ends, labels, confidences, lone_labels, lone_scores):
        array.flags.writeable = False
    borders = sentences.documents.tolist()
    return [
        Separation(
            text,
            starts[rows],
            ends[rows],
            labels[rows],
            confidences[rows],
            lone_labels[rows],
            lone_scores[rows],
        )
        for text, rows in zip(sentences.texts, starmap(slice, pairwise(borders)), strict=True)
    ]


def _lone(scores: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(n) labels and (n) chances by sentence scores (n, 2); those of article are zero."""
    # The odds of article, of commentary and of boilerplate, against article.
    odds = np.empty((3, len(scores)), np.float32)
    odds[0] = 1
    against = np.minimum(scores.T, _HIGHEST, out=odds[1:])
    np.exp(against, out=against)
    labels = odds.argmax(0).astype(np.int8)
    return labels, np.maximum.reduce(odds) / np.add.reduce(odds)


_HIGHEST: Final = np.array(30, np.float32)


def _check(favor: str) -> None:
    if favor not in FAVORS:
        raise ValueError(f"favor must be one of {', '.join(FAVORS)}, not {favor!r}")


def _check_text(number: int, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(
            f"text {number} must be str, not {type(text).__name__} (the first is number 0); {_remedy(text)}"
        )


def _remedy(text: object) -> str:
    return "decode it first" if isinstance(text, (bytes, bytearray, memoryview)) else "leave it out, or give its text"


def _waiting(numbered: Iterator[tuple[int, str]]) -> tuple[list[str], Exception | None]:
    """The texts of the next batch, none at the end, and what went wrong behind them."""
    waiting: list[str] = []
    size = 0
    try:
        for number, text in numbered:
            _check_text(number, text)
            waiting.append(text)
            size += len(text)
            if len(waiting) == BATCH_DOCUMENTS or size >= SLICE:
                break
    except Exception as trouble:
        return waiting, trouble
    return waiting, None


def load(path: str | PathLike[str]) -> Separator:
    """A separator with the model of that folder; errors are `ModelError`s that name the remedy."""
    from pathlib import Path  # costs a millisecond

    return Separator(artefact.load_model(Path(path)))


@cache
def shipped() -> Separator:
    """The separator with the model that comes with degloss, loaded once."""
    return load(artefact.shipped_folder())


def separate(text: str, *, favor: Favor = "balanced") -> Separation:
    """Labels every sentence of a German text with who speaks.

    `favor="precision"` keeps as article only what surely is, `"recall"` loses no article sentence.

    >>> text = "Ministerin stellt Plan vor\\n\\nBerlin – Das Ministerium hat am Montag einen Plan vorgelegt."
    >>> text += "\\n\\nTeile die Wahrheit!\\nhttps://t.me/beispiel"
    >>> found = separate(text)
    >>> [(text[s.start : s.end], s.label) for s in found.sentences][-1]
    ('https://t.me/beispiel', 'boilerplate')
    """
    return shipped().separate(text, favor=favor)


def separate_many(texts: Iterable[str], *, favor: Favor = "balanced") -> Iterator[Separation]:
    """Labels many texts, in batches; as many come out as go in, in their order.

    >>> [len(found) for found in separate_many(["Ein Satz. Noch einer.", ""])]
    [2, 0]
    """
    return shipped().separate_many(texts, favor=favor)
