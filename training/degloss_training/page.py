"""One composed page: its source texts, its typographic habits, and the parts it is put together from."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

from degloss.documents import Label
from degloss_training.sources import Comment, Sources, content_words, furniture

Piece = tuple[str, Label]
"""A text with its speaker; the white space that follows it is part of it."""

PARAGRAPH: Final = "\n\n"
BORDER: Final = r"(?<=[.!?…“\"])\s+(?=[A-ZÄÖÜ„\"»])"
"""The white space between two sentences, most of the time."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


class Page:
    """One document's random choices: its source texts and its typographic habits."""

    def __init__(self, rng: random.Random, sources: Sources) -> None:
        self.rng = rng
        self.sources = sources
        self.bucket = sources.articles[0].bucket
        self.voices = sources.comments
        self.gap = rng.choice([PARAGRAPH, PARAGRAPH, PARAGRAPH, "\n"])
        self.article = rng.choice(sources.articles)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def owner(self, share: float) -> None:
        """Lets in so many documents the owner of the page or channel speak, who passes the text on, and no reader."""
        if self.sources.remarks and self.chance(share):
            self.voices = self.sources.remarks

    def line(self, name: str) -> str:
        """A line of furniture, its blanks filled in."""
        rng = self.rng
        if name == "footers" and self.chance(0.4):
            return rng.choice(["", "", "", "👉 ", "Quelle: ", "➡️ ", "Mehr: ", "🔗 "]) + self.link()
        text = rng.choice(furniture(name, self.bucket))
        return text.format(
            n=rng.randint(1, 99), name=rng.choice(furniture("names", self.bucket)),
            time=f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
        ) if "{" in text else text  # fmt: skip

    def link(self) -> str:
        """An address, most with words of the headline in it as news sites have them."""
        rng = self.rng
        domain = rng.choice(furniture("domains", self.bucket))
        if domain.count(".") == 1 and len(domain) < 13:
            token = "".join(rng.choices(_LETTERS, k=rng.randint(6, 12)))
            return f"https://{domain}/{token}"
        words = re.findall(r"[a-z0-9]+", (self.article.headline or self.article.paragraphs[0][:60]).lower())
        path = "-".join(words[: rng.randint(2, 9)]) or "beitrag"
        section = rng.choice(["", "politik/", "2021/03/", "artikel/", "news/inland/", "pm/"])
        ending = rng.choice(["", "/", ".html", f"-{rng.randint(1000, 999999)}.html", "?s=20"])
        return f"https://{domain}/{section}{path}{ending}"

    def furniture(self, names: Sequence[str], most: int) -> list[Piece]:
        """Up to so many lines of these kinds, one under the other."""
        count = self.rng.randint(0, most)
        gap = self.rng.choice(["\n", self.gap])
        return [(self.line(self.rng.choice(names)) + gap, "boilerplate") for _ in range(count)]

    def paragraphs(self, least: int, most: int) -> list[str]:
        """A run of the article's paragraphs; long ones may be broken up, short ones joined."""
        paragraphs = list(self.article.paragraphs)
        if len(paragraphs) == 1 or self.chance(0.3):
            left = [s for p in paragraphs for s in sentences(p)]
            paragraphs, step = [], self.rng.choice([1, 2, 3, 4, 6])
            while left:
                take = max(1, self.rng.randint(step - 1, step + 1))
                paragraphs.append(" ".join(left[:take]))
                left = left[take:]
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
            initials = self.rng.choice(["(dpa)", "(jb)", "(DM)", "(ab)", "(rt/afp)"])
            pieces += [(text + " ", "article"), (initials + self.gap, "boilerplate")]
        return pieces

    def comments(self, least: int, most: int) -> list[str]:
        """Comments, by choice on the article's topic; several may be from one corpus document."""
        count = self.rng.randint(least, most)
        pool = self.voices
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
            text = "\n".join(sentences(" ".join(text.split())))
        elif self.chance(0.5):
            text = " ".join(text.split())
        return text

    def remarks(self, least: int, most: int) -> list[Piece]:
        """Comments one after the other."""
        gap = self.rng.choice([self.gap, self.gap, PARAGRAPH, "\n"])
        texts = self.comments(least, most)
        if gap != " " and self.chance(0.15):
            return [(" ".join(texts) + gap, "commentary")] if texts else []
        return [(text + gap, "commentary") for text in texts]

    def parted(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces with the same line between all paragraphs, whoever speaks."""
        line = self.line(self.rng.choice(["separators", "separators", "footers", "related"]))
        parted: list[Piece] = []
        for text, label in pieces:
            for paragraph in re.findall(r"(?s).+?(?:\n\s*|\Z)", text):
                parted.append((paragraph, label))
                if PARAGRAPH in paragraph:
                    parted.append((line + PARAGRAPH, "boilerplate"))
        return parted

    def top(self) -> list[Piece]:
        return self.furniture(["datelines", "datelines", "shares"], 2) if self.chance(0.3) else []

    def foot(self, share: float = 0.45) -> list[Piece]:
        kinds = ["shares", "footers", "rights", "related", "forms", "separators"]
        return self.furniture(kinds, 5) if self.chance(share) else []

    def notes(self) -> list[Piece]:
        """What the outlet prints behind the article: the notes that came with it, or none."""
        gap = self.rng.choice(["\n", self.gap])
        return [(note + gap, "boilerplate") for note in self.article.notes] if self.chance(0.8) else []

    def page(self) -> list[Piece]:
        return self.top() + self.headline() + self.body(self.paragraphs(4, 60)) + self.notes()


def sentences(paragraph: str) -> list[str]:
    """A rough split, good enough to break paragraphs up."""
    return [s for s in re.split(BORDER, paragraph) if s]
