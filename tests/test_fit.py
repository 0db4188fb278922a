"""Fitting: what can be learned is learned, the same every time, and nothing learns from what it is tested on."""

from __future__ import annotations

import io
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from degloss.artefact import MANIFEST, WEIGHTS, Model, load_model, pack
from degloss.boundary import EDGES
from degloss.context import context
from degloss.context import names as context_names
from degloss.decode import LIMIT, Chain, evidence
from degloss.documents import LABELS, Label
from degloss.errors import OutputError, TrainingError
from degloss.memory import HEARD, KEPT, Memory
from degloss.messages import marginals
from degloss.ngrams import TABLE_BITS
from degloss.separate import Separator
from degloss.vectors import DIMENSIONS, SOURCES, Embedding
from degloss_training import (
    ablate,
    chain,
    compose,
    corpus,
    embed,
    evaluate,
    fit,
    network,
    recipe,
    sources,
    stack,
    train,
)
from degloss_training.chain import ChainData, chain_data, document_rows, fit_chain, together
from degloss_training.corpus import BUCKETS, Document
from degloss_training.metric import MEASURES, Judged
from degloss_training.network import Example, Parameters, gradient, likelihood
from degloss_training.prepare import Prepared, ngram_matrix
from degloss_training.sentence import design, fit_sentence_model, matrix_scores, standardise
from degloss_training.settings import Settings
from degloss_training.stack import Scores, cross_fitted_scores, cross_fitted_vectors, fold_of
from training_data import document, prepared

# Stopped early on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = Settings(iterations=5, rate=0.01, epochs=5, seeds=(8,), folds=2, jobs=1)
"""Not well fitted, but fitted: enough to see what a model depends on."""
LEARNS = Settings(iterations=12, rate=0.01, epochs=60, seeds=(8,), folds=2, jobs=1)
"""Enough for what is simple; all of a few documents are one step an epoch."""

ARTICLES = (
    "Der Rat berät am Montag über den Haushalt der Stadt.", "Das Amt teilte mit, der Bau beginne im Mai.",
    "Nach Angaben der Polizei wurden drei Wagen beschädigt.", "Die Ministerin sagte, man prüfe den Entwurf.",
    "Im vergangenen Jahr stieg die Zahl der Anträge um vier Prozent.", "Der Verband kritisierte den Beschluss.",
)  # fmt: skip
COMMENTS = (
    "Ich glaube denen kein Wort mehr, Leute!", "Na toll, und wer zahlt das wieder?", "Was für ein Irrsinn 😂",
    "Ihr wisst doch alle, wie das ausgeht!!", "Mir reicht es jetzt wirklich.", "Danke für nichts, ihr Heuchler!",
)  # fmt: skip
PAGE_PARTS = ("https://t.me/beispiel/{n}", "➖➖➖", "👉 @beispielkanal", "Quelle: beispiel{n}.de")  # fmt: skip


def pages(number: int) -> list[Document]:
    """Simple pages, dealt to all buckets: article, remarks and a footer."""
    rng = random.Random(4)
    made = []
    for k in range(number):
        lines: list[tuple[str, Label]] = [(rng.choice(ARTICLES) + "\n", "article") for _ in range(rng.randint(1, 3))]
        lines += [(rng.choice(COMMENTS) + "\n", "commentary") for _ in range(rng.randint(0, 3))]
        lines += [(rng.choice(PAGE_PARTS).format(n=k) + "\n", "boilerplate") for _ in range(rng.randint(0, 2))]
        made.append(document(f"page-{k}", *lines, group=f"bucket-{k % BUCKETS}"))
    return made


@pytest.fixture(scope="module")
def small() -> Prepared:
    return prepared(pages(60))


def everything(data: Prepared) -> NDArray[np.int64]:
    return np.arange(len(data.documents))


def unheard(data: Prepared) -> NDArray[np.int16]:
    """Vectors that say nothing."""
    return np.zeros((len(data.gold), len(SOURCES) * DIMENSIONS), np.int16)


def scored(data: Prepared, settings: Settings) -> Scores:
    """The scores the chain is fitted on."""
    return cross_fitted_scores(data, np.arange(len(data.gold)), settings)


def some_chain_data(data: Prepared, seed: int = 0) -> ChainData:
    """All documents as the chain sees them, with random scores and vectors."""
    return chain_data(data, everything(data), *random_scores(data, seed))


def random_scores(data: Prepared, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-90, 90, (len(data.gold), len(SOURCES) * DIMENSIONS)).astype(np.int16)
    return rng.normal(0, 2, (len(data.gold), 2)), vectors


def potentials(found: tuple[Chain, Memory], data: ChainData) -> NDArray[np.float32]:
    """What a chain and a memory say of documents, by the way inference goes."""
    model: Any = SimpleNamespace(chain=found[0], memory=found[1])
    return ablate.logs(model, data)


def chances(found: tuple[Chain, Memory], data: ChainData) -> NDArray[np.float64]:
    return marginals(potentials(found, data))


def as_bytes(found: tuple[Chain, Memory]) -> list[bytes]:
    return [getattr(part, f.name).tobytes() for part in found for f in fields(part)]


# What can be learned is learned.


def test_both_models_learn_simple_pages(small: Prepared) -> None:
    separator = Separator(fit.fit(small, np.arange(BUCKETS), LEARNS))
    new = "Das Amt prüft den Bau am Montag.\nIch fasse es nicht, Leute!\nhttps://t.me/beispiel/999\n"
    assert [s.label for s in separator.separate(new).sentences] == list(LABELS)
    right = wrong = 0
    for d, found in zip(small.documents, separator.separate_many(d.text for d in small.documents), strict=True):
        for s, (_, _, label) in zip(found.sentences, evaluate.units(d), strict=True):
            right += s.label == label
            wrong += s.label != label
    assert right > 150
    assert wrong <= 0.02 * right


def twins(number: int) -> list[Document]:
    """Pages of one sentence again and again: only what stands before tells who speaks."""
    rng = random.Random(1)
    line = "Das ist so."
    return [
        document(
            f"twin-{k}",
            (f"{line}\n" * rng.randint(1, 4), "article"),
            ("+++\n", "boilerplate"),
            (f"{line}\n" * rng.randint(1, 4), "commentary"),
            group=f"bucket-{k % BUCKETS}",
        )
        for k in range(number)
    ]


