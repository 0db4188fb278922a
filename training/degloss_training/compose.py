"""Training documents of varied layout, composed of articles and comments of one bucket.

Layout must not give the speaker away: comments stand behind the article, in front, in the middle and in its own
paragraphs, separators and links stand anywhere, quotation marks and line breaks vary for both voices alike. Half of
the comments are chosen for sharing the article's topic words, for in real reposts they do; otherwise a model would
learn the change of topic instead of the change of voice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from degloss.documents import Segment
from degloss_training import posts
from degloss_training.corpus import BUCKETS, Document
from degloss_training.page import PARAGRAPH, Page, Piece
from degloss_training.sources import Sources, paragraphs
from degloss_training.typography import written

PARTED: Final = 0.04
"""In such a share of the documents the same line stands between all paragraphs."""


def compose(sources: Sequence[Sources], recipe: dict[str, int], seed: int) -> list[Document]:
    """So many documents of each layout as the recipe says, dealt evenly to the buckets; deterministic."""
    documents = []
    for layout, number in sorted(recipe.items()):
        for i in range(number):
            bucket = i % BUCKETS
            rng = random.Random(f"{seed}/{layout}/{i}")
            if sources[bucket].articles and sources[bucket].comments:
                page = Page(rng, sources[bucket])
                pieces = LAYOUTS[layout](page)
                if page.chance(PARTED):
                    pieces = page.parted(pieces)
                documents.append(_finish(f"{layout}-{i}", f"bucket-{bucket}", layout, pieces, rng))
    return documents


def _appended(c: Page) -> list[Piece]:
    c.owner(0.1)
    pieces = c.page()
    if c.chance(0.2):
        pieces += c.furniture(["rights", "related", "footers", "shares"], 2)
    return pieces + c.remarks(1, 7) + c.foot(0.2)


def _marked(c: Page) -> list[Piece]:
    c.owner(0.1)
    pieces = c.page()
    if c.chance(0.75):
        pieces.append((c.line("separators") + c.rng.choice(["\n", c.gap]), "boilerplate"))
    if c.chance(0.6):
        pieces.append((c.line("cues") + c.rng.choice([" ", " ", "\n", c.gap]), "commentary"))
    pieces += c.remarks(1, 6)
    if c.chance(0.2):
        pieces.append((c.line("separators") + "\n", "boilerplate"))
    return pieces + c.foot(0.3)


def _pure(c: Page) -> list[Piece]:
    return c.page() + c.foot(0.4)


def _front(c: Page) -> list[Piece]:
    c.owner(0.1)
    lead: list[Piece] = []
    if c.chance(0.4):
        lead.append((c.line("lead_ins") + c.rng.choice([" ", "\n", c.gap]), "commentary"))
    lead += c.remarks(0 if lead else 1, 2)
    if c.chance(0.3):
        lead.append((c.line("separators") + c.gap, "boilerplate"))
    return lead + c.page() + c.foot()


def _middle(c: Page) -> list[Piece]:
    c.owner(0.1)
    paragraphs = c.paragraphs(4, 40)
    cut = c.rng.randint(1, max(1, len(paragraphs) - 1))
    middle = c.remarks(1, 3)
    if c.chance(0.3):
        middle.insert(0, (c.line("cues") + " ", "commentary"))
    if c.chance(0.25):
        middle = [
            (c.line("separators") + c.gap, "boilerplate"),
            *middle,
            (c.line("separators") + c.gap, "boilerplate"),
        ]
    return c.top() + c.headline() + c.body(paragraphs[:cut]) + middle + c.body(paragraphs[cut:]) + c.foot()


def _inline(c: Page) -> list[Piece]:
    """Remarks in the article's own lines, in brackets or bare."""
    c.owner(0.1)
    pieces: list[Piece] = []
    paragraphs = c.paragraphs(2, 20)
    for i, paragraph in enumerate(paragraphs):
        if c.chance(0.15) or i == len(paragraphs) - 1:
            pieces.append((paragraph + " ", "article"))
            remark = " ".join(c.comments(1, 1)[0].split())
            bracket = c.chance(0.25)
            pieces.append((f"({remark})" + c.gap if bracket else remark + c.gap, "commentary"))
        else:
            pieces.append((paragraph + c.gap, "article"))
    return c.headline() + pieces + c.foot(0.3)


def _thread(c: Page) -> list[Piece]:
    """A page with its readers' comments, each with the lines the site puts around it."""
    pieces = c.page() + c.furniture(["rights", "shares", "related"], 2)
    pieces += [(c.line("forms") + c.gap, "boilerplate") for _ in range(c.rng.randint(0, 1))]
    head, tail = c.chance(0.85), c.chance(0.4)
    form, end = c.line("comment_heads"), c.line("comment_tails")
    for text in c.comments(2, 8):
        if head:
            pieces.append(((c.line("comment_heads") if c.chance(0.1) else form) + "\n", "boilerplate"))
        pieces.append((text + ("\n" if tail else c.gap), "commentary"))
        if tail:
            pieces.append((end + c.gap, "boilerplate"))
    pieces += [(c.line("forms") + "\n", "boilerplate") for _ in range(c.rng.randint(0, 4))]
    return pieces


LAYOUTS: Final[dict[str, Callable[[Page], list[Piece]]]] = {
    "appended": _appended, "marked": _marked, "pure": _pure, "front": _front, "middle": _middle,
    "inline": _inline, "thread": _thread, "post": posts.post, "forward": posts.forward, "own": posts.own,
    "teaser": posts.teaser, "digest": posts.digest,
    "short": posts.short,
}  # fmt: skip


def relay(document: Document, seed: int) -> Document:
    """A labelled document with its speakers' blocks in another order, gap and typography; same source, same topic."""
    rng = random.Random(f"{seed}/{document.name}")
    gap = rng.choice([PARAGRAPH, "\n"])
    blocks: list[Piece] = [(document.text[s.start : s.end].strip(), s.label) for s in document.spans]
    spoken = [b for b in blocks if b[1] != "boilerplate" and b[0]]
    if rng.random() < 0.5:
        spoken = spoken[::-1] if rng.random() < 0.4 else spoken
        blocks = spoken
    else:
        blocks = [b for b in blocks if b[0]]
    pieces: list[Piece] = []
    for text, label in blocks:
        pieces += [(paragraph + gap, label) for paragraph in paragraphs(text)]
    kind = "relay " + document.kind.removeprefix("authored ")
    return _finish(f"relay-{seed}-{document.name}", document.group, kind, pieces, rng)


def _finish(name: str, group: str, kind: str, pieces: Sequence[Piece], rng: random.Random) -> Document:
    """The document of these pieces, in one typographic habit for all its speakers."""
    text = ""
    spans: list[Segment] = []
    for piece, label in written(pieces, rng):
        begin = len(text)
        text += piece
        if spans and spans[-1].label == label:
            spans[-1] = Segment(spans[-1].start, len(text), label)
        elif piece:
            spans.append(Segment(begin, len(text), label))
    return Document(name, group, kind, text, tuple(spans))
