"""Letters that a decoder or a converter has made something else of: mojibake, U+FFFD, `?`, marks of their own.

UTF-8 taken for another encoding, umlauts that no decoder knew, and what is left of them where a PDF is turned into
text. Each rule is asked at the characters that such begins with, as those of `markup` are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from degloss.characters import CONTROLS, HIDDEN, JOINERS
from degloss.markup import Edit, compiled, matches


def mojibake(text: str, place: int) -> Iterator[Edit]:
    """UTF-8 that was taken for Windows-1252 or Latin-1, perhaps twice."""
    end = place + _SIZES[text[place]]
    taken = text[place:end]
    read = _decoded(taken)
    if read in _SIZES:  # once more: what it stands for is as many of what each of its bytes became
        rest = [read]
        while len(rest) < _SIZES[read] and (size := _FURTHER.get(text[end : end + 1], 0)):
            rest.append(_decoded(text[end : end + size]))
            end += size
        taken, read = text[place:end], _decoded("".join(rest))
    if not read:
        # The last byte of ” is none of Windows-1252, and mostly lost.
        if taken.startswith("â€") and not text[place + 2 : place + 3].isalnum():
            yield Edit(place, place + 2 + (taken[2:] == "\ufffd"), "”")
    elif read == taken[-1]:  # a space that does not break: its own byte is the second
        yield Edit(place, place + 1, "")
    elif read == "\ufffd":
        yield Edit(place, end, _instead(text, place, end))
    elif text[end - 1 : end + 1].strip():  # or a sentence might end with white space
        yield Edit(place, end, "" if read in HIDDEN or read in JOINERS else read)


_SIZES: Final = {"Ã": 2, "Â": 2, "â": 3, "ï": 3, "ð": 4}
"""What the first byte of so many was taken for."""
_FURTHER: Final = {**_SIZES, "Å": 2, "Æ": 2, "Ë": 2}
"""The same for bytes whose characters were taken for Windows-1252 again; alone they are letters of names."""


def _decoded(taken: str) -> str:
    """The one character that these were, or nothing."""
    try:
        read = b"".join(map(_byte, taken)).decode()
    except ValueError:
        return ""
    return read if len(read) == 1 else ""


def _byte(character: str) -> bytes:
    return character.encode("latin-1" if "\x80" <= character < "\xa0" else "cp1252")


CODE_PAGES: Final = "√‚├ΓÔĂГв"
"""What the first byte of an umlaut or a mark is on a Mac, in DOS, in Central Europe, in Cyrillic."""


def code_page(text: str, place: int) -> Iterator[Edit]:
    """UTF-8 that was taken for an encoding of another system or country."""
    for taken in (text[place : place + 3], text[place : place + 2]):
        if taken[1:2] > "\x7f" and taken in _taken():
            yield Edit(place, place + len(taken), _taken()[taken])
            return


@cache
def _taken() -> dict[str, str]:
    """What letters and marks of German text were taken for."""
    found = {}
    for page in ("mac_roman", "cp437", "cp850", "cp1250", "cp1251"):
        for letter in "äöüÄÖÜßéèáàçñ„“”‚‘’–—…•€":
            try:
                found[letter.encode().decode(page)] = letter
            except UnicodeDecodeError:  # the page has nothing for one of the bytes
                continue
    return {taken: letter for taken, letter in found.items() if taken[0] in CODE_PAGES}


def quoted_printable(text: str, place: int) -> Iterator[Edit]:
    """A byte of a mail as it was sent (https://www.rfc-editor.org/rfc/rfc2045#section-6.7): =C3=BC or =FC is ü; and
    what ends with = goes on in the next line, also between two bytes of one character."""
    for match in matches(r"(?<!\?)=[ \t]*\r?\n( ?)", text, place):
        yield Edit(place, match.end(), match[1])
    for match in matches(rf"(?:{_BYTE}(?:=[ \t]*\r?\n(?={_BYTE}))?){{1,4}}", text, place):
        found = [(int(byte[1], 16), byte.end()) for byte in compiled(_BYTE).finditer(match[0])]
        first = found[0][0]
        size = 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
        letter = _letter(bytes(byte for byte, _ in found[:size]), "utf-8")
        if not letter:
            size, letter = 1, _letter(bytes([first]), "cp1252")
        end = place + found[size - 1][1]
        # Of ASCII only what has to be written so: "n=20 Personen" may be meant as it stands.
        ends = text[end : end + 1] in ("", "\r", "\n", "=")
        if letter > "~" or letter in ("", "=", "\t", "\r", "\n") or (letter == " " and ends):
            yield Edit(place, end, letter if letter not in HIDDEN and letter not in CONTROLS else "")


_BYTE: Final = "=([0-9A-F]{2})"


def _letter(taken: bytes, encoding: str) -> str:
    try:
        return taken.decode(encoding)
    except UnicodeDecodeError:
        return ""


def is_quoted_printable(text: str) -> bool:
    """Whether each = of the text may be of a mail as it was sent, and an umlaut or a quotation mark is written so."""
    if compiled(r"=(?![0-9A-F]{2}|[ \t]*\r?(?:\n|\Z)|\?)(?<!\?=)").search(text):
        return False
    written = compiled(r"=C3=[89AB][0-9A-F]|=E2=80=[9A]|[A-Za-z]=(?:C4|D6|DC|DF|E4|F6|FC)(?=[A-Za-z=.,\s])")
    # Within a link it may be part of that.
    return any(not set(_begun(text, match.start())) & set("/?&") for match in written.finditer(text))


def _begun(text: str, place: int) -> str:
    """What the word that goes on there has before it; of a long one its end."""
    return text[max(0, place - 200) : place].rpartition(" ")[2].rpartition("\n")[2]


def diaeresis(text: str, place: int) -> Iterator[Edit]:
    """An umlaut of which a PDF has the two dots by themselves, before or behind the letter."""
    start = place - (text[place] == "\u0308")  # a combining one comes behind a blank, which is none of the text's
    if start < 0 or (start < place and text[start] != " "):
        return
    before, behind = text[start - 1 : start], text[place + 1 : place + 2]
    if behind in _DOTTED and (before, behind) != ("a", "u"):
        yield Edit(start if before.isalpha() else place, place + 2, _DOTTED[behind])
    elif before in _DOTTED:
        yield Edit(start - 1, place + 1, _DOTTED[before])


_DOTTED: Final = dict(zip("aouAOU", "äöüÄÖÜ", strict=True))


def hyphen(text: str, place: int) -> Iterator[Edit]:
    """A hyphen that was to show at the end of a line only, and has become another sign."""
    for match in matches(r"(?<=[^\W\d_])¬\n?(?=[^\W\d_])", text, place):
        if text[match.end()].islower():
            yield Edit(place, match.end(), "")


def lost(text: str, place: int) -> Iterator[Edit]:
    for match in matches("\ufffd{1,3}", text, place):
        yield Edit(place, match.end(), _instead(text, place, match.end()))


def _instead(text: str, start: int, end: int) -> str:
    """What most often stood where a decoder has put U+FFFD: umlauts and quotation marks."""
    before, behind = text[start - 1 : start], text[end : end + 1]
    if behind.islower():
        return _umlaut(text, start)
    if before.isalpha() and behind.isalnum():
        return "ü"
    if not behind.strip() and not before.strip():
        return "–"
    quoted = compiled(r"(?<!\w)\ufffd\w+$").search(text, max(0, start - 40), start)
    return "ß" if before in tuple("aiou\ufffd") and not quoted else '"'


def _umlaut(text: str, place: int) -> str:
    """The most frequent one, large where a sentence begins."""
    before = text[max(0, place - 2) : place].strip()
    return "Ü" if not before or before[-1] in ".!?:" else "ü"


def question_mark(text: str, place: int) -> Iterator[Edit]:
    """One or two before a small letter, and not in a link: perhaps what is left of an umlaut."""
    if "a" <= text[place + 1 : place + 2] <= "z":
        start = place - (text[place - 1 : place] == "?")
        word = _begun(text, start)
        if not word or (word[-1].isalpha() and "/" not in word and "." not in word):
            yield Edit(start, place + 1, _umlaut(text, start))


def has_lost_umlauts(text: str) -> bool:
    """Whether the text has none, and at least one of the words that hardly any text is without lacks its umlaut."""
    return bool(compiled(_UMLAUT_WORDS).search(text)) and not compiled("[äöüÄÖÜß]").search(text)


_UMLAUT_WORDS: Final = (
    r"(?i:(?<![\w?])(?:f\?{1,2}r|\?{1,2}ber|zur\?{1,2}ck|k\?{1,2}nn|w\?{1,2}rd|m\?{1,2}ss|h\?{1,2}tt|d\?{1,2}rf"
    r"|w\?{1,2}ren?\b))"
)
