"""The metric, the gate and the baselines, against figures worked out by hand."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ARTICLE, COMMENT, LINK, PAGE
from degloss.documents import LABELS, Label, Segment
from degloss.errors import TrainingError
from degloss.separate import Separator
from degloss_training import baselines, corpus, evaluate, gate, metric, report, seen
from degloss_training.metric import Judged, judge
from training_data import document

A, C, B = range(3)
NAMES: dict[str, Label] = {label[0]: label for label in LABELS}


def judged(gold: str, predicted: str, name: str = "x", kind: str = "mixed") -> Judged:
    """A document of units, a letter each: a, c, b."""
    return Judged(name, kind, tuple("acb".index(g) for g in gold), tuple("acb".index(p) for p in predicted))


def values(*documents: Judged) -> dict[str, float]:
    return {name: interval.value for name, interval in metric.score(documents).items()}


# Units.

UNITS = [
    # name, units, sentences, what each unit is taken for
    ("as annotated", [(0, 9, "a"), (10, 14, "c")], [(0, 9, "a"), (10, 14, "c")], [A, C]),
    ("one sentence over both", [(0, 9, "a"), (10, 14, "c")], [(0, 14, "a")], [A, A]),
    ("most characters decide", [(0, 10, "a")], [(0, 4, "c"), (4, 10, "a")], [A]),
    ("most characters in several pieces", [(0, 12, "a")], [(0, 4, "c"), (4, 9, "a"), (9, 12, "c")], [C]),
    ("only what lies inside counts", [(10, 20, "a")], [(0, 14, "c"), (14, 20, "a"), (20, 90, "c")], [A]),
    ("touched by none", [(0, 5, "a"), (9, 12, "c")], [(5, 9, "a")], [B, B]),
    ("no sentences", [(0, 5, "a")], [], [B]),
    ("edges do not touch", [(5, 9, "c")], [(0, 5, "a"), (9, 12, "a")], [B]),
    ("units out of order", [(10, 14, "c"), (0, 9, "a")], [(0, 9, "a"), (10, 14, "c")], [C, A]),
    ("units that overlap", [(0, 9, "a"), (2, 6, "c")], [(0, 5, "a"), (5, 9, "c")], [A, A]),
    ("a sentence within a unit", [(0, 100, "b")], [(40, 41, "c")], [C]),
]


@pytest.mark.parametrize(("units", "sentences", "expected"), [u[1:] for u in UNITS], ids=[u[0] for u in UNITS])
def test_a_unit_takes_the_label_of_most_of_its_characters(
    units: list[tuple[int, int, str]], sentences: list[tuple[int, int, str]], expected: list[int]
) -> None:
    spans = [(start, end, NAMES[label]) for start, end, label in units]
    found = judge("x", "k", spans, [Segment(start, end, NAMES[label]) for start, end, label in sentences])
    assert found.predicted == tuple(expected)
    assert found.gold == tuple("acb".index(label) for _, _, label in units)


def test_uncertain_units_are_left_out() -> None:
    spans = [(0, 5, "uncertain"), (5, 9, "commentary"), (9, 20, "uncertain")]
    assert judge("x", "k", spans, [Segment(0, 20, "article")]) == Judged("x", "k", (C,), (A,))


def test_in_a_tie_the_first_label_wins() -> None:
    spans = [(0, 10, "article")]
    assert judge("x", "k", spans, [Segment(0, 5, "commentary"), Segment(5, 10, "article")]).predicted == (C,)


CUTS = st.lists(st.tuples(st.integers(1, 8), st.sampled_from(LABELS)), max_size=8)


@settings(deadline=None)
@given(CUTS, CUTS)
def test_judging_is_that_of_counting_characters(units: list[tuple[int, Label]], said: list[tuple[int, Label]]) -> None:
    def laid(parts: list[tuple[int, Label]]) -> list[Segment]:
        ends = np.cumsum([size for size, _ in parts]).tolist()
        return [Segment(end - size, end, label) for end, (size, label) in zip(ends, parts, strict=True)]

    found = judge("x", "k", laid(units), laid(said))
    characters = [label for size, label in said for _ in range(size)]
    for unit, label in zip(laid(units), found.predicted, strict=True):
        mine = characters[unit.start : unit.end]
        counts = [mine.count(known) for known in LABELS]
        assert counts[label] == max(counts) or (not mine and label == B)


# Measures.


def test_the_measures_of_three_documents_worked_out_by_hand() -> None:
    documents = [judged("aaccb", "accbb", "1"), judged("aa", "aa", "2"), judged("ac", "bc", "3")]
    # Commentary against article, gold boilerplate left out: 2 right, 1 article taken for it, 1 missed.
    # Article: 4 right with boilerplate counted as not commentary, 1 wrongly so, 1 missed.
    # Boilerplate against everything: 1 right, 2 wrongly so, none missed.
    assert values(*documents) == pytest.approx({
        "precision": 2 / 3, "recall": 2 / 3, "F commentary": 2 / 3, "macro F": (2 / 3 + 4 / 5) / 2,
        "exact": 2 / 3, "false alarm": 1 / 3, "article lost": (1 / 2 + 0 + 1) / 3, "F boilerplate": 1 / 2,
    })  # fmt: skip


MEASURES = [
    # gold, predicted, measure, value
    ("ac", "ac", "F commentary", 1),
    ("ac", "ca", "F commentary", 0),
    ("ac", "ca", "macro F", 0),
    ("aa", "aa", "F commentary", 1),  # nothing to find and nothing found
    ("aa", "aa", "precision", 1),
    ("aa", "ac", "precision", 0),
    ("aa", "ac", "recall", 1),
    ("aa", "ac", "F commentary", 0),
    ("cc", "ca", "recall", 1 / 2),
    ("cc", "cb", "recall", 1 / 2),
    ("cc", "cc", "macro F", 1),
    ("bb", "cc", "precision", 1),  # gold boilerplate is left out
    ("bb", "cc", "F boilerplate", 0),
    ("bb", "cc", "exact", 1),
    ("bb", "cc", "article lost", 0),
    ("ab", "bb", "exact", 1),  # article taken for boilerplate is lost, but no wrong commentary
    ("ab", "bb", "article lost", 1),
    ("ab", "bb", "false alarm", 0),
    ("ab", "bb", "F boilerplate", 2 / 3),
    ("ac", "cc", "false alarm", 1),
    ("ac", "cc", "exact", 0),
    ("ac", "ab", "exact", 0),
    ("aaaa", "acbc", "article lost", 3 / 4),
    ("c", "a", "article lost", 0),
    ("", "", "exact", 1),
    ("", "", "F commentary", 1),
]


@pytest.mark.parametrize(("gold", "predicted", "name", "value"), MEASURES, ids=["-".join(m[:3]) for m in MEASURES])
def test_measures_of_one_document(gold: str, predicted: str, name: str, value: float) -> None:
    assert values(judged(gold, predicted))[name] == pytest.approx(value)


def test_units_count_over_documents_and_losses_by_document() -> None:
    documents = [judged("a", "c", "1"), judged("a" * 9, "a" * 9, "2")]
    assert values(*documents)["article lost"] == 1 / 2
    assert values(*documents)["false alarm"] == 1 / 2
    documents = [judged("c", "a", "1"), judged("c" * 9, "c" * 9, "2")]
    assert values(*documents)["recall"] == 9 / 10


def test_kinds_are_apart_and_mixed_and_reposts_together() -> None:
    one, two, three = (judged("a", "a", n, kind) for n, kind in (("1", "repost"), ("2", "pure"), ("3", "mixed")))
    assert metric.by_kind([one, two, three]) == {
        "mixed": [three], "mixed+repost": [one, three], "pure": [two], "repost": [one],
    }  # fmt: skip
    assert list(metric.by_kind([one, two, three])) == sorted(metric.by_kind([one, two, three]))


# Intervals.


def many(number: int, share: float) -> list[Judged]:
    """So many documents, that share of them exact."""
    return [judged("ac", "ac" if i < number * share else "cc", str(i)) for i in range(number)]


def test_an_interval_is_that_of_a_share() -> None:
    found = metric.score(many(100, 0.5))["exact"]
    assert found.value == 0.5
    half = 1.96 * math.sqrt(0.25 / 100)
    assert found.low == pytest.approx(0.5 - half, abs=0.02)
    assert found.high == pytest.approx(0.5 + half, abs=0.02)


@pytest.mark.parametrize("name", metric.MEASURES)
def test_intervals_hold_the_value_and_shrink(name: str) -> None:
    documents = [judged("aaccb", p, str(i)) for i, p in enumerate(["aaccb", "accbb", "aacab", "ccccc", "abaca"] * 4)]
    few, lots = metric.score(documents)[name], metric.score(documents * 16)[name]
    assert few.low < few.value < few.high
    assert lots.value == pytest.approx(few.value)
    assert lots.high - lots.low < (few.high - few.low) / 2
    assert metric.score(documents)[name] == few


def test_intervals_depend_on_the_seed_alone() -> None:
    documents = [judged("a" * k + "c", "a" * (k // 2) + "c" * (k - k // 2 + 1), str(k)) for k in range(37)]
    assert metric.score(documents, seed=1) == metric.score(documents, seed=1)
    assert metric.score(documents, seed=1) != metric.score(documents, seed=2)


def test_equal_documents_leave_nothing_open() -> None:
    for found in metric.score([judged("aacb", "accb", str(i)) for i in range(10)]).values():
        assert found.low == found.value == found.high
    for found in metric.score([judged("aacb", "accb")]).values():
        assert found.low == found.value == found.high


def test_a_document_is_drawn_whole() -> None:
    # One long document full of errors: by units the share of errors would hardly vary.
    documents = [judged("c" * 500, "a" * 500, "0"), *(judged("c" * 10, "c" * 10, str(i)) for i in range(1, 10))]
    found = metric.score(documents)["recall"]
    assert found.low < 0.07
    assert found.high == 1


NOTHING = [
    # documents, how often each, the measures and their intervals: None where no draw says anything
    ([("aa", "aa", 38), ("ac", "aa", 2)], {"recall": (0, 0), "F commentary": (0, 0), "precision": None}),
    ([("aa", "aa", 38), ("ac", "ac", 2)], {"recall": (1, 1), "F commentary": (1, 1), "precision": (1, 1)}),
    ([("ac", "aa", 38), ("aa", "ca", 2)], {"recall": (0, 0), "F commentary": (0, 0), "precision": (0, 0)}),
    ([("aa", "aa", 40)], {"recall": None, "F commentary": None, "macro F": None, "precision": None, "exact": (1, 1),
                          "F boilerplate": None}),
    ([("aa", "aa", 38), ("ab", "aa", 2)], {"F boilerplate": (0, 0), "F commentary": None}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected"), NOTHING)
def test_a_draw_with_nothing_to_find_is_no_perfect_score(
    documents: list[tuple[str, str, int]], expected: dict[str, tuple[float, float] | None]
) -> None:
    drawn = [judged(gold, said, f"{gold}{i}") for gold, said, times in documents for i in range(times)]
    scores, same = metric.score(drawn), metric.difference(drawn, drawn)
    assert {name: scores[name].value for name in expected} == {name: values(*drawn)[name] for name in expected}
    for name, borders in expected.items():
        found = scores[name].figures
        assert (found["low"], found["high"]) == (borders or (None, None))
        assert same[name].figures["high"] == (None if borders is None else 0)
        assert str(scores[name]).endswith(" [–]") == (borders is None)


def test_the_report_has_a_dash_and_null_for_what_no_draw_tells(tmp_path: Path) -> None:
    drawn = [judged("ac" if i < 2 else "aa", "aa", str(i)) for i in range(40)]
    found = evaluate.Result("set", dict.fromkeys(evaluate.SYSTEMS, drawn))
    text = report.write([found], tmp_path)
    assert "| 1.000 [–] | 0.000 [0.00, 0.00] | 0.000 [0.00, 0.00] |" in text
    data = (tmp_path / "scores.json").read_text()
    assert "NaN" not in data
    kind = json.loads(data)["set"]["kinds"]["mixed"]
    assert kind["systems"]["degloss"]["precision"] == {"value": 1.0, "low": None, "high": None}
    assert kind["gain"]["regular expression"]["precision"] == {"value": 0.0, "low": None, "high": None}


def test_the_difference_is_paired() -> None:
    theirs = many(40, 0.5)
    ours = [judged("ac", "ac", d.name) if i == 39 else d for i, d in enumerate(theirs)]
    gain = metric.difference(ours, theirs)["exact"]
    assert gain.value == pytest.approx(1 / 40)
    assert gain.low == 0
    assert gain.high < 0.1, "the documents both judge alike must cancel out"
    back = metric.difference(theirs, ours)["exact"]
    assert (back.value, back.low, back.high) == pytest.approx((-gain.value, -gain.high, -gain.low))
    boilerplate = metric.difference(ours, ours).pop("F boilerplate")
    assert (boilerplate.value, math.isnan(boilerplate.low)) == (0, True)
    for measure, same in metric.difference(ours, ours).items():
        assert measure == "F boilerplate" or same.value == same.low == same.high == 0
    with pytest.raises(ValueError, match="same documents"):
        metric.difference(ours, ours[::-1])


CALIBRATION = [
    # confidences, which of them right, error
    ("as sure as right", [0.9] * 10, [True] * 9 + [False], 0),
    ("too modest", [0.8] * 4, [True] * 4, 0.2),
    ("too sure", [0.95] * 4, [False] * 4, 0.95),
    ("certain and right", [1.0] * 3, [True] * 3, 0),
    ("two bins that would cancel out", [0.5] * 4 + [0.9] * 4, [True] * 4 + [False] * 4, (0.5 + 0.9) / 2),
    ("bins weigh by their size", [0.5] * 1 + [0.9] * 3, [True] + [False] * 3, 0.25 * 0.5 + 0.75 * 0.9),
    ("nothing", [], [], 0),
]


@pytest.mark.parametrize(
    ("confidence", "right", "error"), [c[1:] for c in CALIBRATION], ids=[c[0] for c in CALIBRATION]
)
def test_the_calibration_error(confidence: list[float], right: list[bool], error: float) -> None:
    found = metric.expected_calibration_error(np.array(confidence), np.array(right, bool))
    assert found == pytest.approx(error)


# The gate.

REACHED = {"macro F": 0.8, "F commentary": 0.7, "F boilerplate": 0.9, "article lost": 0.02, "exact": 0.5}


@pytest.fixture
def floors(tmp_path: Path) -> Path:
    path = tmp_path / "floors.json"
    path.write_bytes(gate.set_floors(path, "d" * 64, {"all": REACHED}, lower=False))
    return path


def test_the_gate_is_open_at_what_was_reached(floors: Path) -> None:
    assert gate.check(floors, "d" * 64, {"all": REACHED}) == []
    assert json.loads(floors.read_bytes())["floors"]["all"] == pytest.approx({
        "macro F": 0.795, "F commentary": 0.695, "F boilerplate": 0.895, "article lost": 0.025,
    })  # fmt: skip


@pytest.mark.parametrize("name", gate.HIGHER_IS_BETTER)
def test_a_measure_behind_its_floor_closes_the_gate(name: str, floors: Path) -> None:
    sign = -1 if gate.HIGHER_IS_BETTER[name] else 1
    assert gate.check(floors, "d" * 64, {"all": {**REACHED, name: REACHED[name] + sign * 0.004}}) == []
    worse = {**REACHED, name: REACHED[name] + sign * 0.006}
    (problem,) = gate.check(floors, "d" * 64, {"all": worse})
    assert problem.startswith(f"all: {name} {worse[name]:.4f}, ")
    better = {**REACHED, name: REACHED[name] - sign * 0.01}
    assert gate.check(floors, "d" * 64, {"all": better}) == []


def test_all_that_is_behind_is_told(floors: Path) -> None:
    worst = {name: float(not better) for name, better in gate.HIGHER_IS_BETTER.items()}
    assert len(gate.check(floors, "d" * 64, {"all": worst})) == len(worst)
    assert gate.check(floors, "d" * 64, {}) == [f"all: {name} is not measured any more" for name in worst]


def test_floors_of_another_gate_set_are_refused(floors: Path) -> None:
    with pytest.raises(TrainingError, match=r"another gate set .*--set-floors"):
        gate.check(floors, "e" * 64, {"all": REACHED})


def test_a_floor_is_raised_freely_and_lowered_on_purpose(floors: Path) -> None:
    before = floors.read_bytes()
    higher = {**REACHED, "F commentary": 0.75}
    floors.write_bytes(gate.set_floors(floors, "d" * 64, {"all": higher}, lower=False))
    assert gate.check(floors, "d" * 64, {"all": REACHED}) != []
    with pytest.raises(TrainingError, match=r"would lower all F commentary 0\.745 → 0\.695; say --lower"):
        gate.set_floors(floors, "d" * 64, {"all": REACHED}, lower=False)
    assert gate.set_floors(floors, "d" * 64, {"all": REACHED}, lower=True) == before
    # A ceiling sinks by rising, and a kind by going away.
    with pytest.raises(TrainingError, match="article lost"):
        gate.set_floors(floors, "d" * 64, {"all": {**higher, "article lost": 0.05}}, lower=False)
    with pytest.raises(TrainingError, match="all macro F"):
        gate.set_floors(floors, "d" * 64, {"seed": higher}, lower=False)
    # The floors of another set are lowered on purpose as well.
    with pytest.raises(TrainingError, match=r"would lower all F commentary 0\.745 → 0\.695; say --lower"):
        gate.set_floors(floors, "e" * 64, {"all": REACHED}, lower=False)
    for scores, lower in ((REACHED, True), (higher, False)):
        assert json.loads(gate.set_floors(floors, "e" * 64, {"all": scores}, lower=lower))["corpus"] == "e" * 64


def test_how_floors_move_is_told(floors: Path, tmp_path: Path) -> None:
    other = gate.set_floors(floors, "e" * 64, {"all": {**REACHED, "F commentary": 0.6}}, lower=True)
    kept = {name: f"all {name} {limit} → {limit}" for name, limit in json.loads(other)["floors"]["all"].items()}
    assert gate.moves(floors, other) == list({**kept, "F commentary": "all F commentary 0.695 → 0.595"}.values())
    assert gate.moves(tmp_path / "fehlt.json", other)[1] == "all F commentary – → 0.595"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"1", b"{}", b'{"corpus": "d"}', b'{"corpus": null, "floors": {}}', b"\xff"]
)
def test_broken_floors_are_told(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    path.write_bytes(data)
    with pytest.raises(TrainingError, match=r"floors\.json: .*; restore the file") as caught:
        gate.check(path, "d" * 64, {"all": REACHED})
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(TrainingError):
        gate.check(tmp_path / "fehlt.json", "d" * 64, {"all": REACHED})


@pytest.mark.parametrize(
    "floors",
    [
        {"all": {"accuracy": 0.5}},
        {"all": 0.5},
        [],
        {"all": {"macro F": None}},
        {},
        {"all": {}},
        {"all": {"macro F": 0.1}},
        {"seed": dict.fromkeys(gate.HIGHER_IS_BETTER, 0.5)},
    ],
    ids=["unknown measure", "no measures", "list", "no number", "nothing", "nothing under all", "one", "no all"],
)
def test_floors_of_the_wrong_make_are_told(floors: object, tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    path.write_text(json.dumps({"corpus": "d" * 64, "floors": floors}))
    with pytest.raises(TrainingError, match=r"floors\.json: .*; restore the file, or set floors anew"):
        gate.check(path, "d" * 64, {"all": {**REACHED, "accuracy": 1.0}})
    with pytest.raises(TrainingError, match=r"floors\.json: .*--set-floors --lower"):
        gate.set_floors(path, "d" * 64, {"all": REACHED}, lower=False)
    path.write_bytes(gate.set_floors(path, "d" * 64, {"all": REACHED}, lower=True))
    assert gate.check(path, "d" * 64, {"all": REACHED}) == []


def test_what_is_no_number_closes_the_gate(floors: Path) -> None:
    assert gate.check(floors, "d" * 64, {"all": {**REACHED, "macro F": math.nan}}) != []


def test_the_floors_of_the_repository_are_for_its_gate_set() -> None:
    training = Path(__file__).parents[1] / "training"
    if not (training / "floors.json").exists():
        pytest.skip("no floors yet: degloss evaluate --gate --set-floors")
    floors = json.loads((training / "floors.json").read_bytes())
    assert floors["corpus"] == corpus.digest(corpus.load(training / "gate"))
    for limits in floors["floors"].values():
        assert set(limits) == set(gate.HIGHER_IS_BETTER)
        assert limits["F commentary"] > 0.5
        assert limits["article lost"] < 0.2


# Baselines and evaluation.

LEAD = "Der Rat tagt heute. Er berät den Plan. Danach stimmt er ab.\n"
MARKERS = [
    # name, text, where commentary begins (None: nowhere)
    ("plus signs", f"{LEAD}+++\nAha!", "+++"),
    ("dashes", f"{LEAD}———-\nAha!", "———-"),
    ("row of emoji", f"{LEAD}➖➖➖\nAha!", "➖➖➖"),
    ("stars", f"{LEAD}* * *\nAha!", "* * *"),
    ("opinion", f"{LEAD}Meine Meinung: Aha!", "Meine"),
    ("marks before the opinion", f"{LEAD}‼️ Meine Meinung: Aha!", "‼️"),
    ("editor's note", f"{LEAD}Anm. d. Red.: Aha!", "Anm."),
    ("comment", f"{LEAD}Kommentar der Redaktion: Aha!", "Kommentar"),
    ("capitals", f"{LEAD}NACHTRAG: Aha!", "NACHTRAG"),
    ("first of two", f"{LEAD}+++\nAha!\nPS: Oho!", "+++"),
    ("none", LEAD, None),
    ("in the first third", f"+++\n{LEAD}", None),
    ("inside a line", f"{LEAD}Das ist +++ kein Strich.", None),
    ("cue inside a sentence", f"{LEAD}Das ist nur meine Meinung.", None),
    ("two signs", f"{LEAD}++\nAha!", None),
    ("empty", "", None),
]


@pytest.mark.parametrize(("text", "cut"), [m[1:] for m in MARKERS], ids=[m[0] for m in MARKERS])
def test_the_regular_expression_cuts_at_the_marker(text: str, cut: str | None) -> None:
    found = baselines.at_the_marker(text)
    assert "".join(text[s.start : s.end] for s in found) == text
    if cut is None:
        assert [s.label for s in found] == ["article"]
    else:
        assert [s.label for s in found] == ["article", "commentary"]
        assert text[found[1].start :].strip().startswith(cut)


def test_the_sentence_model_alone_has_its_own_labels(separator: Separator) -> None:
    found = separator.separate(PAGE)
    alone = baselines.without_context(found)
    assert [s[:2] for s in alone] == [s[:2] for s in found.sentences]
    assert [s.label for s in alone] == [s.lone_label for s in found.sentences]


DOCUMENTS = [
    document("x-1", (f"{ARTICLE}\n", "article"), (f"{COMMENT}\n", "commentary"), (LINK, "boilerplate")),
    document("x-2", (f"{ARTICLE}\n", "article"), ("Na ja, Meinung.\n", "commentary"), ("Ende.", "article")),
]


def test_documents_are_judged_by_sentence(separator: Separator) -> None:
    found = evaluate.on_documents("set", separator, DOCUMENTS)
    ours = found.judged["degloss"]
    assert [d.name for d in ours] == ["x-1", "x-2"]
    assert [d.gold for d in ours] == [(A, C, B), (A, C, A)]
    assert ours[0].predicted == (A, C, B)
    regular = found.judged["regular expression"]
    assert [d.predicted for d in regular] == [(A, A, A), (A, A, A)]
    assert {len(judged) for judged in found.judged.values()} == {2}
    assert np.concatenate(found.gold).tolist() == [A, C, B, A, C, A]
    assert np.concatenate(found.chances).shape == (6, 3)


def row(d: corpus.Document, **changes: object) -> str:
    spans = [{"start": s.start, "end": s.end, "label": s.label} for s in d.spans]
    return json.dumps({"id": d.name, "kind": "mixed", "text": d.text, "spans": spans, **changes})


def test_files_of_annotated_text_are_judged_by_unit(separator: Separator, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    unclear = [{"start": 0, "end": len(ARTICLE), "label": "uncertain"}]
    path.write_text("\n".join([row(DOCUMENTS[0]), row(DOCUMENTS[1], spans=unclear, kind="pure")]) + "\n")
    found = evaluate.on_file(path, separator)
    assert found.name == "real"
    assert [(d.kind, d.gold, d.predicted) for d in found.judged["degloss"]] == [
        ("mixed", (A, C, B), (A, C, B)), ("pure", (), ()),
    ]  # fmt: skip
    assert np.concatenate(found.gold).tolist() == [A, C, B]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "1",
        '{"id": "x"}',
        row(DOCUMENTS[0], spans=[{}]),
        row(DOCUMENTS[0], spans=3),
        "[" * 100_000,
        "1" * 5000,
    ],
    ids=[
        "broken",
        "list",
        "number",
        "fields missing",
        "span without place",
        "spans no list",
        "nested too deeply",
        "long number",
    ],
)
def test_files_that_are_none_for_evaluation_are_told(line: str, separator: Separator, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(f"{row(DOCUMENTS[0])}\n\n{line}\n")
    with pytest.raises(TrainingError, match=r"real\.jsonl:3: not an evaluation file .*; each line needs") as caught:
        evaluate.on_file(path, separator)
    assert "line 1" not in str(caught.value)
    path.write_text(f"{row(DOCUMENTS[0], spans=[{'start': 0, 'end': 3, 'label': 'artikel'}])}\n")
    with pytest.raises(TrainingError, match=r"real\.jsonl:1: .*: label 'artikel'; give article"):
        evaluate.on_file(path, separator)
    packed = tmp_path / "real.jsonl.gz"
    assert evaluate.set_name(packed) == evaluate.set_name(path) == "real"
    assert evaluate.set_name(tmp_path / "real.dev.jsonl") == "real.dev"
    packed.write_bytes(gzip.compress(row(DOCUMENTS[0]).encode() * 50)[:-9])
    with pytest.raises(TrainingError, match=r"real\.jsonl\.gz: not an evaluation file"):
        evaluate.on_file(packed, separator)
    with pytest.raises(TrainingError, match=r"fehlt\.jsonl: not an evaluation file"):
        evaluate.on_file(tmp_path / "fehlt.jsonl", separator)


def test_blank_lines_are_passed_over_and_nothing_is_no_evaluation(tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(f"\n{row(DOCUMENTS[0])}\n \n{row(DOCUMENTS[1])}\n\n")
    assert [name for name, *_ in evaluate.read(path)] == ["x-1", "x-2"]
    for data in ("", "\n \n"):
        path.write_text(data)
        with pytest.raises(TrainingError, match=r"real\.jsonl: no documents in it; fill the file"):
            evaluate.read(path)


@pytest.mark.parametrize("kind", ["a|b", "zwei\nZeilen", "halb \ud83d", "zwei\u2028Zeilen", "\x1b[2J"])
def test_kinds_that_would_break_a_table_are_told(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(f"{row(DOCUMENTS[0])}\n{row(DOCUMENTS[1], kind=kind)}\n")
    with pytest.raises(TrainingError, match=r"real\.jsonl:2: 'x-2': the kind .*; rename it, without") as caught:
        evaluate.read(path)
    assert str(caught.value).isprintable()


# What training has seen.

LONG = [
    f"Der {word} Rat von Altenau hat am Dienstag im Rathaus lange über die neue Brücke gesprochen" for word in "abcdef"
]
SHORT = "Der Rat hat am Dienstag lange gesprochen"

SEEN = [
    # name, training text, evaluation text, whether it is named
    ("two of many", LONG[:2], LONG, True),
    ("two, with other spaces and capitals", [LONG[0].upper(), LONG[1].replace(" ", "  ")], LONG, True),
    ("one of six", LONG[:1], LONG, False),
    ("one of five", LONG[:1], LONG[:5], True),
    ("none", LONG[3:], LONG[:3], False),
    ("short ones", [SHORT], [SHORT], False),
    ("nothing long", LONG, ["Pfui!"], False),
    ("a part of one", [LONG[0][:-10]], LONG[:1], False),
]


@pytest.mark.parametrize(("trained", "text", "named"), [s[1:] for s in SEEN], ids=[s[0] for s in SEEN])
def test_documents_that_share_long_sentences_are_named(trained: list[str], text: list[str], named: bool) -> None:
    found = seen.training_sentences([document("t", (". ".join(trained), "commentary"))], None)
    assert seen.shared([("x", ". ".join(text)), ("y", "Pfui!")], found) == ["x"] * named


def test_public_texts_are_training_texts(tmp_path: Path) -> None:
    rows = {
        "articles": {"id": "n/1", "headline": LONG[0], "text": f"{LONG[1]}.\nKurz."},
        "comments": {"id": "k/1", "text": LONG[2]},
    }
    for name, public in rows.items():
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(json.dumps(public).encode()))
    found = seen.training_sentences([], tmp_path)
    assert found - seen.training_sentences([], None) == {sentence.lower() for sentence in LONG[:3]}


def test_the_report_names_what_training_has_seen(separator: Separator, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(f"{row(document('bekannt' + chr(0xD83D), ('. '.join(LONG), 'article')))}\n{row(DOCUMENTS[0])}\n")
    results = [
        evaluate.on_file(path, separator, frozenset(s.lower() for s in trained)) for trained in (LONG, ["x"], [])
    ]
    figures = json.loads(json.dumps([report.describe(found) for found in results]))
    assert [of.get("shared with training texts") for of in figures] == [
        {"documents": 1, "names": ["bekannt\\ud83d"]}, {"documents": 0, "names": []}, None,
    ]  # fmt: skip
    texts = [report.markdown("real", of) for of in figures]
    assert "\n\nShared with training texts: 1 document (bekannt\\ud83d)\n\n" in texts[0]
    assert "\n\nShared with training texts: 0 documents\n\n" in texts[1]
    assert "Shared" not in texts[2]


@pytest.mark.parametrize("field", ["id", "kind", "text"])
def test_fields_that_are_no_strings_are_told(field: str, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(row(DOCUMENTS[0], **{field: None}) + "\n")
    with pytest.raises(TrainingError, match=r"real\.jsonl:1: .*: id, kind and text must be strings"):
        evaluate.read(path)


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 3), (0, 10_000), (3, 3), (5, 2), ("0", 3), (0, 3.0), (0, None), (True, 3)]
)
def test_spans_that_are_not_in_the_text_are_told(start: object, end: object, tmp_path: Path) -> None:
    path = tmp_path / "real.jsonl"
    path.write_text(row(DOCUMENTS[0], spans=[{"start": start, "end": end, "label": "article"}]) + "\n")
    with pytest.raises(
        TrainingError, match=r"real\.jsonl:1: 'x-1': a span from .* to .* in a text of \d+ code points; give"
    ):
        evaluate.read(path)


@pytest.mark.parametrize(
    ("gold", "says"),
    [
        ((0, 1, 2), set(metric.MEASURES)),
        ((0, 2), {"exact", "false alarm", "article lost", "F boilerplate"}),
        ((0, 1), set(metric.MEASURES) - {"F boilerplate"}),
    ],
)
def test_tables_leave_out_what_says_nothing(gold: tuple[int, ...], says: set[str]) -> None:
    judged = [Judged(name, "some", gold, (0,) * len(gold)) for name in "ab"]
    figures = report.describe(evaluate.Result("set", dict.fromkeys(evaluate.SYSTEMS, judged)))
    found = figures["kinds"]["some"]
    assert all(set(measures) == says for part in ("systems", "gain") for measures in found[part].values())
    table = [line.split(" | ") for line in report.markdown("set", figures).splitlines() if line.startswith("|")]
    heads = table[0]
    for row in table[2:]:
        told = {measure for measure in metric.MEASURES if not row[heads_at(heads, measure)].startswith("–")}
        assert told == says


def heads_at(heads: list[str], measure: str) -> int:
    """The column of a measure, whose head may be the last of its line."""
    return [head.removesuffix(" |") for head in heads].index(measure)
