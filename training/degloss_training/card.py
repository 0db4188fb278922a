"""The model card: what the manifest knows, in words for whoever is to use the model."""

from __future__ import annotations

from typing import Any, Final

_SHOWN: Final = {"F commentary": 2, "macro F": 2, "article lost": 3, "F boilerplate": 2}

_TEXT = """# Model card: degloss, German

*Written by `degloss train` from the manifest; do not edit.*

## What it is
A linear sentence model over hashed word and character n-grams and cues, and a linear-chain conditional random
field over its out-of-fold scores in context. It labels each sentence of a German repost `article`, `commentary` or
`boilerplate`: it says **who speaks, not who is right**. docs/how-it-works.md explains the method.

## Intended use
Cleaning scraped reposts (blogs, Telegram, alternative and local media) for text-reuse or opinion research. Not meant
to judge people, to moderate, or to tell truth from untruth; a label is no statement about the quality of a text.
Texts in other languages, chat logs and transcripts are outside what it has seen.

## Trained on
{sources}

{documents}

## Scores on the gate set
{gate_documents} documents written by hand, of the same authors as a part of the corpus, never trained on. Commentary
is measured against article; lost is the mean share of a document's article sentences that get another label. Real
text is harder: docs/evaluation.md has the figures on real Telegram posts, web pages and composed articles.

{scores}

## Known failures
- An essay or letter in the first person without a quotation mark around it, passed on by a channel: taken for
  the channel's own words, or the other way round.
- Calm commentary in the third person that goes on in the article's paragraph and vocabulary: stays article.
- Party press releases and speeches that address the reader: parts are taken for commentary.
- A channel's notes on its own videos, events and links: commentary and boilerplate are mixed up.

## Limits
The authored documents are invented, and wittier and tidier than real ones. The real articles are of the years 2020 and
2021 and mostly about the pandemic, the real comments about a political talk show. Slurs and incitement are
not in the authored corpus. Confidence is calibrated on text like the training text.

## Made with
{made}
"""


def render(facts: dict[str, Any]) -> str:
    """The card of a model with these facts."""
    sources = "\n".join(
        f"- {name}: {s.get('documents', 'public')} documents, SHA-256 `{s['sha256'][:16]}…`"
        for name, s in facts["sources"].items()
    )
    documents = "Documents by kind: " + ", ".join(f"{k} {n}" for k, n in facts["documents"].items()) + "."
    head = "| genre | F commentary | macro F | article lost | F boilerplate |\n|---|---|---|---|---|\n"
    rows = "\n".join(
        f"| {kind} | " + " | ".join(f"{s[m]:.{digits}f}" for m, digits in _SHOWN.items()) + " |"
        for kind, s in facts["gate"]["scores"].items()
    )
    made = ", ".join([f"Python {facts['python']}", *(f"{k} {v}" for k, v in facts["packages"].items())])
    return _TEXT.format(
        sources=sources, documents=documents, gate_documents=facts["gate"]["documents"], scores=head + rows,
        made=f"{made}; seed {facts['seed']}; recipe: {facts['recipe']}.",
    )  # fmt: skip
