"""Text → what can be shown: on one line, without what a terminal would obey or the eye would be misled by.

`visible` is for people and cannot be undone, `escape` is for tables and can.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from degloss.characters import LINE_BREAKS

_NAMED: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BREAKS: Final = f"\r\n|[{LINE_BREAKS}]"
_UNPRINTABLE = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
HIDDEN: Final = f"[{_UNPRINTABLE}]"
"""Characters that a terminal obeys, that turn the direction of what follows, or that UTF-8 cannot hold."""
_ESCAPED = re.compile(rf"\A\"|[\\\t{re.escape(LINE_BREAKS)}{_UNPRINTABLE}]")


def counted(count: int, noun: str, nouns: str = "") -> str:
    """A number of things for people; `nouns` is the plural if it is not the regular one.

    >>> counted(1, "document"), counted(12345, "document"), counted(0, "link")
    ('1 document', '12,345 documents', '0 links')
    """
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def some(names: Sequence[str], count: int) -> str:
    """The first names of so many.

    >>> some(["a.txt", "b.txt"], 2), some(["a.txt", "b.txt"], 7)
    ('a.txt, b.txt', 'a.txt, b.txt, …')
    """
    return ", ".join(names) + (", …" if count > len(names) else "")


def escape(text: str) -> str:
    """The text without tabs, line breaks, control characters and a quotation mark in front, for which programs would
    look for another one: backslash escapes instead.

    >>> print(escape("C:\\\\Neu\\tund\\r\\nso"))
    C:\\\\Neu\\tund\\r\\nso
    """
    return _ESCAPED.sub(lambda match: _NAMED.get(match[0]) or f"\\u{ord(match[0]):04x}", text)


def visible(text: str) -> str:
    """The text on one line for people: line breaks as ⏎, what a terminal would obey as an escape.

    >>> print(visible("Erste\\r\\nZweite\\x1b[2J"))
    Erste⏎Zweite\\u001b[2J
    """
    return re.sub(HIDDEN, lambda match: f"\\u{ord(match[0]):04x}", re.sub(_BREAKS, "⏎", text))
