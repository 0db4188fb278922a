"""A model that was tampered with is refused, by an error that says what is wrong and what to do about it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import PAGE, Run
from degloss.artefact import FEATURES, FORMAT, MANIFEST, WEIGHTS, load_model, pack, read_manifest, shipped_folder
from degloss.classify import SentenceModel
from degloss.decode import Chain
from degloss.errors import ModelDamaged, ModelError, ModelFormatError, ModelMissing
from degloss.memory import Memory
from degloss.separate import Separator, load
from degloss.vectors import Embedding
from degloss_training import card
from degloss_training.chain import together

Tamper = Callable[[Path], object]
Arrays = dict[str, Any]


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    """A copy of the model to tamper with."""
    shutil.copytree(model, tmp_path / "model")
    return tmp_path / "model"


# Ways to tamper.


def manifest(**changes: object) -> Tamper:
    """Other values in the manifest; None takes a key out."""

    def tamper(folder: Path) -> None:
        facts = {**json.loads((folder / MANIFEST).read_bytes()), **changes}
        (folder / MANIFEST).write_text(json.dumps({k: v for k, v in facts.items() if v is not None}))

    return tamper


def manifest_bytes(data: bytes) -> Tamper:
    return lambda folder: (folder / MANIFEST).write_bytes(data)


def weights(change: Callable[[bytes], bytes]) -> Tamper:
    """Other bytes of the weights, and a manifest that still promises the old ones."""
    return lambda folder: (folder / WEIGHTS).write_bytes(change((folder / WEIGHTS).read_bytes()))


def vouched(change: Callable[[bytes], bytes]) -> Tamper:
    """Other bytes of the weights, and a manifest with their digest."""

    def tamper(folder: Path) -> None:
        data = change((folder / WEIGHTS).read_bytes())
        (folder / WEIGHTS).write_bytes(data)
        manifest(sha256=hashlib.sha256(data).hexdigest())(folder)

    return tamper


def arrays(change: Callable[[Arrays], object], *, promised: bool = True) -> Tamper:
    """Other arrays under the right digest; the manifest promises their shapes unless told not to."""

    def tamper(folder: Path) -> None:
        with np.load(folder / WEIGHTS) as file:
            members: Arrays = dict(file)
        change(members)
        buffer = io.BytesIO()
        np.savez(buffer, **members)
        vouched(lambda _: buffer.getvalue())(folder)
        if promised:
            shapes = {name: [str(a.dtype), list(a.shape)] for name, a in sorted(members.items())}
            manifest(arrays=shapes)(folder)

    return tamper


def changed_byte(place: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = min(int(len(data) * place), len(data) - 1)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return change


def resaved(**options: Any) -> Callable[[bytes], bytes]:
    """The same members in a zip file of another make."""

    def change(data: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", **options) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
        return buffer.getvalue()

    return change


def with_member(name: str, content: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        buffer = io.BytesIO(data)
        with zipfile.ZipFile(buffer, "a") as file:
            file.writestr(name, content)
        return buffer.getvalue()

    return change


def broken_deflate(data: bytes) -> bytes:
    """A compressed zip file with a damaged stream in it."""
    packed = bytearray(resaved(compression=zipfile.ZIP_DEFLATED)(data))
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        info = file.getinfo("sentence.table.npy")
    start = info.header_offset + 30 + len(info.filename)
    packed[start : start + 40] = b"\xff" * 40
    return bytes(packed)


def one_array(_: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3, np.float32))
    return buffer.getvalue()


def drop(name: str) -> Callable[[Arrays], object]:
    return lambda members: members.pop(name)


def put(name: str, change: Callable[[Any], object]) -> Callable[[Arrays], object]:
    return lambda members: members.update({name: change(members.get(name))})


def replace_by_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("kein Ordner")


def folder_for_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()


TAMPERED: list[tuple[str, Tamper, type[ModelError], str, str]] = [
    # what was done, how, error, the file it must name, a part of the message
    ("no folder", shutil.rmtree, ModelMissing, MANIFEST, "train one"),
    ("a file in place of the folder", replace_by_file, ModelMissing, MANIFEST, "train one"),
    ("no manifest", lambda f: (f / MANIFEST).unlink(), ModelMissing, MANIFEST, "train one"),
    ("no weights", lambda f: (f / WEIGHTS).unlink(), ModelMissing, WEIGHTS, "train one"),
    ("folder in place of the weights", folder_for_weights,
     ModelMissing, WEIGHTS, "train one"),
    ("manifest is no JSON", manifest_bytes(b"{"), ModelDamaged, MANIFEST, "restore"),
    ("manifest is empty", manifest_bytes(b""), ModelDamaged, MANIFEST, "restore"),
    ("manifest is a list", manifest_bytes(b"[1]"), ModelDamaged, MANIFEST, "restore"),
    ("manifest is a number", manifest_bytes(b"1"), ModelDamaged, MANIFEST, "restore"),
    ("manifest is deeply nested", manifest_bytes(b'{"a":' * 100_000), ModelDamaged, MANIFEST, "restore"),
    ("manifest is binary", manifest_bytes(bytes(range(256))), ModelDamaged, MANIFEST, "restore"),
    ("manifest is an empty object", manifest_bytes(b"{}"), ModelFormatError, MANIFEST, "train it again"),
    ("newer format", manifest(format=FORMAT + 1), ModelFormatError, MANIFEST, "upgrade degloss"),
    ("older format", manifest(format=FORMAT - 1), ModelFormatError, MANIFEST, "train it again"),
    ("format is a string", manifest(format=str(FORMAT)), ModelFormatError, MANIFEST, "train it again"),
    ("newer features", manifest(features=FEATURES + 1), ModelFormatError, MANIFEST, "upgrade degloss"),
    ("older features", manifest(features=FEATURES - 1), ModelFormatError, MANIFEST, "train it again"),
    ("features missing", manifest(features=None), ModelFormatError, MANIFEST, "train it again"),
    ("other labels", manifest(labels=["article", "comment", "boilerplate"]),
     ModelFormatError, MANIFEST, "train it again"),
    ("labels in another order", manifest(labels=["commentary", "article", "boilerplate"]),
     ModelFormatError, MANIFEST, "train it again"),
    ("changed byte at the start", weights(changed_byte(0)), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("changed byte in the middle", weights(changed_byte(0.5)), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("changed byte at the end", weights(changed_byte(1)), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("weights cut short", weights(lambda data: data[:-1]), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("weights with a byte more", weights(lambda data: data + b"\0"), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("weights empty", weights(lambda _: b""), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("wrong digest", manifest(sha256="0" * 64), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("no digest", manifest(sha256=None), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("digest is a list", manifest(sha256=[1]), ModelDamaged, WEIGHTS, "SHA-256 differs"),
    ("vouched for, but no zip file", vouched(lambda _: b"Guten Tag"), ModelDamaged, WEIGHTS, "plain arrays"),
    ("vouched for, but cut short", vouched(lambda data: data[: len(data) // 2]),
     ModelDamaged, WEIGHTS, "plain arrays"),
    ("vouched for, but a pickle", vouched(lambda _: pickle.dumps([1])), ModelDamaged, WEIGHTS, "plain arrays"),
    ("vouched for, but an array of objects",
     arrays(put("chain.first", lambda _: np.array([{}, [], 1], dtype=object))),
     ModelDamaged, WEIGHTS, "plain arrays"),
    ("wrong shape", arrays(put("chain.first", lambda a: a[:2])), ModelDamaged, WEIGHTS, "chain.first"),
    ("wrong shape of the memory", arrays(put("memory.second", lambda a: a[:, 1:])),
     ModelDamaged, WEIGHTS, "memory.second"),
    ("one that hears and does not remember", arrays(put("memory.first", lambda a: a[:1])),
     ModelDamaged, WEIGHTS, "memory.first"),
    ("one that remembers and does not hear", arrays(put("chain.hidden_bias", lambda a: a[: len(a) // 2])),
     ModelDamaged, WEIGHTS, "chain.hidden"),
    ("nobody who hears", arrays(put("chain.hidden_bias", lambda a: a[:0])), ModelDamaged, WEIGHTS, "chain.hidden"),
    ("no memory", arrays(drop("memory.first_bias")), ModelDamaged, WEIGHTS, "differ from the manifest"),
    ("transposed", arrays(put("sentence.table", lambda a: a.T)), ModelDamaged, WEIGHTS, "sentence.table"),
    ("doubled precision", arrays(put("chain.bias", lambda a: a.astype(np.float64))),
     ModelDamaged, WEIGHTS, "chain.bias"),
    ("other byte order", arrays(put("chain.bias", lambda a: a.astype(">f4"))),
     ModelDamaged, WEIGHTS, "chain.bias"),
    ("extra array", arrays(put("chain.extra", lambda _: np.zeros(3, np.float32))),
     ModelDamaged, WEIGHTS, "differ from the manifest"),
    ("array taken out", arrays(drop("chain.first")), ModelDamaged, WEIGHTS, "differ from the manifest"),
    ("no arrays at all", arrays(lambda members: members.clear()),
     ModelDamaged, WEIGHTS, "differ from the manifest"),
    ("rows that are not there", arrays(put("embedding.slots", lambda a: a + np.uint16(9))),
     ModelDamaged, WEIGHTS, "embedding.slots"),
    ("a first row that says something", arrays(put("embedding.rows", lambda a: a + np.int8(1))),
     ModelDamaged, WEIGHTS, "embedding.rows"),
    ("a number that is too small", arrays(put("embedding.rows", lambda a: np.where(a == a.min(), np.int8(-128), a))),
     ModelDamaged, WEIGHTS, "embedding.rows"),
    ("vectors of another length", arrays(put("embedding.rows", lambda a: a[:, 1:])),
     ModelDamaged, WEIGHTS, "embedding.rows"),
    ("no vectors at all", arrays(put("embedding.rows", lambda a: a[:0])), ModelDamaged, WEIGHTS, "embedding.slots"),
    ("no temperature", arrays(put("chain.temperature", lambda a: 0 * a)), ModelDamaged, WEIGHTS, "chain.temperature"),
    ("a temperature that is no number", arrays(put("chain.temperature", lambda a: a + np.float32(np.nan))),
     ModelDamaged, WEIGHTS, "chain.temperature"),
    ("a weight that is no number", arrays(put("sentence.table", lambda a: a + np.float32(np.inf))),
     ModelDamaged, WEIGHTS, "sentence.table"),
    ("a spread of zero", arrays(put("chain.spread", lambda a: np.where(a == a.max(), np.float32(0), a))),
     ModelDamaged, WEIGHTS, "chain.spread"),
    ("a number for vectors", arrays(put("embedding.rows", lambda _: np.array(3, np.int8))),
     ModelDamaged, WEIGHTS, "embedding.rows"),
    ("wrong shape, not promised", arrays(put("chain.first", lambda a: a[:2]), promised=False),
     ModelDamaged, WEIGHTS, "differ from the manifest"),
    ("shapes not promised", manifest(arrays=None), ModelDamaged, WEIGHTS, "differ from the manifest"),
]  # fmt: skip
"""Also: weights whose bytes the manifest vouches for, so that no digest catches them."""

VOUCHED_AND_ODD: list[tuple[str, Tamper]] = [
    ("an empty file", vouched(lambda _: b"")),
    ("a single array", vouched(one_array)),
    ("a member that is no array", vouched(with_member("LIESMICH", b"Hallo"))),
    ("a damaged compressed stream", vouched(broken_deflate)),
]


def refused(folder: Path, error: type[ModelError]) -> str:
    """The message by which a model is refused: one line, not too long for a terminal or two."""
    with pytest.raises(error) as caught:
        load_model(folder)
    assert type(caught.value) is error
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message.replace(str(folder), "")) < 300
    return message


@pytest.mark.parametrize(("tamper", "error", "file", "part"), [t[1:] for t in TAMPERED], ids=[t[0] for t in TAMPERED])
def test_a_tampered_model_is_refused(
    tamper: Tamper, error: type[ModelError], file: str, part: str, folder: Path
) -> None:
    load_model(folder)
    tamper(folder)
    message = refused(folder, error)
    assert re.search(r"; .*(train|restore|upgrade)", message)
    assert message.startswith(f"{folder / file}: ")
    assert part in message


@pytest.mark.parametrize("tamper", [t[1] for t in VOUCHED_AND_ODD], ids=[t[0] for t in VOUCHED_AND_ODD])
def test_odd_weights_under_the_right_digest_are_refused(tamper: Tamper, folder: Path) -> None:
    tamper(folder)
    assert refused(folder, ModelDamaged).startswith(f"{folder / WEIGHTS}: ")


def test_a_file_too_large_for_a_model_is_not_read(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, 1 << 40)
    assert "larger than 64 MB" in refused(folder, ModelDamaged)


def test_a_file_too_large_for_a_model_has_a_remedy(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, 1 << 40)
    assert re.search(r"; .*(train|restore|upgrade)", refused(folder, ModelDamaged))


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.target), "w")


def test_nothing_is_ever_unpickled(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "written"
    data = pickle.dumps(Bomb(target))
    pickle.loads(data).close()
    target.unlink()
    vouched(lambda _: data)(folder)
    refused(folder, ModelDamaged)
    bomb = np.empty(1, dtype=object)
    bomb[0] = Bomb(target)
    buffer = io.BytesIO()
    members: Arrays = {"sentence.bias": bomb}
    np.savez(buffer, **members)
    vouched(lambda _: buffer.getvalue())(folder)
    refused(folder, ModelDamaged)
    assert not target.exists()


@pytest.mark.parametrize("times", [2, 3])
def test_a_model_has_any_number_of_members(times: int, folder: Path) -> None:
    """The same ones over again say the same."""
    model = load_model(folder)
    chain, memory = together([(model.chain, model.memory)] * times)
    for name, data in zip((WEIGHTS, MANIFEST), pack(replace(model, chain=chain, memory=memory)), strict=True):
        (folder / name).write_bytes(data)
    more = load_model(folder)
    assert len(more.memory.first) == times * len(model.memory.first)
    expected = Separator(model).separate(PAGE).sentences
    for one, other in zip(Separator(more).separate(PAGE).sentences, expected, strict=True):
        assert one.label == other.label
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_the_format_is_checked_before_the_digest(folder: Path) -> None:
    weights(changed_byte(0.5))(folder)
    manifest(format=FORMAT + 1)(folder)
    refused(folder, ModelFormatError)
    manifest(format=FORMAT, labels=[])(folder)
    refused(folder, ModelFormatError)


@pytest.mark.parametrize("name", ["clean", "label", "explain", "model"])
def test_the_command_line_says_the_same(name: str, folder: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE)
    manifest(format=FORMAT + 1)(folder)
    done = degloss(name, "--model", folder, *(["in.txt"] if name != "model" else []))
    assert (done.stdout, done.returncode) == (b"", 1)
    assert done.stderr.decode() == f"degloss: {refused(folder, ModelFormatError)}\n"


# What was not tampered with.


def test_what_is_packed_is_what_is_loaded(folder: Path) -> None:
    first = load_model(folder)
    facts = {"name": "Größe", "seed": 3, "nested": {"a": [1, 2.5, None]}}
    data, text = pack(replace(first, manifest=facts))
    (folder / WEIGHTS).write_bytes(data)
    (folder / MANIFEST).write_bytes(text)
    second = load_model(folder)
    for kind, one, other in (
        (SentenceModel, first.sentence, second.sentence),
        (Embedding, first.embedding, second.embedding),
        (Chain, first.chain, second.chain),
        (Memory, first.memory, second.memory),
    ):
        for f in fields(kind):
            a, b = getattr(one, f.name), getattr(other, f.name)
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
            assert not b.flags.writeable
    assert {name: second.manifest[name] for name in facts} == facts
    assert second.manifest == read_manifest(folder)
    assert set(second.manifest) == {*facts, "format", "features", "labels", "sha256", "arrays"}
    assert Separator(first).separate(PAGE) == load(folder).separate(PAGE)


def test_a_loaded_model_can_be_changed_and_packed(folder: Path) -> None:
    """Its manifest tells of the arrays it was loaded with; the new one, of the new arrays."""
    first = load_model(folder)
    changed = replace(first, chain=replace(first.chain, bias=first.chain.bias + 1))
    data, text = pack(changed)
    (folder / WEIGHTS).write_bytes(data)
    (folder / MANIFEST).write_bytes(text)
    second = load_model(folder)
    assert np.array_equal(second.chain.bias, first.chain.bias + 1)
    assert second.manifest["name"] == first.manifest["name"]


@pytest.mark.parametrize(
    "name", ["sentence.table", "embedding.rows", "embedding.slots", "chain.hidden", "memory.first"]
)
def test_arrays_may_be_stored_by_columns(folder: Path, name: str) -> None:
    before = load(folder).separate(PAGE)
    arrays(put(name, np.asfortranarray))(folder)
    assert load(folder).separate(PAGE) == before


def test_packing_twice_gives_the_same_bytes(model: Path) -> None:
    loaded = load_model(model)
    facts = {"b": 1, "a": {"d": 1, "c": 2}}
    turned = {"a": {"c": 2, "d": 1}, "b": 1}
    one, same = (replace(loaded, manifest=manifest) for manifest in (facts, turned))
    assert pack(one) == pack(same)
    other, _ = pack(replace(load_model(model), chain=loaded.chain, manifest={}))
    with zipfile.ZipFile(io.BytesIO(other)) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert json.loads(pack(one)[1])["sha256"] == hashlib.sha256(other).hexdigest()


def test_a_compressed_copy_is_as_good(folder: Path) -> None:
    before = load(folder).separate(PAGE)
    vouched(resaved(compression=zipfile.ZIP_DEFLATED))(folder)
    assert load(folder).separate(PAGE) == before


def test_more_files_in_the_folder_do_not_matter(folder: Path) -> None:
    (folder / "MODEL_CARD.md").write_text("Karte")
    (folder / "weights.npz.alt").write_bytes(b"")
    load_model(folder)


def test_the_shipped_model_can_be_loaded() -> None:
    folder = shipped_folder()
    if not (folder / MANIFEST).exists():
        pytest.skip(f"{folder} has no manifest yet: make train")
    loaded = load_model(folder)
    assert loaded.manifest["sources"]["corpus"]["sha256"]
    assert set(loaded.manifest["packages"]) >= {"numpy", "scikit-learn", "sentencex"}
    assert {"seed", "recipe", "gate", "documents"} <= loaded.manifest.keys()
    assert (folder / "MODEL_CARD.md").is_file()
    total = sum((folder / name).stat().st_size for name in (WEIGHTS, MANIFEST, "MODEL_CARD.md"))
    assert total < 16 << 20, "the wheel carries it"


def test_the_shipped_card_is_that_of_the_shipped_manifest() -> None:
    manifest = json.loads((shipped_folder() / MANIFEST).read_text("utf-8"))
    assert (shipped_folder() / "MODEL_CARD.md").read_text("utf-8") == card.render(manifest)


def test_every_batch_of_the_gate_set_has_a_name_in_the_card() -> None:
    manifest = json.loads((shipped_folder() / MANIFEST).read_text("utf-8"))
    batches = {kind.removeprefix("authored ") for kind in manifest["gate"]["scores"]} - {"all"}
    assert batches <= set(card.GENRES)
