"""Texts come half out of other formats: what a reader sees in them is what decides, and offsets are of what came.

What is read of a text stands in cases/spellings.tsv. That it changes no label is tested on documents of the gate set,
each written in as many ways as scraped text comes in.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from degloss import separate
from degloss.documents import Segment, Separation
from degloss.explain import explain
from degloss.reading import as_read, legible
from degloss.segment import CHUNK
from degloss.separate import shipped
from degloss_training import recipe
from degloss_training.corpus import Document
from degloss_training.prepare import legible_documents
from gate_texts import Marked, gate, judged
from training_data import prepared

CASES: Final = Path(__file__).parent / "cases" / "spellings.tsv"


def cases() -> list[tuple[str, str, str]]:
    rows = (line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [(kind, unescaped(text), unescaped(read)) for kind, text, read in rows]


def unescaped(text: str) -> str:
    escape = r"\\(?:\\|n|x[0-9a-f]{2}|u[0-9a-f]{4})"
    return re.sub(escape, lambda match: str(ast.literal_eval(f"'{match[0]}'")), text)


@pytest.mark.parametrize(("text", "read"), [case[1:] for case in cases()], ids=[f"{c[0]}: {c[1]!a}" for c in cases()])
def test_what_is_read(text: str, read: str) -> None:
    assert legible(text) == read


# Labels.


Written = Callable[[str], list[str]]
"""Writes a text otherwise: what stands for each of its characters."""


def each(table: dict[str, str]) -> Written:
    return lambda text: [table.get(character, character) for character in text]


def around(pattern: str, before: str, behind: str) -> Written:
    def written(text: str) -> list[str]:
        pieces = list(text)
        for match in re.finditer(pattern, text):
            pieces[match.start()] = before + pieces[match.start()]
            pieces[match.end() - 1] += behind
        return pieces

    return written


def dotted(form: str) -> Written:
    return each({umlaut: form.format(letter) for umlaut, letter in zip("äöüÄÖÜ", "aouAOU", strict=True)})


def mojibake(text: str) -> list[str]:
    # What Windows-1252 has no character for is taken for that of Latin-1.
    return [
        "".join(
            bytes([byte]).decode("cp1252" if byte not in b"\x81\x8d\x8f\x90\x9d" else "latin-1") for byte in c.encode()
        )
        for c in text
    ]


def as_mailed(text: str) -> list[str]:
    """As quoted-printable, whose lines go on in the next ones where they are long, also within a character."""
    folds = ["=\n" * (number % 60 == 59 and c != "\n") for number, c in enumerate(text)]
    return [
        fold.join(f"={byte:02X}" for byte in c.encode()) if c > "~" or c == "=" else fold + c
        for c, fold in zip(text, folds, strict=True)
    ]


ALIKE: Final = dict(zip("aeopcxyABEHKMOPCTX", "аеорсхуАВЕНКМОРСТХ", strict=True))
UMLAUTS: Final = "äöüÄÖÜß"
BOLD: Final = {chr(65 + n + 6 * (n > 25)): chr(0x1D5D4 + n) for n in range(52)}
ENTITIES: Final = {
    "ä": "&auml;", "ö": "&ouml;", "ü": "&uuml;", "Ä": "&Auml;", "Ö": "&Ouml;", "Ü": "&Uuml;", "ß": "&szlig;",
    "„": "&bdquo;", "“": "&ldquo;", '"': "&quot;", "–": "&#8211;", "&": "&amp;", "\u00a0": "&nbsp;",
}  # fmt: skip

WRITTEN: Final[dict[str, tuple[Written, float]]] = {
    # how, and the share of units that may get another label; 0 where nothing is lost
    "soft hyphens": (around(r"\w{3}(?=\w{3})", "", "\u00ad"), 0),
    "marks of direction": (around(r"(?m)^.+$", "\u200f", "\u200e"), 0),
    "zero-width spaces": (around(r"\S(?= )", "", "\u200b"), 0),
    "lines of zero-width spaces": (around(r"\n(?=\n)", "", "\u200b"), 0),
    "umlauts of two code points": (lambda text: [unicodedata.normalize("NFD", c) for c in text], 0),
    "control characters": (around(r"\S(?= )", "", "\x02"), 0),
    "bold letters": (each(BOLD), 0),
    "letters of other alphabets": (each(ALIKE), 0.005),
    "entities": (each(ENTITIES), 0.002),
    "entities twice": (each({c: entity.replace("&", "&amp;") for c, entity in ENTITIES.items()}), 0.002),
    "UTF-8 taken for Windows-1252": (mojibake, 0.005),
    **{
        f"UTF-8 taken for {page}": (each({c: c.encode().decode(page) for c in f"{UMLAUTS}–"}), 0.003)
        for page in ("mac_roman", "cp437", "cp850", "cp1250", "cp1251")
    },
    "dots before their letters": (dotted("¨{}"), 0),
    "dots behind their letters": (dotted("{}¨"), 0.004),
    "dots and a blank behind their letters": (dotted("{} \u0308"), 0.004),
    "hyphens that are other signs": (around(r"[a-zäöüß]{3}(?=[a-zäöüß]{3})", "", "¬"), 0.003),
    "quoted-printable": (as_mailed, 0),
    "escapes of JSON": (lambda text: [f"\\u{ord(c):04x}" if "\x80" < c < "\uffff" else c for c in text], 0.005),
    "line breaks of JSON": (each({"\n": "\\n"}), 0.002),  # not the last one
    "line breaks of JSON on Windows": (each({"\n": "\\r\\n"}), 0.002),
    "escapes of Markdown": (each({c: f"\\{c}" for c in ".!-"}), 0),
    "headings": (around(r"(?m)^\S.*$", "## ", ""), 0.005),
    "bold words": (around(r"(?<=[a-zäöü] )[A-ZÄÖÜ][a-zäöüß]+(?= [a-zäöü])", "**", "**"), 0.005),
    "links": (around(r"(?<=[a-zäöü] )[A-ZÄÖÜ][a-zäöüß]+(?= [a-zäöü])", "[", "](https://beispiel.example/seite)"), 0),
    "addresses behind words": (
        around(r"(?<=[a-zäöü] )[A-ZÄÖÜ][a-zäöüß]+(?= [a-zäöü])", "", " (https://beispiel.example/seite)"),
        0,
    ),
    "blanks before marks": (around(r"\b\w{11}(?=[,.]\s)", "", " "), 0.002),
    "tags": (around(r"(?m)^\S.*$", "<p>", "</p>"), 0.005),
    "breaks": (each({"\n": "<br />\n"}), 0.002),
    "tags escaped once more": (around(r"(?m)^\S.*$", "&lt;p&gt;", "&lt;/p&gt;"), 0.005),
    "tags with long attributes": (around(r"(?m)^\S", f'<img srcset="{"a.jpg 1x, " * 80}">', ""), 0.005),
    "comments of HTML": (around(r"(?m)^\S.*$", "<!-- wp:paragraph -->\n", "\n<!-- /wp:paragraph -->"), 0.03),
    "UTF-8 taken twice": (
        lambda text: ["".join(mojibake("".join(mojibake(c)))) if c in UMLAUTS else c for c in text],
        0,
    ),
    "U+FFFD taken for Windows-1252": (each(dict.fromkeys(UMLAUTS, "ï¿½")), 0.02),
    "umlauts lost byte by byte": (each(dict.fromkeys(UMLAUTS, "??")), 0.045),
    "footnotes": (around(r"(?<=[a-zäöüß])\.(?=\s)", "", "[12]"), 0),
    "raised footnotes": (around(r"(?<=[a-zäöüß])\.(?=\s)", "", "¹²"), 0),
    "quotation marks of typewriters": (each({"„": ",,", "“": "''", "”": "''"}), 0.005),
    "umlauts lost": (each(dict.fromkeys(UMLAUTS, "?")), 0.03),
    "umlauts not decoded": (each(dict.fromkeys(UMLAUTS, "\ufffd")), 0.02),
}


@cache
def known() -> tuple[tuple[Marked, tuple[int, ...]], ...]:
    """Every third document of the gate set, and what is said of it."""
    texts = gate()[::3]
    return tuple(zip(texts, (of.predicted for of in judged(texts)), strict=True))


NOUN: Final = r"(?<=[a-zäöü] )[A-ZÄÖÜ][a-zäöüß]+ung(?= [a-zäöü])"

LAID_OUT: Final[dict[str, tuple[Written, float]]] = {
    # nothing reads that otherwise; the model has to know that it says nothing of who speaks
    "in one line": (each({"\n": " "}), 0.15),
    "a blank line behind each": (each({"\n": "\n\n"}), 0.05),
    "two blank lines behind each": (each({"\n": "\n\n\n"}), 0.04),
    "an emoji behind each line": (around(r"(?m)\S$", "", " 🙏"), 0.12),
    "the sign of a list before each line": (around(r"(?m)^\S", "⁃ ", ""), 0.12),
    "an emoji before each line": (around(r"(?m)^\S", "👉 ", ""), 0.06),
    "addresses without brackets behind words": (around(NOUN, "", " https://beispiel.example/seite"), 0.05),
    "accounts behind words": (around(NOUN, "", " @kanal"), 0.05),
    "flags behind words": (around(NOUN, "", " 🇩🇪"), 0.04),
    "the same line between all paragraphs": (around(r"\n\n(?=\S)", "", "* * *\n\n"), 0.09),
    "small letters": (lambda text: [character.lower() for character in text], 0.17),
}


@pytest.mark.parametrize("how", [*WRITTEN, *LAID_OUT])
def test_how_a_text_is_written_changes_no_label(how: str) -> None:
    write, share = {**WRITTEN, **LAID_OUT}[how]
    documents: list[Marked] = []
    for (text, of), _ in known():
        pieces = write(text)
        offsets = [0, *accumulate(map(len, pieces))]
        documents.append(("".join(pieces), [(offsets[start], offsets[end], label) for start, end, label in of]))
    assert sum(text != as_it_is for (text, _), ((as_it_is, _), _) in zip(documents, known(), strict=True)) > 20
    said = [
        (a, b)
        for now, (_, then) in zip(judged(documents), known(), strict=True)
        for a, b in zip(now.predicted, then, strict=True)
    ]
    assert sum(a != b for a, b in said) <= share * len(said)


PAGE = """Stadtrat beschließt Umbau der Bahnhofstraße