def known_and_new(documents: list[Document], known: int) -> tuple[ChainData, ChainData]:
    """The first documents, which a chain may learn from, and the others; no sentence of them says anything alone."""
    data = prepared(documents)
    scores, vectors = np.zeros((len(data.gold), 2)), unheard(data)
    parts = everything(data)[:known], everything(data)[known:]
    lengths = [len(document_rows(data, d)) for d in parts]
    one, other = (chain_data(data, d, scores[:n], vectors[:n]) for d, n in zip(parts, lengths, strict=True))
    return one, other


def test_the_chain_learns_from_what_stands_around() -> None:
    known, new = known_and_new(twins(60), 40)
    found = fit_chain(known, known, LEARNS)
    assert (chances(found, new).argmax(1) == new.gold).mean() > 0.95
    assert len(set(new.gold.tolist())) == 3
    untrained = replace(found[0], **{
        f.name: np.zeros_like(getattr(found[0], f.name)) for f in fields(Chain) if f.name not in ("mean", "spread")
    })  # fmt: skip
    assert (chances((untrained, found[1]), new).argmax(1) == new.gold).mean() < 0.6


def announced(number: int, side: str) -> list[Document]:
    """Pages with two sentences that are the same: who speaks is told by a line far before each, or far behind it."""
    rng = random.Random(2)
    made = []
    for k in range(number):
        parts: list[tuple[str, Label]] = []
        signs: list[tuple[str, Label]] = [("+++ !\n", "commentary"), ("+++ ?\n", "article")]
        for sign, label in signs if k % 2 else signs[::-1]:
            piece: list[tuple[str, Label]] = [("+++\n", "boilerplate"), (sign, "boilerplate")]
            piece += [("+++\n" * rng.randint(1, 3), "boilerplate"), ("Das ist so.\n", label)]
            parts += piece if side == "before" else piece[::-1]
        made.append(document(f"announced-{k}", *parts, group=f"bucket-{k % BUCKETS}"))
    return made


@pytest.mark.parametrize("side", ["before", "behind"])
def test_the_memory_learns_what_was_said_long_before_and_behind(side: str) -> None:
    """The chain alone cannot: between the two all is boilerplate, and what it knows of a boundary are its two sides."""
    known, new = known_and_new(announced(90, side), 60)
    spoken = new.gold < 2
    assert np.mean(new.gold[spoken]) == 0.5
    for remembers, least, most in ((True, 0.95, 1.0), (False, 0.3, 0.7)):
        found = fit_chain(known, known, replace(LEARNS, remembers=remembers))
        right = chances(found, new)[spoken].argmax(1) == new.gold[spoken]
        assert least <= right.mean() <= most, remembers


def test_without_memory_nothing_of_it_counts() -> None:
    known, _ = known_and_new(announced(20, "before"), 10)
    mind, other = (fit_chain(known, known, replace(QUICK, remembers=remembers)) for remembers in (False, True))
    assert not mind[0].told[: 2 * KEPT].any()
    assert not mind[0].turns[:, : 2 * KEPT].any()
    assert mind[0].told[2 * KEPT :].any()
    assert mind[0].turns[:, 2 * KEPT :].any()
    assert other[0].told[: 2 * KEPT].any()
    assert other[0].turns[:, : 2 * KEPT].any()


def test_weights_decide_between_contradictions() -> None:
    """The same sentence with two labels: the heavier documents win."""
    text = "Das ist so.\n"
    voices: list[Label] = ["article", "commentary", "boilerplate"]
    documents = [
        document(f"d-{k}", (text, voices[k % 3]), group=f"bucket-{k % BUCKETS}", kind=f"kind {voices[k % 3]}")
        for k in range(30)
    ]
    for heavy in voices:
        kinds = {f"kind {heavy}": 20.0}
        data = prepared(documents, kinds, kinds)
        rows = np.arange(len(data.gold))
        model, _ = fit_sentence_model(data, rows, QUICK)
        scores = matrix_scores(model, data, rows)
        assert int(np.append(0, scores[0]).argmax()) == LABELS.index(heavy)
        around = chain_data(data, everything(data), np.zeros_like(scores), unheard(data))
        found = fit_chain(around, around, LEARNS)
        assert len(found[0].hidden_bias) == HEARD
        assert set(chances(found, around).argmax(1).tolist()) == {LABELS.index(heavy)}


# The likelihood and its gradient.


