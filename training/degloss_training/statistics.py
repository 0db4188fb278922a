"""`degloss corpus`: what is in the corpus, and what should not be: copies, near-copies, leaks between splits."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from degloss.documents import LABELS
from degloss.show import counted
from degloss_training import recipe
from degloss_training.corpus import Document

SHINGLE: Final = 5
NEAR: Final = 0.3
"""Two documents that share this much of the smaller one's word 5-grams are near-duplicates; independent German
documents of one topic share under 0.02, the two translations of one seed article 0.1 (they are one group for that)."""
LONG: Final = 40


def normal(text: str) -> str:
    """A text in normal form: lower case, letters alone; without any letter as it is, but for white space around it.

    >>> normal(" Na toll,\\nLeute! "), normal("+++\\n")
    ('na toll leute', '+++')
    """
    return _letters(text) or text.strip()


def _letters(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def sentences(text: str, least: int = LONG) -> set[str]:
    """The long sentences of a text in normal form: those of so many characters."""
    return {s for s in map(_letters, re.split(r"[.!?\n]+", text)) if len(s) >= least}


def same_texts(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """Documents of two groups whose whole texts are the same in normal form: (one document, the other)."""
    seen: dict[str, Document] = {}
    found = []
    for d in documents:
        first = seen.setdefault(normal(d.text), d)
        if first.group != d.group:
            found.append((first.name, d.name))
    return found


def shared_sentences(documents: Sequence[Document]) -> list[tuple[str, str, str]]:
    """Long sentences that stand in documents of two groups: (one document, the other, the sentence)."""
    seen: dict[str, Document] = {}
    found = []
    for d in documents:
        # The lines of comment forms are the same everywhere.
        spoken = "\n".join(d.of("article") + d.of("commentary"))
        for s in sorted(sentences(spoken)):
            first = seen.setdefault(s, d)
            if first.group != d.group:
                found.append((first.name, d.name, s))
    return found


def near_duplicates(documents: Sequence[Document]) -> list[tuple[str, str, float]]:
    """Pairs of documents of two groups that share many word 5-grams: (one, the other, share)."""
    shingles: list[set[int]] = []
    holders: dict[int, list[int]] = defaultdict(list)
    for i, d in enumerate(documents):
        words = re.findall(r"\w+", d.text.lower())
        mine = {hash(tuple(words[j : j + SHINGLE])) for j in range(len(words) - SHINGLE + 1)}
        shingles.append(mine)
        for h in mine:
            holders[h].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for group in holders.values():
        for a in range(len(group)):
            for b in group[a + 1 :]:
                shared[group[a], b] += 1
    found = []
    for (a, b), n in sorted(shared.items()):
        share = n / max(1, min(len(shingles[a]), len(shingles[b])))
        if share >= NEAR and documents[a].group != documents[b].group:
            found.append((documents[a].name, documents[b].name, share))
    return found


def describe(documents: Sequence[Document]) -> str:
    """The corpus in figures, as a table of text."""
    lines = [f"{counted(len(documents), 'document')} of {counted(len({d.group for d in documents}), 'group')}"]
    characters = Counter(dict.fromkeys(LABELS, 0))
    for d in documents:
        for s in d.spans:
            characters[s.label] += s.end - s.start
    whole = sum(characters.values())
    for label in LABELS:
        have = sum(any(s.label == label for s in d.spans) for d in documents)
        lines.append(
            f"{label:12} {characters[label]:9,} characters {characters[label] / whole:6.1%}  in {have} documents"
        )
    first = Counter(_place(d) for d in documents)
    lines.append("commentary: " + ", ".join(f"{place} {n}" for place, n in first.most_common()))
    buckets = Counter(d.bucket for d in documents)
    lines.append("documents by bucket: " + " ".join(str(buckets[b]) for b in sorted(buckets)))
    return "\n".join([*lines, "", *_batches(documents)])


def _batches(documents: Sequence[Document]) -> list[str]:
    """A table of what the batches count as: a row a genre and weights, with its batches and their documents."""
    rows: dict[tuple[str, float, float], list[str]] = defaultdict(list)
    for (kind, batch), number in sorted(Counter((d.kind, d.batch) for d in documents).items()):
        weights = (_weight(recipe.SENTENCE_WEIGHTS, kind), _weight(recipe.CHAIN_WEIGHTS, kind))
        rows[recipe.genre(kind), *weights].append(f"{batch} {number}")
    head = f"{'genre':8} {'weight in sentence model':>24} {'in chain':>9}  batches and their documents"
    return [head, *(f"{g:8} {s:24g} {c:9g}  {', '.join(names)}" for (g, s, c), names in sorted(rows.items()))]


def _weight(weights: Mapping[str, float], kind: str) -> float:
    """The weight of a kind, or of its first word, as `prepare` takes it."""
    return weights.get(kind, weights.get(kind.partition(" ")[0], 1.0))


def _place(document: Document) -> str:
    """Where the commentary of a document stands relative to its article."""
    spoken = [s.label for s in document.spans if s.label != "boilerplate"]
    runs = [label for i, label in enumerate(spoken) if i == 0 or spoken[i - 1] != label]
    match runs:
        case ["article"] | []:
            return "none"
        case ["commentary"]:
            return "alone"
        case ["article", "commentary"]:
            return "behind"
        case ["commentary", "article"]:
            return "in front"
        case ["article", "commentary", "article"]:
            return "in the middle"
        case _:
            return "in several places"
