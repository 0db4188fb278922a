"""Vectors of sentences: sums of rows, learned so that one speaker's sentences are alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from degloss.documents import Segment
from degloss.encode import Batch, encode
from degloss.ngrams import TABLE_BITS, families, grams
from degloss.vectors import DIMENSIONS, SOURCES, Embedding, sentence_vectors
from degloss.words import Words, function_words, look_up
from degloss_training import corpus, embed
from degloss_training.corpus import Document
from degloss_training.prepare import Prepared
from training_data import prepared as prepared_documents

CORPUS = Path(__file__).parents[1] / "training" / "corpus"


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """A good thousand documents of the corpus, as training sees them: of a hundred, too little is learned."""
    paths = [path for batch in ("b", "c", "d", "g", "h") for path in sorted(CORPUS.glob(f"{batch}?-*.txt"))]
    assert len(paths) > 1000
    return prepared_documents([corpus.read(path) for path in paths])


def heard(text: str) -> tuple[Batch, Words]:
    batch = encode([text])
    return batch, look_up(batch)


def test_vectors_are_sums_of_rows(prepared: Prepared) -> None:
    """By the scorer, by the prepared counts, and n-gram by n-gram; n-grams without a row count nothing."""
    rng = np.random.default_rng(3)
    slots = rng.integers(0, 500, (len(SOURCES), 1 << TABLE_BITS)).astype(np.uint16)
    slots[rng.random(slots.shape) < 0.3] = 0
    found = families(prepared.batch, prepared.words)
    for name in function_words():  # which training never gives a row
        slots[0, families(*heard(name))[0].index[0]] = 0
    embedding = Embedding(slots, np.concatenate([[[0] * DIMENSIONS], rng.integers(-127, 128, (499, DIMENSIONS))]))
    embedding = Embedding(slots, embedding.rows.astype(np.int8))
    vectors = sentence_vectors(embedding, grams(prepared.batch, prepared.words))
    rows = np.arange(len(prepared.gold))
    assert vectors.shape == (len(rows), len(SOURCES) * DIMENSIONS)
    assert np.array_equal(vectors, embed.vectors(embedding, prepared, rows))
    for row in rows[::97]:
        for place, source in enumerate(SOURCES):
            family = next(f for f in found if f.name == source)
            index = family.index[family.first[row] : family.first[row] + family.count[row]]
            expected = embedding.rows[slots[place, index]].astype(int).sum(0)
            assert vectors[row, place * DIMENSIONS : (place + 1) * DIMENSIONS].tolist() == expected.tolist()


@pytest.mark.parametrize("number", [1, 255, 256, 257, 258, 300, 400])
@pytest.mark.parametrize("value", [-127, 127])
def test_long_sentences_are_summed_exactly(number: int, value: int) -> None:
    """Four numbers share 64 bits, and from 258 words on one could run over into the next."""
    embedding = Embedding(
        np.ones((len(SOURCES), 1 << TABLE_BITS), np.uint16),
        np.stack([np.zeros(DIMENSIONS), np.resize([value, -value, 0, value], DIMENSIONS)]).astype(np.int8),
    )
    batch = encode(["Ein Baum.", "Baum " * number, "+++", "Noch ein Baum."])
    vectors = sentence_vectors(embedding, grams(batch, look_up(batch)))
    counts = [[2, 1], [number, number - 1], [0, 0], [3, 2]]
    for found, (words, pairs) in zip(vectors.astype(int), counts, strict=True):
        expected = np.concatenate([embedding.rows[1] * np.int64(words), embedding.rows[1] * np.int64(pairs)])
        assert found.tolist() == np.clip(expected, -32767, 32767).tolist()


def test_a_sentence_of_many_words_has_a_vector() -> None:
    embedding = Embedding(np.ones((len(SOURCES), 1 << TABLE_BITS), np.uint16), np.full((2, DIMENSIONS), 127, np.int8))
    vectors = sentence_vectors(embedding, grams(*heard("Baum " * 300)))
    assert vectors.tolist() == [[32767] * (len(SOURCES) * DIMENSIONS)]


def test_vectors_tell_speakers_apart(prepared: Prepared) -> None:
    """Learned on half of the buckets: of the other half, neighbours of one speaker are more alike than of two."""
    rows = np.arange(len(prepared.gold))
    known = prepared.row_bucket % 2 == 0
    embedding = embed.learn(prepared, rows[known])
    assert embedding.rows.any(0).all()
    assert not embedding.rows[0].any()
    functional = [families(*heard(name))[0].index[0] for name in function_words()]
    assert not embedding.slots[0, functional].any()
    vectors = embed.vectors(embedding, prepared, rows).astype(float)
    document = prepared.batch.document
    alike: dict[bool, list[float]] = {True: [], False: []}
    for row in rows[3:-3][~known[3:-3]]:
        if document[row - 3] == document[row + 2]:
            one, other = vectors[row - 3 : row].sum(0), vectors[row : row + 3].sum(0)
            pure = len(set(prepared.gold[row - 3 : row])) == len(set(prepared.gold[row : row + 3])) == 1
            size = np.linalg.norm(one) * np.linalg.norm(other)
            if pure and size:
                alike[prepared.gold[row] == prepared.gold[row - 1]].append(float(one @ other / size))
    assert min(map(len, alike.values())) > 50
    assert np.mean(alike[True]) - np.mean(alike[False]) > 0.06


def test_of_too_little_text_no_vectors_are_learned() -> None:
    documents = [Document("d", "bucket-0", "authored", "Eins. Zwei.", (Segment(0, 11, "article"),))]
    data = prepared_documents(documents)
    embedding = embed.learn(data, np.arange(2))
    assert not embedding.slots.any()
    assert embedding.rows.shape == (1, DIMENSIONS)
