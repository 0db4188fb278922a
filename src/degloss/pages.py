"""HTML → text: what a page says, comments kept, as plain text of one line a paragraph.

trafilatura (extra `html`) finds the main text. It is asked for more rather than less, comments included: who speaks
is for the model to decide, and what is missing here nobody misses later. Where it finds nothing, all text of the
page is taken, a line a block. It reads the page it is given and fetches nothing. Parsers read the first page of a file
that holds several, so each is read by itself.
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
_REFERENCE: Final = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]{1,4})(?![0-9a-fA-F])|0*([0-9]{1,5})(?![0-9]));?")
_UNREADABLE: Final = {*range(1, 0x20), 0xFFFE, 0xFFFF} - {*b"\t\n\r"}
"""Characters that browsers pass over, and lxml refuses to write: trafilatura gives up a whole page for one of them."""
_BLOCKS: Final = (
    "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend",
    "li", "main", "nav", "noscript", "ol", "option", "p", "pre", "section", "summary", "table", "td", "textarea", "th",
    "tr", "ul",
)  # fmt: skip
_BREAK: Final = "\u2424"
"""Stands for a line break where white space is made one space: the character that shows a line break to people."""


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
        texts = [_text(trafilatura, page) for page in _NEXT.split(_REFERENCE.sub(_readable, html))]
    except Exception as error:  # whatever a parser does with the pages of strangers, the next page is none the worse
        raise InputError(f"{name}: HTML that cannot be read ({type(error).__name__}); save its text instead") from error
    text = "\n\n".join(text for text in texts if text.strip())
    if not text:
        raise InputError(f"{name}: a page without text; it may need a browser to show it, save its text instead")
    return text


def _readable(reference: re.Match[str]) -> str:
    """A character reference as it stands, or what is left of one to a control character: a space, or nothing."""
    character = int(reference[1], 16) if reference[1] else int(reference[2])
    if character not in _UNREADABLE:
        return reference[0]
    return " " if chr(character).isspace() else ""


def _text(trafilatura: Any, html: str) -> str:
    """The text of one page, empty if there is none."""
    if not _PAGE.search(html):  # of a fragment the parser keeps one piece, or nothing
        html = f"<html>{html}</html>" if _BODY.search(html) else f"<html><body>{html}</body></html>"
    text = trafilatura.extract(html, output_format="txt", include_comments=True, include_tables=True, favor_recall=True)
    return text or _all_text(trafilatura, html)


def _all_text(trafilatura: Any, html: str) -> str:
    """All text of a page, a line a block."""
    tree = trafilatura.load_html(html)
    if tree is None:
        return ""
    for element in tree.iter(*_BLOCKS):
        element.text = f"{_BREAK}{element.text or ''}"
        element.tail = f"{_BREAK}{element.tail or ''}"
    lines = (line.strip() for line in trafilatura.html2txt(tree).split(_BREAK))
    return "\n".join(line for line in lines if line)
