"""What an evaluation leaves behind: JSON for machines, a Markdown table for people, plots for a look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from degloss.documents import LABELS
from degloss.show import counted
from degloss.write import make_folder, write_file
from degloss_training.evaluate import SYSTEMS, Result
from degloss_training.metric import (
    MEASURES,
    Interval,
    Judged,
    by_kind,
    difference,
    expected_calibration_error,
    meaningful,
    score,
)


def write(results: Sequence[Result], out: Path) -> str:
    """Writes `scores.json`, `scores.md` and the plots of each result into a folder; returns the Markdown."""
    make_folder(out)
    figures = {r.name: describe(r) for r in results}
    text = "\n\n".join(markdown(name, f) for name, f in figures.items()) + "\n"
    write_file(out / "scores.json", json.dumps(figures, indent=1, ensure_ascii=False).encode(), force=True)
    write_file(out / "scores.md", text.encode(), force=True)
    for r in results:
        plot(r, out)
    return text


def describe(result: Result) -> dict[str, Any]:
    """All figures of one evaluation set: per kind and system each measure that says something there with its interval,
    and the difference to each baseline on the same documents; which of them training has seen, if that was asked."""
    ours = by_kind(result.judged["degloss"])
    theirs = {system: by_kind(result.judged[system]) for system in SYSTEMS}
    chances, gold = _probabilities(result)
    figures: dict[str, Any] = {
        "kinds": {
            kind: {
                "documents": len(documents),
                "units": sum(len(d.gold) for d in documents),
                "systems": {s: _kept(score(theirs[s][kind]), documents) for s in SYSTEMS},
                "gain": {s: _kept(difference(documents, theirs[s][kind]), documents) for s in SYSTEMS[1:]},
            }
            for kind, documents in ours.items()
        },
        "expected calibration error": round(expected_calibration_error(chances.max(1), chances.argmax(1) == gold), 4),
    }
    if result.shared is not None:
        figures["shared with training texts"] = {"documents": len(result.shared), "names": result.shared}
    return figures


def _kept(found: dict[str, Interval], documents: Sequence[Judged]) -> dict[str, dict[str, float | None]]:
    return {measure: found[measure].figures for measure in meaningful(documents)}


def markdown(name: str, figures: dict[str, Any]) -> str:
    """A table of one evaluation set: a row a kind and system, 95 % intervals in brackets; – for a measure, or the
    draws of an interval, that say nothing there."""
    rows = []
    for kind, f in figures["kinds"].items():
        for system in SYSTEMS:
            cells = {m: _cell(f["systems"][system].get(m)) for m in MEASURES}
            first = {"kind": kind if system == SYSTEMS[0] else "", "system": system}
            rows.append({**first, "documents": f["documents"], "units": f["units"], **cells})
    table = pd.DataFrame(rows)
    head = "| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns)
    body = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False))
    known = figures.get("shared with training texts")
    told = f"\n\nShared with training texts: {_named(known)}" if known else ""
    error = figures["expected calibration error"]
    return f"## {name}\n\nExpected calibration error {error:.3f}{told}\n\n{head}\n{body}"


def _named(known: dict[str, Any]) -> str:
    """How many documents, and which."""
    names = f" ({', '.join(known['names'])})" if known["names"] else ""
    return counted(known["documents"], "document") + names


def _cell(figures: dict[str, float | None] | None) -> str:
    return "–" if figures is None else Interval.of(figures).shown(".3f", ".2f")


def _probabilities(result: Result) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    if not result.chances:
        return np.full((0, len(LABELS)), 1 / len(LABELS)), np.empty(0, np.int8)
    return np.concatenate(result.chances), np.concatenate(result.gold)


def plot(result: Result, out: Path) -> None:
    """Precision and recall of commentary, reliability of the confidence, and the confusion of the three labels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from sklearn.metrics import confusion_matrix, precision_recall_curve

    chances, gold = _probabilities(result)
    if not len(gold):
        return
    figure, (curve, reliability, confusion) = pyplot.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    spoken = gold != LABELS.index("boilerplate")
    if (gold[spoken] == 1).any():
        precision, recall, _ = precision_recall_curve(gold[spoken] == 1, chances[spoken, 1])
        curve.plot(recall, precision)
    curve.set(
        xlabel="recall",
        ylabel="precision",
        title="commentary against article",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
    )

    confidence, right = chances.max(1), chances.argmax(1) == gold
    place = np.minimum((confidence * 15).astype(int), 14)
    filled = np.flatnonzero(np.bincount(place, minlength=15))
    reliability.plot([0.3, 1], [0.3, 1], color="grey", linewidth=1)
    reliability.plot(
        [confidence[place == b].mean() for b in filled],
        [right[place == b].mean() for b in filled],
        marker="o",
    )
    reliability.set(xlabel="confidence", ylabel="share right", title="reliability")

    counts = confusion_matrix(gold, chances.argmax(1), labels=[0, 1, 2])
    confusion.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    confusion.set(xlabel="found", ylabel="annotated", title="sentences", xticks=range(3), yticks=range(3))
    confusion.set_xticklabels(LABELS)
    confusion.set_yticklabels(LABELS)
    for i in range(3):
        for j in range(3):
            confusion.text(j, i, f"{counts[i, j]}", ha="center", va="center")
    figure.suptitle(result.name)
    figure.savefig(out / f"{result.name}.png", dpi=110)
    pyplot.close(figure)
