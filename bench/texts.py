"""The texts that are measured on: public articles if a folder has them, else the repository's own documents."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Final

from degloss_training import corpus

CORPUS: Final = Path(__file__).parents[1] / "training" / "corpus"

KINDS: Final = {
    "brackets and quotes": "(“", "low quotes": "„", "straight quotes": '"', "full stops": ".", "emoji": "😂",
    "combining marks": "a\u0301\u0301\u0301", "plus signs": "+", "brackets": "(", "line breaks": "\n",
    "one word": "a", "short sentences": "Na ja. ",
}  # fmt: skip
"""What the slowest inputs are made of, repeated; the search in tests/test_speed.py found nothing slower."""


def load(public: Path | None) -> list[str]:
    """The texts of the documents."""
    if public is None:
        return [document.text for document in corpus.load(CORPUS)]
    with gzip.open(public / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def megabytes(texts: list[str]) -> float:
    """Their size in UTF-8, in millions of bytes; lone surrogates count three."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6


def of_size(texts: list[str], size: int, *, one_line: bool = False) -> str:
    """One document of so many code points, made of the texts over and over."""
    whole = " ".join(" ".join(text.split()) for text in texts) + " " if one_line else "\n\n".join(texts) + "\n\n"
    return (whole * (size // len(whole) + 1))[:size]


def about(texts: list[str], characters: int) -> list[str]:
    """Those texts whose length is within a fifth of this; where there are none, the texts cut and joined to it."""
    found = [text for text in texts if abs(len(text) - characters) < characters / 5]
    whole = "\n\n".join(texts)
    return found or [whole[i : i + characters] for i in range(0, len(whole) - characters, characters)]
