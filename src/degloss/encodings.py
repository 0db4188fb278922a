"""Bytes → text: in which encoding, decided once, and never altered on the way.

In this order: a byte order mark; UTF-16 without one, known by its zero bytes; UTF-8, strictly; what an HTML page says
of itself; else a guess among the encodings that German text comes in, with a note. Bytes with so many control
characters that they are no text are refused, and so is a text that is UTF-8 but for a few bytes: it is damaged. A page,
whose text is taken out of it anyhow, is then read with marks (U+FFFD) in their place.

The guess: charset-normalizer (extra `encodings`) lists the encodings in which the bytes read like text, and the
one with the most umlauts among its letters beyond ASCII is taken, since for a few umlauts its own order is little
better than chance. Without the package it is Windows-1252, as it nearly always is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from degloss.errors import InputError
from degloss.extras import installed, package

Note = Callable[[str], None]
"""Takes a message that is worth telling but no error."""


class Remark(str):
    """Such a message that may come for many texts; `kind` is what all of that sort have in common, in few words."""

    kind: str

    def __new__(cls, message: str, kind: str = "others") -> Remark:  # pickle gives the message alone, then the rest
        made = super().__new__(cls, message)
        made.kind = kind
        return made


DAMAGED: Final = "damaged UTF-8"
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # begins as the mark of UTF-16 does: asked first
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
_SAMPLE: Final = 4096
_GUESSED: Final = {
    "cp1252": "Windows-1252", "cp1250": "Windows-1250", "mac_roman": "Mac Roman", "cp850": "code page 850",
    "latin_1": "Latin-1",
}  # fmt: skip
"""Encodings of German text, the likelier first, and what people call them."""
_GUESS_BYTES: Final = 1 << 16
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_BEYOND = re.compile("[\u00a0-\u00ff\u2010-\u20cf\u2190-\u2bff\U0001f000-\U0001faff]")
"""Letters, marks and emoji of German text beyond ASCII."""
_UMLAUT = re.compile("[äöüÄÖÜß]")


def decode(data: bytes, name: str, note: Note, *, page: bool = False) -> str:
    """The text of these bytes; `name` is what messages call them. Of a `page` its own word counts, too.

    >>> decode("Grüße\\r\\n".encode("utf-16"), "brief.txt", print)
    'Grüße\\r\\n'
    >>> decode("Grüße".encode("latin-1"), "brief.txt", print)
    brief.txt: not UTF-8, read as Windows-1252; if letters look wrong, convert the file to UTF-8 (iconv)
    'Grüße'
    """
    for mark, encoding, title in MARKS:
        if data.startswith(mark):
            return strictly(data[len(mark) :], encoding, title, name)
    bare = _bare_utf16(data)
    if bare is not None:
        note(Remark(f"{name}: read as UTF-16, though it has no byte order mark", "read as UTF-16"))
        return strictly(data, bare, "UTF-16", name)
    text: str | None = None
    try:
        text = data.decode("utf-8")
        most_controls = len(data) / 5
    except UnicodeDecodeError as error:
        damage = error.start
        # Text has next to none, compressed data one in ten. Invalid UTF-8 is already half the proof.
        most_controls = len(data) / 20
    if len(data) - len(data.translate(None, _CONTROLS)) > most_controls:
        raise InputError(f"{name}: binary data, not text; extract its text first, or leave the file out")
    if text is not None:
        return text
    marked = data.decode("utf-8", "replace")
    wrong, right = bytes_amiss(marked, data)
    if wrong <= right:
        if not page:
            return strictly(data, "utf-8", "UTF-8", name)  # which says where
        told = f"{name}: UTF-8, damaged at byte {damage + 1}; what cannot be read is shown as \ufffd"
        note(Remark(told, DAMAGED))
        return marked
    said = declared(data) if page else None
    if said is not None:
        try:
            return data.decode(said)
        except UnicodeDecodeError:
            note(Remark(f"{name}: says it is {said}, which it is not", "not what they say they are"))
    encoding, title = guess(data)
    note(guessed(name, title))
    return data.decode(encoding)


def guessed(name: str, title: str) -> Remark:
    """What to tell of a file whose encoding was guessed."""
    message = f"{name}: not UTF-8, read as {title}; if letters look wrong, convert the file to UTF-8 (iconv)"
    return Remark(message, f"read as {title}")


def bytes_amiss(marked: str, data: bytes) -> tuple[int, int]:
    """Of bytes that are no UTF-8 how many are not, and how many characters beyond ASCII are as German text has them.

    `marked` is the text with marks for what cannot be read. A file that was cut off, or put together of two, has no
    more of the first than of the second: it is damaged. Text in another encoding has hardly one of these by chance.

    >>> data = "Grüße aus Köln".encode() + "Grüße".encode("cp1252")
    >>> bytes_amiss(data.decode("utf-8", "replace"), data)
    (2, 3)
    """
    return marked.count("\ufffd") - data.count("\ufffd".encode()), len(_BEYOND.findall(marked))


def guess(data: bytes) -> tuple[str, str]:
    """The encoding of bytes that are not UTF-8, one that can decode them, and its name for people.

    >>> guess("Grüße aus Köln".encode("cp1252"))
    ('cp1252', 'Windows-1252')
    """
    possible = ["cp1252"]
    if installed("charset_normalizer"):
        found = package("charset_normalizer", "encodings", "guessing encodings").from_bytes(
            data[:_GUESS_BYTES], cp_isolation=list(_GUESSED), enable_fallback=False
        )
        named = {encoding for match in found for encoding in match.could_be_from_charset}
        possible += [encoding for encoding in _GUESSED if encoding in named and encoding not in possible]
    # Five bytes are nothing in Windows-1252; in Latin-1 every byte is something.
    possible.append("latin_1")
    texts = {}
    for encoding in possible:
        with suppress(UnicodeDecodeError):
            texts[encoding] = data.decode(encoding)
    best = max(texts, key=lambda encoding: _likeness(texts[encoding]))
    return best, _GUESSED[best]


def _likeness(text: str) -> int:
    """How German the letters beyond ASCII look."""
    return 2 * len(_UMLAUT.findall(text)) - sum(character > "\x7f" for character in text)


def declared(data: bytes) -> str | None:
    """The encoding that an HTML page says it is in, if it says one that is known and reads bytes as ASCII does."""
    match = _DECLARED.search(data[:_SAMPLE])
    if match is None:
        return None
    try:
        found = codecs.lookup(match[1].decode("ascii"))
        # The Web reads Latin-1 as Windows-1252 (https://encoding.spec.whatwg.org/#names-and-labels).
        name = "cp1252" if found.name in ("iso8859-1", "ascii") else found.name
        return name if b"<meta".decode(name) == "<meta" else None
    except (LookupError, ValueError, TypeError):
        return None


def strictly(data: bytes, encoding: str, title: str, name: str) -> str:
    """The text of bytes that must be in this encoding; raises `InputError`."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: begins as {title}, but is damaged at byte {error.start + 1} ({error.reason});"
            " get the file anew, or convert it to UTF-8"
        ) from error


def _bare_utf16(data: bytes) -> str | None:
    """The encoding of UTF-16 without a mark: in European text every other byte is zero, few are between."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if len(data) % 2 or half < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        # Quotation marks and dashes have no zero byte, so not all can be asked for.
        if zeros > 0.7 * half and others < 0.05 * half:
            return encoding
    return None
