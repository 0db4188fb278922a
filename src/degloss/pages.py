"""HTML → text: what a page says, comments kept, as plain text of one line a paragraph.

trafilatura (extra `html`) finds the main text. It is asked for more rather than less, comments included: who speaks
is for the model to decide, and what is missing here nobody misses later. Where it finds nothing, all text of the
page is taken, a line a block. It reads the page it is given and fetches nothing. Parsers read the first page of a file
that holds several, so each is read by itself.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import Any, Final
from unicodedata import normalize

from degloss.errors import InputError
from degloss.extras import package

_PAGE: Final = re.compile(r"<(html|frameset)\b", re.I)
_BODY: Final = re.compile(r"<body\b", re.I)
_NEXT: Final = re.compile(
    r"(?<=</html>)(?=\s{0,200}(?:(?><!--.{0,500}?-->)\s{0,200}){0,9}(?:<!doctype[^<>]{0,500}>\s{0,200})?<html\b)",
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
_MISSES: Final = 50
"""So many lines may be looked for in vain: each costs a look through the whole text."""
_LONG_ROW: Final = 150
"""The fewest characters of a row in which line breaks are put back: in such a one stand texts, not data."""
_BAR: Final = re.compile(r"\\?\|")


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
    tree = trafilatura.load_html(html)
    if tree is None:
        return ""
    _gather_loose(tree)
    found = trafilatura.bare_extraction(tree, include_comments=True, include_tables=True, favor_recall=True)
    text, comments = (found.text or "", found.comments or "") if found else ("", "")
    if _repeated(text, comments, trafilatura, html):
        comments = _beyond(text, comments)
    if text and ("\n" not in text or any(map(_is_long_row, text.splitlines()))):
        text = _lines_broken(text, _all_text(trafilatura, html))
    return normalize("NFC", f"{text}\n{comments}".strip()) or _all_text(trafilatura, html)


def _gather_loose(tree: Any) -> None:
    """Puts what a page has outside of any block into one: of such text trafilatura leaves out the beginning."""
    body = tree.find(".//body")
    if body is None or not ((body.text or "").strip() or body.find("br") is not None):
        return
    block = body.makeelement("div")
    block.text, body.text = body.text, None
    block.extend(list(body))
    body.append(block)


def _is_long_row(line: str) -> bool:
    """Whether a line is a row of a table, as trafilatura writes them, in which there is room for a text."""
    return line.startswith("| ") and len(line) >= _LONG_ROW


def _lines_broken(text: str, page: str) -> str:
    """The text with the line breaks of its page within the cells of long rows, for tables also serve as layout, and
    within a text of one line, as trafilatura makes of some short articles."""
    lines = [_unbarred(line) for line in page.splitlines()]
    whole, edges = "".join(lines), {*accumulate(map(len, lines))}
    rows = text.split("\n")
    place = misses = 0
    for number, row in enumerate(rows):
        if not (_is_long_row(row) or len(rows) == 1) or misses == _MISSES:
            continue
        wanted = _unbarred(row)
        at = whole.find(wanted, place)
        if at < 0:
            misses += 1
        else:
            rows[number] = _broken(row, at, edges)
            place = at + len(wanted)
    return "\n".join(rows)


def _broken(row: str, at: int, edges: set[int]) -> str:
    """A line that begins there on its page, broken wherever a line of the page ends, but at the ends of cells."""
    words = row.split(" ")
    pieces = words[:1]
    for before, word in pairwise(words):
        at += len(_unbarred(before))
        pieces += ["\n" if at in edges and "|" not in (before, word) else " ", word]
    return "".join(pieces)


def _unbarred(row: str) -> str:
    """A row without white space and the bars between its cells."""
    return _squeezed(_BAR.sub("", row))


def _repeated(text: str, comments: str, trafilatura: Any, html: str) -> bool:
    """Whether what was taken for the text of a page has its comments in it, as where it is nearly all of the page.

    A comment may say the same as a line of the article; so the longest one has to be there as often as on the page.
    """
    longest = max(map(_squeezed, comments.splitlines()), key=len, default="")
    times = _squeezed(text).count(longest) if longest else 0
    return times > 0 and times >= _squeezed(trafilatura.html2txt(html)).count(longest)


def _beyond(text: str, comments: str) -> str:
    """The comments without the lines that are in the text, in this order, each of them one line there or several."""
    lines = [_squeezed(line) for line in text.splitlines()]
    whole, edges = "".join(lines), {0, *accumulate(map(len, lines))}
    left: list[str] = []
    place = 0
    for comment in comments.splitlines():
        line = _squeezed(comment)
        at = whole.find(line, place) if len(left) < _MISSES else -1
        while at >= 0 and not {at, at + len(line)} <= edges:
            at = whole.find(line, at + 1)
        if at < 0:
            left.append(comment)
        else:
            place = at + len(line)
    return "\n".join(left)


def _squeezed(text: str) -> str:
    """A text without its white space, of which the same words have more here and less there."""
    return "".join(text.split())


def _all_text(trafilatura: Any, html: str) -> str:
    """All text of a page, a line a block."""
    tree = trafilatura.load_html(html)
    for element in tree.iter(*_BLOCKS):
        element.text = f"{_BREAK}{element.text or ''}"
        element.tail = f"{_BREAK}{element.tail or ''}"
    lines = (line.strip() for line in trafilatura.html2txt(tree).split(_BREAK))
    return "\n".join(line for line in lines if line)
