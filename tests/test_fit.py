"""Fitting: what can be learned is learned, the same every time, and nothing learns from what it is tested on."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from degloss.artefact import MANIFEST, WEIGHTS, Model, load_model, pack
from degloss.decode import HIDDEN, Chain, emissions, potentials
from degloss.documents import LABELS, Label
from degloss.errors import OutputError, TrainingError
from degloss.messages import marginals
from degloss.separate import Separator
from degloss.vectors import DIMENSIONS, SOURCES, Embedding
from degloss_training import corpus, embed, evaluate, fit, recipe, stack, train
from degloss_training.chain import ChainData, chain_data, document_rows, fit_chain, mean_chain
from degloss_training.corpus import BUCKETS, Document
from degloss_training.prepare import Prepared
from degloss_training.sentence import fit_sentence_model, matrix_scores
from degloss_training.settings import Settings
from degloss_training.stack import Scores, cross_fitted_scores, cross_fitted_vectors, drawn, fold_of
from training_data import document, prepared

# Stopped early on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = Settings(iterations=5, chain_iterations=3, folds=2, jobs=1)
"""Not well fitted, but fitted: enough to see what a model depends on."""

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


def heard(data: Prepared, settings: Settings, draw: int = 0) -> NDArray[np.float64]:
    """The scores the chain is fitted on."""
    rows = np.arange(len(data.gold))
    return drawn(data, rows, cross_fitted_scores(data, rows, settings), settings, draw)


def chances(chain: Chain, data: ChainData) -> NDArray[np.float64]:
    emission = emissions(chain, data.features)
    return marginals(potentials(chain, data.batch, emission, data.edges))


# What can be learned is learned.


def test_both_models_learn_simple_pages(small: Prepared) -> None:
    settings = Settings(iterations=12, chain_iterations=12, folds=2, jobs=1)
    separator = Separator(fit.fit(small, np.arange(BUCKETS), settings))
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


def test_the_chain_learns_from_what_stands_around() -> None:
    data = prepared(twins(60))
    known, new = everything(data)[:40], everything(data)[40:]
    scores = np.zeros((len(data.gold), 2))
    vectors = unheard(data)
    lengths = [len(document_rows(data, d)) for d in (known, new)]
    parts = [chain_data(data, d, scores[:n], vectors[:n]) for d, n in zip((known, new), lengths, strict=True)]
    chain = fit_chain(parts[0], Settings(chain_iterations=25))
    found = chances(chain, parts[1])
    assert (found.argmax(1) == parts[1].gold).mean() > 0.95
    assert len(set(parts[1].gold.tolist())) == 3
    untrained = Chain(**{
        f.name: getattr(chain, f.name) * (1 if f.name in ("mean", "spread") else 0) for f in fields(Chain)
    })  # fmt: skip
    assert (chances(untrained, parts[1]).argmax(1) == parts[1].gold).mean() < 0.6


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
        chain = fit_chain(chain_data(data, everything(data), np.zeros_like(scores), unheard(data)), QUICK)
        assert len(chain.hidden_bias) == HIDDEN
        found = chances(chain, chain_data(data, everything(data), np.zeros_like(scores), unheard(data)))
        assert set(found.argmax(1).tolist()) == {LABELS.index(heavy)}


def test_the_gradient_is_that_of_the_loss(small: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Central differences along random directions, for every loss that is handed to the optimiser."""
    checked: list[float] = []

    def check(loss: Callable[..., Any], start: NDArray[np.float64], **_: object) -> Any:
        rng = np.random.default_rng(len(checked))
        place = start + rng.normal(0, 0.02, len(start))
        _, gradient = loss(place)
        # Weights are rounded to single precision inside: a step must be far larger than that.
        for step in (1e-2, 3e-2):
            direction = rng.normal(0, 1, len(start))
            # Half along the gradient, so that there is something to measure.
            direction = direction / np.linalg.norm(direction) + gradient / np.linalg.norm(gradient)
            slope = (loss(place + step * direction)[0] - loss(place - step * direction)[0]) / (2 * step)
            expected = float(gradient @ direction)
            assert abs(expected) > 0.01
            assert slope == pytest.approx(expected, rel=0.02)
            checked.append(slope)
        # One weight at a time: some of all, and the last ones, which few sentences move.
        for i in (*rng.integers(0, len(start), 20).tolist(), -1, -2, -3):
            step_i = np.zeros(len(start))
            step_i[i] = 0.03
            slope = (loss(place + step_i)[0] - loss(place - step_i)[0]) / 0.06
            assert slope == pytest.approx(gradient[i], abs=5e-4)
        assert np.abs(gradient[-3:]).max() > 0.02
        return type("Result", (), {"x": place})

    monkeypatch.setattr("scipy.optimize.minimize", check)
    scores = np.random.default_rng(0).normal(0, 2, (len(small.gold), 2))
    fit_chain(chain_data(small, everything(small), scores, unheard(small)), QUICK)
    assert checked


# The same every time.


def test_fitting_twice_gives_the_same_bytes(small: Prepared) -> None:
    """Also from documents prepared anew, and with two jobs at a time."""
    parallel = Settings(**{**vars(QUICK), "jobs": 2})
    one = pack(fit.fit(small, np.arange(BUCKETS), QUICK))
    assert pack(fit.fit(prepared(pages(60)), np.arange(BUCKETS), parallel)) == one


