"""Where sentences end: hard cases by kind, and what must hold for any text whatever.

The cases stand in cases/segmentation.tsv. Property tests run over all of Unicode, lone surrogates included.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import LINK, PAGE
from degloss.characters import LINE_BREAKS
from degloss.documents import LABELS
from degloss.encode import encode
from degloss.segment import _WIDE_SPACES, CHUNK, cuts
from degloss.separate import Separator

CASES = Path(__file__).parent / "cases" / "segmentation.tsv"
KINDS = ("wild", "negative", "synthetic", "failure")
MARK = "¦"


def unescape(text: str) -> str:
    named = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(?:u([0-9a-f]{4})|([nrt]))", lambda m: chr(int(m[1], 16)) if m[1] else named[m[2]], text)


def read_cases() -> list[tuple[str, str, str]]:
    rows = (line.split("\t") for line in CASES.read_text(encoding="utf-8").split("\n"))
    return [(kind, name, unescape(text)) for kind, name, text in (row for row in rows if len(row) == 3)]


ROWS = read_cases()
PARAMETERS = [
    pytest.param(
        marked,
        id=f"{kind}: {name}",
        marks=pytest.mark.xfail(strict=True, reason="known failure") if kind == "failure" else (),
    )
    for kind, name, marked in ROWS
]


def sentences(text: str) -> list[str]:
    batch = encode([text])
    return [text[a:b] for a, b in zip(batch.starts.tolist(), batch.ends.tolist(), strict=True)]


def test_the_cases_are_sorted_and_named_once() -> None:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    assert len(ROWS) == sum(not line.startswith("#") for line in lines)
    kinds = [kind for kind, _, _ in ROWS]
    assert set(kinds) == set(KINDS)
    assert kinds == sorted(kinds, key=KINDS.index)
    assert len({name for _, name, _ in ROWS}) == len(ROWS)
    assert len({marked for _, _, marked in ROWS}) == len(ROWS)


@pytest.mark.parametrize("marked", PARAMETERS)
def test_sentences_end_where_they_should(marked: str) -> None:
    expected = [piece.strip() for piece in marked.split(MARK)]
    assert sentences(marked.replace(MARK, "")) == [piece for piece in expected if piece]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\u2028", "\x0b"])
@pytest.mark.parametrize("blank", [1, 2])
def test_every_line_break_ends_a_sentence(ending: str, blank: int) -> None:
    lines = ["Der Rat tagt", "und berät", LINK, "- ein Punkt", "😂"]
    assert sentences((ending * blank).join(lines)) == lines


def test_wide_spaces_are_all_white_space_beyond_ascii_that_ends_no_line() -> None:
    spaces = {chr(code) for code in range(0x80, 0x110000) if chr(code).isspace()}
    assert set(_WIDE_SPACES) == spaces - set(LINE_BREAKS)


# All of Unicode, and texts that look like ours: with marks, quotes, joiners and odd white space.

ODD = 'aB1. .!?…„“”"»«()‼️⁉❗\u200d👩👧🏽\u0301\n\r\t\u2028\x85\x1c\x1f\ufeff\u3000\ud800\udc00\0-+:/@#'
ANY_TEXT = (
    st.text(st.characters())
    | st.text(st.sampled_from(ODD), max_size=60)
    | st.lists(st.sampled_from(["z. B. ", "1. ", "Rat. ", "„Nein“", "!!", "\n", "‼️", "( ", "usw."]), max_size=20).map(
        "".join
    )
)


@settings(deadline=None)
@given(ANY_TEXT)
@example("")
@example("\ud800")
@example("👩‍👧")
@example("a\n\n")
def test_cuts_ascend_and_end_with_the_text(text: str) -> None:
    ends = cuts(text)
    assert all(a < b for a, b in pairwise([0, *ends]))
    assert (ends[-1] if ends else 0) == len(text)


def check_sentences(text: str, spans: list[tuple[int, int]]) -> None:
    """In order, not overlapping, without blank edges, and every visible character in exactly one."""
    covered = [0] * len(text)
    for start, end in spans:
        assert 0 <= start < end <= len(text)
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        for place in range(start, end):
            covered[place] += 1
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(n == 1 for n, character in zip(covered, text, strict=True) if not character.isspace())
    assert max(covered, default=0) <= 1


@settings(deadline=None)
@given(st.lists(ANY_TEXT, max_size=4))
def test_sentences_hold_every_visible_character_once(texts: list[str]) -> None:
    batch = encode(texts)
    assert batch.document.tolist() == sorted(batch.document.tolist())
    for i, text in enumerate(texts):
        rows, offset = batch.rows(i), int(batch.offsets[i])
        assert set(batch.document[rows].tolist()) <= {i}
        starts, ends = (batch.starts[rows] - offset).tolist(), (batch.ends[rows] - offset).tolist()
        check_sentences(text, list(zip(starts, ends, strict=True)))


@settings(deadline=None)
@given(ANY_TEXT)
def test_segments_and_the_space_between_rejoin_to_the_text(separator: Separator, text: str) -> None:
    found = separator.separate(text)
    assert found.text == text
    check_sentences(text, [(s.start, s.end) for s in found.sentences])
    rejoined, end = "", 0
    for segment in found.segments:
        between = text[end : segment.start]
        assert not between.strip()
        rejoined += between + text[segment.start : segment.end]
        end = segment.end
    assert not text[end:].strip()
    assert rejoined + text[end:] == text
    assert all(a.label != b.label for a, b in pairwise(found.segments))
    parts = {s.label: "" for s in found.sentences}
    for s in found.sentences:
        parts[s.label] += text[s.start : s.end]
    for label in LABELS:
        assert "".join(found.keep([label]).split()) == "".join(parts.get(label, "").split())


@pytest.mark.parametrize("text", ["Das stimmt doch nicht.Jeder weiß das.", "So nicht!Und jetzt?"])
def test_what_is_kept_whole_is_kept_to_the_letter(text: str, separator: Separator) -> None:
    found = separator.separate(text)
    assert len(found) == 2
    assert found.keep(LABELS) == text


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Der Rat tagt.", "Was soll das?", LINK, "So ein Unsinn!!"]), min_size=1), st.data())
def test_what_is_kept_whole_keeps_its_white_space(separator: Separator, lines: list[str], data: st.DataObject) -> None:
    gaps = [data.draw(st.sampled_from([" ", "\n", "\n\n", "\r\n", "\n \n\t"])) for _ in lines[1:]]
    text = lines[0] + "".join(gap + line for gap, line in zip(gaps, lines[1:], strict=True))
    assert separator.separate(text).keep(LABELS) == text


@settings(deadline=None)
@given(st.text(st.sampled_from("aä1.😂\u0301 \n"), max_size=40), st.sampled_from(["\n\n", "\r\n\r\n"]))
def test_paragraphs_are_split_the_same_alone_and_together(text: str, gap: str) -> None:
    other = "Der Rat tagt am Montag. Er schweigt."
    together = sentences(other + gap + text + gap + other)
    assert together == [*sentences(other), *sentences(text), *sentences(other)]


# Long lines go to the splitter in chunks.


def test_a_long_line_is_cut_at_its_sentences() -> None:
    lone = "Der Rat hat am Montag einen neuen Plan beraten."
    assert sentences(" ".join([lone] * 500)) == [lone] * 500


@pytest.mark.parametrize("unit", ["👩‍👧", "‼️", "1️⃣", "e\u200d"])
@pytest.mark.parametrize("shift", range(4))
def test_a_long_line_is_never_cut_before_a_joiner(unit: str, shift: int) -> None:
    text = "x" * shift + unit * (3 * CHUNK)
    assert all(text[end] not in "\ufe0f\u200d\u20e3" for end in cuts(text)[:-1])


def test_a_long_line_without_sentences_is_cut_at_white_space() -> None:
    words = "wort " * CHUNK
    assert all(words[end - 1] == " " for end in cuts(words)[:-1])
    assert len(cuts(words)) > 1


UNITS = {
    "brackets and quotes": "(“",
    "letters": "a",
    "spaces": " ",
    "plus signs": "+",
    "emoji": "😂",
    "joined emoji": "👩‍👧",
    "low quotes": "„",
    "straight quotes": '"',
    "closing quotes": "“",
    "full stops": ".",
    "brackets": "(",
    "line breaks": "\n",
    "digits and stops": "1. ",
    "short lines": "ab\n",
    "lone surrogates": "\ud800 ",
    "wrapped lines": "Der Rat der Stadt hat am Montag nach langer Debatte beschlossen,\n",
}


def seconds(work: Callable[[], object], runs: int) -> float:
    """The shortest time of a few runs, in processor seconds: other processes do not count."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    """Ten times the text takes about ten times as long; a quadratic splitter would take a hundred times."""
    short, long = unit * (10_000 // len(unit)), unit * (100_000 // len(unit))
    encode([short])
    least = 0.002  # seconds; below that the clock says nothing
    ratio = seconds(lambda: encode([long]), 2) / max(seconds(lambda: encode([short]), 3), least)
    assert ratio <= 20


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u3000", "\x85", " \u00a0", "\u2009\u2009", "  \u202f"])
def test_an_initial_with_a_wide_space_before_the_full_stop(space: str, capfd: pytest.CaptureFixture[str]) -> None:
    # sentencex 1.0.32 panics at these, which no "except Exception" would catch.
    text = f"Er traf A{space}. Dann ging er. D{space}."
    assert cuts(text)[-1] == len(text)
    assert "panicked" not in capfd.readouterr().err


def test_arguments_that_are_none_are_told_at_once(separator: Separator) -> None:
    with pytest.raises(ValueError, match="labels must be some of article, commentary, boilerplate, as a list or tuple"):
        separator.separate(PAGE).keep("article")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not \\('artikel',\\)"):
        separator.separate(PAGE).keep(["artikel"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="favor must be one of"):
        separator.separate_many([], favor="x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"text 1 must be str, not NoneType .*; leave it out"):
        list(separator.separate_many(["a", None]))  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"text 0 must be str, not bytes .*; decode it first"):
        separator.separate_batch([b"a"])  # type: ignore[list-item]
    for mistaken, message in {
        None: "a text must be str, not NoneType; leave it out",
        b"a": "a text must be str, not bytes; decode it first",
        ("a", "b"): "a text must be str, not tuple; for several texts call separate_many",
    }.items():
        with pytest.raises(TypeError, match=message):
            separator.separate(mistaken)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="separate_batch takes several texts"):
        separator.separate_batch("Teile diesen Beitrag")


def texts_and_trouble(texts: list[object]) -> Iterator[str]:
    for text in texts:
        if isinstance(text, Exception):
            raise text
        yield text  # type: ignore[misc]


@pytest.mark.parametrize(("good", "bad"), [(3, None), (300, None), (3, ValueError("kaputt")), (0, b""), (256, None)])
def test_what_comes_before_a_bad_text_comes_out(good: int, bad: object, separator: Separator) -> None:
    found = separator.separate_many(texts_and_trouble([*(f"Text {n}." for n in range(good)), bad, "Ende."]))
    came: list[str] = []
    with pytest.raises((TypeError, ValueError), match=f"kaputt|text {good} must be str"):
        came += (each.text for each in found)
    assert came == [f"Text {n}." for n in range(good)]
    assert list(found) == []


def test_no_empty_batch_is_labelled(separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(type(separator), "separate_batch", lambda _, texts, favor: sizes.append(len(texts)) or texts)
    for good in (0, 1, 256, 257):
        assert len(list(separator.separate_many(["Ja."] * good))) == good
    assert sizes == [1, 256, 256, 1]


def test_a_caller_may_have_numpy_raise(separator: Separator) -> None:
    texts = [f"{PAGE}\n\n{'Der Rat tagt. ' * n}" for n in range(40)]
    with np.errstate(all="raise"):
        assert list(separator.separate_many(texts)) == list(separator.separate_many(texts))


def test_results_are_not_to_be_written_to_and_show_little(separator: Separator) -> None:
    found = separator.separate(PAGE * 20)
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0] = 2
    assert len(repr(found)) < 150
    assert PAGE[:20] in repr(found)


def test_a_panic_of_the_splitter_costs_no_more_than_its_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(language: str, line: str) -> list[str]:
        raise PanicException("index out of bounds")

    monkeypatch.setattr("sentencex.segment", panic)
    assert cuts("Ein Satz. Noch einer.\nUnd einer.") == [22, 32]


def test_long_lines_are_cut_at_sentences_alone() -> None:
    line = "Am 12. Juni war es, sagt Dr. Kern. Er sprach lange! " * 200
    assert len(line) > 4 * CHUNK
    ends = cuts(line)
    assert {line[a:b].strip() for a, b in pairwise([0, *ends])} == {
        "Am 12. Juni war es, sagt Dr. Kern.",
        "Er sprach lange!",
    }


def test_sentences_longer_than_a_chunk_are_cut_between_words() -> None:
    line = "Wort und " * CHUNK
    ends = cuts(line)
    assert 9 * CHUNK / len(ends) > CHUNK / 2
    assert all(line[end - 1] == " " for end in ends)
