"""Separations → lines: the forms in which results leave the command line.

`clean` is the text itself. `text` is for the eye, `tsv` for tables and `jsonl` for programs; all three have
offsets in code points. What UTF-8 cannot hold, a lone surrogate, comes out as `\\ud800`: in JSON that is
the same string, in TSV it is one of the escapes, in `text` and `clean` it is the one thing that does not
survive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from degloss.characters import LINE_BREAKS
from degloss.documents import LABELS, Label, Separation
from degloss.read import Note, Record

Format = Literal["text", "tsv", "jsonl"]
ENDINGS: Final[dict[Format, str]] = {"text": ".txt", "tsv": ".tsv", "jsonl": ".jsonl"}

TSV_COLUMNS: Final = (
    "start", "end", "label", "confidence", "lone_label", "lone_score", "sentence", "file",
)  # fmt: skip
_DIGITS: Final = 4  # of probabilities: finer differences mean nothing, and files stay the same across machines
_COLORS: Final[dict[Label, str]] = {"article": "32", "commentary": "33", "boilerplate": "2"}
_WIDTH: Final = max(map(len, LABELS))
_NAMED: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BREAKS = re.compile("\r\n|[" + re.escape(LINE_BREAKS) + "]")
_UNPRINTABLE = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_HIDDEN = re.compile(f"[{_UNPRINTABLE}]")
_ESCAPED = re.compile(rf"[\\\t{re.escape(LINE_BREAKS)}{_UNPRINTABLE}]")


@dataclass(frozen=True)
class Form:
    """How results look: the lines of a text (given its name), of a record, and what stands above all."""

    text: Callable[[Separation, str], str]
    record: Callable[[Separation, Record, str], str]
    head: str = ""


def clean_form(labels: Iterable[Label], field: str, note: Note) -> Form:
    """What is kept, of records in place of their text; where nothing is, a note says so."""
    kept = list(labels)

    def text(separation: Separation, name: str) -> str:
        lines = clean_text(separation, kept)
        if not lines:
            note(f"{name}: no {' or '.join(kept)} in it, so nothing is left")
        return lines

    return Form(text, lambda separation, record, _: clean_record(separation, record, field, kept))


def label_form(format: Format, field: str, *, headed: bool, color: bool) -> Form:
    """Every sentence with its label, in one of the formats; `headed` if several texts share a stream."""

    if format == "tsv":
        return Form(label_tsv, lambda found, _, name: label_tsv(found, name), "\t".join(TSV_COLUMNS) + "\n")
    if format == "jsonl":
        return Form(label_jsonl, lambda found, record, _: label_record(found, record, field))
    return Form(
        lambda found, name: label_text(found, name, headed=headed, color=color),
        lambda found, _, name: label_text(found, name, headed=True, color=color),
    )


def encode_line(line: str) -> bytes:
    """UTF-8, with lone surrogates as `\\udXXX`, which is what JSON calls them too."""
    return line.encode("utf-8", "backslashreplace")


def clean_text(separation: Separation, labels: Iterable[Label]) -> str:
    """What is kept, with a line break at its end; nothing at all where nothing is kept."""
    kept = separation.kept(labels)
    if kept:
        kept.append("\r\n" if "\r\n" in separation.text else "\n")
    return "".join(kept)


def label_text(separation: Separation, name: str, *, headed: bool, color: bool) -> str:
    """A line for each sentence, for people: label, confidence, sentence."""
    lines = [heading(name)] if headed else []
    for sentence in separation.sentences:
        label = painted(sentence.label, color=color) + " " * (_WIDTH - len(sentence.label))
        text = visible(separation.text[sentence.start : sentence.end])
        lines.append(f"{label}  {sentence.confidence:.2f}  {text}\n")
    return "".join(lines)


def heading(name: str) -> str:
    """The line above the lines of one document, where those of several follow each other."""
    return f"==> {visible(name)} <==\n"


def painted(label: Label, *, color: bool) -> str:
    """A label, in its colour if there are to be colours."""
    return f"\x1b[{_COLORS[label]}m{label}\x1b[0m" if color else label


def label_tsv(separation: Separation, name: str) -> str:
    """A line for each sentence, in the columns of `TSV_COLUMNS`."""
    file = escape(name)
    rows = (
        f"{s.start}\t{s.end}\t{s.label}\t{s.confidence:.{_DIGITS}f}\t{s.lone_label}\t{s.lone_score:.{_DIGITS}f}"
        f"\t{escape(separation.text[s.start : s.end])}\t{file}\n"
        for s in separation.sentences
    )
    return "".join(rows)


def label_jsonl(separation: Separation, name: str) -> str:
    """One line for the document: the file and its sentences."""
    return _json({"file": name, "sentences": _sentences(separation)}) + "\n"


def label_record(separation: Separation, record: Record, field: str) -> str:
    """The line of a record: its other fields as they were, and its sentences."""
    pieces = [piece for name, piece in record.members if name not in (field, "sentences")]
    pieces.append(f'"sentences": {_json(_sentences(separation))}')
    return "{" + ", ".join(pieces) + "}\n"


def clean_record(separation: Separation, record: Record, field: str, labels: Iterable[Label]) -> str:
    """The line of a record: all its fields as they were, but for the text, which is cleaned."""
    kept = f"{_json(field)}: {_json(separation.keep(labels))}"
    return "{" + ", ".join(kept if name == field else piece for name, piece in record.members) + "}\n"


def escape(text: str) -> str:
    """The text without tabs, line breaks and control characters: backslash escapes instead.

    >>> print(escape("C:\\\\Neu\\tund\\r\\nso"))
    C:\\\\Neu\\tund\\r\\nso
    """
    return _ESCAPED.sub(lambda match: _NAMED.get(match[0]) or f"\\u{ord(match[0]):04x}", text)


def visible(text: str) -> str:
    """The text on one line for people: line breaks as ⏎, what a terminal would obey as an escape.

    >>> print(visible("Erste\\r\\nZweite\\x1b[2J"))
    Erste⏎Zweite\\u001b[2J
    """
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", _BREAKS.sub("⏎", text))


def _sentences(separation: Separation) -> list[dict[str, Any]]:
    return [
        {"start": s.start, "end": s.end, "label": s.label, "confidence": round(s.confidence, _DIGITS)}
        for s in separation.sentences
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
