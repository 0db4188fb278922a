"""Training documents of varied layout, composed of articles and comments of one bucket.

Layout must not give the speaker away: comments stand behind the article, in front, in the middle and in its own
paragraphs, separators and links stand anywhere, quotation marks and line breaks vary for both voices alike. Half of
the comments are chosen for sharing the article's topic words, for in real reposts they do; otherwise a model would
learn the change of topic instead of the change of voice.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

from degloss.documents import Label, Segment
from degloss_training.corpus import BUCKETS, Document
from degloss_training.sources import Article, Comment, Sources, content_words, furniture

Piece = tuple[str, Label]
"""A text with its speaker; the white space that follows it is part of it."""

PARAGRAPH: Final = "\n\n"


def compose(sources: Sequence[Sources], recipe: dict[str, int], seed: int) -> list[Document]:
    """So many documents of each layout as the recipe says, dealt evenly to the buckets; deterministic."""
    documents = []
    for layout, number in sorted(recipe.items()):
        for i in range(number):
            bucket = i % BUCKETS
            rng = random.Random(f"{seed}/{layout}/{i}")
            if sources[bucket].articles and sources[bucket].comments:
                composer = _Composer(rng, sources[bucket])
                pieces = LAYOUTS[layout](composer)
                documents.append(_finish(f"{layout}-{i}", f"bucket-{bucket}", layout, pieces, composer))
    return documents


class _Composer:
    """One document's random choices: its source texts and its typographic habits."""

    def __init__(self, rng: random.Random, sources: Sources) -> None:
        self.rng = rng
        self.sources = sources
        self.gap = rng.choice([PARAGRAPH, PARAGRAPH, PARAGRAPH, "\n"])
        self.article = rng.choice(sources.articles)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def line(self, name: str) -> str:
        """A line of furniture, its blanks filled in."""
        rng = self.rng
        text = rng.choice(furniture(name))
        return text.format(
            n=rng.randint(1, 99), name=rng.choice(furniture("names")),
            time=f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
        ) if "{" in text else text  # fmt: skip

    def furniture(self, names: Sequence[str], most: int) -> list[Piece]:
        """Up to so many lines of these kinds, one under the other."""
        count = self.rng.randint(0, most)
        gap = self.rng.choice(["\n", self.gap])
        return [(self.line(self.rng.choice(names)) + gap, "boilerplate") for _ in range(count)]

    def paragraphs(self, least: int, most: int) -> list[str]:
        """A run of the article's paragraphs; long ones may be broken up, short ones joined."""
        paragraphs = list(self.article.paragraphs)
        if len(paragraphs) == 1 or self.chance(0.3):
            sentences = [s for p in paragraphs for s in _sentences(p)]
            paragraphs, step = [], self.rng.choice([1, 2, 3, 4, 6])
            while sentences:
                take = max(1, self.rng.randint(step - 1, step + 1))
                paragraphs.append(" ".join(sentences[:take]))
                sentences = sentences[take:]
        count = min(len(paragraphs), self.rng.randint(least, most))
        first = 0 if self.chance(0.8) else self.rng.randint(0, len(paragraphs) - count)
        return paragraphs[first : first + count]

    def headline(self) -> list[Piece]:
        if not self.article.headline or self.chance(0.2):
            return []
        text = self.article.headline
        if self.chance(0.1):
            text = text.upper()
        return [(text + self.rng.choice([self.gap, PARAGRAPH, "\n"]), "article")]

    def body(self, paragraphs: Sequence[str]) -> list[Piece]:
        """Paragraphs of the article, here and there with a separator, a pointer or a subheading between them."""
        pieces: list[Piece] = []
        adorned = self.chance(0.3)
        for i, paragraph in enumerate(paragraphs):
            if adorned and i and self.chance(0.12):
                kind = self.rng.choice(["separators", "separators", "related", "shares"])
                pieces.append((self.line(kind) + self.gap, "boilerplate"))
            if adorned and self.chance(0.04):
                pieces += [(paragraph + " ", "article"), (self.line("related") + self.gap, "boilerplate")]
                continue
            pieces.append((paragraph + self.gap, "article"))
        if pieces and pieces[-1][1] == "article" and self.chance(0.06):
            text = pieces.pop()[0].rstrip()
            pieces += [(text + " ", "article"), (self.rng.choice(["(dpa)", "(jb)", "(DM)", "(ab)", "(rt/afp)"]) + self.gap, "boilerplate")]  # fmt: skip
        return pieces

    def comments(self, least: int, most: int) -> list[str]:
        """Comments, by choice on the article's topic; several may be from one corpus document."""
        count = self.rng.randint(least, most)
        pool = self.sources.comments
        chosen: list[Comment] = []
        topic = content_words(self.article.headline + " " + " ".join(self.article.paragraphs))
        for _ in range(count):
            tries = self.rng.sample(pool, min(len(pool), 40 if self.chance(0.5) else 1))
            best = max(tries, key=lambda c: len(c.words & topic) / (4 + len(c.words)) ** 0.5)
            if best not in chosen:
                chosen.append(best)
        return [self.tidy(c.text) for c in chosen]

    def tidy(self, text: str) -> str:
        """A comment without the anonymised names of the public set, or with them, as the set prints them."""
        if "@" in text and self.chance(0.6):
            text = re.sub(r"^(@(?:USER|MEDIUM|MODERATOR)\s*)+", "", text)
            text = re.sub(r"@(?:USER|MODERATOR)", lambda _: self.rng.choice(["Frau M.", "Herr K.", "du", "@Tom"]), text)
            text = text.replace("@MEDIUM", "die Sendung")
        if self.chance(0.15):
            text = "\n".join(_sentences(" ".join(text.split())))
        elif self.chance(0.5):
            text = " ".join(text.split())
        return text

    def remarks(self, least: int, most: int, gap: str | None = None) -> list[Piece]:
        """Comments one after the other."""
        gap = gap or self.rng.choice([self.gap, self.gap, PARAGRAPH, "\n"])
        texts = self.comments(least, most)
        if gap != " " and self.chance(0.15):
            return [(" ".join(texts) + gap, "commentary")] if texts else []
        return [(text + gap, "commentary") for text in texts]

    def top(self) -> list[Piece]:
        return self.furniture(["datelines", "datelines", "shares"], 2) if self.chance(0.3) else []

    def foot(self, share: float = 0.45) -> list[Piece]:
        kinds = ["shares", "footers", "rights", "related", "forms", "separators"]
        return self.furniture(kinds, 5) if self.chance(share) else []

    def page(self) -> list[Piece]:
        return self.top() + self.headline() + self.body(self.paragraphs(4, 60))


