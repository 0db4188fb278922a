"""Training: the labelled corpus → the model folder, the same bytes every time.

The models are fitted on everything but the gate set, the manifest is filled in, the model card written. The
folder is replaced file by file and the manifest last, so a model that is only half there is refused when it is
loaded.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from degloss import artefact
from degloss.documents import LABELS
from degloss.errors import TrainingError
from degloss.separate import Separator
from degloss.show import some
from degloss.write import ready_folder, write_file
from degloss_training import card, check, corpus, evaluate, fit, kernels, metric, recipe, sources

PACKAGES: Final = ("numpy", "scipy", "scikit-learn", "sentencex")
CARD: Final = "MODEL_CARD.md"


def train(folder: Path, gate: Path, public: Path | None, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Trains the model of the recipe and writes it; returns its manifest's facts."""
    ready_folder(out)
    held_out, labelled = corpus.load(gate), corpus.load(folder)
    known = check.also_held_out(labelled, held_out)
    if known:
        raise TrainingError(
            f"{folder}: {some(known[:3], len(known))}: in the gate set as well, which would measure what was learned by"
            " heart; delete it from the corpus (degloss corpus check names all)"
        )
    digests = sources.digests(public)  # of the files as they are now, and not as they may be after the fit
    data = recipe.prepared(labelled, public)
    say(f"{len(data.documents)} training documents, {len(data.gold)} sentences; fitting takes minutes")
    model = fit.fit(data, np.arange(corpus.BUCKETS), recipe.SETTINGS)
    result = evaluate.on_documents("gate", Separator(model), held_out)
    facts: dict[str, Any] = {
        "recipe": "corpus and public texts" if public else "corpus alone",
        "sources": {
            "corpus": {"documents": len(labelled), "sha256": corpus.digest(labelled)},
            **{name: {"sha256": digest} for name, digest in digests.items()},
        },
        "documents": kinds(data.documents),
        "sentences": dict(zip(LABELS, np.bincount(data.gold, minlength=3).tolist(), strict=True)),
        "seed": recipe.SEED,
        "settings": {k: v for k, v in asdict(recipe.SETTINGS).items() if k != "jobs"},
        "packages": {name: version(name) for name in PACKAGES},
        "kernels": kernels.names(),
        "python": platform.python_version(),
        "gate": {
            "documents": len(held_out),
            "sha256": corpus.digest(held_out),
            "scores": {kind: scores(judged) for kind, judged in grouped(result).items()},
        },
    }
    weights, manifest = artefact.pack(replace(model, manifest=facts))
    write_file(out / artefact.WEIGHTS, weights, force=True)
    write_file(out / CARD, card.render(facts).encode(), force=True)
    write_file(out / artefact.MANIFEST, manifest, force=True)
    say(f"wrote {out}")
    return facts


def grouped(result: evaluate.Result) -> dict[str, list[metric.Judged]]:
    """Our judged documents by kind, and all of them."""
    ours = result.judged["degloss"]
    return {"all": ours, **metric.by_kind(ours)}


def scores(judged: Sequence[metric.Judged]) -> dict[str, float]:
    """The measures by name, but for those of a label that nothing in these documents has."""
    found = metric.score(judged)
    return {measure: round(found[measure].value, 4) for measure in metric.meaningful(judged)}


def kinds(documents: tuple[corpus.Document, ...]) -> dict[str, int]:
    """How many documents there are of each kind."""
    names = [d.kind for d in documents]
    return {name: names.count(name) for name in sorted(set(names))}
