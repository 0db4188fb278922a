"""Evaluation text that training has seen: real documents whose long sentences stand word for word in training texts.

A model that has learned a page by heart is right about it for no good reason. A phrase that many use is no proof, and
neither is one sentence of a long text, which may be an agency's; so two are asked for, or a fifth of a short text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Final

from degloss_training import sources
from degloss_training.corpus import Document
from degloss_training.statistics import sentences

LONG: Final = 60
"""Characters of a sentence in normal form that two people do not write by chance."""
SENTENCES: Final = 2
SHARE: Final = 1 / 5


def training_sentences(labelled: Sequence[Document], public: Path | None) -> frozenset[str]:
    """The long sentences of everything that is trained on: labelled documents, remarks and, if given, public texts."""
    texts = [*(d.text for d in labelled), *_texts(sources.gather([], public))]
    return frozenset(s for text in texts for s in sentences(text, LONG))


def shared(rows: Iterable[tuple[str, str]], trained: Set[str]) -> list[str]:
    """The names of the documents, given as name and text, that share enough with these sentences."""
    return [name for name, text in rows if _shares(sentences(text, LONG), trained)]


def _shares(long: Set[str], trained: Set[str]) -> bool:
    count = len(long & trained)
    return count >= SENTENCES or (count > 0 and count >= SHARE * len(long))


def _texts(gathered: Iterable[sources.Sources]) -> Iterator[str]:
    for of in gathered:
        for article in of.articles:
            yield "\n".join([article.headline, *article.paragraphs, *article.notes])
        for comment in (*of.comments, *of.remarks):
            yield comment.text
