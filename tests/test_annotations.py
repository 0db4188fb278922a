"""To the label tools and back: nothing moves, whatever counts as a character, and what is wrong is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import COMMENT, LINK, PAGE
from degloss.annotations import (
    LABEL_STUDIO_CONFIG,
    UNITS,
    Tool,
    Units,
    from_doccano,
    from_label_studio,
    to_doccano,
    to_label_studio,
)
from degloss.documents import LABELS, Label, Segment
from degloss.errors import CorpusError, InputError, OutputError
from degloss_training import commands, corpus
from training_data import document

ROOT = Path(__file__).parents[1]
BOTH: tuple[Units, ...] = ("code-points", "utf-16")


def annotated(task: Any) -> dict[str, Any]:
    """The task as Label Studio exports it when somebody agreed with the prediction."""
    return {"id": 5, "data": task["data"], "annotations": [{"id": 1, "result": task["predictions"][0]["result"]}]}


def there_and_back(tool: Tool, text: str, spans: Any, units: Units) -> tuple[str, tuple[Segment, ...]]:
    if tool == "doccano":
        return from_doccano(json.loads(json.dumps(to_doccano(text, spans, units))), "x", units)
    return from_label_studio(json.loads(json.dumps(annotated(to_label_studio(text, spans, units)))), "x", units)


def labels_of_letters(text: str, spans: tuple[Segment, ...]) -> list[tuple[str, str]]:
    return [(c, span.label) for span in spans for c in text[span.start : span.end] if not c.isspace()]


# Emoji: one character for people, one to seven code points, one to eleven UTF-16 units.

EMOJI = [
    # text before the span, what is marked, offsets in code points, in UTF-16 units
    ("", "Ja! 😀", (0, 5), (0, 6)),
    ("😀 ", "Nein!", (2, 7), (3, 8)),
    ("👩‍👩‍👧 ", "Familie", (6, 13), (9, 16)),
    ("❤️ ", "Herz", (3, 7), (3, 7)),
    ("🇩🇪🇦🇹 ", "Fahnen 🏴󠁧󠁢󠁥󠁮󠁧󠁿", (5, 19), (9, 30)),
    ("Grüße ➖➖➖ ", "Ende", (10, 14), (10, 14)),
    ("𝔉𝔯𝔞𝔨𝔱𝔲𝔯 ", "ist Schrift", (8, 19), (15, 26)),
]


@pytest.mark.parametrize(("before", "marked", "points", "units"), EMOJI)
def test_emoji_count_as_the_tool_counts(
    before: str, marked: str, points: tuple[int, int], units: tuple[int, int]
) -> None:
    text = f"{before}{marked} 😀 und weiter"
    spans = [Segment(*points, "commentary")]
    assert text[points[0] : points[1]] == marked
    assert to_doccano(text, spans)["label"] == [[*units, "commentary"]]
    assert to_doccano(text, spans, "code-points")["label"] == [[*points, "commentary"]]
    for counted, (start, end) in (("code-points", points), ("utf-16", units)):
        value = annotated(to_label_studio(text, spans, counted))["annotations"][0]["result"][0]["value"]
        assert value == {"start": start, "end": end, "text": marked, "labels": ["commentary"]}
    data = text.encode("utf-16-le")[2 * units[0] : 2 * units[1]]
    assert data.decode("utf-16-le") == marked
    for tool in UNITS:
        for counted in BOTH:
            task = [to_doccano, to_label_studio][tool == "label-studio"](text, spans, counted)
            back = from_doccano(task, "x", counted, "article") if tool == "doccano" else from_label_studio(
                annotated(task), "x", counted, "article")  # fmt: skip
            found = next(span for span in back[1] if span.label == "commentary")
            assert text[found.start : found.end].strip() == marked


LETTERS = st.text(st.sampled_from("aB. \n\t😀é\u0301👩\u200d🇩ß\u2028"), min_size=1, max_size=8)
PARTS = st.lists(st.tuples(LETTERS, st.sampled_from(LABELS)), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(PARTS, st.sampled_from(sorted(UNITS)), st.sampled_from(BOTH))
def test_there_and_back_every_letter_keeps_its_label(parts: list[tuple[str, Label]], tool: Tool, units: Units) -> None:
    made = document("x", *parts)
    if not made.text.strip():
        return
    text, spans = there_and_back(tool, made.text, made.spans, units)
    assert text == made.text
    assert spans[0].start == 0
    assert spans[-1].end == len(text)
    assert all(a.end == b.start and a.label != b.label for a, b in pairwise(spans))
    assert labels_of_letters(text, spans) == labels_of_letters(text, made.spans)
    assert corpus.parse(corpus.serialise(text, spans), "x") == (text, spans)
    assert there_and_back(tool, text, spans, units) == (text, spans)


@pytest.mark.parametrize("tool", sorted(UNITS))
def test_the_corpus_comes_back_as_it_went(tool: Tool) -> None:
    same = 0
    for each in corpus.load(ROOT / "training" / "corpus"):
        text, spans = there_and_back(tool, each.text, each.spans, UNITS[tool])
        assert text == each.text
        # Where a writer began a block with blank lines these change sides, and nothing else ever does.
        assert labels_of_letters(text, spans) == labels_of_letters(text, each.spans)
        assert there_and_back(tool, text, spans, UNITS[tool]) == (text, spans)
        same += spans == each.spans
    assert same > 300


def test_white_space_between_spans_goes_where_the_block_format_has_it() -> None:
    text = "Eins. \n\n  Zwei. Drei.\n"
    record = {"text": text, "label": [[0, 5, "article"], [10, 15, "commentary"], [16, 21, "boilerplate"]]}
    _, spans = from_doccano(record, "x")
    assert [text[s.start : s.end] for s in spans] == ["Eins. \n\n", "  Zwei.", " Drei.\n"]
    assert corpus.serialise(text, spans) == (
        "[[article]]\nEins. \n\n[[commentary]]\n  Zwei.\n[[+boilerplate]]\n Drei.\n"
    )


def test_the_forms_of_older_and_newer_exports() -> None:
    wanted = ("Eins. Zwei.", (Segment(0, 5, "article"), Segment(5, 11, "commentary")))
    pairs = [[0, 5, "article"], [6, 11, "commentary"]]
    entities = [{"id": 3, "label": label, "start_offset": a, "end_offset": b} for a, b, label in pairs]
    for name, value in (("label", pairs), ("labels", pairs), ("entities", entities)):
        assert from_doccano({"id": 1, "text": wanted[0], name: value, "Comments": []}, "x") == wanted
    values = [{"start": a, "end": b, "labels": [label]} for a, b, label in pairs]
    results = [{"type": "labels", "value": value} for value in values]
    other = {"type": "choices", "value": {"choices": ["fertig"]}}
    cancelled = {"was_cancelled": True, "result": []}
    exported = {"data": {"text": wanted[0]}, "annotations": [cancelled, {"result": [other, *results]}]}
    assert from_label_studio(exported, "x") == wanted
    assert from_label_studio({"id": 1, "text": wanted[0], "label": values}, "x") == wanted


def test_the_project_has_the_names_the_tasks_use() -> None:
    (result,) = annotated(to_label_studio("Ja.", [Segment(0, 3, "article")]))["annotations"][0]["result"]
    assert f'<Labels name="{result["from_name"]}" toName="{result["to_name"]}">' in LABEL_STUDIO_CONFIG
    assert f'<Text name="{result["to_name"]}" value="$text"' in LABEL_STUDIO_CONFIG
    assert all(f'<Label value="{label}"/>' in LABEL_STUDIO_CONFIG for label in LABELS)


def line(*label: Any, text: str = "Eins. 😀 Zwei.") -> dict[str, Any]:
    return {"text": text, "label": list(label)}


WRONG_LINES: list[tuple[Any, str]] = [
    (["text"], "no object with a string 'text'"),
    ({"text": 5, "label": []}, "no object with a string 'text'"),
    ({"text": "Ja."}, "no list 'label'"),
    (line([0, 5]), "[0, 5]' is no [start, end, label]"),
    (line([0, 5, "opinion"]), "'opinion' is no label; the labels are article, commentary, boilerplate"),
    (line([0, 7, "article"]), "the offset 7 is no place in the text counted in utf-16; count in other units (code-po"),
    (line([0, 99, "article"]), "the offset 99 is no place"),
    (line([-1, 5, "article"]), "the offset -1 is no place"),
    (line([0, 5.0, "article"]), "the offset 5.0 is no place"),
    (line([True, 5, "article"]), "the offset True is no place"),
    (line([5, 6, "article"]), "the span 5 to 6 has no text in it"),
    (line([5, 0, "article"]), "the span 5 to 0 has no text in it"),
    (line([0, 8, "article"], [6, 14, "commentary"]), "two spans overlap at '😀'"),
    (line([0, 5, "article"]), "'😀 Zwei.' has no label; label it, or say what the rest is"),
    (line(text=" \n"), "no text and no labels"),
]


@pytest.mark.parametrize(("record", "message"), WRONG_LINES)
def test_wrong_lines_of_doccano(record: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        from_doccano(record, "export.jsonl:3")
    assert str(error.value).startswith("export.jsonl:3: ")
    assert message in str(error.value)


def task(*results: Any, text: str = "😀 Eins. Zwei.") -> dict[str, Any]:
    return {"data": {"text": text}, "annotations": [{"result": [{"type": "labels", "value": v} for v in results]}]}


WRONG_TASKS: list[tuple[Any, str]] = [
    ([], "not an object"),
    ({"data": {"body": "x"}}, "no string 'text' in the task's data"),
    ({"data": {"text": "Ja."}, "annotations": []}, "0 annotations, not one"),
    ({"data": {"text": "Ja."}, "annotations": [{"result": []}] * 2}, "2 annotations, not one"),
    ({"data": {"text": "Ja."}, "annotations": [5]}, "not as Label Studio exports a task"),
    ({"data": {"text": "Ja."}, "annotations": None}, "not as Label Studio exports a task"),
    ({"text": "Ja.", "label": [{"start": 0}]}, "not as Label Studio exports a task"),
    ({"text": "Ja.", "ner": [{"start": 0, "end": 3, "labels": ["article"]}]}, "its marks are under 'ner', not 'label'"),
    (
        {"data": {"text": "Ja."}, "annotations": [{"result": [{"type": "hypertextlabels", "value": {"start": 0}}]}]},
        "marks of the type 'hypertextlabels', not 'labels'",
    ),
    (task({"start": 0, "end": 2, "labels": ["article", "commentary"]}), "at one place, not one label"),
    (task({"start": 2, "end": 7, "labels": ["article"]}), "'😀' has no label"),
    # UTF-16 units of an old version: the text says so before a span is a character off.
    (task({"start": 3, "end": 8, "labels": ["article"], "text": "Eins."}), "'ins. ' stands where 'Eins.' was marked"),
]


@pytest.mark.parametrize(("given_task", "message"), WRONG_TASKS)
def test_wrong_tasks_of_label_studio(given_task: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        from_label_studio(given_task, "export.json: task 3")
    assert str(error.value).startswith("export.json: task 3: ")
    assert message in str(error.value)


def test_line_breaks_in_the_marked_text_may_be_written_out() -> None:
    # Label Studio's editor escapes them in some versions.
    for shown in ("Eins.\n\nZwei.", "Eins.\\n\\nZwei.", "Eins. Zwei."):
        given_task = task({"start": 0, "end": 12, "labels": ["article"], "text": shown}, text="Eins.\n\nZwei.")
        assert from_label_studio(given_task, "x")[1] == (Segment(0, 12, "article"),)


# The commands.


@pytest.mark.parametrize("tool", sorted(UNITS))
def test_a_page_goes_out_is_corrected_and_comes_back(
    tool: Tool, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, block, out = tmp_path / "seite 1.txt", tmp_path / "fertig.txt", tmp_path / "out"
    page.write_text(f"😀 {PAGE}", encoding="utf-8")
    blocks = f"[[article]]\nEin Satz 😀.\n[[+commentary]]\n {COMMENT}\n[[boilerplate]]\n{LINK}"
    block.write_text(blocks, encoding="utf-8")
    sent = tmp_path / "tasks.json"
    files = [str(page), str(block)]
    assert commands.corpus(["export", "--tool", tool, *files, "-o", str(sent), "--model", str(model)]) == 0
    if tool == "label-studio":
        tasks = [annotated(each) for each in json.loads(sent.read_text(encoding="utf-8"))]
        tasks[0]["annotations"][0]["result"][0]["value"]["labels"] = ["boilerplate"]
        sent.write_text(json.dumps(tasks), encoding="utf-8")
    else:
        first, second = map(json.loads, sent.read_text(encoding="utf-8").splitlines())
        first["label"][0][2] = "boilerplate"
        sent.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n", encoding="utf-8")
    assert commands.corpus(["import", "--tool", tool, str(sent), "-o", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["fertig.txt", "seite-1.txt"]
    assert (out / "fertig.txt").read_text(encoding="utf-8") == blocks
    corrected = corpus.read(out / "seite-1.txt")
    assert corrected.text == f"😀 {PAGE}"
    assert corrected.spans[0].label == "boilerplate"
    assert "offsets in " + UNITS[tool] in capsys.readouterr().err
    with pytest.raises(CorpusError, match=r"seite-1\.txt and 1 more are there; --force replaces them"):
        commands.corpus(["import", "--tool", tool, str(sent), "-o", str(out)])
    commands.corpus(["import", "--tool", tool, str(sent), "-o", str(out), "--force"])


@pytest.mark.parametrize(("names", "told"), [
    (["seite.html"], r"seite\.html: html is no text, .*; save the text alone as \.txt first"),
    (["seite.txt", "alle.jsonl"], r"alle\.jsonl: jsonl is no text"),
    (["alle.CSV.gz"], r"alle\.CSV\.gz: csv is no text"),
    (["export.json"], r"export\.json: json is no text"),
    (["a/seite.txt", "b/seite.txt"], r"b/seite\.txt: comes back under the same name as .*a/seite\.txt; rename one"),
    (["a/seite 1.txt", "a/seite-1.txt"], r"a/seite-1\.txt: comes back under the same name as"),
    (["seite.txt", "seite.txt"], r"seite\.txt: given twice"),
    (["aufgaben.txt"], r"aufgaben\.txt: is an input"),
])  # fmt: skip
def test_what_cannot_come_back_is_refused_before_anything_is_labelled(
    names: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("degloss_training.exchange.load", lambda _: pytest.fail("a model was loaded"))
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PAGE)
    files = [str(tmp_path / name) for name in names]
    out = tmp_path / "aufgaben.txt"
    with pytest.raises((InputError, OutputError), match=told):
        commands.corpus(["export", "--tool", "doccano", *files, "-o", str(out), "--force"])
    assert not out.exists() or out.read_text() == PAGE


def test_a_task_with_predictions_alone_is_no_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent, out = tmp_path / "alle.json", tmp_path / "out"
    given = ["import", "--tool", "label-studio", "--rest", "article", str(sent), "-o", str(out)]
    untouched: dict[str, Any] = to_label_studio("Na toll!", [Segment(0, 8, "commentary")])
    sent.write_text(json.dumps([untouched, annotated(untouched)]))
    with pytest.raises(CorpusError, match="1 document cannot be taken over; nothing was written"):
        commands.corpus(given)
    assert "alle.json: task 1: predictions alone, which nobody confirmed; submit" in capsys.readouterr().err
    assert not out.exists()
    sent.write_text(json.dumps([{**annotated(untouched), **untouched}, {"data": {"text": "Der Rat tagt."}}]))
    assert commands.corpus(given) == 0
    assert (out / "alle-1.txt").read_text() == "[[commentary]]\nNa toll!"
    assert (out / "alle-2.txt").read_text() == "[[article]]\nDer Rat tagt."


def test_what_is_read_is_never_overwritten(model: Path, tmp_path: Path) -> None:
    page, sent = tmp_path / "seite.txt", tmp_path / "aufgaben.txt"
    page.write_text(PAGE)
    with pytest.raises(OutputError, match="is an input"):
        commands.corpus(["export", "--tool", "doccano", str(page), "-o", str(page), "--force", "--model", str(model)])
    assert page.read_text() == PAGE
    lines = [{"text": "Eins.", "label": [[0, 5, "article"]], "name": name} for name in ("neu", "aufgaben")]
    sent.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = sent.read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        commands.corpus(["import", "--tool", "doccano", str(sent), "-o", str(tmp_path), "--force"])
    assert sent.read_bytes() == before
    assert not (tmp_path / "neu.txt").exists()


def test_a_name_too_long_for_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent = tmp_path / "alle.jsonl"
    sent.write_text(json.dumps({"text": "Eins.", "label": [[0, 5, "article"]], "name": "ü" * 200}) + "\n")
    with pytest.raises(CorpusError, match="nothing was written"):
        commands.corpus(["import", "--tool", "doccano", str(sent), "-o", str(tmp_path / "out")])
    assert "alle.jsonl:1: üüü" in capsys.readouterr().err


def test_an_import_is_done_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"text": "Eins.", "label": [[0, 5, "article"]]},
        {"text": "Zwei.", "label": []},
        {"text": "[[drei", "label": [[0, 6, "article"]]},
        {"text": "Vier. \ud83d", "label": [[0, 7, "article"]]},
        {"text": "Fünf.", "label": [[0, 5, "article"]], "name": "doppelt"},
        {"text": "Sechs.", "label": [[0, 6, "article"]], "name": "doppelt"},
    ]
    sent = tmp_path / "all.jsonl"
    sent.write_text("".join(json.dumps(each) + "\n" for each in lines))
    with pytest.raises(CorpusError, match=r"all.jsonl: 4 documents cannot be taken over; nothing was written"):
        commands.corpus(["import", "--tool", "doccano", str(sent), "-o", str(tmp_path / "out")])
    told = [line.removeprefix("degloss: ") for line in capsys.readouterr().err.splitlines()]
    assert [each.split(": ")[0].rpartition(":")[2] for each in told] == ["2", "3", "4", "6"]
    assert not (tmp_path / "out").exists()
    commands.corpus(
        ["import", "--tool", "doccano", "--rest", "commentary", *_first(sent, 2), "-o", str(tmp_path / "out")]
    )
    made = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert made == {"all-1.txt": "[[article]]\nEins.", "all-2.txt": "[[commentary]]\nZwei."}


def _first(file: Path, count: int) -> list[str]:
    file.write_text("\n".join(file.read_text().splitlines()[:count]))
    return [str(file)]


@pytest.mark.parametrize(("tool", "text", "message"), [
    ("doccano", "{", "not JSON"),
    ("label-studio", "{}", "not a JSON list of tasks"),
    ("label-studio", "[" * 10**5, "not JSON"),
])  # fmt: skip
def test_files_that_no_tool_exported(tool: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(InputError, match=message):
        commands.corpus(["import", "--tool", tool, str(tmp_path / "x"), "-o", str(tmp_path / "out")])


def test_the_documentation_shows_the_interface_of_the_project() -> None:
    assert LABEL_STUDIO_CONFIG in (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")


ODD_ARGUMENTS = [
    (lambda: to_doccano("Ja.", [], "codepoints"), "units must be one of code-points, utf-16, not 'codepoints'"),
    (lambda: to_label_studio("Ja.", [], "utf16"), "not 'utf16'"),
    (lambda: to_doccano("Ja.", [], label="x"), "'label' would replace the labels"),
    (lambda: from_doccano({"text": "Ja.", "label": []}, "zeile 1", rest="artikel"), "rest must be one of article"),
]


@pytest.mark.parametrize(("call", "told"), ODD_ARGUMENTS, ids=[case[1][:30] for case in ODD_ARGUMENTS])
def test_arguments_that_would_give_wrong_offsets_or_labels(call: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()
