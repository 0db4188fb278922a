"""The trained model on disk: plain arrays and a manifest that vouches for them.

A model is a folder with `weights.npz` (NumPy arrays, never a pickle), `manifest.json` and `MODEL_CARD.md`.
Loading checks in this order: that both files are there, that the manifest is of a format and a feature version
this degloss reads, that the bytes of the arrays have the promised SHA-256, that every array has the promised
shape and type, that the vectors' rows are there and small, that there is a temperature, and
that all weights are numbers.

To change what is stored, raise `FORMAT`; to change how a text turns into numbers (what is read, segmentation, classes,
lexicons, hashes, cues, vectors, context, likeness, boundaries, lanes, sizes of the memory), raise `FEATURES`. Either
way all models have to be trained anew, which `make train` does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.boundary import EDGES
from degloss.classify import SentenceModel
from degloss.context import names
from degloss.cues import voices
from degloss.decode import TOLD, Chain
from degloss.documents import LABELS
from degloss.encode import encode
from degloss.errors import ModelDamaged, ModelFormatError, ModelMissing
from degloss.memory import HEARD, KEPT, REACH, Memory
from degloss.ngrams import TABLE_BITS
from degloss.vectors import DIMENSIONS, LARGEST, SOURCES, Embedding
from degloss.words import look_up

if TYPE_CHECKING:
    from pathlib import Path

# What only reading and writing needs is imported there: together it takes as long as a third of NumPy.

FORMAT: Final = 5
FEATURES: Final = 9
WEIGHTS: Final = "weights.npz"
MANIFEST: Final = "manifest.json"
_SIZE_LIMIT: Final = 64 << 20
_PARTS: Final[dict[str, Any]] = {"sentence": SentenceModel, "embedding": Embedding, "chain": Chain, "memory": Memory}
_TYPES: Final = {"embedding.slots": "uint16", "embedding.rows": "int8"}
"""Arrays that are not of float32."""


@dataclass(frozen=True, eq=False)
class Model:
    """The sentence model, the vectors, the chain and its memory, and the manifest they came with."""

    sentence: SentenceModel
    embedding: Embedding
    chain: Chain
    memory: Memory
    manifest: dict[str, Any]


def shipped_folder() -> Path:
    """Where the model that comes with degloss lies: in the installed package, else in the checkout."""
    from pathlib import Path

    package = Path(__file__).parent
    installed = package / "models" / "german"
    checkout = package.parents[1] / "models" / "german"
    return installed if installed.is_dir() or not checkout.is_dir() else checkout


def load_model(folder: Path) -> Model:
    """Reads and checks a model; raises `ModelMissing`, `ModelFormatError` or `ModelDamaged`."""
    import hashlib

    manifest = read_manifest(folder)
    for key, ours in (("format", FORMAT), ("features", FEATURES), ("labels", list(LABELS))):
        theirs = manifest.get(key)
        if theirs != ours:
            newer = isinstance(theirs, int) and isinstance(ours, int) and theirs > ours
            remedy = "upgrade degloss" if newer else "train it again with this degloss (make train)"
            raise ModelFormatError(f"{folder / MANIFEST}: {key} is {theirs!r}, this degloss reads {ours!r}; {remedy}")
    data = _read(folder / WEIGHTS)
    if hashlib.sha256(data).hexdigest() != manifest.get("sha256"):
        raise ModelDamaged(
            f"{folder / WEIGHTS}: the bytes are not those the manifest names (SHA-256 differs);"
            " restore the folder from where it came, or train again"
        )
    arrays = _arrays(folder, data, manifest.get("arrays"))
    parts = {part: kind(**{f.name: arrays[f"{part}.{f.name}"] for f in fields(kind)}) for part, kind in _PARTS.items()}
    return Model(**parts, manifest=manifest)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone, unchecked but for being a JSON object."""
    import json

    data = _read(folder / MANIFEST)
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise ModelDamaged(f"{folder / MANIFEST}: not a JSON object; restore the file from where it came")
    return manifest