def random_example(lengths: Sequence[int], features: int, seed: int) -> Example:
    """Documents of so many sentences about which all is drawn."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    opens = np.isin(np.arange(n), np.cumsum([0, *lengths]))
    return Example(
        rng.normal(0, 1, (n, features)).astype(np.float32), rng.normal(0, 0.5, (n, len(EDGES))).astype(np.float32),
        rng.integers(0, 3, n).astype(np.int8), rng.uniform(0.3, 3, n).astype(np.float32), opens,
    )  # fmt: skip


def random_parameters(features: int, seed: int) -> Parameters:
    """A start of which no number is zero."""
    rng = np.random.default_rng(seed)
    found = Parameters.drawn(features, rng)
    found.flat[:] += rng.normal(0, 0.1, len(found.flat)).astype(np.float32)
    return found


def random_logs(given: Example, seed: int) -> NDArray[np.float64]:
    """Potentials; into a first sentence the same from every label."""
    logs = np.random.default_rng(seed).normal(0, 2, (len(given.gold), 3, 3))
    logs[given.opens] = logs[given.opens, :1]
    return logs


def of_each_document(given: Example) -> Iterator[slice]:
    firsts = [*np.flatnonzero(given.opens).tolist(), len(given.gold)]
    yield from (slice(*pair) for pair in itertools.pairwise(firsts))


def brute_force(logs: NDArray[Any], gold: NDArray[Any], weight: NDArray[Any]) -> float:
    """The weighted sum of −log p(label | label before) over a document, each from the sums over all paths."""
    paths = np.array(list(itertools.product(range(3), repeat=len(gold))))
    chance = np.exp([logs[0, 0, p[0]] + sum(logs[i, p[i - 1], p[i]] for i in range(1, len(gold))) for p in paths])
    value = 0.0
    for i, label in enumerate(gold):
        before = paths[:, i - 1] == gold[i - 1] if i else np.ones(len(paths), bool)
        value -= weight[i] * np.log(chance[before & (paths[:, i] == label)].sum() / chance[before].sum())
    return value


LENGTHS = [[1], [2], [7], [1, 1], [3, 1, 5], [5, 2, 2, 6, 1]]


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_the_likelihood_is_that_of_all_paths(lengths: list[int]) -> None:
    given = random_example(lengths, 1, 3)
    logs = random_logs(given, 4)
    expected = sum(brute_force(logs[d], given.gold[d], given.weight[d]) for d in of_each_document(given))
    assert expected > 0
    assert likelihood(logs, given)[0] == pytest.approx(expected, rel=1e-6)
    # Of equal weights it is that of the whole sequence of labels.
    value = 0.0
    for d in of_each_document(given):
        paths = list(itertools.product(range(3), repeat=d.stop - d.start))
        sums = {p: sum(logs[d.start + i, p[i - 1] if i else 0, p[i]] for i in range(len(p))) for p in paths}
        value += np.log(np.exp(list(sums.values())).sum()) - sums[tuple(given.gold[d].tolist())]
    assert likelihood(logs, given._replace(weight=np.ones_like(given.weight)))[0] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_the_slopes_of_the_likelihood_are_those_of_small_steps(lengths: list[int]) -> None:
    given = random_example(lengths, 1, 5)
    logs = random_logs(given, 6)
    slope = likelihood(logs, given)[1]
    expected = np.zeros_like(logs)
    for row, one, other in itertools.product(range(len(logs)), range(3), range(3)):
        if given.opens[row] and one:
            continue  # the slopes of a first sentence stand in the first of its three
        step = np.zeros_like(logs)
        step[row, slice(None) if given.opens[row] else one, other] = 1e-5
        expected[row, one, other] = (likelihood(logs + step, given)[0] - likelihood(logs - step, given)[0]) / 2e-5
    assert slope == pytest.approx(expected, abs=1e-5)
    assert np.abs(expected).max() > 0.1


SEEN = {"all": replace(QUICK, withheld=0, features_dropped=0, dropped=0), "some left out": QUICK,
        "no memory": replace(QUICK, remembers=False)}  # fmt: skip


@pytest.mark.parametrize("settings", SEEN.values(), ids=SEEN)
def test_the_gradient_is_that_of_the_loss(settings: Settings) -> None:
    """Central differences along a direction of each array; what is left out is the same each time."""
    given = random_example([1, 6, 1, 11, 2, 3, 5, 2, 4, 7, 1, 3, 2, 2], 9, 1)
    parameters = random_parameters(9, 2)
    start = parameters.flat.copy()

    def loss() -> tuple[float, NDArray[np.float32]]:
        return gradient(parameters, given, settings, np.random.default_rng(3))

    slopes = Parameters.of(9, loss()[1])
    directions = np.random.default_rng(4)
    still = set()
    pairs = [(slopes.chain, parameters.chain), (slopes.memory, parameters.memory)]
    for name, slope, array in ((n, of[n].astype(float), arrays[n]) for of, arrays in pairs for n in of):
        length = float(np.linalg.norm(slope))
        if not length:
            still.add(name)
            continue
        # Half along the slope, so that there is something to measure.
        direction = directions.normal(0, 1, slope.shape)
        direction = direction / np.linalg.norm(direction) + slope / length
        values = []
        for sign in (1, -1):
            array += (sign * 2e-3 * direction).astype(np.float32)
            values.append(loss()[0])
            parameters.flat[:] = start
        assert (values[0] - values[1]) / 4e-3 == pytest.approx((slope * direction).sum(), abs=3e-4 * length), name
        assert length > 0.01, name
    assert still == (set() if settings.remembers else {f.name for f in fields(Memory)})


def test_training_and_inference_say_the_same(small: Prepared) -> None:
    """The loss of what is fitted is that of what the package says with the same numbers."""
    data = some_chain_data(small)
    mean, spread = standardise(data.features)
    spread /= 3  # so that some features are beyond the limit
    standard = np.clip((data.features - mean) / spread, -LIMIT, LIMIT)
    assert (np.abs(standard) == LIMIT).any()
    opens = np.isin(np.arange(len(data.gold)), data.batch.documents)
    given = Example(standard, data.edges, data.gold, data.weight.astype(np.float32), opens)
    parameters = random_parameters(len(mean), 1)
    found = parameters.model(mean, spread)
    loss = gradient(parameters, given, QUICK)[0]
    assert loss == pytest.approx(likelihood(potentials(found, data), given)[0], rel=1e-5)
    around = context(small.batch, small.cues, *random_scores(small, 0))
    assert np.abs(potentials(found, data) - evidence(*found, around)).max() < 1e-4

    alone = gradient(parameters, given, replace(QUICK, remembers=False))[0]
    assert alone != pytest.approx(loss, rel=1e-3)
    parameters.chain["told"][: 2 * KEPT] = 0  # as at the end of such a fit
    parameters.chain["turns"][:, : 2 * KEPT] = 0
    expected = likelihood(potentials(parameters.model(mean, spread), data), given)[0]
    assert alone == pytest.approx(expected, rel=1e-5)


def test_what_is_left_out_is_drawn() -> None:
    given, parameters = random_example([5, 1, 9], 9, 1), random_parameters(9, 2)

    def found(settings: Settings, seed: int | None) -> float:
        return gradient(parameters, given, settings, None if seed is None else np.random.default_rng(seed))[0]

    whole = found(SEEN["all"], 1)
    assert found(QUICK, None) == whole
    assert found(QUICK, 1) == found(QUICK, 1) != found(QUICK, 2)
    for name in ("withheld", "features_dropped", "dropped"):
        assert found(replace(SEEN["all"], **{name: 0.2}), 1) != whole


@pytest.mark.parametrize("share", [0.2, 0.35, 0.9])
def test_the_numbers_that_stay_make_up_for_those_that_are_left_out(share: float) -> None:
    stays = network._dropped(np.random.default_rng(1), share, (400, 500))
    assert np.mean(stays == 0) == pytest.approx(share, abs=0.01)
    assert len(np.unique(stays)) == 2
    assert stays.mean() == pytest.approx(1, abs=0.05)


def test_what_is_withheld_is_withheld_from_whole_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    dropped = network._dropped
    monkeypatch.setattr(network, "_dropped", lambda *args: drawn.append(dropped(*args)) or drawn[-1])
    settings = replace(SEEN["all"], withheld=0.2)
    lengths = [5, 1, 9]
    gradient(random_parameters(200, 2), random_example(lengths, 200, 1), settings, np.random.default_rng(1))
    stays = drawn[0]
    assert stays.shape == (15, 200)
    firsts = np.cumsum([0, *lengths[:-1]])
    assert np.array_equal(stays, np.repeat(stays[firsts], lengths, axis=0))
    assert not np.array_equal(stays[firsts[0]], stays[firsts[1]])
    assert np.mean(stays[firsts] == 0) == pytest.approx(0.2, abs=0.06)


def test_the_start_is_not_yet_anywhere(small: Prepared) -> None:
    """Before anything is learned all labels are much alike, and most of what is remembered is kept."""
    data = some_chain_data(small)
    parameters = Parameters.drawn(data.features.shape[1], np.random.default_rng(1))
    found = chances(parameters.model(*standardise(data.features)), data)
    assert 0.1 < found.min() < found.max() < 0.7
    gates = np.concatenate(
        [parameters.memory[f"{layer}_bias"].reshape(2, 2, KEPT)[:, 1] for layer in ("first", "second")]
    )
    assert (1 / (1 + np.exp(-2 * gates)) > 0.5).all()


# The steps of the fit.


class Steps:
    """What the fit goes through: the parameters before each step, what is given, and the slopes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[NDArray[np.float32], Example, NDArray[np.float32]]] = []
        patch.setattr(chain, "gradient", self.gradient)

    def gradient(self, parameters: Parameters, given: Example, settings: Settings, rng: Any) -> Any:
        value, slope = gradient(parameters, given, settings, rng)
        self.steps.append((parameters.flat.copy(), given, slope.copy()))
        return value, slope


