"""What a user could do instead: a regular expression at the marker, and the sentence model without any context."""

from __future__ import annotations

import re
from typing import Final

from degloss.documents import Segment, Sentence, Separation

_CUE: Final = (
    r"(?:meine|eigene|persönliche)\s+(?:meinung|gedanken|anmerkung|sicht)|(?:mein |unser )?kommentar(?: d\w+ \w+)?\s*:|"
    r"anm(?:erkung|\.)?(?:\s*d(?:er|es|\.)\s*\w+\.?)?\s*:|nachtrag\s*:|fazit von|ps\s*:|leserkommentar"
)
_RULE: Final = r"[ \t]*(?:[+*=_~—–-]{3,}|[➖🔴❗️‼•]{3,}|\* \* \*)[ \t]*"
MARKER: Final = re.compile(rf"(?mi)^(?:[^\w\n]*(?:{_CUE}).*|{_RULE})$")


def at_the_marker(text: str) -> list[Segment]:
    """Everything from the first marker behind the text's first third on is commentary: a careful regular expression.

    Markers in the first third are taken for separators inside the article.

    >>> at_the_marker("Eins. Zwei. Drei.\\n+++\\nAha!")
    [Segment(start=0, end=18, label='article'), Segment(start=18, end=26, label='commentary')]
    """
    for match in MARKER.finditer(text):
        if match.start() * 3 >= len(text):
            return [Segment(0, match.start(), "article"), Segment(match.start(), len(text), "commentary")]
    return [Segment(0, len(text), "article")]


def without_context(found: Separation) -> list[Segment]:
    """Each sentence with the label the sentence model alone gave it."""
    return [_lone(s) for s in found.sentences]


def _lone(sentence: Sentence) -> Segment:
    return Segment(sentence.start, sentence.end, sentence.lone_label)
