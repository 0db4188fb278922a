"""`degloss corpus check`: everything that is wrong with a corpus, told together, each kind with what to do about it.

Slips of the format, documents of the gate set that are trained on, copies between groups, and lines of
`corpus.GROUPS` that lead nowhere. Within the corpus copies of one group are meant; between corpus and gate set none
are, whatever their names and groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from degloss.show import counted
from degloss_training import corpus, recipe, statistics
from degloss_training.corpus import Document


@dataclass(frozen=True)
class Checked:
    """What a check found, a line each; `notes` are no mistakes."""

    documents: int
    held_out: int
    slips: list[str]
    groups: list[str]
    leaks: list[str]
    copies: list[str]
    notes: list[str]

    @property
    def problems(self) -> list[str]:
        """All that must be mended."""
        return [*self.slips, *self.groups, *self.leaks, *self.copies]

    @property
    def summary(self) -> str:
        """How many problems there are of each kind, and what to do."""
        told = [
            (self.slips, "slip", "of the format, mend them"),
            (self.groups, "line", "of corpus.GROUPS, mend them"),
            (self.leaks, "trace", "of the gate set, delete these documents from the corpus"),
            (self.copies, "pair", "of copies between groups, make them one group in corpus.GROUPS, or delete one"),
        ]
        return "; ".join(f"{counted(len(lines), noun)} {remedy}" for lines, noun, remedy in told if lines)


def check(folder: Path, gate: Path) -> Checked:
    """Checks the documents of a corpus and of its gate set."""
    (documents, slips), (held_out, more) = corpus.scan(folder), corpus.scan(gate)
    names = [path.stem for path in (*corpus.files(folder), *corpus.files(gate))]
    leaks, copies = _copies(documents, held_out)
    groups, elsewhere = _groups(set(names))
    return Checked(
        documents=len(documents), held_out=len(held_out), slips=[*slips, *more], groups=groups, leaks=leaks,
        copies=copies, notes=[*elsewhere, *_lone_batches(documents)],
    )  # fmt: skip


def also_held_out(documents: Sequence[Document], held_out: Sequence[Document]) -> list[str]:
    """The names of the documents that are in the gate set as well, by their name or their whole text."""
    names, texts = {d.name for d in held_out}, {statistics.normal(d.text) for d in held_out}
    return [d.name for d in documents if d.name in names or statistics.normal(d.text) in texts]


def _copies(documents: Sequence[Document], held_out: Sequence[Document]) -> tuple[list[str], list[str]]:
    """What corpus and gate set share, and what two groups of either share."""
    names, groups = ({d.name for d in held_out}, {d.group for d in held_out})
    leaks = [f"{d.name} has the name of a document of the gate set" for d in documents if d.name in names]
    leaks += [f"{d.name} is of a group of the gate set, {d.group}"
              for d in documents if d.group in groups and d.name not in names]  # fmt: skip
    # Nothing in the gate set is of one group with anything in the corpus, whatever it is called.
    apart = [replace(d, name=f"{d.name} of the gate set", group=f"gate set: {d.group}") for d in held_out]
    other = {d.name for d in apart}
    copies: list[str] = []
    for a, b, message in _pairs([*documents, *apart]):
        (leaks if (a in other) != (b in other) else copies).append(message)
    return leaks, copies


def _pairs(documents: Sequence[Document]) -> Iterator[tuple[str, str, str]]:
    """Pairs of documents of two groups that share text: their names, and what to tell."""
    same = statistics.same_texts(documents)
    for a, b in same:
        yield a, b, f"{a} and {b} are the same text"
    for a, b, sentence in statistics.shared_sentences(documents):
        if (a, b) not in same:
            yield a, b, f"{a} and {b} share the sentence: {sentence[:60]}"
    for a, b, share in statistics.near_duplicates(documents):
        if (a, b) not in same:
            yield a, b, f"{a} and {b} share {share:.0%} of their word 5-grams"


def _groups(names: set[str]) -> tuple[list[str], list[str]]:
    """Lines of `corpus.GROUPS` that are wrong where there are documents of these names, and those of other corpora."""
    wrong, elsewhere = [], []
    for name, of in corpus.GROUPS.items():
        line = f"corpus.GROUPS: {name!r}: {of!r}"
        missing = [repr(end) for end in (name, of) if end not in names]
        if len(missing) == 1:
            wrong.append(f"{line}: {missing[0]} is no document")
        elif missing:
            elsewhere.append(f"{line}: neither is a document of this corpus")
        elif corpus.group_of(name) in corpus.GROUPS:
            wrong.append(f"{line} leads into a circle")
    return wrong, elsewhere


def _lone_batches(documents: Sequence[Document]) -> list[str]:
    """A note for each batch of a single document, which may be a slip in its name."""
    kinds = Counter(d.kind for d in documents)
    return [
        f"{d.name} is the only document of the batch {d.batch} (genre {recipe.genre(d.kind)}); if it belongs to"
        " another one, call it BATCH-NUMBER"
        for d in documents
        if kinds[d.kind] == 1
    ]