def pack(model: Model) -> tuple[bytes, bytes]:
    """The bytes of `weights.npz` and `manifest.json`, with what the manifest of the model says beside the arrays; the
    same model gives the same bytes."""
    import hashlib
    import io
    import json

    arrays = {
        f"{part}.{f.name}": getattr(getattr(model, part), f.name) for part, kind in _PARTS.items() for f in fields(kind)
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    weights = buffer.getvalue()
    manifest = {
        **model.manifest,
        "format": FORMAT,
        "features": FEATURES,
        "labels": list(LABELS),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "arrays": {name: [str(a.dtype), list(a.shape)] for name, a in sorted(arrays.items())},
    }
    return weights, (json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _shapes(rows: int, members: int) -> dict[str, tuple[int, ...]]:
    """The shape each array must have for the features as this degloss computes them, with so many rows of vectors and
    so many members of the chain."""
    batch = encode([])
    looks = voices(batch, look_up(batch))
    voice, context, labels = looks.voice, len(names(looks)), len(LABELS)
    return {
        "sentence.table": (1 << TABLE_BITS, labels - 1),
        "sentence.mean": (voice,),
        "sentence.spread": (voice,),
        "sentence.weights": (voice, labels - 1),
        "sentence.bias": (labels - 1,),
        "embedding.slots": (len(SOURCES), 1 << TABLE_BITS),
        "embedding.rows": (rows, DIMENSIONS),
        "chain.mean": (context,),
        "chain.spread": (context,),
        "chain.weights": (context, labels),
        "chain.bias": (labels,),
        "chain.hidden": (context, members * HEARD),
        "chain.hidden_bias": (members * HEARD,),
        "chain.told": (members * TOLD, labels),
        "chain.turns": (2, members * TOLD, labels, labels),
        "chain.edges": (len(EDGES), labels, labels),
        "chain.first": (labels,),
        "chain.temperature": (),
        "memory.first": (members, REACH, HEARD, 4 * KEPT),
        "memory.first_bias": (members, 4 * KEPT),
        "memory.second": (members, REACH, 2 * KEPT, 4 * KEPT),
        "memory.second_bias": (members, 4 * KEPT),
    }


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise ModelDamaged(
                f"{path}: larger than {_SIZE_LIMIT >> 20} MB, so no model of degloss;"
                " give the folder of a model, or train one (make train)"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelMissing(
            f"{path}: cannot be read ({error.strerror}); give the folder of a model, or train one (make train)"
        ) from error


def _arrays(folder: Path, data: bytes, promised: object) -> dict[str, NDArray[Any]]:
    import io
    import zlib
    from zipfile import BadZipFile

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], order="C") for name in file.files}
    # What NumPy raises on bytes that are no such archive depends on where they go wrong.
    except (ValueError, TypeError, AttributeError, LookupError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise ModelDamaged(f"{folder / WEIGHTS}: not readable as plain arrays ({error}); train again") from error
    needed = {f"{part}.{f.name}" for part, kind in _PARTS.items() for f in fields(kind)}
    found = {name: [str(a.dtype), list(a.shape)] for name, a in arrays.items()}
    if set(arrays) != needed or found != promised:
        raise ModelDamaged(f"{folder / WEIGHTS}: names, shapes or types differ from the manifest; train again")
    members = max(arrays["chain.hidden_bias"].size // HEARD, 1)
    for name, shape in _shapes(arrays["embedding.rows"].size // DIMENSIONS, members).items():
        dtype = _TYPES.get(name, "float32")
        if arrays[name].dtype != dtype or arrays[name].shape != shape:
            raise ModelDamaged(
                f"{folder / WEIGHTS}: {name} is {arrays[name].dtype} {arrays[name].shape}, this degloss needs {dtype}"
                f" {shape}; train again"
            )
    slots, numbers = arrays["embedding.slots"], arrays["embedding.rows"]
    if slots.max() >= len(numbers) or numbers[0].any() or numbers.min() < -LARGEST:
        raise ModelDamaged(
            f"{folder / WEIGHTS}: embedding.slots names rows that are not there, or embedding.rows begins with one that"
            f" is not zero or has a number below -{LARGEST}; train again"
        )
    temperature = float(arrays["chain.temperature"])
    if not 0 < temperature < np.inf:
        raise ModelDamaged(
            f"{folder / WEIGHTS}: chain.temperature is {temperature}, which is no number above zero; train again"
        )
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelDamaged(f"{folder / WEIGHTS}: {name} has entries that are no numbers; train again")
        if name.endswith("spread") and array.min() <= 0:
            raise ModelDamaged(f"{folder / WEIGHTS}: {name} has entries that are not above zero; train again")
        array.flags.writeable = False
    return arrays
