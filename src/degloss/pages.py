"""HTML → text: what a page says, comments kept, as plain text of one line a paragraph.

trafilatura (extra `html`) finds the main text. It is asked for more rather than less, comments included: who speaks
is for the model to decide, and what is missing here nobody misses later. Where it finds nothing, all text of the
page is taken. It reads the page it is given and fetches nothing. Parsers read the first page of a file that holds
several, so each is read by itself.
"""

from __future__ import annotations

import re
from typing import Any, Final

from degloss.errors import InputError
from degloss.extras import package

_PAGE: Final = re.compile(r"<(html|frameset)\b", re.I)
_BODY: Final = re.compile(r"<body\b", re.I)
_NEXT: Final = re.compile(
    r"(?<=</html>)(?=\s{0,200}(?:<!--.{0,500}?-->\s{0,200}){0,9}(?:<!doctype[^<>]{0,500}>\s{0,200})?<html\b)",
    re.I | re.S,
)
"""Where one page ends and another begins, as in files that several pages were saved to. Bounded, since strangers write
pages."""


def page_text(html: str, name: str) -> str:
    """The text of a page, or of several in one file.

    Raises `InputError` if there is none, `ExtraMissing` without trafilatura.

    >>> page_text("<p>Der Rat tagt am Montag.</p><p>So ein Unsinn!</p>", "seite.html")
    'Der Rat tagt am Montag.\\nSo ein Unsinn!'
    """
    trafilatura = package("trafilatura", "html", f"{name}: HTML")
    if not html.strip():
        raise InputError(f"{name}: an empty page; get the file anew")
    try:
        texts = [_text(trafilatura, page) for page in _NEXT.split(html)]
    except Exception as error:  # whatever a parser does with the pages of strangers, the next page is none the worse
        raise InputError(f"{name}: HTML that cannot be read ({type(error).__name__}); save its text instead") from error
    text = "\n\n".join(text for text in texts if text.strip())
    if not text:
        raise InputError(f"{name}: a page without text; it may need a browser to show it, save its text instead")
    return text


def _text(trafilatura: Any, html: str) -> str:
    """The text of one page, empty if there is none."""
    if not _PAGE.search(html):  # of a fragment the parser keeps one piece, or nothing
        html = f"<html>{html}</html>" if _BODY.search(html) else f"<html><body>{html}</body></html>"
    text = trafilatura.extract(html, output_format="txt", include_comments=True, include_tables=True, favor_recall=True)
    return text or trafilatura.html2txt(html) or ""
