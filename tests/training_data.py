"""Small labelled documents as training sees them: one place that knows how they are prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from degloss.documents import Label, Segment
from degloss_training.corpus import Document
from degloss_training.prepare import Prepared, prepare


def document(name: str, *parts: tuple[str, Label], group: str = "", kind: str = "authored x") -> Document:
    """A labelled document of these parts, neighbours of one label as one span."""
    text, spans = "", list[Segment]()
    for part, label in parts:
        begin = len(text)
        text += part
        if spans and spans[-1].label == label:
            spans[-1] = Segment(spans[-1].start, len(text), label)
        elif part:
            spans.append(Segment(begin, len(text), label))
    return Document(name, group or name, kind, text, tuple(spans))


def prepared(
    documents: Sequence[Document],
    sentence_weights: Mapping[str, float] | None = None,
    chain_weights: Mapping[str, float] | None = None,
    costs: Mapping[tuple[str, Label], float] | None = None,
    voices: float = 1,
) -> Prepared:
    """The documents as arrays; whatever is not given weighs 1. The genre is the kind."""
    return prepare(documents, sentence_weights or {}, chain_weights or {}, costs or {}, lambda kind: kind, voices)
