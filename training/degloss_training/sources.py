"""What documents are composed of: articles and comments, and the furniture of pages.

Articles and comments come from the labelled corpus and, if a folder of public texts is given, from there. Each
belongs to a bucket (see `corpus.bucket`). Public articles that share whole sentences, as outlets do that print
one agency's report, count as one source.

A folder of public texts holds `articles.jsonl.gz` (id, headline, text) and `comments.jsonl.gz` (id, text).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from degloss.errors import TrainingError
from degloss.reading import legible
from degloss_training.corpus import BUCKETS, Document, bucket

FURNITURE = Path(__file__).parents[1] / "furniture"
PUBLIC_FILES = ("articles.jsonl.gz", "comments.jsonl.gz")

_SENTENCE = re.compile(r"[^.!?\n]{50,}")


_NOTE = re.compile(
    r"""Redaktionelle\ Anmerkung:|Hier\ können\ Sie\ das\ Buch|Das\ \S+-Tagebuch\ im\ Überblick|Teil\ \d+:
    |Neuerscheinung:|Neu\ im\ \S+-Bereich|Besuchen\ Sie\ (doch\ )?unser|.{2,20}\ bemüht\ sich\ um\ ein\ breites
    |Mehr\ zum\ Thema|Lesen\ Sie\ (auch|mehr|dazu)|Weitere\ Artikel|Quellen?\b.{0,3}$|Quellen?:|https?://|www\.
    |\(?[a-z]{2,8}([/ ][a-z]{2,8}){0,2}\)?$|(\S+\ ){2,4}\S*?,?\ Jahrgang\ \d{4}""",
    re.VERBOSE,
)
"""How paragraphs begin that an outlet prints around its articles."""
_REPEATED = 3
"""A paragraph that so many articles have is none of theirs."""


@dataclass(frozen=True)
class Article:
    """A text to be republished: its headline, if it has one, its paragraphs, and its outlet's notes behind it."""

    source: str
    bucket: int
    headline: str
    paragraphs: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comment:
    """A text somebody wrote about another: one or more paragraphs."""

    source: str
    bucket: int
    text: str
    words: frozenset[str]


@dataclass(frozen=True)
class Sources:
    """The articles and comments of one bucket, and what owners of channels say of a text they pass on."""

    articles: tuple[Article, ...]
    comments: tuple[Comment, ...]
    remarks: tuple[Comment, ...] = ()


LEAST: Final = 300
"""Labelled articles of fewer characters are not composed with: two sentences make no page."""


def gather(documents: Sequence[Document], public: Path | None) -> list[Sources]:
    """The sources of each bucket, in a fixed order."""
    articles = [a for d in documents if (a := _article_of(d)) and sum(map(len, a.paragraphs)) >= LEAST]
    comments = [c for d in documents for c in _comments_of(d)]
    remarks = [
        Comment(f"remark-{b}", b, line, content_words(line)) for b in range(BUCKETS) for line in furniture("remarks", b)
    ]
    if public:
        articles += _public_articles(public)
        comments += _public_comments(public)
    return [
        Sources(
            tuple(a for a in articles if a.bucket == b and a.paragraphs),
            tuple(c for c in comments if c.bucket == b),
            tuple(r for r in remarks if r.bucket == b),
        )
        for b in range(BUCKETS)
    ]


def digests(public: Path | None) -> dict[str, str]:
    """The SHA-256 of each public file, and of all furniture, whose files are taken in the order of their names."""
    files = {name: [public / name] for name in PUBLIC_FILES} if public else {}
    files["furniture"] = sorted(FURNITURE.glob("*.txt"))
    return {name: hashlib.sha256(b"".join(map(_bytes, paths))).hexdigest() for name, paths in files.items()}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be read ({error.strerror}); docs/training.md says where to get it"
        ) from error


