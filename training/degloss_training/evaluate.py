"""Evaluation: on folds of the corpus no part of the model has seen, on the gate set, and on files of real text.

The folds are whole buckets, so a source is never on two sides. Every figure comes beside two baselines and with an
interval over documents; nothing is chosen here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.documents import LABELS, Favor, Segment, Sentence, Separation
from degloss.encode import encode
from degloss.errors import TrainingError
from degloss.separate import Separator
from degloss.show import visible
from degloss_training import fit, seen
from degloss_training.baselines import at_the_marker, without_context
from degloss_training.corpus import BUCKETS, Document
from degloss_training.metric import Judged, judge
from degloss_training.prepare import Prepared, gold_labels
from degloss_training.settings import Settings

SYSTEMS = ("degloss", "sentence model alone", "regular expression")
OUTER_FOLDS = 5


@dataclass(eq=False)
class Result:
    """What the systems said of one evaluation set.

    judged   one list of documents a system, in the same order
    chances  (n, 3) the probabilities of the units' sentences, gold (n) their labels: for curves and calibration
    shared   the names of the documents that share sentences with training texts; None where nobody looked
    favor    the mistake that was to be avoided
    """

    name: str
    judged: dict[str, list[Judged]] = field(default_factory=lambda: {s: [] for s in SYSTEMS})
    chances: list[NDArray[np.float64]] = field(default_factory=list)
    gold: list[NDArray[np.int8]] = field(default_factory=list)
    shared: list[str] | None = None
    favor: Favor = "balanced"

    def add(self, name: str, kind: str, spans: Sequence[tuple[int, int, str]], found: Separation) -> None:
        """Judges all systems on one document."""
        said: dict[str, list[Segment] | list[Sentence]] = {
            "degloss": list(found.sentences),
            "sentence model alone": without_context(found),
            "regular expression": at_the_marker(found.text),
        }
        for system in SYSTEMS:
            self.judged[system].append(judge(name, kind, spans, said[system]))

    def add_all(self, separator: Separator, rows: Sequence[tuple[str, str, str, list[tuple[int, int, str]]]]) -> None:
        """Separates and judges documents given as name, kind, text and spans; keeps their probabilities."""
        separated = separator.separate_many([r[2] for r in rows], favor=self.favor)
        for found, (name, kind, _, spans) in zip(separated, rows, strict=True):
            self.add(name, kind, spans, found)
        for first in range(0, len(rows), 200):
            part = rows[first : first + 200]
            stages = separator.stages([r[2] for r in part])
            batch = stages.sentences
            covered = np.full(batch.offsets[-1], -1, np.int8)
            for (_, _, _, spans), offset in zip(part, batch.offsets.tolist(), strict=False):
                for start, end, label in spans:
                    if label != "uncertain":
                        covered[offset + start : offset + end] = [label.startswith(x[0]) for x in LABELS].index(True)
            gold = covered[(batch.starts + batch.ends) // 2]  # the label in the middle of the sentence
            self.chances.append(stages.chances[gold >= 0])
            self.gold.append(gold[gold >= 0])


def units(document: Document) -> list[tuple[int, int, str]]:
    """The units of a labelled document: its sentences, each with the speaker of most of its characters."""
    batch = encode([document.text])
    gold = gold_labels([document], batch)
    return [
        (start, end, LABELS[label])
        for start, end, label in zip(batch.starts.tolist(), batch.ends.tolist(), gold.tolist(), strict=True)
    ]


def on_documents(name: str, separator: Separator, documents: Sequence[Document], favor: Favor = "balanced") -> Result:
    """The systems on labelled documents the model has not been trained on; each seed has a row of its own."""
    result = Result(name, favor=favor)
    kinds = [d.name if d.kind == "seed" else d.kind for d in documents]
    result.add_all(separator, [(d.name, kind, d.text, units(d)) for d, kind in zip(documents, kinds, strict=True)])
    return result


def on_folds(data: Prepared, settings: Settings, folds: int = OUTER_FOLDS) -> Iterator[tuple[int, Result]]:
    """Grouped cross-validation: for each fold a model of the other buckets, judged on the fold's documents."""
    fold = np.arange(BUCKETS) % folds
    for k in range(folds):
        documents = [d for d in data.documents if fold[d.bucket] == k and not d.kind.startswith(("relay", "seed"))]
        if not documents:
            continue
        separator = Separator(fit.fit(data, np.flatnonzero(fold != k), settings))
        yield k, on_documents("folds", separator, documents)