def _appended(c: _Composer) -> list[Piece]:
    pieces = c.page()
    if c.chance(0.2):
        pieces += c.furniture(["rights", "related", "footers", "shares"], 2)
    return pieces + c.remarks(1, 7) + c.foot(0.2)


def _marked(c: _Composer) -> list[Piece]:
    pieces = c.page()
    if c.chance(0.75):
        pieces.append((c.line("separators") + c.rng.choice(["\n", c.gap]), "boilerplate"))
    if c.chance(0.6):
        pieces.append((c.line("cues") + c.rng.choice([" ", " ", "\n", c.gap]), "commentary"))
    pieces += c.remarks(1, 6)
    if c.chance(0.2):
        pieces.append((c.line("separators") + "\n", "boilerplate"))
    return pieces + c.foot(0.3)


def _pure(c: _Composer) -> list[Piece]:
    return c.page() + c.foot(0.4)


def _front(c: _Composer) -> list[Piece]:
    lead: list[Piece] = []
    if c.chance(0.4):
        lead.append((c.line("lead_ins") + c.rng.choice([" ", "\n", c.gap]), "commentary"))
    lead += c.remarks(0 if lead else 1, 2)
    if c.chance(0.3):
        lead.append((c.line("separators") + c.gap, "boilerplate"))
    return lead + c.page() + c.foot()


