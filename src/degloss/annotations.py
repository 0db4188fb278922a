"""Labelled texts ↔ the label tools people correct them in: doccano and Label Studio.

Out go the text and its spans, back comes what people made of them. Two things go wrong on such a way, and both are
dealt with here. First, what an offset counts: degloss counts Unicode code points, doccano UTF-16 units, as JavaScript
does, in which an emoji counts two (doccano issue 2290); Label Studio counts code points, but older versions UTF-16
units (label-studio-frontend pull request 308). So the units are named, offsets into the middle of a character are
refused, and where the tool sends the marked text along it has to be the same. Second, gaps: tools mark words and leave
out white space, so what is between two spans is dealt to them, while text nobody labelled is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from degloss.documents import LABELS, Label, Segment
from degloss.errors import InputError

Tool = Literal["doccano", "label-studio"]
Units = Literal["code-points", "utf-16"]
UNITS: Final[Mapping[Tool, Units]] = {"doccano": "utf-16", "label-studio": "code-points"}
"""What each tool counts."""

LABEL_STUDIO_CONFIG: Final = (
    '<View><Labels name="label" toName="text">'
    + "".join(f'<Label value="{label}"/>' for label in LABELS)
    + '</Labels><Text name="text" value="$text" granularity="word"/></View>'
)
"""The labelling interface of a Label Studio project that takes what `to_label_studio` makes."""

_SHOWN: Final = 40


def to_doccano(text: str, spans: Iterable[Segment], units: Units = "utf-16", **fields: object) -> dict[str, object]:
    """A line of doccano's JSONL for sequence labelling; `fields` become the example's metadata.

    >>> to_doccano("😀 Ja! Quelle: dpa", [Segment(0, 5, "commentary"), Segment(6, 17, "boilerplate")], name="post")
    {'text': '😀 Ja! Quelle: dpa', 'label': [[0, 6, 'commentary'], [7, 18, 'boilerplate']], 'name': 'post'}
    """
    at = _positions(text, units)
    if "label" in fields:
        raise ValueError("a field 'label' would replace the labels; give it another name")
    label = [[int(at[span.start]), int(at[span.end]), span.label] for span in _trimmed(text, spans)]
    return {"text": text, "label": label, **fields}


def to_label_studio(
    text: str, spans: Iterable[Segment], units: Units = "code-points", **fields: object
) -> dict[str, object]:
    """A task of Label Studio with the spans as predictions; `fields` become data beside the text.

    The project needs the names of `LABEL_STUDIO_CONFIG`; a file is a JSON list of tasks.

    >>> task = to_label_studio("😀 Ja!", [Segment(0, 5, "commentary")])
    >>> task["predictions"][0]["result"][0]["value"]
    {'start': 0, 'end': 5, 'text': '😀 Ja!', 'labels': ['commentary']}
    """
    at = _positions(text, units)
    result = [
        {
            "id": f"span-{number}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": int(at[span.start]),
                "end": int(at[span.end]),
                "text": text[span.start : span.end],
                "labels": [span.label],
            },
        }
        for number, span in enumerate(_trimmed(text, spans))
    ]
    return {"data": {"text": text, **fields}, "predictions": [{"model_version": "degloss", "result": result}]}


def from_doccano(
    record: object, where: str, units: Units = "utf-16", rest: Label | None = None
) -> tuple[str, tuple[Segment, ...]]:
    """The text of a line that doccano exported, and spans that cover it; raises `InputError` that begins with `where`.

    `rest` is the label of text that nobody labelled; without one such text is refused.

    >>> from_doccano({"text": "😀 Ja! Quelle: dpa", "label": [[7, 18, "boilerplate"]]}, "zeile 1", rest="article")[1]
    (Segment(start=0, end=5, label='article'), Segment(start=5, end=17, label='boilerplate'))
    """
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise InputError(f"{where}: no object with a string 'text'; export as JSONL for sequence labelling")
    text = record["text"]
    given = next((record[name] for name in ("label", "labels", "entities") if name in record), None)
    if not isinstance(given, list):
        raise InputError(f"{where}: no list 'label' or 'entities'; export as JSONL for sequence labelling")
    marks: list[_Mark] = []
    for mark in given:
        if isinstance(mark, dict):  # with relations, doccano exports objects
            mark = [mark.get("start_offset"), mark.get("end_offset"), mark.get("label")]
        if not isinstance(mark, list) or len(mark) != 3:
            raise InputError(f"{where}: {str(mark)[:_SHOWN]!r} is no [start, end, label]; export the file again")
        marks.append((mark[0], mark[1], mark[2], None))
    return text, _covering(text, marks, where, units, rest)


def from_label_studio(
    task: object, where: str, units: Units = "code-points", rest: Label | None = None
) -> tuple[str, tuple[Segment, ...]]:
    """The text of a task that Label Studio exported as JSON or JSON-MIN, and spans that cover it; see `from_doccano`.

    A task must have exactly one annotation that was not cancelled. Predictions count for nothing.
    """
    if not isinstance(task, dict):
        raise InputError(f"{where}: not an object; export as JSON")
    data = task.get("data", task)
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise InputError(f"{where}: no string 'text' in the task's data; name the text's field so in the project")
    marks: list[_Mark] = []
    try:
        values = task.get("label", [])  # JSON-MIN: under the control's name
        if "annotations" in task:
            valid = [annotation for annotation in task["annotations"] if not annotation.get("was_cancelled")]
            if len(valid) != 1:
                raise InputError(f"{where}: {len(valid)} annotations, not one; finish the task, or delete the others")
            results = valid[0]["result"]
            values = [result["value"] for result in results if result["type"] == "labels"]
            others = sorted({r["type"] for r in results if r["type"] != "labels" and "start" in r.get("value", ())})
            if others:
                raise InputError(f"{where}: marks of the type {others[0]!r}, not 'labels'; mark by Labels over a Text")
        elif "label" not in task and (others := sorted(name for name in task if _marks(task[name]))):
            raise InputError(f"{where}: its marks are under {others[0]!r}, not 'label'; rename the key, or the control")
        for value in values:
            if len(value["labels"]) != 1:
                raise InputError(f"{where}: {value['labels']} at one place, not one label; mend it in the tool")
            marks.append((value["start"], value["end"], value["labels"][0], value.get("text")))
    except (TypeError, AttributeError, LookupError) as error:
        raise InputError(f"{where}: not as Label Studio exports a task ({error!r}); export it again") from error
    return text, _covering(text, marks, where, units, rest)


def _marks(value: object) -> bool:
    """Whether a value of a task looks like what was marked."""
    return isinstance(value, list) and any(isinstance(one, dict) and {"start", "end"} <= one.keys() for one in value)


_Mark = tuple[Any, Any, Any, Any]
"""Start, end, label and, if the tool tells, the text that was marked."""


def _covering(text: str, marks: Sequence[_Mark], where: str, units: Units, rest: Label | None) -> tuple[Segment, ...]:
    """The marks as spans in order that cover the text; neighbours of one label are one span."""
    if rest is not None and rest not in LABELS:
        raise ValueError(f"rest must be one of {', '.join(LABELS)}, not {rest!r}")
    at = _positions(text, units)
    spans = sorted(_segment(text, mark, at, where, units) for mark in marks)
    covered: list[Segment] = []
    end = 0
    for span in [*spans, None]:
        start = len(text) if span is None else span.start
        if start < end:
            shown = text[start:end][:_SHOWN]
            raise InputError(f"{where}: two spans overlap at {shown!r}; let every character have one label")
        between = text[end:start]
        if between.strip():
            if rest is None:
                raise InputError(
                    f"{where}: {between.strip()[:_SHOWN]!r} has no label; label it, or say what the rest is (--rest)"
                )
            begin = end + len(between) - len(between.lstrip())
            covered.append(Segment(begin, end + len(between.rstrip()), rest))
        if span is not None:
            covered.append(span)
            end = span.end
    if not covered:
        raise InputError(f"{where}: no text and no labels in it; leave it out")
    return _closed(text, covered)


def _segment(text: str, mark: _Mark, at: NDArray[np.int64], where: str, units: Units) -> Segment:
    start, end, name, marked = mark
    label = next((known for known in LABELS if known == name), None)
    if label is None:
        raise InputError(f"{where}: {str(name)[:_SHOWN]!r} is no label; the labels are {', '.join(LABELS)}")
    places = []
    for offset in (start, end):
        place = int(np.searchsorted(at, offset)) if type(offset) is int else len(at)
        if place == len(at) or at[place] != offset:
            raise InputError(
                f"{where}: the offset {offset!r} is no place in the text counted in {units}; count in other units"
                f" ({' or '.join(known for known in ('code-points', 'utf-16') if known != units)}), or export again"
            )
        places.append(place)
    if not text[places[0] : places[1]].strip():
        raise InputError(f"{where}: the span {start} to {end} has no text in it; delete it in the tool")
    if isinstance(marked, str) and _letters(marked) != _letters(text[places[0] : places[1]]):
        raise InputError(
            f"{where}: {text[places[0] : places[1]][:_SHOWN]!r} stands where {marked[:_SHOWN]!r} was marked; the tool"
            f" does not count in {units}, or the text was changed since"
        )
    return next(iter(_trimmed(text, [Segment(places[0], places[1], label)])))


def _closed(text: str, spans: Sequence[Segment]) -> tuple[Segment, ...]:
    """The spans with the white space around them: line breaks go to what stands before, the rest to what follows."""
    made: list[Segment] = []
    begin = 0
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        end = len(text)
        if following is not None:
            end = max(span.end, text.rfind("\n", span.end, following.start) + 1)
        if made and made[-1].label == span.label:
            made[-1] = Segment(made[-1].start, end, span.label)
        else:
            made.append(Segment(begin, end, span.label))
        begin = end
    return tuple(made)


def _trimmed(text: str, spans: Iterable[Segment]) -> Iterable[Segment]:
    """The spans without white space at their edges, empty ones left out."""
    for span in spans:
        inside = text[span.start : span.end]
        start = span.start + len(inside) - len(inside.lstrip())
        end = span.start + len(inside.rstrip())
        if start < end:
            yield Segment(start, end, span.label)


def _positions(text: str, units: Units) -> NDArray[np.int64]:
    """(len(text) + 1) the offset of each code point, and of the end, in these units."""
    if units not in get_args(Units):
        raise ValueError(f"units must be one of {', '.join(get_args(Units))}, not {units!r}")
    if units == "code-points":
        return np.arange(len(text) + 1)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    return np.concatenate([[0], np.cumsum(1 + (codes > 0xFFFF))])


def _letters(marked: str) -> str:
    """The text without white space, of which tools write some as \\n."""
    return re.sub(r"\s|\\[nrt]", "", marked)
