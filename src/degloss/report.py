"""Separations → a page for the browser: the whole text of each document, coloured by who speaks.

The texts are those of strangers. All of them is escaped, characters that would turn the direction of writing show
as their code, and the page forbids the browser everything but its own style: nothing is run and nothing is loaded
(https://www.w3.org/TR/CSP3/). HTML needs no closing tags for `html` and `body`, so documents can be added one by one.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Final

from degloss.documents import Separation
from degloss.show import HIDDEN, visible

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #111;
  background: #fff; overflow-wrap: anywhere }
h2 { font-size: 1rem; margin: 3rem 0 .5rem; color: #555 }
.text { white-space: pre-wrap }
.commentary { background: #ffe3c2; border-bottom: 2px solid #b45309 }
.boilerplate { color: #595959; border-bottom: 2px dotted #767676 }
.unsure { outline: 1px dashed #6d28d9 }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616 }
  h2 { color: #aaa }
  .commentary { background: #4a2c0a }
  .boilerplate { color: #a3a3a3 }
  .unsure { outline-color: #c4b5fd }
}
"""
_UNSURE: Final = 0.6


def head() -> str:
    """What stands above all documents: the policy, the style and a key to the colours."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        '<!doctype html>\n<html lang="de">\n<meta charset="utf-8">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>degloss</title>\n<style>{_STYLE}</style>\n<body>\n"
        '<p lang="en">Article as it is, <span class="commentary">commentary</span>,'
        ' <span class="boilerplate">boilerplate</span>; <span class="unsure">framed</span> where degloss is not sure.'
        " Point at a sentence to see its label and confidence.\n"
    )


def document(found: Separation, name: str) -> str:
    """One document: its name and its text, every sentence in its label's colour.

    >>> from degloss import separate
    >>> print(document(separate("Teile diesen Beitrag: https://t.me/<b>"), "a&b"))  # doctest: +ELLIPSIS
    <h2>a&amp;b</h2>
    <div class="text"><span class="boilerplate" title="boilerplate ...">Teile diesen ...t.me/&lt;b&gt;</span></div>
    """
    parts = [f'<h2>{html.escape(visible(name))}</h2>\n<div class="text">']
    end = 0
    for sentence in found.sentences:
        parts.append(_shown(found.text[end : sentence.start]))
        end = sentence.end
        names = sentence.label + (" unsure" if sentence.confidence < _UNSURE else "")
        parts.append(
            f'<span class="{names}" title="{sentence.label} {sentence.confidence:.2f}">'
            f"{_shown(found.text[sentence.start : end])}</span>"
        )
    parts.append(_shown(found.text[end:]))
    return "".join(parts) + "</div>\n"


def _shown(text: str) -> str:
    return html.escape(re.sub(HIDDEN, lambda match: f"\\u{ord(match[0]):04x}", text))
