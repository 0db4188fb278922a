"""Texts come in parts, and several at once: a page without its head, a chunk of a pipeline, a file with many posts.

Documents of the gate set are cut and joined, nothing else changed. A part says less of who speaks than the whole does,
so more of the article is lost; how much may be is what was measured, and some more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from gate_texts import Marked, Units, gate, judged


def part(text: str, of: Units) -> Marked:
    """The stretch of a text that these units make up."""
    first, last = of[0][0], of[-1][1]
    return text[first:last], [(start - first, end - first, label) for start, end, label in of]


def chunks(size: int) -> Callable[[Units], list[Units]]:
    return lambda of: [of[first : first + size] for first in range(0, len(of), size)]


CUT: Final[dict[str, tuple[Callable[[Units], list[Units]], float]]] = {
    # which parts, and the share of article units that may be lost in them
    "the whole": (lambda of: [of], 0.04),
    "without the first sentence": (lambda of: [of[1:]], 0.065),
    "the first half": (lambda of: [of[: len(of) // 2]], 0.065),
    "the second half": (lambda of: [of[len(of) // 2 :]], 0.2),
    "chunks of twenty sentences": (chunks(20), 0.15),
    "chunks of ten sentences": (chunks(10), 0.3),
}


@pytest.mark.parametrize("how", CUT)
def test_parts_keep_their_article(how: str) -> None:
    cut, share = CUT[how]
    parts = [part(text, of) for text, whole in gate() for of in cut(whole) if of]
    assert lost(parts) <= share


JOINED: Final = {2: 0.06, 5: 0.12, 20: 0.18}
"""So many documents in one text, and the share of article units that may be lost in it."""


@pytest.mark.parametrize("number", JOINED)
def test_several_documents_in_one_text_keep_their_articles(number: int) -> None:
    texts = []
    for first in range(0, len(gate()), number):
        whole, found = "", Units()
        for text, of in gate()[first : first + number]:
            found += [(len(whole) + start, len(whole) + end, label) for start, end, label in of]
            whole += f"{text}\n\n"
        texts.append((whole, found))
    assert lost(texts) <= JOINED[number]


def lost(texts: list[Marked]) -> float:
    """The share of all article units that is labelled otherwise."""
    said = [p for of in judged(texts) for g, p in zip(of.gold, of.predicted, strict=True) if g == 0]
    return sum(label != 0 for label in said) / len(said)