def _middle(c: _Composer) -> list[Piece]:
    paragraphs = c.paragraphs(4, 40)
    cut = c.rng.randint(1, max(1, len(paragraphs) - 1))
    middle = c.remarks(1, 3)
    if c.chance(0.3):
        middle.insert(0, (c.line("cues") + " ", "commentary"))
    if c.chance(0.25):
        middle = [(c.line("separators") + c.gap, "boilerplate"), *middle, (c.line("separators") + c.gap, "boilerplate")]
    return c.top() + c.headline() + c.body(paragraphs[:cut]) + middle + c.body(paragraphs[cut:]) + c.foot()


def _inline(c: _Composer) -> list[Piece]:
    """Remarks in the article's own lines, in brackets or bare."""
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


def _thread(c: _Composer) -> list[Piece]:
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
    return pieces + [(c.line("forms") + "\n", "boilerplate") for _ in range(c.rng.randint(0, 4))]


def _post(c: _Composer) -> list[Piece]:
    """A channel's post: an excerpt, often in quotation marks of which one is missing, and remarks around it."""
    rng = c.rng
    c.gap = rng.choice([PARAGRAPH, PARAGRAPH, "\n"])
    paragraphs = c.paragraphs(1, 5)
    if c.chance(0.5):
        paragraphs = [" ".join(_sentences(p)[: rng.randint(1, 4)]) for p in paragraphs]
    excerpt = c.headline() if c.chance(0.6) else []
    if excerpt and c.chance(0.3):
        excerpt = [(rng.choice(["❗️", "‼️", "🔥", "⚡️", "📰 ", "🇩🇪 ", "💥", "🔴 "]) + excerpt[0][0], "article")]
    if c.chance(0.3):
        bullet = rng.choice(["▪️", "👉 ", "❗️", "• ", "- ", "➡️ ", "✅ ", "🔹"])
        paragraphs = [bullet + p for p in paragraphs]
    if paragraphs and c.chance(0.4):
        opening, closing = rng.choice([("„", "“"), ('"', '"'), ("»", "«"), ("“", "”")])
        paragraphs[0] = opening + paragraphs[0]
        if c.chance(0.6):
            paragraphs[-1] += closing
    excerpt += c.body(paragraphs)
    before: list[Piece] = []
    after: list[Piece] = []
    if c.chance(0.35):
        before.append((c.line("lead_ins") + c.gap, "commentary"))
    where = rng.choices(["after", "before", "both", "between", "none"], [5, 3, 1, 1, 2])[0]
    if where in ("before", "both"):
        before += c.remarks(1, 2)
    if where in ("after", "both"):
        after += c.remarks(1, 3)
        if c.chance(0.2):
            after.insert(0, (c.line("cues") + rng.choice([" ", "\n"]), "commentary"))
        elif c.chance(0.15) and excerpt:
            excerpt[-1] = (excerpt[-1][0].rstrip() + " ", excerpt[-1][1])
    if where == "between" and len(excerpt) > 1:
        cut = rng.randint(1, len(excerpt) - 1)
        excerpt[cut:cut] = c.remarks(1, 1)
    for part in (before, after):
        if part and c.chance(0.2):
            part.insert(len(part) if part is before else 0, (c.line("separators") + c.gap, "boilerplate"))
    if c.chance(0.3):
        excerpt.append((c.line("footers") + c.gap, "boilerplate"))
    return before + excerpt + after + _channel_foot(c)


