"""What nobody sees changes no label: soft hyphens, zero-width spaces, marks of direction, decomposed umlauts."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degloss import separate
from degloss.documents import Segment, Separation
from degloss.explain import explain
from degloss.invisible import as_read, legible
from degloss.separate import shipped
from degloss_training import recipe
from degloss_training.corpus import Document
from degloss_training.prepare import legible_documents
from training_data import prepared

PAGE = """Stadtrat beschließt Umbau der Bahnhofstraße

Der Stadtrat hat am Dienstagabend dem Umbau der Bahnhofstraße zugestimmt. Die Verwaltung rechnet mit Kosten von vier \
Millionen Euro, sagte Bürgermeisterin Köhler nach der Abstimmung.

Na bravo, und wer zahlt die ganzen Verwaltungskosten? Wir natürlich, wie immer.

Teile diesen Beitrag
https://t.me/beispiel 👩‍👧‼️"""

HIDDEN = "\u00ad\u200b\u200e\u2060\ufeff"


def hyphenated(text: str) -> str:
    """As pages for narrow screens have it: in every long word."""
    return re.sub(r"(\w{3})(?=\w{3})", "\\1\u00ad", text)


WRITTEN = {
    "soft hyphens": hyphenated(PAGE),
    "a byte order mark": f"\ufeff{PAGE}",
    "marks of direction": re.sub(r"(?m)^(?=.)", "\u200f", re.sub(r"(?m)(?<=.)$", "\u200e", PAGE)),
    "isolates around words": re.sub(r"\b([A-Z]\w+)\b", "\u2068\\1\u2069", PAGE),
    "zero-width spaces": re.sub(r"(?<=\S)(?= )", "\u200b", PAGE),
    "umlauts of two code points": unicodedata.normalize("NFD", PAGE),
}


def seen(found: Separation) -> list[tuple[str, str, float]]:
    """The sentences as a reader sees them."""
    return [(legible(found.text[s.start : s.end]), s.label, s.confidence) for s in found.sentences]


@pytest.mark.parametrize("how", WRITTEN)
def test_what_is_not_seen_changes_nothing(how: str) -> None:
    assert WRITTEN[how] != PAGE
    assert seen(separate(WRITTEN[how])) == seen(separate(PAGE))


READ = [
    # text, as it is read
    ("Ver\u00adwal\u00ad\u00adtung", "Verwaltung"),
    ("\ufeffHallo.", "Hallo."),
    ("Gru\u0308ße, Cafe\u0301", "Grüße, Café"),
    ("Satz.\u200b\nNoch einer.", "Satz.\nNoch einer."),
    ("q\u0308", "q\u0308"),  # no letter has it
    (" \u200b\u00ad ", " \u200b\u00ad "),  # nobody's
    ("\u200b", "\u200b"),
    ("👩\u200d👧‼\ufe0f", "👩\u200d👧‼\ufe0f"),
]


@pytest.mark.parametrize(("text", "read"), READ, ids=[ascii(case[0]) for case in READ])
def test_what_is_read(text: str, read: str) -> None:
    assert legible(text) == read


@given(
    st.lists(st.sampled_from([*HIDDEN, "u\u0308", "A", "ü", ".", "! ", "\n", " ", "\r\n", "🦊", "\ud800"]), max_size=40)
)
def test_sentences_have_all_that_is_not_blank_and_offsets_go_there_and_back(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = separate(text)
    borders = [(0, 0), *((s.start, s.end) for s in found.sentences), (len(text), len(text))]
    assert all(not text[end:start].strip() for (_, end), (start, _) in pairwise(borders))
    assert all(start < end for start, end in borders[1:-1])
    assert all(text[place].strip() for start, end in borders[1:-1] for place in (start, end - 1))
    read, unseen = as_read([text])
    assert seen(found) == seen(separate(read[0]))
    for of in unseen.values():
        starts, ends = np.array(borders[1:-1], np.int64).reshape(-1, 2).T
        again = of.given(of.read(starts), of.read(ends))
        assert (again[0].tolist(), again[1].tolist()) == (starts.tolist(), ends.tolist())


def test_texts_of_a_batch_keep_their_own_offsets() -> None:
    texts = [PAGE, WRITTEN["soft hyphens"], "", WRITTEN["a byte order mark"], PAGE]
    for found, text in zip(shipped().separate_batch(texts), texts, strict=True):
        assert found == separate(text)


def test_long_texts_are_read_so_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("degloss.encode.SLICE", 200)
    assert [s[:2] for s in seen(separate(WRITTEN["soft hyphens"]))] == [s[:2] for s in seen(separate(PAGE))]


def test_explanations_are_of_what_is_read() -> None:
    plain, hyphens = (list(explain(shipped(), text)) for text in (PAGE, WRITTEN["soft hyphens"]))
    assert [(e.ngrams, e.cues, e.context) for e in plain] == [(e.ngrams, e.cues, e.context) for e in hyphens]
    assert [e.text for e in plain] == [legible(e.text) for e in hyphens]
    assert "\u00ad" in "".join(e.text for e in hyphens)


def test_training_reads_so_as_well() -> None:
    def document(text: str, cut: int) -> Document:
        return Document("d", "d", "pure", text, (Segment(0, cut, "article"), Segment(cut, len(text), "commentary")))

    article, comment = PAGE.split("\n\nNa")
    plain = prepared([document(f"{article}\n\nNa{comment}", len(article))])
    article, comment = hyphenated(article), hyphenated(comment)
    hyphens = [document(f"{article}\n\nNa{comment}", len(article))]
    assert not any("\u00ad" in made.text for made in recipe.documents(hyphens, None))
    data = prepared(legible_documents(hyphens))
    assert data.gold.tolist() == plain.gold.tolist()
    assert (data.ngrams != plain.ngrams).nnz == 0
    assert data.documents == plain.documents
