"""The labelled corpus: its block format, what is in it, that nothing leaks, and what is composed of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from degloss.documents import LABELS, Label, Segment
from degloss.encode import encode
from degloss.errors import CorpusError, TrainingError
from degloss_training import check, compose, corpus, recipe, sources, statistics
from degloss_training.corpus import BUCKETS, Document
from training_data import document

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "training" / "corpus"
GATE = ROOT / "training" / "gate"
UNSEEN = ROOT / "training" / "unseen"
CASES = Path(__file__).parent / "cases"


@cache
def documents() -> tuple[Document, ...]:
    return tuple(corpus.load(CORPUS))


@cache
def held_out() -> tuple[Document, ...]:
    return tuple(corpus.load(GATE))


def spans(*parts: tuple[str, Label]) -> tuple[str, tuple[Segment, ...]]:
    made = document("x", *parts)
    return made.text, made.spans


# The block format.

BLOCKS = [
    # name, blocks, parts
    ("one block", "[[article]]\nEins.", [("Eins.", "article")]),
    ("line break at the end", "[[article]]\nEins.\n", [("Eins.\n", "article")]),
    ("two blocks", "[[article]]\nEins.\n[[commentary]]\nAha!", [("Eins.\n", "article"), ("Aha!", "commentary")]),
    ("blank line between", "[[article]]\nEins.\n\n[[commentary]]\nAha!",
     [("Eins.\n\n", "article"), ("Aha!", "commentary")]),
    ("continued line", "[[article]]\nEins.\n[[+commentary]]\n Aha!", [("Eins.", "article"), (" Aha!", "commentary")]),
    ("continued and back", "[[article]]\nEins \n[[+boilerplate]]\n(mehr)\n[[+article]]\n und so.\n",
     [("Eins ", "article"), ("(mehr)", "boilerplate"), (" und so.\n", "article")]),
    ("continued behind a blank line", "[[article]]\nEins.\n\n[[+commentary]]\nAha!",
     [("Eins.\n", "article"), ("Aha!", "commentary")]),
    ("same label twice", "[[article]]\nEins.\n[[article]]\nZwei.", [("Eins.\nZwei.", "article")]),
    ("one bracket", "[[article]]\n[Zum Original]\n", [("[Zum Original]\n", "article")]),
    ("header inside a line", "[[article]]\nDas [[article]] da\n", [("Das [[article]] da\n", "article")]),
    ("white space kept", "[[boilerplate]]\n \t\n+++\n[[article]]\n  Eins \n",
     [(" \t\n+++\n", "boilerplate"), ("  Eins \n", "article")]),
    ("a blank line between two of one speaker", "[[boilerplate]]\n+\n[[article]]\n\n[[boilerplate]]\n+",
     [("+\n", "boilerplate"), ("\n", "article"), ("+", "boilerplate")]),
    ("label in a line of its own, in German", "[[article]]\n[Kommentar]\narticle\n",
     [("[Kommentar]\narticle\n", "article")]),
    ("other line breaks are text", "[[article]]\nEins\r\nZwei\u2028Drei\x0c\n",
     [("Eins\r\nZwei\u2028Drei\x0c\n", "article")]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "parts"), [b[1:] for b in BLOCKS], ids=[b[0] for b in BLOCKS])
def test_blocks_are_read_to_the_letter(data: str, parts: list[tuple[str, Label]]) -> None:
    assert corpus.parse(data, "x.txt") == spans(*parts)
    text, found = spans(*parts)
    assert corpus.parse(corpus.serialise(text, found), "x.txt") == (text, found)


SLIPS = [
    # name, blocks, line (0 where the whole file is meant), part of the message
    ("empty", "", 1, "before the first header"),
    ("no header", "Eins.", 1, "before the first header"),
    ("blank line before the header", "\n[[article]]\nEins.", 1, "before the first header"),
    ("unknown speaker", "[[article]]\nEins.\n[[comment]]\nZwei.", 3, "'[[comment]]' is no header"),
    ("capital", "[[Article]]\nEins.", 1, "is no header"),
    ("space behind", "[[article]] \nEins.", 1, "is no header"),
    ("windows line breaks", "[[article]]\r\nEins.\r\n[[commentary]]\r\nAha!\r\n", 1, "Windows line breaks (CRLF)"),
    ("windows line breaks from the second header on", "[[article]]\nEins.\n[[commentary]]\r\nAha!", 3, "(CRLF)"),
    ("byte order mark", "\ufeff[[article]]\nEins.", 1, "byte order mark"),
    ("zero byte", "[[article]]\nEins.\n\0Zwei.", 3, "a zero byte (NUL)"),
    ("indented", "[[article]]\nEins.\n [[commentary]]\nAha!", 3, "' [[commentary]]' is nearly a header"),
    ("one bracket", "[[article]]\nEins.\n[commentary]\nAha!", 3, "'[commentary]' is nearly a header"),
    ("one bracket, capital, plus", "[[article]]\nEins.\n[+Commentary] \nAha!", 3, "is nearly a header"),
    ("indented at the start", "\t[[article]]\nEins.", 1, "is nearly a header"),
    ("text behind the header", "[[article]] Eins.", 1, "is no header"),
    ("only a line break, taken back", "[[article]]\nA\n[[boilerplate]]\n\n[[+commentary]]\nB", 5, "has no text"),
    ("minus", "[[article]]\nA\n[[-commentary]]\nB", 3, "is no header"),
    ("plus at the start", "[[+article]]\nEins.", 1, "nothing before"),
    ("plus behind an empty block", "[[article]]\n[[+commentary]]\nEins.", 2, "nothing before"),
    ("header without text", "[[article]]\n[[commentary]]\nEins.", 2, "no text"),
    ("header at the end", "[[article]]\nEins.\n[[commentary]]", 3, "no text under the last header"),
    ("header and line break at the end", "[[article]]\nEins.\n[[commentary]]\n", 3, "no text under the last header"),
    ("continued at the end", "[[article]]\nEins.\n[[+commentary]]\n", 3, "no text under the last header"),
    ("blank lines at the end", "[[article]]\nEins.\n[[commentary]]\n\n \n", 3, "only blank lines under this header"),
    ("blank lines at the start", "[[commentary]]\n\n[[article]]\nEins.", 1, "only blank lines under this header"),
    ("blank lines between two speakers", "[[article]]\nA\n[[commentary]]\n\n[[boilerplate]]\n+", 3, "only blank lines"),
    ("white space alone", "[[article]]\n \n\n", 1, "only white space"),
    ("long line", "[[" + "x" * 500, 1, "is no header"),
]


@pytest.mark.parametrize(("data", "line", "part"), [s[1:] for s in SLIPS], ids=[s[0] for s in SLIPS])
def test_slips_are_told_with_file_and_line(data: str, line: int, part: str, tmp_path: Path) -> None:
    path = tmp_path / "a001.txt"
    path.write_bytes(data.encode())
    with pytest.raises(CorpusError) as caught:
        corpus.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert part in message
    assert len(message.splitlines()) == 1
    assert ";" in message
    assert len(message) < len(str(path)) + 200
    assert corpus.scan(tmp_path) == ([], [message])


def test_all_slips_of_all_files_are_told(tmp_path: Path) -> None:
    written = {
        "a001": "[[article]]\nEins.",
        "a002": "Kopf.\nNoch einer.\n[[comment]]\nAha!\n[[commentary]]\n\0\n[[article]]\n",
        "a003": "[[article]]\nEins.\n[commentary]\nAha!",
        "a004": "\ufeff[[article]]\r\nEins.\r\n[[comment]]\r\nAha!\r\n",
    }
    for name, data in written.items():
        (tmp_path / f"{name}.txt").write_bytes(data.encode())
    (tmp_path / "a005.txt").write_bytes(b"\xff")
    sound, slips = corpus.scan(tmp_path)
    assert [d.name for d in sound] == ["a001"]
    assert [slip.removeprefix(f"{tmp_path}/").partition(": ")[0] for slip in slips] == [
        "a002.txt:1", "a002.txt:3", "a002.txt:6", "a002.txt:7", "a003.txt:3", "a004.txt:1", "a004.txt:1", "a004.txt:3",
        "a005.txt",
    ]  # fmt: skip


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"fehlt\.txt: cannot be read"):
        corpus.read(tmp_path / "fehlt.txt")
    with pytest.raises(CorpusError, match="no labelled documents"):
        corpus.load(tmp_path)
    (tmp_path / "a001.txt").write_bytes("[[article]]\nÄpfel".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"a001\.txt: not UTF-8 \(byte 12\)"):
        corpus.load(tmp_path)


TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\n\n\r[] +a"), min_size=1)
PARTS = st.lists(st.tuples(TEXTS, st.sampled_from(LABELS)), min_size=1)


@settings(deadline=None)
@given(PARTS)
@example([("\na", "article"), ("a", "commentary")])
@example([("a", "article"), ("\nb", "commentary"), ("\n", "article"), ("\nb", "commentary")])
@example([("\n", "article"), ("\n", "commentary"), ("b\n", "boilerplate")])
def test_what_is_serialised_is_read_back(parts: list[tuple[str, Label]]) -> None:
    # A line that begins with two brackets is a header: the format has no way to write another.
    text, found = spans(*((re.sub(r"\[+|\0", "[", part), label) for part, label in parts))
    if not text.strip() or re.search(r"^\[\[", text, re.MULTILINE):
        return
    if not all(text[s.start : s.end].strip() for s in found):  # mostly a slip
        return
    assert corpus.parse(corpus.serialise(text, found), "x.txt") == (text, found)


# What is in it.


def test_every_document_is_covered_by_its_spans() -> None:
    assert len(documents()) > 500
    for d in (*documents(), *held_out()):
        assert d.spans[0].start == 0
        assert d.spans[-1].end == len(d.text)
        assert all(a.end == b.start and a.label != b.label for a, b in pairwise(d.spans))
        assert all(s.end > s.start for s in d.spans)
        assert "".join(d.text[s.start : s.end] for s in d.spans) == d.text
        assert "\r" not in d.text


@pytest.mark.parametrize("folder", [CORPUS, GATE, UNSEEN], ids=["corpus", "gate", "unseen"])
def test_the_files_are_what_serialising_them_gives(folder: Path) -> None:
    for path in sorted(folder.glob("*.txt"))[::7]:
        document = corpus.read(path)
        again = corpus.parse(corpus.serialise(document.text, document.spans), path.name)
        assert again == (document.text, document.spans)


SEEDS = {
    # name: characters, SHA-256 of the text as it was scraped, and the first letters of the spans' labels
    "seed-000": (6219, "6cdeaa933c1527fcae58728cf0f5f1cb95640f6fc5f0430ebf46b29c4dd81685", "abc"),
    "seed-001": (5007, "f718328a5320228d2679e647971b6480fe480b06e60ccf74ccfa9ae0930e2234", "ab"),
    "seed-002": (7047, "4c6533936e1910aa76200b22dddb011ececbeaaf85933229765f16380a04ee42", "babab"),
    "seed-003": (5432, "0c627bececd68b247728fd96c459bb6b30d29148ca996503f1a7d8c82c57eae0", "acababab"),
    "seed-004": (11911, "0c8786f75497a6f8fb5d2deceedd5e418cadde412bcb59f6b230f21b506b45a7", "a"),
}


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_are_the_scraped_texts_to_the_letter(name: str) -> None:
    seed = next(d for d in documents() if d.name == name)
    assert seed.kind == "seed"
    size, digest, labels = SEEDS[name]
    assert sum(s.end - s.start for s in seed.spans) == len(seed.text) == size
    assert hashlib.sha256(seed.text.encode()).hexdigest() == digest
    assert "".join(s.label[0] for s in seed.spans) == labels


def test_groups_keep_translations_of_one_article_together() -> None:
    seeds = {d.name: d for d in documents() if d.kind == "seed"}
    assert len(seeds) == 5
    assert seeds["seed-000"].group == seeds["seed-001"].group
    assert seeds["seed-000"].bucket == seeds["seed-001"].bucket
    assert len({d.group for d in seeds.values()}) == 4
    others = [d for d in documents() if d.kind != "seed"]
    assert all(d.group == d.name for d in others)


def test_groups_lead_to_their_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    groups = {"x1-003": "x1-002", "x1-002": "x1-001", "y1": "y2", "y2": "y3", "y3": "y2"}
    monkeypatch.setattr(corpus, "GROUPS", groups)
    assert {name: corpus.group_of(name) for name in ("x1-001", "x1-002", "x1-003", "x1-004")} == {
        "x1-001": "x1-001", "x1-002": "x1-001", "x1-003": "x1-001", "x1-004": "x1-004",
    }  # fmt: skip
    assert {corpus.group_of(name) for name in ("y1", "y2", "y3")} == {"y2"}
    (tmp_path / "x1-003.txt").write_text("[[article]]\nEins.")
    assert corpus.load(tmp_path)[0].group == "x1-001"


def test_buckets_are_fixed_and_filled_evenly() -> None:
    # Written down: another hash would move sources across the folds of every figure in the documents.
    assert [d.bucket for d in documents() if d.kind == "seed"] == [8, 8, 8, 3, 3]
    assert [corpus.bucket(f"bucket-{i}") for i in range(BUCKETS)] == list(range(BUCKETS))
    assert all(0 <= corpus.bucket(name) < BUCKETS for name in ("bucket-liste", "bucket-12", "bucket--1", "bucket-"))
    filled = Counter(d.bucket for d in documents())
    assert set(filled) == set(range(BUCKETS))
    assert max(filled.values()) < 2 * min(filled.values())


KINDS = [("a001", "authored a"), ("b1-003", "authored b1"), ("c10-3", "authored c10"), ("seed-002", "seed")]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_the_kind_is_in_the_name(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.txt").write_text("[[article]]\nEins.")
    (document,) = corpus.load(tmp_path)
    assert (document.name, document.kind) == (name, kind)


def test_the_digest_sees_every_change() -> None:
    one = Document("a", "g", "seed", "Eins. Zwei", (Segment(0, 5, "article"), Segment(5, 10, "commentary")))
    changes = [
        [one, one],
        [],
        [Document("b", one.group, one.kind, one.text, one.spans)],
        [Document(one.name, "h", one.kind, one.text, one.spans)],
        [Document(one.name, one.group, one.kind, "Eins. Drei", one.spans)],
        [Document(one.name, one.group, one.kind, one.text, (Segment(0, 10, "article"),))],
    ]
    assert len({corpus.digest(c) for c in [[one], *changes]}) == len(changes) + 1
    assert corpus.digest([one]) == corpus.digest(iter([one]))


# Statistics and leaks.

SENTENCE = "Der Rat der Stadt hat am Montag nach langer Debatte einen neuen Plan beschlossen"
OTHER = "Die Bäcker im Tal backen seit vierzig Jahren dasselbe dunkle Brot aus Roggenmehl"


def test_shared_sentences_are_found_across_groups() -> None:
    rule = "–" * 70  # no words, so nobody's
    a = document("a", (f"{SENTENCE}. Kurz.\n{rule}", "article"))
    same = document("b", ("Davor! ", "article"), (f"{SENTENCE.upper()}?", "commentary"))
    line = document("c", (f"{OTHER}.\n{rule}\n", "article"), (f"{SENTENCE}.", "boilerplate"))
    friend = document("d", (f"{SENTENCE}.", "article"), group="a")
    found = statistics.shared_sentences([a, same, line, friend])
    assert [(x, y) for x, y, _ in found] == [("a", "b")]
    assert found[0][2] == SENTENCE.lower()
    assert statistics.shared_sentences([a, line, friend]) == []


def test_near_duplicates_are_found_across_groups() -> None:
    text = f"{SENTENCE}. {OTHER}."
    a = document("a", (text, "article"))
    near = document("b", (text.replace("neuen", "alten").replace("Montag", "Dienstag"), "commentary"))
    far = document("c", (f"{OTHER[::-1]}. {SENTENCE[:20]}", "article"))
    friend = document("d", (text, "article"), group="a")
    found = statistics.near_duplicates([a, near, far, friend])
    assert [(x, y) for x, y, _ in found] == [("a", "b"), ("b", "d")]
    assert all(statistics.NEAR <= share < 1 for _, _, share in found)
    assert statistics.near_duplicates([a, document("e", (text, "article"))]) == [("a", "e", 1.0)]


def test_the_same_text_is_found_across_groups_however_short() -> None:
    a, b = document("a", ("Na toll, Leute!", "commentary")), document("b", (" Na toll,\nLeute!\n", "article"))
    friend, marks = document("c", (a.text, "commentary"), group="a"), document("d", ("+++", "boilerplate"))
    other = document("e", ("---", "boilerplate"))
    assert statistics.same_texts([a, b, friend, marks, other]) == [("a", "b")]


def corpus_and_gate(folder: Path, ours: dict[str, str], theirs: dict[str, str]) -> tuple[Path, Path]:
    """Two folders of documents, given by their names and blocks."""
    for name, blocks in (("corpus", ours), ("gate", theirs)):
        (folder / name).mkdir()
        for stem, data in blocks.items():
            (folder / name / f"{stem}.txt").write_text(data, "utf-8")
    return folder / "corpus", folder / "gate"


NEWS = f"[[article]]\n{SENTENCE}. {OTHER}."
SHORT = "[[commentary]]\nNa toll, Leute!"

LEAKS = [
    # name, documents of the corpus, groups, what is told
    ("the same file", {"x1-001": NEWS}, {},
     ["x1-001 has the name of a document of the gate set", "x1-001 and x1-001 of the gate set are the same text"]),
    ("under another name", {"x1-002": NEWS}, {}, ["x1-002 and x1-001 of the gate set are the same text"]),
    ("made one group", {"x1-002": NEWS}, {"x1-002": "x1-001"},
     ["x1-002 is of a group of the gate set, x1-001", "x1-002 and x1-001 of the gate set are the same text"]),
    ("another text of its name", {"x1-001": SHORT}, {}, ["x1-001 has the name of a document of the gate set"]),
    ("a sentence", {"x1-002": f"[[article]]\n{OTHER}!\n" + "Und mehr davon. " * 20}, {"x1-002": "x1-001"},
     ["x1-002 is of a group of the gate set, x1-001",
      f"x1-002 and x1-001 of the gate set share the sentence: {OTHER.lower()[:60]}"]),
    ("nothing", {"x1-002": SHORT}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "groups", "told"), [case[1:] for case in LEAKS], ids=[case[0] for case in LEAKS])
def test_what_corpus_and_gate_set_share_is_told_whatever_its_group(
    ours: dict[str, str], groups: dict[str, str], told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "GROUPS", groups)
    found = check.check(*corpus_and_gate(tmp_path, ours, {"x1-001": NEWS}))
    assert [line for line in found.leaks if "5-grams" not in line] == told
    assert ("delete these documents from the corpus" in found.summary) == bool(told)
    assert not found.copies
    assert "one group" not in found.summary


def test_everything_that_is_wrong_is_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "GROUPS", {
        "x1-003": "x1-002", "x1-004": "x1-99", "x1-99": "x1-002", "y1-001": "y1-002", "x1-005": "x1-006",
        "x1-006": "x1-005",
    })  # fmt: skip
    ours = {f"x1-{i:03}": f"[[article]]\nDokument {i}." for i in range(4, 7)}
    ours |= {"x1-001": SHORT, "x1-002": SHORT, "x1-003": SHORT, "j1-001a": "[[article]]\nEins.", "x1-007": "Eins."}
    found = check.check(*corpus_and_gate(tmp_path, ours, {"x1-100": "[[article]]\n"}))
    assert (found.documents, found.held_out) == (7, 0)
    assert [slip.rpartition("/")[2].partition(": ")[0] for slip in found.slips] == ["x1-007.txt:1", "x1-100.txt:1"]
    assert found.copies == ["x1-001 and x1-002 are the same text", "x1-001 and x1-003 are the same text"]
    assert [line.removeprefix("corpus.GROUPS: ") for line in found.groups] == [
        "'x1-004': 'x1-99': 'x1-99' is no document", "'x1-99': 'x1-002': 'x1-99' is no document",
        "'x1-005': 'x1-006' leads into a circle", "'x1-006': 'x1-005' leads into a circle",
    ]  # fmt: skip
    assert not found.leaks
    assert "y1-001" in found.notes[0]
    assert found.notes[1:] == [
        "j1-001a is the only document of the batch j1-001a (genre page); if it belongs to another one, call it"
        " BATCH-NUMBER"
    ]
    assert found.problems == [*found.slips, *found.groups, *found.copies]
    assert [part[:9] for part in found.summary.split("; ")] == ["2 slips o", "4 lines o", "2 pairs o"]


def test_the_corpus_of_the_repository_is_sound() -> None:
    found = check.check(CORPUS, GATE)
    assert (found.problems, found.summary, found.notes) == ([], "", [])
    assert found.documents == len(documents())


def test_the_description_counts_what_is_there() -> None:
    lines = statistics.describe([
        document("a", ("Eins.\n", "article"), ("Aha!", "commentary")),
        document("b", ("Eins.", "article")),
        document("c", ("Oho!\n", "commentary"), ("+++\n", "boilerplate"), ("Eins.", "article")),
        document("d", ("Eins.\n", "article"), ("Aha!", "commentary"), ("Zwei.", "article")),
        document("e", ("Aha!", "commentary"), ("+++", "boilerplate"), group="d"),
    ])  # fmt: skip
    assert "5 documents of 4 groups" in lines
    places = next(line for line in lines.splitlines() if line.startswith("commentary: "))
    assert sorted(places.removeprefix("commentary: ").split(", ")) == [
        "alone 1", "behind 1", "in front 1", "in the middle 1", "none 1",
    ]  # fmt: skip
    assert re.search(r"article +27 characters .* in 4 documents", lines)
    assert re.search(r"boilerplate +7 characters .* in 2 documents", lines)


def test_the_description_says_what_each_batch_counts_as() -> None:
    kinds = ["authored zz"] * 3 + ["authored z-new", "seed", "authored b1", "authored c9", "authored g2"]
    found = statistics.describe([document(str(i), ("Eins.", "article"), kind=kind) for i, kind in enumerate(kinds)])
    _, table = found.split("\n\n")
    head, *rows = table.splitlines()
    assert head.split() == [
        "genre",
        "weight",
        "in",
        "sentence",
        "model",
        "in",
        "chain",
        "batches",
        "and",
        "their",
        "documents",
    ]
    post, seed = recipe.SENTENCE_WEIGHTS["authored b1"], recipe.SENTENCE_WEIGHTS["seed"]
    chain = recipe.CHAIN_WEIGHTS
    assert sorted(" ".join(row.split()) for row in rows) == sorted([
        f"page {seed} {chain['seed']} seed 1",
        f"page {recipe.SENTENCE_WEIGHTS['authored']} {chain['authored']} z-new 1, zz 3",
        f"post {post} {chain['authored b1']} b1 1",
        f"post {post} {chain['authored c9']} c9 1",
        f"short {recipe.SENTENCE_WEIGHTS['authored']} {chain['authored g2']} g2 1",
    ])  # fmt: skip


def test_nothing_of_the_gate_set_is_trained_on() -> None:
    assert len(held_out()) > 20
    everything = [*documents(), *held_out()]
    assert not {d.name for d in documents()} & {d.name for d in held_out()}
    assert not {d.group for d in documents()} & {d.group for d in held_out()}
    assert statistics.shared_sentences(everything) == []
    assert statistics.near_duplicates(everything) == []


def case_files() -> list[Path]:
    return sorted(p for folder in ("in_the_wild", "negative", "known_failures") for p in (CASES / folder).glob("*.txt"))


def test_no_case_is_trained_on() -> None:
    cases = [corpus.read(path) for path in case_files()]
    assert len(cases) >= 12
    for side in ("against", "for"):  # of the pairs that differ by their commentary; they share their articles
        pairs = [corpus.read(path) for path in sorted((CASES / "stance").glob(f"*-{side}.txt"))]
        everything = [*cases, *pairs, *documents(), *held_out()]
        assert statistics.shared_sentences(everything) == []
        assert statistics.near_duplicates(everything) == []
    spoken = {s for d in cases for s in statistics.sentences(d.text)}
    assert len(spoken) > 40
    hard = {line.split("\t")[2] for line in (CASES / "segmentation.tsv").read_text("utf-8").splitlines()[4:]}
    assert not {s for line in hard for s in statistics.sentences(line)} & spoken


# Composed documents.


def marked_sources(remarks: bool = False) -> list[sources.Sources]:
    """Sources of which every word says from which bucket and which speaker it is; remarks are marked by `r`."""

    def paragraph(voice: str, b: int, k: int, first: str) -> str:
        return " ".join(f"{first}{voice}{b}x{k}y{i} wort{voice}{b}x." for i in range(4))

    return [
        sources.Sources(
            tuple(
                sources.Article(f"s{b}", b, f"Titela{b}x", tuple(paragraph("a", b, k, "Satz") for k in range(5)))
                for _ in range(2)
            ),
            tuple(sources.Comment(f"s{b}", b, paragraph("c", b, k, "Rede"), frozenset({"wort"})) for k in range(6)),
            tuple(sources.Comment(f"s{b}", b, paragraph("r", b, k, "Wink"), frozenset()) for k in range(6 * remarks)),
        )
        for b in range(BUCKETS)
    ]


@cache
def composed(seed: int = 1) -> tuple[Document, ...]:
    return tuple(compose.compose(marked_sources(), dict.fromkeys(compose.LAYOUTS, 4 * BUCKETS), seed))


def test_all_layouts_make_documents() -> None:
    made = Counter(d.kind for d in composed())
    assert made == dict.fromkeys(compose.LAYOUTS, 4 * BUCKETS)
    assert set(recipe.LAYOUTS) <= set(compose.LAYOUTS)
    assert len({d.name for d in composed()}) == len(composed())
    assert len({d.text for d in composed()}) > 0.9 * len(composed())


def test_in_some_documents_the_same_line_stands_between_all_paragraphs() -> None:
    made = compose.compose(marked_sources(), {"pure": 400, "appended": 400}, 1)
    repeated = [max(Counter(line.strip() for line in d.of("boilerplate")).values(), default=0) for d in made]
    assert 0.01 < sum(times > 2 for times in repeated) / len(made) < 0.1


def test_composing_is_deterministic() -> None:
    again = compose.compose(marked_sources(), dict.fromkeys(compose.LAYOUTS, 4 * BUCKETS), 1)
    assert tuple(again) == composed()
    other = compose.compose(marked_sources(), dict.fromkeys(compose.LAYOUTS, 4 * BUCKETS), 2)
    assert sum(a.text != b.text for a, b in zip(again, other, strict=True)) > 0.9 * len(again)
    # The number of documents of one layout does not change those of another.
    fewer = compose.compose(marked_sources(), {"post": 7}, 1)
    assert fewer == [d for d in composed() if d.kind == "post"][:7]


def test_composed_spans_cover_the_text() -> None:
    for d in composed():
        assert d.text.strip()
        assert d.spans[0].start == 0
        assert d.spans[-1].end == len(d.text)
        assert all(a.end == b.start and a.label != b.label for a, b in pairwise(d.spans))


def test_composed_labels_are_those_of_the_sources() -> None:
    for d in composed():
        for label, voice in zip(LABELS, ("a", "c", ""), strict=True):
            for part in d.of(label):
                assert set(re.findall(r"wort([ac])\d+x", part)) <= {voice}, (d.name, label)
        if d.kind in ("marked", "thread"):
            assert "worta" in "".join(d.of("article"))
            assert "wortc" in "".join(d.of("commentary"))
    assert not any(d.of("commentary") for d in composed() if d.kind in ("pure", "forward"))


def test_an_owner_speaks_alone_and_only_where_there_is_one() -> None:
    made = compose.compose(marked_sources(remarks=True), dict.fromkeys(compose.LAYOUTS, 4 * BUCKETS), 1)
    spoken = {d.name: set(re.findall(r"wort([cr])\d+x", "".join(d.of("commentary")))) for d in made}
    assert all(len(voices) < 2 for voices in spoken.values())
    of_kind = {kind: [spoken[d.name] for d in made if d.kind == kind] for kind in compose.LAYOUTS}
    assert {kind for kind, voices in of_kind.items() if {"r"} in voices} >= {"post", "own", "digest", "appended"}
    assert {"r"} not in of_kind["thread"]
    assert not any(d.of("article") for d in composed() if d.kind == "own")


def test_a_composed_document_is_of_one_bucket() -> None:
    seen: Counter[int] = Counter()
    for d in composed():
        marks = {int(b) for b in re.findall(r"(?:wort|titel)[ac](\d+)x", d.text.lower())}
        alone = not (d.of("article") or d.of("commentary"))  # furniture has marks only in its links
        assert marks == {d.bucket} or (alone and not marks), d.name
        seen[d.bucket] += 1
    assert len(set(seen.values())) == 1
    assert len(seen) == BUCKETS


def test_a_bucket_without_sources_has_no_documents() -> None:
    few = marked_sources()
    few[4] = sources.Sources(few[4].articles, ())
    few[7] = sources.Sources((), few[7].comments)
    made = compose.compose(few, {"post": 2 * BUCKETS}, 1)
    assert {d.bucket for d in made} == set(range(BUCKETS)) - {4, 7}


def test_sources_of_the_corpus_stay_in_their_buckets() -> None:
    gathered = sources.gather(documents(), None)
    by_group = {d.group: d.bucket for d in documents()}
    assert len(gathered) == BUCKETS
    for b, found in enumerate(gathered):
        assert found.articles
        assert found.comments
        assert {by_group[a.source] for a in found.articles} | {by_group[c.source] for c in found.comments} == {b}
    whole = {d.group: " ".join(d.text.split()) for d in documents() if d.group != "seed-000"}
    for article in gathered[0].articles + gathered[1].articles:
        if article.source in whole:
            assert all(" ".join(p.split()) in whole[article.source] for p in article.paragraphs if "\n" not in p)


S = [f"Der {word} von Altenau hat am Dienstag im Rathaus lange über die neue Brücke gesprochen" for word in "abcd"]


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        ([S[:1], S[:2], S[:2]], [0, 1, 1]),
        ([S[:2], S[2:], S], [0, 0, 0]),
        ([S[:1], S[:1]], [0, 1]),
        ([S[:2], S[1:3], S[2:], [S[3], S[0]]], [0, 1, 2, 3]),
        ([S[:2], S[2:], S[1:3] + S[:1]], [0, 1, 0]),
    ],
    ids=["with the second", "with both", "one sentence", "a ring", "with one of two"],
)
def test_public_articles_that_share_two_sentences_are_one_source(
    texts: list[list[str]], same: list[int], tmp_path: Path
) -> None:
    for name in sources.PUBLIC_FILES:
        (tmp_path / name).write_bytes(gzip.compress(b""))
    rows = [{"id": f"n/{i}", "headline": "Brücke", "text": ".\n".join(text)} for i, text in enumerate(texts)]
    (tmp_path / sources.PUBLIC_FILES[0]).write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    found = [(a.source, bucket) for bucket, of in enumerate(sources.gather([], tmp_path)) for a in of.articles]
    assert sorted(found) == sorted((f"n/{i}", corpus.bucket(f"n/{i}")) for i in same)


def test_public_comments_that_share_a_sentence_are_one_source(tmp_path: Path) -> None:
    (tmp_path / sources.PUBLIC_FILES[0]).write_bytes(gzip.compress(b""))
    rows = [{"id": f"n/{i}", "text": ".\n".join(text)} for i, text in enumerate([S[:1], S[1:2], S[:2], S[2:3]])]
    (tmp_path / sources.PUBLIC_FILES[1]).write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    found = [(c.source, bucket) for bucket, of in enumerate(sources.gather([], tmp_path)) for c in of.comments]
    assert sorted(found) == sorted((f"n/{i}", corpus.bucket(f"n/{i}")) for i in (0, 0, 0, 3))


def test_public_texts_are_read_as_the_package_reads_them(tmp_path: Path) -> None:
    rows = {
        sources.PUBLIC_FILES[0]: {"id": "_n_/1", "headline": "Stadt\u00adrat", "text": "Der **Rat** ber&auml;t."},
        sources.PUBLIC_FILES[1]: {"id": "_n_/2", "text": "So ein Un\u00adsinn, das wird nie etwas!"},
    }
    for name, row in rows.items():
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(row).encode()))
    gathered = sources.gather([], tmp_path)
    articles, comments = ([x for of in gathered for x in getattr(of, name)] for name in ("articles", "comments"))
    assert [(a.source, a.headline, a.paragraphs) for a in articles] == [("_n_/1", "Stadtrat", ("Der Rat berät.",))]
    assert [(c.source, c.text) for c in comments] == [("_n_/2", "So ein Unsinn, das wird nie etwas!")]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("articles.jsonl.gz", {"id": "n/1", "text": "Der Rat tagt."}),
        ("articles.jsonl.gz", {"id": "n/1", "headline": "Rat", "text": None}),
        ("comments.jsonl.gz", ["n/1", "Unsinn!"]),
    ],
    ids=["no headline", "no text", "list"],
)
def test_public_rows_of_another_make_are_told(name: str, line: object, tmp_path: Path) -> None:
    for each in sources.PUBLIC_FILES:
        (tmp_path / each).write_bytes(gzip.compress(b""))
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(line).encode()))
    with pytest.raises(TrainingError, match=rf"{name}:1: needs id, .*text, each a string"):
        sources.gather([], tmp_path)


def test_the_furniture_has_a_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Zeile\n")
    monkeypatch.setattr(sources, "FURNITURE", tmp_path)
    before = sources.digests(None)
    (tmp_path / "a.txt").write_text("Zeile zwei\n")
    assert before.keys() == sources.digests(None).keys() == {"furniture"}
    assert before != sources.digests(None)
    with pytest.raises(TrainingError, match=r"articles\.jsonl\.gz: cannot be read"):
        sources.digests(tmp_path / "nowhere")


def test_furniture_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "FURNITURE", tmp_path)
    sources.furniture.cache_clear()
    with pytest.raises(TrainingError, match=r"remarks\.txt: no such file; train in a clone"):
        sources.furniture("remarks", 0)


@pytest.mark.parametrize(("text", "border"), [("Der Rat tagt.[[Bild 1]]", 13), ("Eins.\n[[x", 6), ("[[x", 3)])
def test_what_cannot_be_read_back_is_not_serialised(text: str, border: int) -> None:
    spans = [
        Segment(a, b, label) for a, b, label in [(0, border, "article"), (border, len(text), "boilerplate")] if a < b
    ]
    with pytest.raises(CorpusError, match=r"begins with \[\["):
        corpus.serialise(text, spans)


@pytest.mark.parametrize("text", ["Eins.\n[commentary]\nAha!", "Eins.\0 Aha!", "Eins.\n\n"])
def test_what_would_be_a_slip_is_not_serialised(text: str) -> None:
    spans = [Segment(0, 6, "article"), Segment(6, len(text), "boilerplate")]
    with pytest.raises(CorpusError, match="the block format cannot hold it"):
        corpus.serialise(text, spans)


@pytest.mark.parametrize("path", sorted(sources.FURNITURE.glob("*.txt")), ids=lambda p: p.stem)
def test_furniture_has_lines_and_known_blanks(path: Path) -> None:
    dealt = [sources.furniture(path.stem, b) for b in range(BUCKETS)]
    lines = [line for hand in dealt for line in hand]
    assert all(dealt)
    whole = [line for line in lines if "{" not in line]
    assert len(set(whole)) == len(whole), "a line in two buckets would be on both sides of a split"
    for line in lines:
        assert set(re.findall(r"\{(.*?)\}", line)) <= {"n", "name", "time"}
        if "{" in line:
            line.format(n=1, name="Tom", time="12:00")


def test_a_line_of_furniture_is_in_one_bucket_whatever_its_file() -> None:
    home: dict[str, int] = {}
    for path in sorted(sources.FURNITURE.glob("*.txt")):
        for bucket in range(BUCKETS):
            for line in sources.furniture(path.stem, bucket):
                if len(line.split()) > 2 and "{" not in line:  # what is shorter is nobody's
                    assert home.setdefault(line, bucket) == bucket, (path.name, line)


# The corpus laid anew.


def words(text: str) -> str:
    """Letters and digits alone: quotation marks, line breaks and capitals may change."""
    return " ".join(re.findall(r"\w+", text.lower()))


def mixed() -> list[Document]:
    return [d for d in documents() if len({s.label for s in d.spans}) > 1]


def test_relay_keeps_what_is_said_and_who_says_it() -> None:
    changed = more = 0
    for d in mixed():
        relaid = compose.relay(d, 1)
        assert relaid == compose.relay(d, 1)
        assert (relaid.group, relaid.bucket) == (d.group, d.bucket)
        assert relaid.kind == "relay " + d.kind.removeprefix("authored ")
        for label in LABELS:
            before, after = (Counter(words(" ".join(x.of(label))).split()) for x in (d, relaid))
            # Page furniture is kept whole or left out whole.
            assert before <= after or (label == "boilerplate" and not after), (d.name, label)
            more += after > before  # links and names behind words
        changed += relaid.text != d.text
    assert changed > 0.9 * len(mixed())
    assert more < 0.15 * len(mixed())


def said(document: Document) -> list[str]:
    batch = encode([document.text])
    return [words(document.text[a:b]) for a, b in zip(batch.starts.tolist(), batch.ends.tolist(), strict=True)]


def broken_by_relay(d: Document) -> int:
    """How many spoken sentences of a document are not whole sentences of the document laid anew."""
    kept, spoken = set(said(compose.relay(d, 1))), words(" ".join(d.of("article") + d.of("commentary")))
    return sum(s not in kept for s in said(d) if s in spoken)


def wrapped(d: Document) -> bool:
    lines = d.text.split("\n")
    return sum(40 < len(line) < 100 and line[-1] not in '.!?:“"' for line in lines) > 5


def test_relay_keeps_sentences_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "written", lambda pieces, rng: pieces)
    chosen = [d for d in mixed() if not wrapped(d)]
    assert len(chosen) > 200
    broken = [broken_by_relay(d) for d in chosen]
    assert sum(broken) < 0.01 * sum(len(said(d)) for d in chosen)


def test_relay_keeps_sentences_of_wrapped_paragraphs_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "written", lambda pieces, rng: pieces)
    chosen = [d for d in mixed() if d.name in ("c2-026", "c7-005", "b5-015")]
    assert sum(broken_by_relay(d) for d in chosen) < 0.1 * sum(len(said(d)) for d in chosen)
