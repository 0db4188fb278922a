"""The model card: what the manifest knows, in words for whoever is to use the model."""

from __future__ import annotations

from typing import Any, Final

_SHOWN: Final = {"F commentary": 2, "macro F": 2, "article lost": 3, "F boilerplate": 2}

_TEXT = """# Model card: degloss, German

*Written by `degloss train` from the manifest; do not edit.*

## What it is
A linear sentence model over hashed n-grams (words, skeletons of sentences, characters) and cues, vectors of n-grams
that tell whether two stretches have one speaker, a memory of what was said before and behind (quasi-recurrent networks
of two layers, an ensemble of {members}), and a linear-chain conditional random field over out-of-fold scores, likeness
and memory. It labels each sentence of a German repost `article`, `commentary` or `boilerplate`: it says **who speaks,
not who is right**. docs/how-it-works.md explains the method.

## Intended use
Cleaning scraped reposts (blogs, Telegram, alternative and local media) for text-reuse or opinion research. Not meant
to judge people, to moderate, or to tell truth from untruth; a label is no statement about the quality of a text.
Texts in other languages, chat logs and transcripts are outside what it has seen.

## Trained on
{sources}

{documents}

## Scores on the gate set
{gate_documents} documents written by hand, of the same authors as a part of the corpus, never trained on. Commentary
is measured against article; lost is the mean share of a document's article sentences that get another label, 0 in
documents without article; – stands where there is nothing to find. Real text is harder: docs/evaluation.md has the
figures on real Telegram posts, web pages and composed articles.

{scores}

## Known failures
Of the model that comes with degloss, each with an example in our own words; docs/errors.md has twenty, by cause.

- Calm commentary that goes on in the article's tone stays article: "Eine Auflage gibt es nur für Konzerte,
  Versammlungen sind davon nicht erfasst." under a linked report. On real channel posts most commentary is missed.
- A rant by the outlet's own author, or a first-person report passed on, is taken for commentary in part: "Ich
  stand drei Stunden in der Kälte, und niemand sagte uns, warum!" This is most of what is lost of articles.
- A politician's statement over several sentences, its closing mark far behind: the last ones become commentary.
- A channel's notes on its own videos, events and links: commentary and boilerplate are mixed up.
- Mottoes and quotations that a channel puts under each post are taken for article.
- In texts of two or three sentences there is little to go by: short ones of a report alone, without a name or a number
  ("Das Schwimmbad bleibt zu. Es fehlt an Personal."), are taken for somebody's words, at a confidence of 0.5 to 0.8.

## Ethical limits
A label names a speaker's role, not a person, and says nothing of truth, worth or intent. Commentary that was missed
reads as if the outlet had written it, and the other way round: quote nobody on the strength of a label, and look
at the text before a person or an outlet is said to have said something. Opinions of all directions were written for
training on purpose, but few of them defend governments, authorities or established media. An older model found
commentary against these a little more often than what takes no side in documents like the authored ones, and as often
in real posts; the one that comes with degloss misses one side in three of thirty pairs that differ by the side alone
(docs/evaluation.md has the figures).

## Limits
The authored documents are invented, and wittier and tidier than real ones. The public texts of the model that comes
with degloss are articles of the years 2020 and 2021, mostly about the pandemic, and comments about a political talk
show. Slurs and incitement are not in the authored corpus. The confidence of that model is calibrated for pages of
sources it has not seen; on posts of channels it is too high.

## Made with
{made}
"""


GENRES: Final = {
    "c1": "channel posts", "c2": "long sober articles", "c3": "opinion on the article's topic",
    "c4": "pages with furniture", "c5": "polite and learned comments", "c6": "channel posts, harder",
    "c7": "alternative media", "c8": "essays with forewords and notes", "c9": "channels' own posts",
    "d1": "plain mixed posts", "e1": "mixed posts, calm owners", "e2": "posts of one voice",
    "e3": "whole web pages", "e4": "opinion on the article's topic, long", "e5": "articles that look commented",
    "f1": "reprinted letters and speeches", "f2": "posts, forwarded, mixed and own", "f3": "pages with long afterwords",
    "g1": "somebody goes on about the topic", "g2": "short texts",
    "h1": "posts whose owner tells, explains, announces", "h2": "such posts behind a page",
    "i1": "pages where somebody goes on in the article's voice", "i2": "short forwarded news and notes",
    "i3": "passed-on texts and plain owners", "i4": "polemics nobody comments on",
    "j1": "tickers, lists, documents with headings and brackets", "j2": "feeds and forwarded notes",
    "j4": "posts of owners who argue, point on, sign",
}  # fmt: skip
"""What the batches of the gate set are, of which `training/corpus` has more, and those that it has alone (`j`)."""


def _sort(name: str, source: dict[str, Any]) -> str:
    """What a source is, and whose."""
    if name == "furniture":
        return "lines of pages, written for this repository"
    if "documents" in source:
        return f"{source['documents']} documents of this repository"
    return "public texts, in no repository of ours"


def render(facts: dict[str, Any]) -> str:
    """The card of a model with these facts."""
    sources = "\n".join(
        f"- {name}: {_sort(name, s)}, SHA-256 `{s['sha256'][:16]}…`" for name, s in sorted(facts["sources"].items())
    )
    documents = "Documents by kind: " + ", ".join(f"{k} {n}" for k, n in sorted(facts["documents"].items())) + "."
    head = "| genre | F commentary | macro F | article lost | F boilerplate |\n|---|---|---|---|---|\n"
    rows = "\n".join(
        f"| {_genre(kind)} | " + " | ".join(_number(of, m, digits) for m, digits in _SHOWN.items()) + " |"
        for kind, of in facts["gate"]["scores"].items()
    )
    made = ", ".join([f"Python {facts['python']}", *(f"{k} {v}" for k, v in sorted(facts["packages"].items()))])
    return _TEXT.format(
        members=len(facts["settings"]["seeds"]), sources=sources, documents=documents,
        gate_documents=facts["gate"]["documents"], scores=head + rows,
        made=f"{made}; seed of the composer {facts['seed']}; recipe: {facts['recipe']}.",
    )  # fmt: skip


def _number(scores: dict[str, float], measure: str, digits: int) -> str:
    return f"{scores[measure]:.{digits}f}" if measure in scores else "–"


def _genre(kind: str) -> str:
    batch = kind.removeprefix("authored ")
    return f"{GENRES[batch]} ({batch})" if batch in GENRES else kind
