"""What is measured: stages, end to end against baselines, scaling, processes, start-up, memory."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.texts import KINDS, about, megabytes, of_size
from bench.timing import peak_megabytes, shortest, shortest_commands, shortest_in_pieces
from degloss import segment
from degloss.classify import sentence_scores
from degloss.context import context
from degloss.cues import voices
from degloss.decode import decisions, evidence
from degloss.encode import encode
from degloss.ngrams import grams
from degloss.separate import Separator, separations, shipped
from degloss.vectors import sentence_vectors
from degloss.words import look_up

Table = dict[str, dict[str, float]]


def stages(texts: list[str], rounds: int) -> Table:
    """Milliseconds a megabyte of each stage, of batches of about a slice and of one document a call."""
    single = about(texts, 5_000)[:100]
    return {
        "batched": _stages(_packed(texts), rounds),
        "one a call": _stages([[text] for text in single], rounds),
    }


def _packed(texts: list[str], size: int = 250_000) -> list[list[str]]:
    packs: list[list[str]] = [[]]
    for text in texts:
        if sum(map(len, packs[-1])) >= size:
            packs.append([])
        packs[-1].append(text)
    return packs


def _stages(packs: list[list[str]], rounds: int) -> dict[str, float]:
    model = shipped().model
    best: dict[str, float] = {}
    for _ in range(rounds):
        spent: defaultdict[str, float] = defaultdict(float)
        clock = time.process_time()

        def lap(name: str, spent: defaultdict[str, float] = spent) -> None:
            nonlocal clock
            now = time.process_time()
            spent[name] += now - clock
            clock = time.process_time()

        for texts in packs:
            for text in texts:
                segment.cuts(text)
            lap("segment")
            batch = encode(texts)
            lap("encode: code points, classes, words")  # and segment once more
            words = look_up(batch)
            lap("words: hashes, look-ups")
            looks = voices(batch, words)
            lap("cues of the sentence")
            gram = grams(batch, words)
            scores = sentence_scores(model.sentence, gram, looks)
            lap("n-grams: hashes, look-ups, sums")
            vectors = sentence_vectors(model.embedding, gram)
            lap("vectors")
            around = context(batch, looks, scores, vectors)
            for _ in around.blocks():
                pass
            lap("cues of the place, running sums, context features")
            logs = evidence(model.chain, model.memory, around)
            lap("memory, edges")  # and the line before once more
            found = decisions(model.chain, logs, "balanced")
            lap("chain, decision")
            separations(batch, scores, *found)
            lap("result")
        for part, whole in _ONCE_MORE.items():
            spent[whole] -= spent[part]
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in spent.items()}
    size = megabytes([text for texts in packs for text in texts])
    return {name: seconds / size * 1e3 for name, seconds in best.items()}


_ONCE_MORE = {
    "segment": "encode: code points, classes, words",
    "cues of the place, running sums, context features": "memory, edges",
}
"""Stages that cannot be timed without the one before them."""


def end_to_end(texts: list[str], rounds: int) -> Table:
    """Megabytes a second, and how many times the scikit-learn pipeline that is."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    separator, single = shipped(), about(texts, 5_000)[:100]
    sample = texts[:: max(len(texts) // 60, 1)]
    sentences = [f.text[s.start : s.end] for f in separator.separate_many(sample) for s in f.sentences]
    labels = np.arange(len(sentences)) % 3
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=1 << 18)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # any weights will do: only applying them is timed
        linear = LogisticRegression(max_iter=3).fit(vectorizer.transform(sentences), labels)
    lines = [" ".join(sentence.split()) for sentence in sentences]
    works: dict[str, tuple[list[str], list[Callable[[], object]]]] = {
        "degloss, batched": (texts, [partial(separator.separate_batch, pack) for pack in _packed(texts)]),
        "degloss, one document of about 5 KB a call": (single, [partial(separator.separate, text) for text in single]),
        "scikit-learn, sentences already split": (
            sentences, [partial(_predicted, linear, vectorizer, piece) for piece in _pieces(sentences)]
        ),
    }  # fmt: skip
    if find_spec("fasttext") is not None:
        model = _fasttext(lines, labels.tolist())
        works["fastText, sentences already split"] = (lines, [partial(model.predict, p) for p in _pieces(lines)])
    best = shortest_in_pieces({name: pieces for name, (_, pieces) in works.items()}, rounds)
    speed = {name: megabytes(some) / best[name] for name, (some, _) in works.items()}
    floor = speed["scikit-learn, sentences already split"]
    return {name: {"MB/s": value, "× scikit-learn": value / floor} for name, value in speed.items()}


def _predicted(linear: Any, vectorizer: Any, sentences: list[str]) -> object:
    return linear.predict(vectorizer.transform(sentences))


def _pieces(sentences: list[str]) -> list[list[str]]:
    return [sentences[i : i + 500] for i in range(0, len(sentences), 500)]


def _fasttext(lines: list[str], labels: list[int]) -> Any:
    import fasttext

    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"__label__{k} {line}\n" for k, line in zip(labels, lines, strict=True))
        file.flush()
        return fasttext.train_supervised(file.name, epoch=1, minn=2, maxn=5, wordNgrams=2, bucket=1 << 18, verbose=0)