def test_the_steps_are_those_of_adam(small: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the definition, of slopes that are cut to a length, at a rate that rises and then falls with the cosine."""
    monkeypatch.setattr(chain, "BATCH", 40)
    monkeypatch.setattr(chain, "WARM", 7)
    monkeypatch.setattr(chain, "LONGEST", 0.9)
    seen = Steps(monkeypatch)
    data = some_chain_data(small)
    last = fit_chain(data, data, QUICK)
    n = len(seen.steps)
    assert n % QUICK.epochs == 0
    assert n > 3 * 7
    mean = energy = np.zeros(len(seen.steps[0][0]))
    lengths = []
    for t, (place, _, slope) in enumerate(seen.steps, 1):
        step = slope.astype(float) / 40
        lengths.append(np.linalg.norm(step))
        step *= min(1, 0.9 / lengths[-1])
        mean, energy = 0.9 * mean + 0.1 * step, 0.999 * energy + 0.001 * step**2
        rate = QUICK.rate * min(1, t / 7) * (1 + np.cos(np.pi * t / n)) / 2
        expected = place - rate * (mean / (1 - 0.9**t)) / (np.sqrt(energy / (1 - 0.999**t)) + 1e-8)
        if t < n:
            assert np.abs(seen.steps[t][0] - expected).max() < 1e-6, t
    assert min(lengths) < 0.9 < max(lengths)
    assert last[0].weights == pytest.approx(expected[: last[0].weights.size].reshape(-1, 3), abs=1e-6)


def test_each_document_comes_once_an_epoch_in_one_of_two_views(
    small: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own labels and weights, among others of about its length; one without sentences never comes."""
    monkeypatch.setattr(chain, "BATCH", 12)
    seen = Steps(monkeypatch)
    blank = [document(f"blank-{k}", ("\n", "article"), group="bucket-1") for k in range(20)]
    data = prepared([*pages(50), *blank, *pages(60)[50:]])
    lengths = np.diff(data.batch.documents)
    assert np.sum(lengths == 0) == 20
    kin = some_chain_data(data)
    # The weights number the sentences, the edges and features say whose view it is.
    kin = replace(kin, weight=np.arange(1.0, len(kin.gold) + 1), edges=np.zeros_like(kin.edges))
    strangers = replace(kin, features=np.full_like(kin.features, 1e4), edges=np.ones_like(kin.edges))
    shares = {}
    for share in (0.0, 0.5, 1.0):
        seen.steps.clear()
        fit_chain(kin, strangers, replace(QUICK, epochs=4, strangers=share))
        assert len(seen.steps) % 4 == 0
        epoch = len(seen.steps) // 4
        assert epoch > 3
        strange: list[dict[int, bool]] = [{} for _ in range(4)]
        for number, (_, given, _) in enumerate(seen.steps):
            rows = np.rint(given.weight * kin.weight.mean()).astype(int) - 1
            assert (given.gold == kin.gold[rows]).all()
            assert len(rows) <= 12 + lengths.max()
            of = [rows[d] for d in of_each_document(given)]
            for mine, d in zip(of, of_each_document(given), strict=True):
                document_number = int(data.batch.document[mine[0]])
                assert mine.tolist() == list(range(*data.batch.rows(document_number).indices(len(kin.gold))))
                views = {bool(v) for v in given.edges[d].ravel()}
                assert len(views) == 1
                assert (given.features[d] == LIMIT).all() == views.copy().pop()
                assert document_number not in strange[number // epoch]
                strange[number // epoch][document_number] = views.pop()
        whole = {d for d, length in enumerate(lengths) if length}
        assert all(set(found) == whole for found in strange)
        shares[share] = np.mean([list(found.values()) for found in strange])
        assert (strange[0] != strange[1]) == (share == 0.5), "drawn anew each time"
        batches = [[len(range(d.start, d.stop)) for d in of_each_document(given)] for _, given, _ in seen.steps[:epoch]]
        for one, other in itertools.pairwise(sorted(batches, key=np.mean)):
            assert max(one) <= min(other) + 3
    assert shares[0.0] == 0
    assert shares[1.0] == 1
    assert 0.35 < shares[0.5] < 0.65


def test_kin_and_strangers_are_seen_as_often_as_is_set(small: Prepared) -> None:
    """What is never seen leaves no trace, but for the mean and spread, which are those of the kin."""
    data = some_chain_data(small)
    rng = np.random.default_rng(1)
    noise = rng.normal(3, 9, data.features.shape).astype(np.float32)
    garbage = replace(data, features=noise, edges=rng.random(data.edges.shape, np.float32))
    settings = replace(QUICK, strangers=0)
    alone = as_bytes(fit_chain(data, data, settings))
    assert as_bytes(fit_chain(data, garbage, settings)) == alone
    assert as_bytes(fit_chain(garbage, data, settings)) != alone
    assert as_bytes(fit_chain(data, garbage, replace(QUICK, strangers=0.5))) != alone
    settings = replace(QUICK, strangers=1)
    alone = as_bytes(fit_chain(data, data, settings))
    edges_alone = replace(data, edges=garbage.edges)
    assert as_bytes(fit_chain(edges_alone, data, settings)) == alone
    assert as_bytes(fit_chain(data, edges_alone, settings)) != alone
    found = fit_chain(data, garbage, settings)[0]
    assert [found.mean.tolist(), found.spread.tolist()] == [of.tolist() for of in standardise(data.features)]


def test_the_chain_sees_the_scores_by_kin_and_by_strangers(small: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    scores = Scores(*(rng.uniform(-7, 7, (len(small.gold), 2)) for _ in range(2)))
    monkeypatch.setattr(fit, "cross_fitted_scores", lambda *_: scores)
    given: list[ChainData] = []
    monkeypatch.setattr(fit, "fit_chain", lambda *views: given.extend(views[:2]) or fit_chain(*views))
    model = fit.fit(small, np.arange(BUCKETS), QUICK)
    own = [context_names(small.cues).index(f"own score {label}") for label in LABELS[1:]]
    for seen, expected in zip(given, scores, strict=True):
        assert seen.features[:, own] == pytest.approx(expected, abs=1e-5)
        assert seen.gold.tolist() == small.gold.tolist()
    kin, strangers = given
    assert as_bytes((model.chain, model.memory)) == as_bytes(fit_chain(kin, strangers, QUICK))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_fit_that_runs_away_is_told(small: Prepared) -> None:
    data = some_chain_data(small)
    with pytest.raises(TrainingError, match="rate of 1e\\+08; take a smaller one"):
        fit_chain(data, data, replace(QUICK, rate=1e8, epochs=60))


# The same every time.


def test_fitting_twice_gives_the_same_bytes(small: Prepared) -> None:
    """Also from documents prepared anew, and with two jobs at a time."""
    settings = replace(QUICK, seeds=(8, 9))
    one = pack(fit.fit(small, np.arange(BUCKETS), settings))
    assert pack(fit.fit(prepared(pages(60)), np.arange(BUCKETS), replace(settings, jobs=2))) == one


def test_the_chain_is_the_same_by_any_number_of_blas_threads(small: Prepared) -> None:
    """With the kernels of some processors sums of two threads differ from those of one, though not of all."""
    data = some_chain_data(small)
    with threadpool_limits(2):
        several = as_bytes(fit_chain(data, data, QUICK))
        assert {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"} <= {2}
    with threadpool_limits(1):
        assert as_bytes(fit_chain(data, data, QUICK)) == several


def test_the_seed_matters(small: Prepared) -> None:
    data = some_chain_data(small)
    one, same, other = (fit_chain(data, data, replace(QUICK, seeds=(seed,))) for seed in (0, 0, 1))
    assert as_bytes(one) == as_bytes(same)
    for k, of in enumerate((Chain, Memory)):
        alike = {f.name for f in fields(of) if np.array_equal(getattr(one[k], f.name), getattr(other[k], f.name))}
        assert alike <= {"mean", "spread", "temperature"}


def test_the_temperature_of_the_settings_is_the_chains(small: Prepared) -> None:
    data = some_chain_data(small)
    (warm, mind), (cool, same) = (fit_chain(data, data, replace(QUICK, temperature=t)) for t in (1.5, 0.5))
    assert (float(warm.temperature), float(cool.temperature)) == (1.5, 0.5)
    assert as_bytes((warm, mind)) == as_bytes((replace(cool, temperature=warm.temperature), same))


def test_members_are_fitted_each_by_itself(small: Prepared) -> None:
    """From seeds of their own, one after the other or several at a time; together they say their mean."""
    data = some_chain_data(small)
    alone = [fit_chain(data, data, replace(QUICK, seeds=(seed,))) for seed in (3, 5, 4)]
    found = [fit_chain(data, data, replace(QUICK, seeds=(3, 5, 4), jobs=jobs)) for jobs in (1, 2)]
    assert as_bytes(found[0]) == as_bytes(found[1]) == as_bytes(together(alone))
    said = np.array([potentials(one, data) for one in alone])
    assert np.ptp(said, 0).max() > 0.1
    assert potentials(found[0], data) == pytest.approx(said.mean(0), abs=1e-5)


def test_members_without_memory_say_their_mean(small: Prepared) -> None:
    data = some_chain_data(small)
    settings = replace(QUICK, remembers=False)
    alone = [fit_chain(data, data, replace(settings, seeds=(seed,))) for seed in (0, 1)]
    found = fit_chain(data, data, replace(settings, seeds=(0, 1)))
    remembered = found[0].remembered
    assert remembered == 4 * KEPT
    assert not found[0].told[:remembered].any()
    assert found[0].told[remembered:].all()
    assert potentials(found, data) == pytest.approx(np.mean([potentials(one, data) for one in alone], 0), abs=1e-5)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_that_nobody_has_is_told(label: Label, small: Prepared) -> None:
    other = LABELS[LABELS.index(label) - 1]
    few = prepared(
        [
            document(d.name, *((d.text[s.start : s.end], other if s.label == label else s.label) for s in d.spans))
            for d in small.documents[:9]
        ]
    )
    with pytest.raises(TrainingError, match=rf"none of the \d+ sentences .* is .*{label}.*; label more documents"):
        fit_sentence_model(few, everything(few), QUICK)


# Nothing learns from what it is tested on.


def relabelled(documents: Sequence[Document], bucket: int) -> list[Document]:
    """The documents of one bucket with the labels of article and commentary changed about."""
    turned: dict[Label, Label] = {"article": "commentary", "commentary": "article", "boilerplate": "boilerplate"}
    return [
        document(d.name, *((d.text[s.start : s.end], turned[s.label]) for s in d.spans), group=d.group)
        if d.bucket == bucket
        else d
        for d in documents
    ]


def test_a_bucket_scores_itself_without_its_own_labels(small: Prepared) -> None:
    bucket = 7
    other = prepared(relabelled(small.documents, bucket))
    mine = small.row_bucket == bucket
    assert (small.gold != other.gold)[mine].any()
    assert (small.gold == other.gold)[~mine].all()
    for before, after in zip(*(scored(data, QUICK) for data in (small, other)), strict=True):
        assert before[mine].tolist() == after[mine].tolist()
        assert np.abs(before - after).max() > 0.1, "the other fold has learned from the bucket"


def test_some_composed_documents_are_scored_as_strangers() -> None:
    """What other composed documents say does not matter to them, however much the rest learns of it."""
    rng = random.Random(7)

    def mixed(article: str, comment: str) -> Prepared:
        made = pages(40)
        for k in range(40):
            parts: list[tuple[str, Label]] = [(f"Es {article} hier {rng.randint(1, 9)}.\n", "article")]
            parts += [(f"Es {comment} hier {rng.randint(1, 9)}.\n", "commentary")]
            made.append(document(f"made-{k}", *parts, group=f"bucket-{k % BUCKETS}", kind="post"))
        return prepared(made)

    data = mixed("brummt", "summt")
    composed = ~data.authored[data.batch.document] & (data.gold < 2)
    found = scored(data, Settings(iterations=8, folds=2, jobs=1))
    for name, least, most in (("kin", 1.0, 1.0), ("strangers", 0.1, 0.8)):
        scores = getattr(found, name)[composed, 0]
        ranks = scores[:, None] > scores[None]
        told = ranks[data.gold[composed] == 1][:, data.gold[composed] == 0]
        assert least <= told.mean() <= most, name


def voices(rng: random.Random, words: int = 12) -> dict[Label, list[str]]:
    """Sentences of two speakers, each of a word of their own."""
    made: dict[Label, list[str]] = {}
    for label in LABELS[:2]:
        made[label] = [f"Es {''.join(rng.choices('bcdfghjklmnpqrstvwxz', k=9))} hier.\n" for _ in range(words)]
    return made


def test_some_authored_documents_are_scored_as_strangers() -> None:
    """Who knows what is composed of public texts only cannot tell the authored speakers by their words."""
    rng = random.Random(5)
    ours, public = voices(rng), voices(rng)
    made = []
    for k in range(120):
        for name, of, line, kind in ((f"a-{k}", ours, "+++", "authored x"), (f"m-{k}", public, "***", "post")):
            parts = [(rng.choice(of[label]), label) for label in rng.sample(LABELS[:2], 2)]
            made.append(document(name, *parts, (line, "boilerplate"), group=f"bucket-{k % BUCKETS}", kind=kind))
    data = prepared(made)
    authored = data.authored[data.batch.document] & (data.gold < 2)
    found = scored(data, Settings(iterations=8, folds=2, jobs=1))
    for name, least, most in (("kin", 0.99, 1.0), ("strangers", 0.1, 0.9)):
        scores = getattr(found, name)[authored, 0]
        told = scores[data.gold[authored] == 1][:, None] > scores[data.gold[authored] == 0][None]
        assert least <= told.mean() <= most, name


def test_without_public_texts_the_authored_have_no_strangers() -> None:
    """What is composed of authored documents alone teaches nothing that these do not say themselves."""
    alone = pages(60)
    composed = [replace(d, name=f"made-{d.name}", kind="post") for d in alone]
    data = prepared([*alone, *composed])
    assert not data.composed_only.any()
    authored = data.authored[data.batch.document]
    found = scored(data, QUICK)
    assert np.abs(found.kin - found.strangers)[authored].max() < 1e-5
    assert np.abs(found.kin - found.strangers)[~authored].max() > 0.1


def test_strangers_who_are_never_asked_are_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [replace(d, kind="post" if k % 3 else d.kind) for k, d in enumerate(pages(60))]
    data = prepared(made)
    fitted: list[NDArray[np.int64]] = []
    monkeypatch.setattr(
        stack, "fit_sentence_model", lambda *given: fitted.append(given[1]) or fit_sentence_model(*given)
    )
    some, none = (scored(data, replace(QUICK, strangers=share)) for share in (0.5, 0.0))
    assert len(fitted) > 2 * QUICK.folds
    assert (none.strangers == none.kin).all()
    assert (some.kin == none.kin).all()
    assert (some.strangers != some.kin).any()


def test_documents_of_one_source_are_too_few() -> None:
    with pytest.raises(TrainingError, match="all of one source"):
        scored(prepared([replace(d, group="bucket-3") for d in pages(6)]), QUICK)


def test_strangers_that_lack_a_label_in_a_fold_are_no_strangers() -> None:
    """All commentary that only composed documents have is in one bucket: without it no model of them can be fitted."""
    authored = pages(20)
    made = []
    for b in range(BUCKETS):
        parts: list[tuple[str, Label]] = [(f"Die Brücke bleibt zu, sagt das Amt in Ort {b}.\n", "article")]
        parts += [("Das glaubt doch keiner mehr, Leute!\n", "commentary")] if b == 4 else []
        parts.append((f"+++ {b}\n", "boilerplate"))
        made += [document(f"m{b}-{n}", *parts, group=f"bucket-{b}", kind="post") for n in range(3)]
    data = prepared([*authored, *made])
    found = scored(data, QUICK)
    ours = data.authored[data.batch.document]
    assert (found.strangers[ours] == found.kin[ours]).all()


def test_a_word_of_one_bucket_alone_teaches_nothing() -> None:
    """Each bucket has words of its own that give its labels away, to models that have seen the bucket."""
    rng = random.Random(3)
    documents = []
    for b in range(BUCKETS):
        for k in range(4):
            word = "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=12))
            label: Label = ("article", "commentary")[k % 2]
            documents.append(document(f"d{b}-{k}", (f"es {word} hier\n" * 4, label), group=f"bucket-{b}"))
        documents.append(document(f"f{b}", ("+++\n", "boilerplate"), group=f"bucket-{b}"))
    data = prepared(documents)
    rows = np.arange(len(data.gold))
    settings = Settings(iterations=8, folds=2, jobs=1)
    spoken = data.gold < 2
    model, _ = fit_sentence_model(data, rows, settings)
    for scores, least, most in (
        (matrix_scores(model, data, rows), 0.98, 1.0),
        (scored(data, settings).kin, 0.25, 0.75),
    ):
        right = (scores[spoken, 0] > np.median(scores[spoken, 0])) == (data.gold[spoken] == 1)
        assert least <= right.mean() <= most


def test_buckets_left_out_leave_no_trace(small: Prepared) -> None:
    """A model of some buckets is the same whatever the other buckets say."""
    kept = np.array([0, 1, 2, 3, 5, 6, 8])
    strange = [
        d if d.bucket in kept else document(d.name, ("Ganz etwas anderes!\n" * 3, "commentary"), group=d.group)
        for d in small.documents
    ]
    one, other = (pack(fit.fit(data, kept, QUICK))[0] for data in (small, prepared(strange)))
    with np.load(io.BytesIO(one)) as a, np.load(io.BytesIO(other)) as b:
        assert a.files == b.files
        for name in a.files:
            # Sums of single precision in another order may move the last bits.
            assert np.allclose(a[name], b[name], rtol=1e-6, atol=1e-4), name


def test_vectors_are_learned_without_the_bucket_they_are_for(small: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(len(small.gold))
    learned: list[set[int]] = []
    asked: list[set[int]] = []
    learn, vectors = embed.learn, embed.vectors

    def learning(data: Prepared, known: NDArray[np.int64]) -> Embedding:
        learned.append(set(data.row_bucket[known].tolist()))
        return learn(data, known)

    def asking(embedding: Embedding, data: Prepared, of: NDArray[np.int64]) -> NDArray[np.int16]:
        asked.append(set(data.row_bucket[of].tolist()))
        return vectors(embedding, data, of)

    monkeypatch.setattr(embed, "learn", learning)
    monkeypatch.setattr(embed, "vectors", asking)
    cross_fitted_vectors(small, rows, QUICK)
    assert len(learned) == len(asked) == QUICK.folds
    for known, of in zip(learned, asked, strict=True):
        assert known
        assert not known & of
    assert set.union(*asked) == set(small.row_bucket.tolist())


def test_folds_never_judge_what_they_were_fitted_on(
    small: Prepared, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[set[int]] = []

    def record(data: Prepared, buckets: NDArray[np.int64], settings: Settings) -> Model:
        trained.append(set(buckets.tolist()))
        return separator.model

    monkeypatch.setattr(fit, "fit", record)
    by_name = {d.name: d for d in small.documents}
    judged: list[str] = []
    for k, result in evaluate.on_folds(small, QUICK):
        names = [d.name for d in result.judged["degloss"]]
        assert names
        assert not {by_name[name].bucket for name in names} & trained[k]
        assert {by_name[name].bucket for name in names} | trained[k] == set(range(BUCKETS))
        judged += names
    assert sorted(judged) == sorted(by_name)
    assert len(trained) == evaluate.OUTER_FOLDS
    # A fold without documents has nothing to say, and no model.
    some = replace(small, documents=[d for d in small.documents if d.bucket % evaluate.OUTER_FOLDS != 2])
    assert [k for k, _ in evaluate.on_folds(some, QUICK)] == [0, 1, 3, 4]
    assert len(trained) == 2 * evaluate.OUTER_FOLDS - 1


def test_a_seed_is_judged_by_a_model_without_its_group(separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Prepared] = []

    def record(data: Prepared, buckets: NDArray[np.int64], settings: Settings) -> Model:
        assert buckets.tolist() == list(range(BUCKETS))
        trained.append(data)
        return separator.model

    def composed(documents: Sequence[Document]) -> Prepared:
        made = compose.compose(sources.gather(documents, None), {"appended": 3 * BUCKETS}, 1)
        return prepared([*documents, *made, *(compose.relay(d, 1) for d in documents)])

    monkeypatch.setattr(fit, "fit", record)
    monkeypatch.setattr(sources, "LEAST", 0)
    text = (
        ("Der Kran von {0} steht im Hof{0} und dreht sich am Montag.\n\n", "article"),
        ("Ich glaube {0} nicht!", "commentary"),
    )
    ours = [
        document(f"d{k}", *((t.format(f"Xa{k // 2}x"), label) for t, label in text), group=f"g{k // 2}")
        for k in range(80)
    ]
    labelled = [replace(d, kind="seed") if d.group in ("g3", "g20") else d for d in ours]
    judged = [[d.name for d in found.judged["degloss"]] for found in evaluate.on_seeds(labelled, composed, QUICK)]
    assert judged == [["d40", "d41"], ["d6", "d7"]]
    for data, group in zip(trained, (20, 3), strict=True):
        texts = [d.text for d in data.documents]
        assert len(texts) > 2 * (len(labelled) - 2)
        assert not any(f"Xa{group}x" in t for t in texts)
        assert all(any(f"Xa{k}x" in t for t in texts) for k in range(40) if k != group)


def test_documents_of_a_group_are_never_on_two_sides() -> None:
    documents = [document(f"g{k}-{i}", ("Das ist so.", "article"), group=f"g{k}") for k in range(40) for i in range(3)]
    data = prepared(documents)
    present = np.unique(data.row_bucket)
    for folds in (2, 5):
        fold = fold_of(data.row_bucket, present, folds)
        assert set(fold.tolist()) == set(range(folds))
        for k in range(40):
            mine = [i for i, d in enumerate(data.documents) if d.group == f"g{k}"]
            assert len(set(fold[mine].tolist())) == 1


def test_composed_and_relaid_documents_stay_in_the_bucket_of_their_source() -> None:
    folder = Path(__file__).parents[1] / "training" / "corpus"
    ours = corpus.load(folder)
    documents = recipe.documents(ours, None)
    labelled = {d.name: d for d in ours}
    relaid = [d for d in documents if d.name.startswith("relay-")]
    assert len(relaid) > 100
    assert all(d.bucket == labelled[d.name.split("-", 2)[2]].bucket for d in relaid)
    composed = [d for d in documents if d.group.startswith("bucket-")]
    assert len(composed) > 300
    # Whole long sentences of a composed document stand in documents of its bucket alone.
    home: dict[str, set[int]] = {}
    for d in labelled.values():
        for sentence in long_sentences(d):
            home.setdefault(sentence, set()).add(d.bucket)
    checked = 0
    for d in composed[::5]:
        for sentence in long_sentences(d):
            if sentence in home:
                assert d.bucket in home[sentence], d.name
                checked += 1
    assert checked > 500


def test_documents_made_several_times_weigh_as_much_less(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = corpus.load(Path(__file__).parents[1] / "training" / "corpus")[::20]
    monkeypatch.setattr(recipe, "LAYOUTS", dict.fromkeys(recipe.LAYOUTS, 60))
    made: dict[int, tuple[Counter[str], dict[str, float]]] = {}
    for times in (1, 3):
        monkeypatch.setattr(recipe, "TIMES", times)
        documents = recipe.documents(ours, None)
        assert len({d.name for d in documents}) == len(documents)
        assert len({d.text for d in documents}) > 0.95 * len(documents)
        data = recipe.as_arrays(documents)
        kinds = np.array([d.kind for d in documents])[data.batch.document]
        weights = {k: float(data.chain_weight[kinds == k].max()) for k in set(kinds.tolist())}
        made[times] = Counter(d.kind for d in documents), weights
    for kind, number in made[1][0].items():
        several = kind in recipe.LAYOUTS or kind.startswith("relay")
        assert made[3][0][kind] == number * (3 if several else 1), kind
        assert made[3][1][kind] == pytest.approx(made[1][1][kind] / (3 if several else 1)), kind


def test_ngrams_are_kept_once_for_each_sentence() -> None:
    text = "Der Rat stimmt zu. Na toll, wieder nichts!\nTeilen Sie diesen Beitrag"
    data = prepared([document(f"d{k}", (text, "article"), group="bucket-0") for k in range(4)])
    sentences = len(data.gold) // 4
    assert data.twin.tolist() == list(range(sentences)) * 4
    assert data.ngrams.getnnz(1)[sentences:].tolist() == [0] * 3 * sentences
    assert (data.ngrams.getnnz(1)[:sentences] > 5).all()
    assert_sharing_changes_nothing(data)


def assert_sharing_changes_nothing(data: Prepared) -> None:
    rows = np.arange(len(data.gold))
    mean, spread = np.zeros(data.cues.voice, np.float32), np.ones(data.cues.voice, np.float32)
    matrix = design(data, rows, mean, spread, 0)[:, : 1 << TABLE_BITS]
    assert (matrix != ngram_matrix(data.batch, data.words, rows)).nnz == 0
    voice = data.cues.values[:, : data.cues.voice]
    assert (voice == voice[data.twin]).all()


def test_sentences_share_only_the_same_ngrams() -> None:
    """These stand between other characters, or begin a line here and not there."""
    texts = [
        "Es hilft. So ein Unsinn! Es hilft.", "Es hilft. So ein Unsinn!", "(So ein Unsinn!) Es hilft.",
        "Der Rat tagt.\n• Beim Geld wird gespart\n• So sei es", "Der Rat tagt • Beim Geld wird gespart • So sei es",
        "„Es hilft, sagt sie. Das reicht nicht aus.“", "Das reicht nicht aus.", "Es hilft. Das reicht nicht aus.",
        "Dazu gehört:\nc) Bewerbungen gelten weiter\nd) Ja", "Dazu gehört: c) Bewerbungen gelten weiter d) Ja",
    ]  # fmt: skip
    data = prepared([document(f"d{k}", (text, "article"), group="bucket-0") for k, text in enumerate(texts)])
    assert 0 < np.sum(data.twin != np.arange(len(data.gold))) < len(data.gold)
    assert_sharing_changes_nothing(data)


def long_sentences(d: Document) -> set[str]:
    words = (" ".join(s.split()) for span in d.spans if span.label != "boilerplate"
             for s in d.text[span.start : span.end].split("."))  # fmt: skip
    return {s for s in words if len(s) > 60}


# The whole of training.


@pytest.mark.parametrize("way", ["a file", "below a file", "read only"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(recipe, "prepared", lambda *_: pytest.fail("documents were prepared"))
    (tmp_path / "file").write_text("x")
    out = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "model", "read only": tmp_path / "closed"}[
        way
    ]
    if way == "read only":
        out.mkdir()
        monkeypatch.setattr(os, "access", lambda path, _: Path(path) != out)  # root may write everywhere
    with pytest.raises(OutputError, match="another"):
        train.train(tmp_path / "corpus", tmp_path / "gate", None, out, print)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("gold", "missing"),
    [
        ((0, 1, 2), set()),
        ((0, 2), {"F commentary", "macro F", "precision", "recall"}),
        ((0, 1), {"F boilerplate"}),
        ((0,), {"F commentary", "macro F", "precision", "recall", "F boilerplate"}),
    ],
)
def test_the_manifest_has_no_scores_of_labels_that_nothing_has(gold: tuple[int, ...], missing: set[str]) -> None:
    found = train.scores([Judged("a", "x", gold, gold), Judged("b", "x", (0,), (1,))])
    assert set(MEASURES) - set(found) == missing
    assert found["exact"] == 0.5


@pytest.mark.slow
def test_training_twice_gives_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`degloss train` on a small corpus, with fewer documents and iterations than the recipe has."""
    source = Path(__file__).parents[1] / "training" / "corpus"
    for name in ("corpus", "gate"):
        (tmp_path / name).mkdir()
    for k, path in enumerate(sorted(source.glob("c[12]-0[0-3]*.txt"))):
        target = "gate" if k % 9 == 0 else "corpus"
        (tmp_path / target / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(recipe, "LAYOUTS", dict.fromkeys(recipe.LAYOUTS, 6))
    monkeypatch.setattr(recipe, "SETTINGS", QUICK)
    made = []
    for name in ("one", "two"):
        said: list[str] = []
        began = time.process_time()
        facts = train.train(tmp_path / "corpus", tmp_path / "gate", None, tmp_path / name, said.append)
        assert time.process_time() - began < 120
        assert said[-1] == f"wrote {tmp_path / name}"
        assert facts["sources"]["corpus"]["sha256"] == corpus.digest(corpus.load(tmp_path / "corpus"))
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == {WEIGHTS, MANIFEST, train.CARD}
    loaded = load_model(tmp_path / "one").manifest
    assert loaded["recipe"] == "corpus alone"
    assert loaded["gate"]["sha256"] == corpus.digest(corpus.load(tmp_path / "gate"))