def test_the_seed_matters(small: Prepared) -> None:
    data = chain_data(small, everything(small), np.zeros((len(small.gold), 2)), unheard(small))
    one, other = (fit_chain(data, Settings(chain_iterations=1, seed=seed)) for seed in (0, 1))
    assert (one.hidden != other.hidden).any()


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
    before, after = (heard(data, QUICK) for data in (small, other))
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
    for strangers, least, most in ((0.0, 1.0, 1.0), (1.0, 0.1, 0.8), (0.5, 0.5, 0.99)):
        settings = Settings(iterations=8, folds=2, jobs=1, strangers=strangers)
        scores = heard(data, settings)[composed, 0]
        ranks = scores[:, None] > scores[None]
        told = ranks[data.gold[composed] == 1][:, data.gold[composed] == 0]
        assert least <= told.mean() <= most, strangers


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
    for strangers, least, most in ((0.0, 0.99, 1.0), (1.0, 0.1, 0.9)):
        settings = Settings(iterations=8, folds=2, jobs=1, strangers=strangers)
        scores = heard(data, settings)[authored, 0]
        told = scores[data.gold[authored] == 1][:, None] > scores[data.gold[authored] == 0][None]
        assert least <= told.mean() <= most, strangers


def test_without_public_texts_the_authored_have_no_strangers() -> None:
    """What is composed of authored documents alone teaches nothing that these do not say themselves."""
    alone = pages(60)
    composed = [replace(d, name=f"made-{d.name}", kind="post") for d in alone]
    data = prepared([*alone, *composed])
    assert not data.public.any()
    authored = data.authored[data.batch.document]
    scores = [heard(data, replace(QUICK, strangers=share))[authored] for share in (0.0, 1.0)]
    assert np.abs(scores[0] - scores[1]).max() < 1e-5


def strangers(data: Prepared, settings: Settings, draw: int) -> dict[str, bool]:
    """Of each document whether its sentences are scored by strangers."""
    rows = np.arange(len(data.gold))
    scores = Scores(np.zeros((len(rows), 2)), np.ones((len(rows), 2)))
    told = drawn(data, rows, scores, settings, draw)
    assert (told[:, 0] == told[:, 1]).all()
    of = {d.name: set(told[data.batch.rows(i), 0].tolist()) for i, d in enumerate(data.documents)}
    assert all(len(found) == 1 for found in of.values())
    return {name: found == {1.0} for name, found in of.items()}


def test_who_is_scored_by_strangers_does_not_depend_on_other_documents(small: Prepared) -> None:
    whole = strangers(small, QUICK, 0)
    for some in (small.documents[1::2], small.documents[::-1]):
        part = strangers(prepared(some), QUICK, 0)
        assert part == {name: whole[name] for name in part}


def test_each_draw_has_its_share_of_strangers(small: Prepared) -> None:
    draws = [strangers(small, replace(QUICK, strangers=0.5), draw) for draw in range(3)]
    assert all(0.3 <= np.mean(list(draw.values())) <= 0.7 for draw in draws)
    assert draws[0] != draws[1] != draws[2] != draws[0]
    assert not any(strangers(small, replace(QUICK, strangers=0.0), 0).values())
    assert all(strangers(small, replace(QUICK, strangers=1.0), 0).values())


def test_the_model_has_the_mean_of_the_chains_of_all_draws(small: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains on scores that differ as the draws do; equal chains stay as they are."""
    # The small pages alone have no public texts, so that kin and strangers would say the same.
    real = stack.drawn
    monkeypatch.setattr(fit, "drawn", lambda *given: real(*given) + 0.1 * given[-1])
    fitted: list[Chain] = []
    monkeypatch.setattr(fit, "fit_chain", lambda *given: fitted.append(fit_chain(*given)) or fitted[-1])
    model = fit.fit(small, np.arange(BUCKETS), replace(QUICK, draws=3))
    assert len(fitted) == 3
    for field in fields(Chain):
        parts = [getattr(chain, field.name) for chain in fitted]
        mean = getattr(model.chain, field.name)
        assert mean.dtype == np.float32
        assert np.allclose(mean, (parts[0] + parts[1] + parts[2]) / 3, atol=1e-6)
        assert (getattr(mean_chain([fitted[0]]), field.name) == parts[0]).all()
    assert (fitted[0].weights != fitted[1].weights).any()


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
        (heard(data, settings), 0.25, 0.75),
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
            assert a[name] == pytest.approx(b[name], abs=1e-4), name


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


def test_a_seed_is_judged_by_a_model_of_the_other_buckets(
    separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[set[int]] = []

    def record(data: Prepared, buckets: NDArray[np.int64], settings: Settings) -> Model:
        trained.append(set(buckets.tolist()))
        return separator.model

    monkeypatch.setattr(fit, "fit", record)
    data = prepared([replace(d, kind="seed") if k % 9 == 0 else d for k, d in enumerate(pages(60))])
    seeds = {d.name: d for d in data.documents if d.kind == "seed"}
    judged = [[d.name for d in result.judged["degloss"]] for result in evaluate.on_seeds(data, QUICK)]
    assert sorted(name for names in judged for name in names) == sorted(seeds)
    for names, buckets in zip(judged, trained, strict=True):
        assert {seeds[name].bucket for name in names} == set(range(BUCKETS)) - buckets
        assert len(buckets) == BUCKETS - 1


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
    documents = recipe.documents(folder, None)
    labelled = {d.name: d for d in corpus.load(folder)}
    relaid = [d for d in documents if d.name.startswith("relay-")]
    assert len(relaid) > 100
    assert all(d.bucket == labelled[d.name.removeprefix("relay-")].bucket for d in relaid)
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
