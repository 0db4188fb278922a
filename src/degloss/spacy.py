"""A component for spaCy: `nlp.add_pipe("degloss")`, found by its entry point without an import.

`doc.spans["degloss"]` then has a span for each segment, its label who speaks, with the segments' mean confidences in
the group's `attrs["scores"]`, where spaCy's own spancat has its scores. Segments are told in characters and spans in
tokens; where a segment ends inside a token the whole token belongs to it, and to the next one too, so that no character
of it is lost ("expand").

    >>> import spacy
    >>> nlp = spacy.blank("de")
    >>> component = nlp.add_pipe("degloss", config={"favor": "recall"})
    >>> doc = nlp("Der Rat hat am Dienstag zugestimmt, teilte die Stadt mit.\\n\\nTeile diesen Beitrag")
    >>> [(span.text, span.label_) for span in doc.spans["degloss"]]
    [('Der Rat hat am Dienstag zugestimmt, teilte die Stadt mit.', 'article'), ('Teile diesen Beitrag', 'boilerplate')]

This module needs spaCy (extra `spacy`); nothing else in degloss imports it.
"""

# No deferred annotations here: spaCy checks the configuration by those of `make`.

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np

from degloss.documents import Favor, Separation
from degloss.extras import package
from degloss.separate import BATCH_DOCUMENTS, Separator, load, shipped

NAME: Final = "degloss"
DEFAULTS: Final = {"spans_key": NAME, "favor": "balanced", "model": None}

_language: Any = package("spacy.language", "spacy", "degloss.spacy").Language


class Component:
    """Marks who speaks in a document; what it was configured with is all that is saved with a pipeline."""

    def __init__(self, spans_key: str, favor: Favor, model: str | None) -> None:
        self.spans_key = spans_key
        self.favor = favor
        self.model = model

    @cached_property
    def separator(self) -> Separator:
        """The model; the shipped one is loaded when the first document comes."""
        return shipped() if self.model is None else load(self.model)

    def __call__(self, doc: Any) -> Any:
        """Marks one document."""
        return self._marked(doc, self.separator.separate(doc.text, favor=self.favor))

    def pipe(self, stream: Iterable[Any], *, batch_size: int = BATCH_DOCUMENTS) -> Iterator[Any]:
        """Marks documents in batches."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            found = self.separator.separate_many((doc.text for doc in batch), favor=self.favor)
            for doc, separation in zip(batch, found, strict=True):
                yield self._marked(doc, separation)

    def _marked(self, doc: Any, found: Separation) -> Any:
        spans = [doc.char_span(s.start, s.end, label=s.label, alignment_mode="expand") for s in found.segments]
        doc.spans[self.spans_key] = spans
        doc.spans[self.spans_key].attrs["scores"] = _scores(found)
        return doc


def _scores(found: Separation) -> Any:
    """(segments) the mean confidence of their sentences, each counted by its code points."""
    lengths = found.ends - found.starts
    first = [int(np.searchsorted(found.starts, segment.start)) for segment in found.segments]
    if not first:
        return np.zeros(0, np.float32)
    total = np.add.reduceat(lengths * found.confidences, first) / np.add.reduceat(lengths, first)
    return total.astype(np.float32)


def make(nlp: Any, name: str, spans_key: str, favor: Favor, model: str | None) -> Component:
    """The component of a configuration; spaCy calls it.

    `spans_key` is where the spans go, `favor` as in `degloss.separate`, `model` the folder of another model. That one
    is loaded at once, so that a wrong folder shows here and not at the first text; raises `ModelError`.
    """
    made = Component(spans_key, favor, model)
    if model is not None:
        _ = made.separator
    return made


_language.factory(NAME, default_config=DEFAULTS, assigns=["doc.spans"], func=make)
