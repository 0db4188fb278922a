"""The shipped model on whole documents: the five seeds, short documents in own words by kind, and pairs that differ
by the side the commentary takes.

These documents are never trained on, the seeds apart. One that comes out wrong is a known failure and moves to
cases/known_failures, where it must go on failing until a better model moves it back.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from degloss.artefact import MANIFEST, shipped_folder
from degloss.documents import LABELS, Sentence
from degloss.separate import Separator, load
from degloss_training import corpus
from degloss_training.corpus import Document

ROOT = Path(__file__).parents[1]
SEEDS = sorted((ROOT / "training" / "corpus").glob("seed-*.txt"))
CASES = Path(__file__).parent / "cases"
KINDS = ("in_the_wild", "negative", "short", "known_failures")

PATHS = [path for kind in KINDS for path in sorted((CASES / kind).glob("*.txt"))]
PARAMETERS = [
    pytest.param(
        path,
        id=f"{path.parent.name}: {path.stem}",
        marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason="known failure")
        if path.parent.name == "known_failures"
        else (),
    )
    for path in PATHS
]


@cache
def shipped() -> Separator:
    folder = shipped_folder()
    if not (folder / MANIFEST).exists():
        pytest.skip(f"{folder} has no manifest yet: make train")
    return load(folder)


def gold(document: Document, sentence: Sentence) -> str:
    """The label of most characters of a sentence."""

    def shared(label: str) -> int:
        return sum(
            max(0, min(sentence.end, s.end) - max(sentence.start, s.start)) for s in document.spans if s.label == label
        )

    return max(LABELS, key=shared)


def differences(document: Document) -> list[tuple[str, str, str]]:
    """The sentences that come out otherwise than labelled: the sentence, its label, the label found."""
    found = shipped().separate(document.text)
    return [
        (document.text[s.start : s.end], gold(document, s), s.label)
        for s in found.sentences
        if s.label != gold(document, s)
    ]


def test_there_are_five_seeds_and_cases_of_every_kind() -> None:
    assert len(SEEDS) == 5
    assert len(PATHS) >= 12
    assert {path.parent.name for path in PATHS} == set(KINDS)
    speakers = {
        kind: {s.label for path in PATHS if path.parent.name == kind for s in corpus.read(path).spans} for kind in KINDS
    }
    assert speakers["in_the_wild"] == set(LABELS)
    assert "commentary" not in speakers["negative"]


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_a_seed_comes_out_exactly_as_labelled(path: Path) -> None:
    assert differences(corpus.read(path)) == []


@pytest.mark.parametrize("path", PARAMETERS)
def test_a_case_comes_out_exactly_as_labelled(path: Path) -> None:
    assert differences(corpus.read(path)) == []


AGAINST, FOR = (
    [corpus.read(p) for p in sorted((CASES / "stance").glob(f"*-{side}.txt"))] for side in ("against", "for")
)
"""The same thirty articles, once with commentary that attacks an authority, a measure or the media, once with such that
defends them: of one length, in one place, one register and one temper."""


def test_pairs_differ_by_their_commentary_alone() -> None:
    assert len(AGAINST) == len(FOR) == 30
    for against, other in zip(AGAINST, FOR, strict=True):
        assert [s.label for s in against.spans] == [s.label for s in other.spans]
        for label in LABELS:
            assert (against.of(label) == other.of(label)) is (label != "commentary"), (against.name, label)
        lengths = [sum(map(len, d.of("commentary"))) for d in (against, other)]
        assert max(lengths) < 1.25 * min(lengths), against.name


def test_no_side_is_found_more_often_than_the_other() -> None:
    def found(documents: list[Document]) -> float:
        said = [(gold(d, s), s.label) for d in documents for s in shipped().separate(d.text).sentences]
        spoken = [label == "commentary" for truth, label in said if truth == "commentary"]
        assert len(spoken) > 100
        return sum(spoken) / len(spoken)

    against, other = found(AGAINST), found(FOR)
    assert min(against, other) > 0.85
    assert abs(against - other) < 0.1


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_parts_of_a_seed_are_its_labelled_blocks(path: Path) -> None:
    document = corpus.read(path)
    found = shipped().separate(document.text)
    for label in LABELS:
        assert "".join(found.keep([label]).split()) == "".join("".join(document.of(label)).split())
