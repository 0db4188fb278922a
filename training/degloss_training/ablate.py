"""Ablations: what a family of features or a source of data is worth.

One grouped split, for a full cross-validation each would take a day: the models see the buckets below `TEST`, and are
judged on the labelled documents of the other buckets with the gate set, and on real text. Each ablation trains the
recipe anew without one thing, with a share of its composed documents, and fewer inner folds, or it would take
hours; its worth is what is lost without it, resampled over documents in pairs (`metric.difference`). Negative
numbers say that the model is better without it (of "article lost": positive ones).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from degloss import context
from degloss.artefact import Model
from degloss.boundary import BOUNDARY, EDGES
from degloss.decode import Spoken, Waiting, answers, heard, turned
from degloss.documents import LABELS, Segment
from degloss.messages import marginals
from degloss.vectors import SOURCES
from degloss_training import corpus, embed, evaluate, fit, recipe
from degloss_training.chain import ChainData, chain_data, document_rows
from degloss_training.corpus import Document
from degloss_training.metric import Interval, Judged, difference, judge, score
from degloss_training.prepare import Prepared, ngram_matrix
from degloss_training.sentence import matrix_scores

TEST: Final = (8, 9)
SHARE: Final = 0.3
SETTINGS: Final = replace(recipe.SETTINGS, folds=3)
MEASURES: Final = ("F commentary", "article lost", "F boilerplate")
FULL: Final = "the whole recipe"

Keep = Callable[[str], bool]
"""Whether something of this name stays."""


def _everything(_: str) -> bool:
    return True


def _without(*prefixes: str) -> Keep:
    return lambda name: not name.startswith(prefixes)


@dataclass(frozen=True)
class Ablation:
    """The recipe without one thing: what stays of n-gram families, cues, context features, boundary cues, documents.

    memory  whether the chain is told what is remembered
    """

    name: str
    families: Keep = _everything
    cues: Keep = _everything
    context: Keep = _everything
    edges: Keep = _everything
    documents: Keep = _everything
    memory: bool = True


ABLATIONS: Final = (
    Ablation(FULL),
    Ablation("words and word pairs", families=_without("word")),
    Ablation("skeleton n-grams", families=_without("skeleton")),
    Ablation("character n-grams", families=_without("characters")),
    Ablation("lexicons", cues=_without("lexicon", "any")),
    Ablation("marks, slips and emoji", cues=_without("count", "slip", "repeated", "starts", "ends", "share")),
    Ablation("quotation state", cues=_without("quotation")),
    Ablation("lines and place", cues=_without("line", "paragraph", "document", "wide gap")),
    Ablation("means of the document", context=_without("document:")),
    Ablation("likeness", context=_without("likeness"), edges=_without("likeness")),
    Ablation("looks of a boundary", edges=_without(*BOUNDARY)),
    Ablation("memory", memory=False),
    Ablation("authored documents", documents=_without("authored", "relay")),
    Ablation("documents laid anew", documents=_without("relay")),
    Ablation("composed pages", documents=_without("appended", "marked", "pure", "front", "middle", "inline", "thread")),
    Ablation("composed posts", documents=_without("post", "forward", "own", "teaser", "digest")),
    Ablation("composed short texts", documents=_without("short")),
    Ablation("pure articles", documents=_without("pure")),
)
"""Chosen so that each source of data and each family of features is missing once, but for the lengths of a sentence and
its words, and its links."""


@dataclass(frozen=True, eq=False)
class Bench:
    """All documents as arrays, and which are for training and which for judging.

    real  the annotated units of the documents that are real text, by name
    sets  what each judged document counts for
    """

    data: Prepared
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    real: dict[str, list[tuple[int, int, str]]]
    sets: dict[str, str]


def bench(folder: Path, gate: Path, public: Path | None, real: Sequence[Path]) -> Bench:
    """The documents of the recipe, the gate set and the files of real text, prepared once for all ablations."""
    ours = recipe.documents(corpus.load(folder), public, SHARE)
    held = [replace(d, kind="gate") for d in corpus.load(gate)]
    # Ids may repeat within a file, so the number of the row is what a document goes by.
    rows = {
        f"{name}/{number}": (name, row)
        for name, path in zip(map(evaluate.set_name, real), real, strict=True)
        for number, row in enumerate(evaluate.read(path))
    }
    found = [Document(key, "bucket-0", name, row[2], ()) for key, (name, row) in rows.items()]
    data = recipe.as_arrays([*ours, *held, *found])
    ours_only = np.arange(len(data.documents)) < len(ours)
    inside = np.isin(data.bucket, TEST)
    labelled = np.array(
        [d.kind == "gate" or (d.kind.startswith("authored") and i) for d, i in zip(data.documents, inside, strict=True)]
    )
    outside = np.arange(len(data.documents)) >= len(ours) + len(held)
    return Bench(
        data,
        np.flatnonzero(ours_only & ~inside),
        np.flatnonzero(labelled | outside),
        {key: row[3] for key, (_, row) in rows.items()},
        {d.name: d.kind if i else "authored" for d, i in zip(data.documents, outside, strict=True)},
    )


def run(bench: Bench, ablations: Sequence[Ablation] = ABLATIONS) -> Iterator[tuple[Ablation, list[Judged]]]:
    """Each ablation with its judged documents; the first should be the full recipe."""
    for ablation in ablations:
        yield ablation, judged(bench, ablation)


def judged(bench: Bench, ablation: Ablation) -> list[Judged]:
    """Trains without what the ablation leaves out, and judges."""
    data = _reduced(bench.data, ablation)
    train = np.array([d for d in bench.train if ablation.documents(data.documents[d].kind)])
    settings = replace(SETTINGS, remembers=ablation.memory)
    with fit.steadily():
        # A document whose length is left out has no sentences, by which is divided: a boundary of a short document.
        warnings.filterwarnings("ignore", "divide by zero", RuntimeWarning)
        model = fit.fit_documents(data, train, settings, partial(_seen, ablation))
        return list(_judge(bench, data, model, ablation))


def _reduced(data: Prepared, ablation: Ablation) -> Prepared:
    names = data.cues.names
    values = data.cues.values.copy()
    values[:, [i for i, name in enumerate(names) if not ablation.cues(name)]] = 0
    ngrams = data.ngrams
    if ablation.families is not _everything:
        ngrams = ngram_matrix(data.batch, data.words, data.twin, ablation.families)
    nothing = sparse.csr_matrix(ngrams.shape, dtype=np.float32)
    counts = (of if ablation.families(source) else nothing for source, of in zip(SOURCES, data.counts, strict=True))
    return replace(data, cues=replace(data.cues, values=values), ngrams=ngrams, counts=tuple(counts))


def _seen(
    ablation: Ablation,
    data: Prepared,
    documents: NDArray[np.int64],
    scores: NDArray[np.float64],
    vectors: NDArray[np.int16],
) -> ChainData:
    seen = chain_data(data, documents, scores, vectors)
    seen.features[:, [i for i, n in enumerate(context.names(data.cues)) if not ablation.context(n)]] = 0
    seen.edges[:, [i for i, name in enumerate(EDGES) if not ablation.edges(name)]] = 0
    return seen


def logs(model: Model, data: ChainData) -> NDArray[np.float32]:
    """(n, 3, 3) the potentials of documents as training sees them."""
    opens = np.zeros(len(data.gold) + 1, bool)
    opens[data.batch.documents] = True
    here = Waiting(heard(model.chain, data.features), turned(model.chain, data.edges), opens[:-1])
    return Spoken(np.arange(len(data.gold)), *answers(model.chain, model.memory, here, here.opens)).potentials


def _judge(bench: Bench, data: Prepared, model: Model, ablation: Ablation) -> Iterator[Judged]:
    rows = document_rows(data, bench.test)
    scores, vectors = matrix_scores(model.sentence, data, rows), embed.vectors(model.embedding, data, rows)
    seen = _seen(ablation, data, bench.test, scores, vectors)
    said = marginals(logs(model, seen)).argmax(1)
    for place, number in enumerate(bench.test):
        document = data.documents[number]
        mine = seen.batch.rows(place)
        offset = data.batch.offsets[number]
        starts, ends = seen.batch.starts[mine] - offset, seen.batch.ends[mine] - offset
        found = [
            Segment(start, end, LABELS[label])
            for start, end, label in zip(starts.tolist(), ends.tolist(), said[mine].tolist(), strict=True)
        ]
        units = bench.real.get(document.name)
        if units is None:
            units = [(s.start, s.end, LABELS[g]) for s, g in zip(found, seen.gold[mine].tolist(), strict=True)]
        yield judge(document.name, bench.sets[document.name], units, found)


def worth(whole: Sequence[Judged], without: Sequence[Judged]) -> dict[str, dict[str, Interval]]:
    """By set, how much each measure is better with the thing than without it; intervals as in `metric`."""
    sets = dict.fromkeys(d.kind for d in whole)
    return {
        kind: difference([d for d in whole if d.kind == kind], [d for d in without if d.kind == kind]) for kind in sets
    }


def rows(name: str, whole: Sequence[Judged], judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Rows of the table, one a set: the full recipe's measures, or what is lost without the thing of this name."""
    if name == FULL:
        sets = dict.fromkeys(d.kind for d in whole)
        name, values = "nothing: the measures themselves", {s: score([d for d in whole if d.kind == s]) for s in sets}
    else:
        values = worth(whole, judged)
    return [{"without": name, "set": s, **{m: of[m].figures for m in MEASURES}} for s, of in values.items()]


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    table = pd.DataFrame(
        [{k: _cell(v) if isinstance(v, dict) else v for k, v in row.items()} for row in rows], dtype=object
    )
    head = "| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns)
    body = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False))
    return f"## Ablations: with it minus without it\n\n{head}\n{body}\n"


def _cell(figures: dict[str, float | None]) -> str:
    return Interval.of(figures).shown("+.3f", "+.3f")