def document_sizes(texts: list[str], largest: int, rounds: int) -> Table:
    """Milliseconds a megabyte by the size of one document: running text, one line."""
    separator = shipped()
    sizes = (4_000, 16_000, 64_000, 250_000, 1_000_000, 4_000_000, 16_000_000, 64_000_000)
    found: Table = {"text": {}, "one line": {}}
    for size in sizes:
        if size <= largest:
            for name in found:
                text = of_size(texts, size, one_line=name == "one line")
                found[name][f"{size // 1000} KB"] = _cost(separator, text, rounds if size < 1_000_000 else 2)
    return found


def slow_inputs(texts: list[str], rounds: int) -> Table:
    """Milliseconds a megabyte of the slowest inputs, short and long; the last column is their ratio."""
    separator = shipped()
    found: Table = {}
    for name, unit in {"running text": of_size(texts, 64_000), **KINDS}.items():
        short, long = (unit * max(size // len(unit), 1) for size in (64_000, 1_000_000))
        costs = _cost(separator, short, rounds), _cost(separator, long, 2)
        found[name] = {"64 KB": costs[0], "1 MB": costs[1], "ratio": costs[1] / costs[0]}
    return found


def _cost(separator: Separator, text: str, rounds: int) -> float:
    return shortest({"": lambda: separator.separate(text)}, rounds)[""] / megabytes([text]) * 1e3


def batch_sizes(texts: list[str], rounds: int) -> Table:
    """Megabytes a second by documents a call."""
    separator, some = shipped(), texts[:256]
    works = {
        str(n): (lambda n=n: [separator.separate_batch(some[i : i + n]) for i in range(0, len(some), n)])
        for n in (1, 2, 4, 8, 16, 32, 64, 128, 256)
    }  # fmt: skip
    return {"documents a call": {n: megabytes(some) / s for n, s in shortest(works, rounds).items()}}


def processes(texts: list[str], most: int = 2) -> Table:
    """Megabytes a second (wall clock) by processes that share the texts; each has loaded its model before."""
    found = {}
    for workers in range(1, most + 1):
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            parts = [texts[i::8] for i in range(8)]
            list(pool.map(_count, parts))  # until here: start and load
            times = []
            for _ in range(5):
                began = time.perf_counter()
                list(pool.map(_count, parts))
                times.append(time.perf_counter() - began)
        found[str(workers)] = megabytes(texts) / min(times)
    return {"processes": found}


def _count(texts: list[str]) -> int:
    return sum(map(len, shipped().separate_many(texts)))


def start_up(texts: list[str], rounds: int) -> Table:
    """Milliseconds of wall clock until the end, and the ratios the issue asks for."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.txt")
        page.write_text(of_size(texts, 5_000), encoding="utf-8")
        python = sys.executable
        best = shortest_commands(
            {
                "python": [python, "-c", ""],
                "import numpy": [python, "-c", "import numpy"],
                "import degloss": [python, "-c", "import degloss"],
                "import numpy, typer": [python, "-c", "import numpy, typer"],
                "degloss clean FILE": [str(Path(python).with_name("degloss")), "clean", str(page)],
            },
            rounds,
        )
    floors = {"import degloss": "import numpy", "degloss clean FILE": "import numpy, typer"}
    return {
        name: {"ms": seconds * 1e3, "× floor": seconds / best[floors.get(name, name)]} for name, seconds in best.items()
    }


def memory(texts: list[str], largest: int) -> Table:
    """Peak memory of `degloss clean` in MB, by the size of one document, and of JSON lines of short documents."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    makers: dict[str, Callable[[int], str]] = {
        "one document": lambda size: of_size(texts, size),
        "one line": lambda size: of_size(texts, size, one_line=True),
        "sentences of 16 characters": lambda size: "Das ist ein kurzer Satz. Ja ja.\n" * (size // 32),
        "sentences of 7 characters": lambda size: "Na ja. " * (size // 7),
        "lines of two letters": lambda size: "ab\n" * (size // 3),
        "JSON lines": lambda size: lines * (size // len(lines) + 1),
    }
    found: Table = {name: {} for name in makers}
    with tempfile.TemporaryDirectory() as folder:
        command = str(Path(sys.executable).with_name("degloss"))
        for size in (1_000_000, 4_000_000, 16_000_000, 64_000_000):
            for name, make in makers.items():
                # The pathological ones only as far as they tell something.
                if size > (largest if "of" not in name else min(largest, 16_000_000)):
                    continue
                path = Path(folder, "page.jsonl" if name == "JSON lines" else "page.txt")
                path.write_text(make(size), encoding="utf-8")
                found[name][f"{size // 1_000_000} MB"] = peak_megabytes([command, "clean", str(path)])
    return found