def content_words(text: str) -> frozenset[str]:
    """The words that tell a topic: capitalised and longer than four letters."""
    return frozenset(w.lower() for w in re.findall(r"\b[A-ZÄÖÜ][\wäöüß]{4,}", text))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each in one line: its lines, or in hard-wrapped text what blank lines part."""
    lines = [line for line in text.split("\n") if line.strip()]
    unfinished = [line for line in lines if len(line) > 40 and line.rstrip()[-1] not in '.!?…:"“”»«']
    wrapped = lines and max(map(len, lines)) <= 100 and 2 * len(unfinished) > len(lines)
    parts = re.split(r"\n\s*\n", text) if wrapped else lines
    return [" ".join(part.split()) for part in parts if part.strip()]


@cache
def furniture(name: str, bucket: int) -> tuple[str, ...]:
    """The lines of one furniture file, comments left out, that are dealt to a bucket.

    Lines are sources like any other: one that stood in all buckets would be known by heart on both sides of a split.
    """
    path = FURNITURE / f"{name}.txt"
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: no such file; train in a clone (pip install -e '.[train]')") from error
    return tuple(line for line in lines if line and not line.startswith("# "))[bucket::BUCKETS]


def _article_of(document: Document) -> Article | None:
    blocks = document.of("article")
    if not blocks:
        return None
    text = "\n\n".join(block.strip() for block in blocks)
    parts = paragraphs(text)
    headline = parts.pop(0) if len(parts) > 1 and len(parts[0]) < 120 and parts[0][-1:] not in ".:" else ""
    return Article(document.group, document.bucket, headline, tuple(parts))


def _comments_of(document: Document) -> Iterator[Comment]:
    for block in document.of("commentary"):
        text = block.strip()
        if len(text) > 2:
            yield Comment(document.group, document.bucket, text, content_words(text))


def _read(path: Path, fields: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a public file, which have strings in these fields."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    except (OSError, EOFError, ValueError) as error:
        raise TrainingError(
            f"{path}: not a readable gzip file of JSON lines ({error}); docs/training.md says where to get it"
        ) from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in fields):
            raise TrainingError(
                f"{path}:{number}: needs {', '.join(fields)}, each a string; docs/training.md says where to get it"
            )
    # Read as the package reads texts; names stay as they are.
    return [{**row, **{field: legible(row[field]) for field in fields if field != "id"}} for row in rows]


def _first_of_source(rows: Sequence[dict[str, Any]], least: int) -> list[int]:
    """The first row of each row's source: rows that share so many long sentences are one."""
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    holders: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        shared: Counter[int] = Counter()
        for sentence in set(_SENTENCE.findall(row["text"])):
            shared.update(holders[sentence])
            holders[sentence].append(i)
        for other in sorted(other for other, count in shared.items() if count >= least):
            first, last = sorted((root(i), root(other)))
            parent[last] = first
    return [root(i) for i in range(len(rows))]


def _public_articles(folder: Path) -> list[Article]:
    rows = _read(folder / PUBLIC_FILES[0], ("id", "headline", "text"))
    first = _first_of_source(rows, 2)
    texts = [tuple(" ".join(line.split()) for line in row["text"].splitlines() if line.strip()) for row in rows]
    often = Counter(paragraph for text in texts for paragraph in set(text))
    articles = []
    for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
        notes = tuple(p for p in text if _NOTE.match(p))
        own = tuple(p for p in text if not _NOTE.match(p) and often[p] < _REPEATED)
        source = rows[first[i]]["id"]
        articles.append(Article(source, bucket(source), " ".join(row["headline"].split()), own, notes))
    return articles


def _public_comments(folder: Path) -> list[Comment]:
    rows = _read(folder / PUBLIC_FILES[1], ("id", "text"))
    ids = [rows[first]["id"] for first in _first_of_source(rows, 1)]
    return [
        Comment(source, bucket(source), row["text"].strip(), content_words(row["text"]))
        for source, row in zip(ids, rows, strict=True)
        if len(row["text"].strip()) > 20
    ]
