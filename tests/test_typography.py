"""What composed documents look like: habits that are the same for all speakers, and change nothing that is said."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from degloss_training.page import Piece
from degloss_training.typography import written

PIECES: list[Piece] = [
    ("Rat stimmt zu\n\n", "article"),
    (
        "Der Rat hat am Montag „nach langem Streit“ dem Umbau der Straße zugestimmt.\nEr kostet vier Millionen.\n\n",
        "article",
    ),
    ("Na bravo, und wer zahlt das alles wieder? Wir natürlich, wie jedes Mal in dieser Stadt!\n\n", "commentary"),
    ("Teile diesen Beitrag\nhttps://t.me/beispiel", "boilerplate"),
]
TEXT = "".join(text for text, _ in PIECES)
DRAWN = [written(PIECES, random.Random(seed)) for seed in range(3_000)]
TEXTS = ["".join(text for text, _ in pieces) for pieces in DRAWN]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_what_is_said_and_who_says_it_stays() -> None:
    for pieces in DRAWN:
        assert [label for _, label in pieces] == [label for _, label in PIECES]
        for (text, _), (before, _) in zip(pieces, PIECES, strict=True):
            found = iter(words(text))
            assert all(word in found for word in words(before))  # in this order, with links and names between them
    assert sum(words(text) != words(TEXT) for text in TEXTS) < 0.08 * len(TEXTS)


def test_the_same_draw_gives_the_same_document() -> None:
    assert written(PIECES, random.Random(7)) == written(PIECES, random.Random(7))


HABITS = {
    # what tells it, and the share of documents that have it; others may look like it
    "in one line": (lambda text: "\n" not in text, 0.06, 0.1),
    "paragraphs in one line": (
        lambda text: "\n\n" in text and "zugestimmt. Er" in text.replace("\n\n", "#"),
        0.02,
        0.06,
    ),
    "blank lines everywhere": (lambda text: "Beitrag\n\nhttps" in text, 0.03, 0.1),
    "two blank lines": (lambda text: "\n\n\n" in text, 0.01, 0.04),
    "no blank line": (lambda text: "\n" in text and "\n\n" not in text, 0.03, 0.1),
    "hard-wrapped": (lambda text: max(map(len, text.splitlines())) <= 80 and "bravo" in text, 0.04, 0.1),
    "small letters": (str.islower, 0.01, 0.04),
    "signs before lines": (lambda text: re.search(r"(?m)^[^\w\s„\"»“«]", text) is not None, 0.01, 0.04),
    "signs behind lines": (lambda text: re.search(r"[^\w\s.!?“”\"«»]$", text, re.MULTILINE) is not None, 0.008, 0.04),
    "a line for each sentence": (lambda text: "wieder?\nWir" in text and "Rat hat am" in text, 0.01, 0.05),
    "lines around nouns": (lambda text: "\nMontag\n" in text, 0.005, 0.03),
    "no punctuation": (lambda text: not re.search("[,!?]", text), 0.005, 0.03),
    "blanks before marks": (lambda text: re.search(r"\w [!?]", text) is not None, 0.004, 0.03),
    "links behind words": (
        lambda text: re.search(r"(?s)\w \(?(?:https://)?[\w.]+\.\w+.*Teile", text) is not None,
        0.004,
        0.03,
    ),
    "accounts behind words": (lambda text: "@" in text, 0.004, 0.03),
    "flags behind words": (
        lambda text: re.search(r"\w [^\w\s(@\[„»«“\"–-]+(?:\ufe0f)? \w", text) is not None,
        0.004,
        0.05,
    ),
    "other quotation marks": (lambda text: "„" not in text, 0.2, 0.35),
}


@pytest.mark.parametrize("habit", HABITS)
def test_habits_are_drawn(habit: str) -> None:
    has, least, most = HABITS[habit]
    assert not has(TEXT)
    assert least < sum(map(has, TEXTS)) / len(TEXTS) < most


def test_half_of_the_documents_stay_as_they_are() -> None:
    assert Counter(text == TEXT for text in TEXTS)[True] > 0.4 * len(TEXTS)


def test_all_speakers_share_a_habit() -> None:
    for pieces in DRAWN:
        text = "".join(text for text, _ in pieces)
        if "\n" not in pieces[0][0]:
            assert "\n" not in text
        if pieces[0][0].islower():
            assert text.islower()