Der Stadtrat hat am Dienstagabend dem Umbau der Bahnhofstraße zugestimmt. Die Verwaltung rechnet mit Kosten von vier \
Millionen Euro, sagte Bürgermeisterin Köhler nach der Abstimmung.

Na bravo, und wer zahlt die ganzen Verwaltungskosten? Wir natürlich, wie immer.

Teile diesen Beitrag
https://t.me/beispiel 👩‍👧‼️"""

HYPHENATED = re.sub(r"(\w{3})(?=\w{3})", "\\1\u00ad", PAGE)


def seen(found: Separation) -> list[tuple[str, str, float]]:
    """The sentences as a reader sees them."""
    return [(legible(found.text[s.start : s.end]).strip(), s.label, s.confidence) for s in found.sentences]


PIECES: Final = [
    " ,", " .", " (https://a.de)", "(www.a.de)", "=C3=BC", "=\n", "=20", "=E2=80",
    "\u00ad", "\u200b", "\ufeff", "\0", "u\u0308", "A", "ü", ".", "! ", "\n", " ", "\r\n", "🦊", "\ud800", "&nbsp;",
    "&uuml;", "&amp;", "<br>", "<p>", "</b>", "**", "_", "[1]", "[a](b)", "\\n", "\\.", "# ", "> ", "Ã¼", "Â\xa0",
    "\ufffd", "?", "a?b", ",,", "''", "ﬁ", "𝗔", "¹", "Ã\xa0", "ð\x9f\x98\x85", "ï¿½", "&lt;p&gt;", "<p ",
    "\\r\\n", "\ufe0f", "*", ">", "a b c a", " b", "\u0430", "B", "¨", " \u0308",
    "¬", "├╝", "√", "‚Äû", "Г", "\n⁃ ", "\n\uf0b7 ",
]  # fmt: skip