def _forward(c: _Composer) -> list[Piece]:
    """A channel's post that passes a text on and says nothing of its own."""
    c.gap = c.rng.choice([PARAGRAPH, "\n"])
    paragraphs = c.paragraphs(1, 12)
    if c.chance(0.3):
        bullet = c.rng.choice(["▪️", "👉 ", "❗️", "• ", "➡️ ", "🔸"])
        paragraphs = [bullet + p for p in paragraphs]
    return c.headline() + c.body(paragraphs) + _channel_foot(c)


def _own(c: _Composer) -> list[Piece]:
    """A channel's own words about a text it only links to."""
    return c.remarks(1, 4) + [(c.line("footers") + "\n", "boilerplate")] + _channel_foot(c)


def _channel_foot(c: _Composer) -> list[Piece]:
    pieces: list[Piece] = []
    if c.chance(0.25):
        pieces.append((c.line("separators") + "\n", "boilerplate"))
    for _ in range(c.rng.choice([0, 1, 1, 2, 3])):
        pieces.append((c.line(c.rng.choice(["footers", "footers", "shares"])) + c.rng.choice(["\n", c.gap]), "boilerplate"))  # fmt: skip
    return pieces


LAYOUTS: Final[dict[str, Callable[[_Composer], list[Piece]]]] = {
    "appended": _appended, "marked": _marked, "pure": _pure, "front": _front, "middle": _middle,
    "inline": _inline, "thread": _thread, "post": _post, "forward": _forward, "own": _own,
}  # fmt: skip


def relay(document: Document, seed: int) -> Document:
    """A labelled document with its speakers' blocks in another order, gap and typography; same source, same topic."""
    composer = _Composer.__new__(_Composer)
    composer.rng = random.Random(f"{seed}/{document.name}")
    composer.gap = composer.rng.choice([PARAGRAPH, "\n"])
    blocks: list[Piece] = [(document.text[s.start : s.end].strip(), s.label) for s in document.spans]
    spoken = [b for b in blocks if b[1] != "boilerplate" and b[0]]
    if composer.chance(0.5):
        spoken = spoken[::-1] if composer.chance(0.4) else spoken
        blocks = spoken
    else:
        blocks = [b for b in blocks if b[0]]
    pieces: list[Piece] = []
    for text, label in blocks:
        lines = [line for line in text.split("\n") if line.strip()]
        pieces += [(line + composer.gap, label) for line in lines]
    kind = document.kind.replace("authored", "relay")
    return _finish(f"relay-{document.name}", document.group, kind, pieces, composer)


_PAIRS = {"„": ("„", "“"), '"': ('"', '"'), "»": ("»", "«"), "“": ("“", "”"), "«": ("«", "»")}
_QUOTED = re.compile(r"(?<!\w)[„\"»“](?=\w)([^„“”\"»«\n]{1,400})[“”\"«](?!\w)")


def _finish(name: str, group: str, kind: str, pieces: Sequence[Piece], composer: _Composer) -> Document:
    """The document of these pieces, in one typographic habit for all its speakers."""
    rng = composer.rng
    if rng.random() < 0.35:
        opening, closing = rng.choice(list(_PAIRS.values()))
        pieces = [(_QUOTED.sub(lambda m: opening + m[1] + closing, text), label) for text, label in pieces]
    if rng.random() < 0.06:
        width = rng.choice([64, 72, 78])
        pieces = [(_wrap(text, width), label) for text, label in pieces]
    text = ""
    spans: list[Segment] = []
    for piece, label in pieces:
        begin = len(text)
        text += piece
        if spans and spans[-1].label == label:
            spans[-1] = Segment(spans[-1].start, len(text), label)
        elif piece:
            spans.append(Segment(begin, len(text), label))
    return Document(name, group, kind, text, tuple(spans))


def _wrap(text: str, width: int) -> str:
    body = text.rstrip()
    lines = [textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in body.split("\n")]
    return "\n".join(lines) + text[len(body) :]


def _sentences(paragraph: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?…“\"])\s+(?=[A-ZÄÖÜ„\"»])", paragraph) if s]
