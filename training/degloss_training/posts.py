"""Layouts of a channel's posts: what the owner passes on, and what he says of it.

A post is short, and its owner speaks in few words, to followers. So beside readers' comments, which are longer and
answer each other, posts are given owners' remarks, lead-ins, greetings and closing words, written for this corpus.
"""

from __future__ import annotations

from degloss_training.page import PARAGRAPH, Page, Piece, sentences


def post(c: Page) -> list[Piece]:
    """A channel's post: an excerpt, often in quotation marks of which one is missing, and remarks around it."""
    rng = c.rng
    c.owner(0.4)
    c.gap = rng.choice([PARAGRAPH, PARAGRAPH, "\n"])
    excerpt = _heading(c) if c.chance(0.6) else []
    paragraphs = [] if excerpt and c.chance(0.25) else c.paragraphs(1, 5)
    if c.chance(0.5):
        paragraphs = [" ".join(sentences(p)[: rng.randint(1, 4)]) for p in paragraphs]
    paragraphs = _bullets(c, paragraphs)
    if paragraphs and c.chance(0.4):
        opening, closing = rng.choice([("„", "“"), ('"', '"'), ("»", "«"), ("“", "”")])
        paragraphs[0] = opening + paragraphs[0]
        if c.chance(0.6):
            paragraphs[-1] += closing
    excerpt += c.body(paragraphs)
    before: list[Piece] = []
    after: list[Piece] = []
    if c.chance(0.1):
        before.append((c.line("openings") + c.gap, "commentary"))
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
    if c.chance(0.12):
        after.append((c.line("closings") + c.gap, "commentary"))
    for part in (before, after):
        if part and c.chance(0.2):
            part.insert(len(part) if part is before else 0, (c.line("separators") + c.gap, "boilerplate"))
    if c.chance(0.3):
        excerpt.append((c.line("footers") + c.gap, "boilerplate"))
    return before + excerpt + after + _channel_foot(c)


def forward(c: Page) -> list[Piece]:
    """A channel's post that passes a text on and says nothing of its own."""
    c.gap = c.rng.choice([PARAGRAPH, "\n"])
    return c.headline() + c.body(_bullets(c, c.paragraphs(1, 12))) + _channel_foot(c)


def teaser(c: Page) -> list[Piece]:
    """A forwarded text that breaks off, and where to read on."""
    rng = c.rng
    c.owner(0.5)
    c.gap = rng.choice([PARAGRAPH, "\n"])
    text = " ".join(c.paragraphs(1, 2))
    if c.chance(0.7):
        text = " ".join(sentences(text)[: rng.randint(1, 5)])
    words = text.split(" ")
    if c.chance(0.5) and len(words) > 12:
        text = " ".join(words[: -rng.randint(1, 8)]) + rng.choice(["", " …", "...", " […]", "…"])
    pieces: list[Piece] = [(c.line("lead_ins") + c.gap, "commentary")] if c.chance(0.12) else []
    pieces += [*_heading(c), (text + rng.choice(["", " ", "\n", c.gap]), "article")]
    pieces.append((c.line("teasers") + c.gap, "boilerplate"))
    return pieces + (c.remarks(1, 2) if c.chance(0.12) else []) + _channel_foot(c)


def digest(c: Page) -> list[Piece]:
    """Several headlines with their links; the channel greets, says a word about one or the other, takes its leave."""
    rng = c.rng
    c.owner(0.7)
    c.gap = rng.choice([PARAGRAPH, "\n"])
    pieces: list[Piece] = [(c.line("openings") + c.gap, "commentary")] if c.chance(0.6) else []
    inner = rng.choice(["\n", "\n", " "])
    remarks, teasers = rng.choice([0, 0, 0.3, 1]), rng.choice([0, 0.5])
    for _ in range(rng.randint(2, 6)):
        c.article = rng.choice(c.sources.articles)
        if c.chance(remarks):
            pieces += [(" ".join(sentences(text)[:2]) + c.gap, "commentary") for text in c.comments(1, 1)]
        pieces += [(text.rstrip() + inner, label) for text, label in _heading(c)]
        if c.chance(teasers):
            pieces.append((sentences(c.article.paragraphs[0])[0] + inner, "article"))
        pieces.append((c.link() + c.gap, "boilerplate"))
    if c.chance(0.6):
        pieces.append((c.line("closings") + c.gap, "commentary"))
    return pieces + _channel_foot(c)


def own(c: Page) -> list[Piece]:
    """A channel's own words about a text it only links to."""
    c.owner(0.5)
    pieces: list[Piece] = [(c.line("openings") + c.gap, "commentary")] if c.chance(0.1) else []
    pieces += c.remarks(1, 4)
    if c.chance(0.15):
        pieces.append((c.line("closings") + c.gap, "commentary"))
    return [*pieces, (c.line("footers") + "\n", "boilerplate"), *_channel_foot(c)]


def short(c: Page) -> list[Piece]:
    """A few sentences of a text, and as few of somebody else's: what is pasted, or what people pass on."""
    rng = c.rng
    c.owner(0.2)
    c.gap = rng.choice([" ", "\n", PARAGRAPH])
    where = rng.choices(["after", "before", "nowhere", "alone", "furniture"], [6, 1, 2, 0.5, 1])[0]
    if where == "furniture":
        kinds = ("shares", "footers", "forms")
        return [(c.line(rng.choice(kinds)) + "\n", "boilerplate"), *c.furniture(kinds, 2)]
    said: list[Piece] = []
    if where != "nowhere":
        said = [(" ".join(sentences(text)[: rng.randint(1, 4)]) + c.gap, label) for text, label in c.remarks(1, 1)]
    text: list[Piece] = []
    if where != "alone":
        text = c.headline() if c.chance(0.3) else []
        if not (text and c.chance(0.3)):
            text += c.body([" ".join(sentences(p)[: rng.randint(1, 4)]) for p in c.paragraphs(1, 1)])
    pieces = said + text if where == "before" else text + said
    if pieces and c.chance(0.3):
        pieces[-1] = (pieces[-1][0].rstrip() + rng.choice(["\n", PARAGRAPH]), pieces[-1][1])
        pieces.append((c.line(rng.choice(["shares", "footers"])) + "\n", "boilerplate"))
    return pieces


def _heading(c: Page) -> list[Piece]:
    """The headline, here and there behind an emoji."""
    pieces = c.headline()
    if pieces and c.chance(0.3):
        pieces[0] = (c.rng.choice(["❗️", "‼️", "🔥", "⚡️", "📰 ", "🇩🇪 ", "💥", "🔴 "]) + pieces[0][0], pieces[0][1])
    return pieces


def _bullets(c: Page, paragraphs: list[str]) -> list[str]:
    """The paragraphs, here and there each behind the same bullet."""
    if not c.chance(0.3):
        return paragraphs
    bullet = c.rng.choice(["▪️", "👉 ", "❗️", "• ", "- ", "➡️ ", "✅ ", "🔹", "🔸"])
    return [bullet + p for p in paragraphs]


def _channel_foot(c: Page) -> list[Piece]:
    pieces: list[Piece] = []
    if c.chance(0.25):
        pieces.append((c.line("separators") + "\n", "boilerplate"))
    for _ in range(c.rng.choice([0, 1, 1, 2, 3])):
        kind = c.rng.choice(["footers", "footers", "shares"])
        pieces.append((c.line(kind) + c.rng.choice(["\n", c.gap]), "boilerplate"))
    return pieces