@pytest.mark.parametrize("chunk", [CHUNK, 12])
@example(["x" * 11, "ﬁ", "x" * 12])
@example(["</b>", " \u0308", "a"])
@example(["├╝"])
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_sentences_have_all_that_is_not_blank_and_offsets_go_there_and_back(chunk: int, pieces: list[str]) -> None:
    text = "".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("degloss.segment.CHUNK", chunk)  # lines so long are cut anywhere
        found = separate(text)
    borders = [(0, 0), *((s.start, s.end) for s in found.sentences), (len(text), len(text))]
    assert all(not text[end:start].strip() for (_, end), (start, _) in pairwise(borders))
    assert all(start < end for start, end in borders[1:-1])
    assert all(text[place].strip() for start, end in borders[1:-1] for place in (start, end - 1))
    for of in as_read([text])[1].values():
        starts, ends = np.array(borders[1:-1], np.int64).reshape(-1, 2).T
        again = zip(*(each.tolist() for each in of.given(of.read(starts), of.read(ends))), strict=True)
        # Blanks that are left out are those of the sentence, but at its edges.
        for start, end, (begin, finish) in zip(starts.tolist(), ends.tolist(), again, strict=True):
            assert text[begin:finish].strip() == text[start:end]
            assert begin + len(text[begin:finish]) - len(text[begin:finish].lstrip()) == start


