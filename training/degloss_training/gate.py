"""The gate: quality must not drop unnoticed.

`floors.json` holds a floor (or, for losses, a ceiling) for measures of the shipped model on the gate set, and the
digest of that set: other documents need other floors. Raising a floor is free; lowering one needs `--lower`, for
other documents, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from degloss.errors import TrainingError

HIGHER_IS_BETTER: Final = {
    "macro F": True,
    "F commentary": True,
    "F boilerplate": True,
    "article lost": False,
}
MARGIN: Final = 0.005
"""Floors are set this far below what was reached, so that a harmless change of a package does not close the gate."""

_RESTORE: Final = "restore the file, or set floors anew (--set-floors --lower)"

Scores = Mapping[str, Mapping[str, float]]


def check(floors_file: Path, digest: str, scores: Scores) -> list[str]:
    """What is below its floor, a line each; empty if the gate is open."""
    floors = _read(floors_file)
    if floors["corpus"] != digest:
        raise TrainingError(
            f"{floors_file}: the floors are for another gate set ({floors['corpus'][:12]}… not {digest[:12]}…);"
            " set them anew with: degloss evaluate --gate --set-floors (and --lower if one may fall)"
        )
    problems = []
    for kind, limits in floors["floors"].items():
        for measure, limit in limits.items():
            reached = scores.get(kind, {}).get(measure)
            if reached is None:
                problems.append(f"{kind}: {measure} is not measured any more")
            # Put this way round, a measure that is not a number closes the gate.
            elif not (reached >= limit if HIGHER_IS_BETTER[measure] else reached <= limit):
                word = "floor" if HIGHER_IS_BETTER[measure] else "ceiling"
                problems.append(f"{kind}: {measure} {reached:.4f}, {word} {limit:.4f}")
    return problems


def set_floors(floors_file: Path, digest: str, scores: Scores, lower: bool) -> bytes:
    """The floors for these scores; `TrainingError` where one would sink, on whatever set, and `lower` is not given."""
    floors = {
        kind: {
            measure: round(values[measure] - MARGIN if better else values[measure] + MARGIN, 4)
            for measure, better in HIGHER_IS_BETTER.items()
        }
        for kind, values in scores.items()
    }
    if floors_file.exists() and not lower:
        old = _read(floors_file)
        sinking = [
            f"{kind} {measure} {limit} → {floors.get(kind, {}).get(measure)}"
            for kind, limits in old["floors"].items()
            for measure, limit in limits.items()
            if _sinks(limit, floors.get(kind, {}).get(measure), HIGHER_IS_BETTER[measure])
        ]
        if sinking:
            raise TrainingError(f"{floors_file}: would lower {'; '.join(sinking)}; say --lower if that is meant")
    return (json.dumps({"corpus": digest, "floors": floors}, indent=1, ensure_ascii=False) + "\n").encode()


def moves(floors_file: Path, floors: bytes) -> list[str]:
    """How each floor moves from a file to these new ones, a line each; – where the file has none that can be read."""
    try:
        old = _read(floors_file)["floors"]
    except TrainingError:
        old = {}
    return [
        f"{kind} {measure} {old.get(kind, {}).get(measure, '–')} → {limit}"
        for kind, limits in json.loads(floors)["floors"].items()
        for measure, limit in limits.items()
    ]


def _sinks(old: float, new: float | None, higher_is_better: bool) -> bool:
    return new is None or (new < old if higher_is_better else new > old)


def _read(path: Path) -> dict[str, Any]:
    try:
        floors = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: no readable floors ({error}); {_RESTORE}") from error
    if not isinstance(floors, dict) or "floors" not in floors or not isinstance(floors.get("corpus"), str):
        raise TrainingError(f"{path}: needs the keys corpus (a digest) and floors; {_RESTORE}")
    limits = floors["floors"]
    if not isinstance(limits, dict) or not all(
        isinstance(values, dict)
        and all(m in HIGHER_IS_BETTER and isinstance(v, int | float) for m, v in values.items())
        for values in limits.values()
    ):
        raise TrainingError(f"{path}: floors must map kinds to known measures and numbers; {_RESTORE}")
    missing = [measure for measure in HIGHER_IS_BETTER if measure not in limits.get("all", {})]
    if missing:
        raise TrainingError(f"{path}: no floor under 'all' for {', '.join(missing)}; {_RESTORE}")
    return floors
