"""Documents → the arrays training needs: the package's own stages, plus what the labels and weights say.

Nothing about a feature is defined here. The sparse matrix scikit-learn is given is filled from the n-gram
families the scorer looks up, the dense columns are the package's cues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from degloss.cues import Cues, cues
from degloss.documents import LABELS, Label, Segment
from degloss.encode import Batch, encode
from degloss.ngrams import TABLE_BITS, Family, families, scale
from degloss.reading import as_read
from degloss.skeleton import skeleton
from degloss.vectors import SOURCES
from degloss.words import FUNCTION, Words, look_up, veiled
from degloss_training.corpus import Document


@dataclass(frozen=True, eq=False)
class Prepared:
    """Labelled documents as arrays; n sentences of d documents.

    ngrams  (n, 2^18) values of the hashed n-grams; those of a sentence stand in the row of its twin, and other rows
            are empty
    counts  (n, 2^18) how many n-grams each sentence has, for each of `degloss.vectors.SOURCES`; single function words
            are left out
    gold    (n) label of each sentence: the speaker of most of its characters
    twin    (n) the first row of a sentence with the same n-grams, cues of voice, label and bucket: composed documents
            repeat their sources, and the sentence model needs each sentence only once
    sentence_weight, chain_weight  (n) of each sentence when the one or the other model is fitted
    bucket  (d) of each document
    """

    documents: tuple[Document, ...]
    batch: Batch
    words: Words
    cues: Cues
    ngrams: sparse.csr_matrix
    counts: tuple[sparse.csr_matrix, ...]
    gold: NDArray[np.int8]
    twin: NDArray[np.int64]
    sentence_weight: NDArray[np.float64]
    chain_weight: NDArray[np.float64]
    bucket: NDArray[np.int64]

    @property
    def authored(self) -> NDArray[np.bool_]:
        """(d) whether each document was written by hand, and not composed."""
        return np.array([d.authored for d in self.documents], bool)

    @property
    def composed_only(self) -> NDArray[np.bool_]:
        """(n) whether a sentence stands in composed documents and in no authored one: from public texts, from the
        furniture, or from an authored document and altered by the composer (cut, put in other quotation marks)."""
        return np.asarray(~self.authored[self.batch.document[self.twin]] & ~self.authored[self.batch.document])

    @property
    def row_bucket(self) -> NDArray[np.int64]:
        return np.asarray(self.bucket[self.batch.document])


def prepare(
    documents: Sequence[Document],
    sentence_weights: Mapping[str, float],
    chain_weights: Mapping[str, float],
    costs: Mapping[tuple[str, Label], float],
    genre: Callable[[str], str],
    voices: float = 1,
) -> Prepared:
    """Encodes the documents; weights go by the kind of a document, or its first word, and are 1 otherwise.

    `costs` multiply the chain's weights: by the document's genre, which `genre` tells by its kind, and by the label.
    `voices` multiplies the sentence model's weights of article and commentary of authored documents, and of the same
    sentences where composed documents have them word for word. Seeds are real text, and short texts have too few
    sentences to spare; remarks of the furniture count in full, as readers' comments do.
    """
    batch = encode([d.text for d in documents])
    words = look_up(batch)

    def weight(weights: Mapping[str, float]) -> NDArray[np.float64]:
        of = [weights.get(d.kind, weights.get(d.kind.partition(" ")[0], 1.0)) for d in documents]
        return np.asarray(np.array(of)[batch.document])

    gold = gold_labels(documents, batch)
    bucket = np.array([d.bucket for d in documents])
    genres = np.array([genre(d.kind) for d in documents])[batch.document]
    cost = np.ones(len(batch))
    for (name, label), factor in costs.items():
        cost[(genres == name) & (gold == LABELS.index(label))] = factor
    found = cues(batch, words)
    twin = twins(batch, words, found, gold, bucket[batch.document])
    written = np.array([d.authored and "seed" not in d.kind for d in documents])
    written = written[batch.document[twin]] & (genres != "short") & (genres[twin] != "short")
    written &= gold != LABELS.index("boilerplate")
    return Prepared(
        documents=tuple(documents),
        batch=batch,
        words=words,
        cues=found,
        ngrams=ngram_matrix(batch, words, twin),
        counts=tuple(gram_counts(batch, words, source) for source in SOURCES),
        gold=gold,
        twin=twin,
        sentence_weight=weight(sentence_weights) * np.where(written, voices, 1),
        chain_weight=weight(chain_weights) * cost,
        bucket=bucket,
    )


def legible_documents(documents: Sequence[Document]) -> list[Document]:
    """The documents as the package reads their texts."""
    texts, readings = as_read([d.text for d in documents])
    read = [replace(d, text=text) for d, text in zip(documents, texts, strict=True)]
    for number, of in readings.items():
        borders = of.read(np.array([(span.start, span.end) for span in documents[number].spans])).tolist()
        spans = (
            Segment(start, end, span.label) for (start, end), span in zip(borders, documents[number].spans, strict=True)
        )
        read[number] = replace(read[number], spans=tuple(spans))
    return read


def ngram_matrix(
    batch: Batch, words: Words, twin: NDArray[np.int64], keep: Callable[[str], bool] = lambda _: True
) -> sparse.csr_matrix:
    """(n, 2^18) what the sentence model's table is multiplied with, in the rows of twins only; `keep` chooses
    families by name."""
    total = sparse.csr_matrix((len(batch), 1 << TABLE_BITS), dtype=np.float32)
    once = twin == np.arange(len(twin))
    for family in families(batch, words):
        if keep(family.name):
            family = replace(family, count=np.where(once, family.count, 0))
            total = total + _matrix(family, np.repeat(scale(family.count), family.count))
    return total


def gram_counts(batch: Batch, words: Words, name: str) -> sparse.csr_matrix:
    """(n, 2^18) how many n-grams of a family each sentence has; of words none with a function word's entry."""
    family = next(family for family in families(batch, words) if family.name == name)
    counts = _matrix(family, np.ones(family.count.sum(), np.float32))
    if name == "word":
        entries = np.ones(1 << TABLE_BITS, np.float32)
        entries[family.index[: len(words.known)][words.known >= FUNCTION]] = 0
        counts = (counts @ sparse.diags_array(entries)).tocsr()
        counts.eliminate_zeros()
    return counts