@pytest.mark.parametrize(
    "text",
    [
        "wort " * 395 + "x" * 9 + " " + "  ".join(["n e i n"] * 3),
        "  ".join(["n e i n"] * 1200),
        "x-" * 998 + "S p e r r u n g",
        " ".join("sperrung" * 1000),
    ],
)
def test_long_lines_cut_within_words_set_apart_lose_nothing(text: str) -> None:
    borders = [(s.start, s.end) for s in separate(text).sentences]
    assert len(borders) > 1
    assert all(text[place].strip() for start, end in borders for place in (start, end - 1))
    assert "".join(text[start:end] for start, end in borders).replace(" ", "") == text.replace(" ", "")


def test_a_text_is_read_alike_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = "".join(f"{text}\n\n" for _, text, _ in cases())
    alone = legible(whole)
    for step in (1, 2, 3, 64):
        monkeypatch.setattr("degloss.candidates._STEP", step)
        assert legible(whole) == alone
    monkeypatch.undo()
    for before in ("*", "_", ">", "`", "#", "👉", "\u00ad", "Ã", "?", ","):
        for _, text, read in cases():
            assert as_read([before, text, before])[0][1] == read


def test_texts_of_a_batch_keep_their_own_offsets() -> None:
    texts = [PAGE, HYPHENATED, "", f"\ufeff{PAGE}", PAGE]
    for found, text in zip(shipped().separate_batch(texts), texts, strict=True):
        assert found == separate(text)


def test_long_texts_are_read_so_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("degloss.encode.SLICE", 200)
    assert [s[:2] for s in seen(separate(HYPHENATED))] == [s[:2] for s in seen(separate(PAGE))]


def test_explanations_are_of_what_is_read() -> None:
    plain, hyphens = (list(explain(shipped(), text)) for text in (PAGE, HYPHENATED))
    assert [(e.ngrams, e.cues, e.context) for e in plain] == [(e.ngrams, e.cues, e.context) for e in hyphens]
    assert [e.text for e in plain] == [legible(e.text) for e in hyphens]
    assert "\u00ad" in "".join(e.text for e in hyphens)


def test_training_reads_so_as_well() -> None:
    def document(text: str, cut: int) -> Document:
        return Document("d", "d", "pure", text, (Segment(0, cut, "article"), Segment(cut, len(text), "commentary")))

    article, comment = PAGE.split("\n\nNa")
    plain = prepared([document(f"{article}\n\nNa{comment}", len(article))])
    article, comment = (re.sub(r"(\w{3})(?=\w{3})", "\\1\u00ad", text) for text in (article, comment))
    hyphens = [document(f"{article}\n\nNa{comment}", len(article))]
    assert not any("\u00ad" in made.text for made in recipe.documents(hyphens, None))
    data = prepared(legible_documents(hyphens))
    assert data.gold.tolist() == plain.gold.tolist()
    assert (data.ngrams != plain.ngrams).nnz == 0
    assert data.documents == plain.documents