def on_seeds(
    labelled: Sequence[Document], prepared: Callable[[Sequence[Document]], Prepared], settings: Settings
) -> Iterator[Result]:
    """The seeds, each by a model of everything but its group: without it, its other translations, and all that would be
    laid anew or composed of them. `prepared` makes training data of labelled documents."""
    for group in sorted({d.group for d in labelled if d.kind == "seed"}):
        data = prepared([d for d in labelled if d.group != group])
        separator = Separator(fit.fit(data, np.arange(BUCKETS), settings))
        yield on_documents("seeds", separator, [d for d in labelled if d.group == group])


Row = tuple[str, str, str, list[tuple[int, int, str]]]
"""An annotated document: name, kind, text, and start, end and label of its units."""
_NEEDED: Final = "each line needs id, kind, text and spans"


def read(path: Path) -> list[Row]:
    """A file of annotated real text: JSON lines with id, kind, text and spans; blank lines are passed over."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            lines = list(file)
    except (OSError, EOFError, ValueError) as error:
        raise TrainingError(f"{path}: not an evaluation file ({error!r}); {_NEEDED}") from error
    rows = [_row(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise TrainingError(f"{path}: no documents in it; fill the file or move it elsewhere")
    return rows


def _row(line: str, where: str) -> Row:
    """The document of a line; `TrainingError` begins with `where`."""
    try:
        r = json.loads(line)
        name, kind, text = r["id"], r["kind"], r["text"]
        spans = [(s["start"], s["end"], s["label"]) for s in r["spans"]]
    except json.JSONDecodeError as error:
        raise TrainingError(
            f"{where}: not an evaluation file ({error.msg}, column {error.colno}); {_NEEDED}"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TrainingError(f"{where}: not an evaluation file ({error!r}); {_NEEDED}") from error
    if not type(name) is type(kind) is type(text) is str:
        raise TrainingError(f"{where}: {name!r}: id, kind and text must be strings")
    if "|" in kind or visible(kind) != kind:
        raise TrainingError(
            f"{where}: {name!r}: the kind {kind!r} heads rows of a table; rename it, without |, line breaks, control"
            " characters and half characters (lone surrogates)"
        )
    for start, end, label in spans:
        if not (type(start) is type(end) is int and 0 <= start < end <= len(text)):
            raise TrainingError(
                f"{where}: {name!r}: a span from {start!r} to {end!r} in a text of {len(text)} code points; give"
                " offsets in code points, the end behind the start"
            )
        if label not in (*LABELS, "uncertain"):
            raise TrainingError(f"{where}: {name!r}: label {label!r}; give {', '.join(LABELS)} or uncertain")
    return name, kind, text, spans


def set_name(path: Path) -> str:
    """What a file of annotated text is called: its name without `.jsonl` or `.jsonl.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def on_file(path: Path, separator: Separator, trained: Set[str] = frozenset(), favor: Favor = "balanced") -> Result:
    """The systems on a file of annotated real text; `trained` are the sentences of training texts to look for."""
    result = Result(set_name(path), favor=favor)
    rows = read(path)
    result.add_all(separator, rows)
    if trained:
        result.shared = [visible(name) for name in seen.shared(((row[0], row[2]) for row in rows), trained)]
    return result


def merge(name: str, results: Sequence[Result]) -> Result:
    """The results of several folds as one."""
    whole = Result(name)
    for r in results:
        for system in SYSTEMS:
            whole.judged[system] += r.judged[system]
        whole.chances += r.chances
        whole.gold += r.gold
    return whole