def _matrix(family: Family, values: NDArray[np.float32]) -> sparse.csr_matrix:
    """(n, 2^18) the values of a family's n-grams, sentence by sentence, those of the same table entry added up."""
    # The n-grams of a sentence stand together: its stretch of the index is one row of the matrix.
    steps = np.arange(family.count.sum()) - np.repeat(np.cumsum(family.count) - family.count, family.count)
    columns = family.index[np.repeat(family.first, family.count) + steps].astype(np.int32)
    pointer = np.concatenate([[0], np.cumsum(family.count)])
    matrix = sparse.csr_matrix((values, columns, pointer), shape=(len(family.count), 1 << TABLE_BITS))
    matrix.sum_duplicates()
    return matrix


def twins(
    batch: Batch, words: Words, cues: Cues, gold: NDArray[np.int8], bucket: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(n) the first row with the same words, n-grams, cues of voice, label and bucket as each row."""
    text = "".join(f"{text}\n" for text in batch.texts)
    # What n-grams are made of: those of characters reach over the edges by one.
    characters, skeletons = veiled(batch, words), skeleton(batch, words)
    heard = np.ascontiguousarray(cues.values[:, : cues.voice])
    first: dict[tuple[str | bytes | int, ...], int] = {}
    places = (batch.starts, batch.ends, *batch.word_spans, gold, bucket)
    found = []
    for row, (start, end, begin, stop, *rest) in enumerate(zip(*(of.tolist() for of in places), strict=True)):
        made_of = characters[start : end + 2].tobytes(), skeletons[begin:stop].tobytes(), heard[row].tobytes()
        found.append(first.setdefault((text[start:end], *made_of, *rest), row))
    return np.array(found, np.int64)


def gold_labels(documents: Sequence[Document], batch: Batch) -> NDArray[np.int8]:
    """(n) the label that covers most of each sentence's characters; the first of `LABELS` in a tie."""
    covered = np.zeros((len(LABELS), len(batch.normal) + 1), np.int32)
    for document, offset in zip(documents, batch.offsets.tolist(), strict=False):
        for span in document.spans:
            covered[LABELS.index(span.label), offset + span.start + 1 : offset + span.end + 1] = 1
    np.cumsum(covered, axis=1, out=covered)
    most = (covered[:, batch.ends] - covered[:, batch.starts]).argmax(0)
    return np.asarray(most, np.int8)
