"""Speed and memory, guarded by counts, ratios and limits rather than by a clock.

A clock alone would say more of the machine than of the code. So: calls are counted, which shows a loop over sentences;
time is compared with a workload of the same kind of operations, run in turn; memory is compared with the text.
docs/performance.md tells how the guards were tried.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np
import pytest
import sentencex
from threadpoolctl import threadpool_limits

from conftest import ARTICLE, COMMENT, LINK, clean_environment, command
from degloss import encode, segment, slices
from degloss.boundary import edge_features
from degloss.characters import Char, classes
from degloss.documents import LABELS
from degloss.separate import Separator, shipped
from degloss_training import corpus

ROOT: Final = Path(__file__).parents[1]
CASES: Final = Path(__file__).parent / "cases" / "slow_inputs.tsv"


def texts(characters: int) -> list[str]:
    """Documents of the corpus, so many code points."""
    found: list[str] = []
    for document in corpus.load(ROOT / "training" / "corpus"):
        found.append(document.text)
        if sum(map(len, found)) >= characters:
            break
    return found


# Calls.


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, Python's and C's, but for those of the splitting into sentences."""
    count = 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call") and frame.f_code.co_filename != segment.__file__

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_no_call_is_made_for_a_sentence(separator: Separator) -> None:
    page = f"{ARTICLE} „Er gilt ab März“, sagt sie.\n\n{COMMENT}\n{LINK}\n\n"
    short, long = page * 10, page * 160
    separator.separate(long)
    counts = [calls(lambda text=text: separator.separate(text)) for text in (short, long)]  # type: ignore[misc]
    # A document sixteen times as long has runs four times as long in the chain.
    assert counts[1] - counts[0] <= 60


def test_few_calls_are_made_for_a_document(separator: Separator) -> None:
    page = f"{ARTICLE}\n\n{COMMENT}\n{LINK}"
    separator.separate(page)
    alone, many = (calls(lambda n=n: separator.separate_batch([page] * n)) for n in (1, 101))  # type: ignore[misc]
    assert alone <= 525
    assert (many - alone) / 100 <= 11


# Time, in units of other work.


def reference(batch_text: str) -> Callable[[], object]:
    """The kinds of work degloss does, as plain library calls: splitting, passes over code points, look-ups, a product.

    Of each about as much as degloss needs, so that a machine that is slow at one of them is slow at both.
    """
    lines = batch_text.split("\n")
    rng = np.random.default_rng(0)
    table = rng.normal(size=1 << 18).astype(np.complex64)
    codes = np.frombuffer(batch_text.encode("utf-32-le", "surrogatepass"), np.uint32)
    features = rng.normal(size=(len(codes) // 110, 523)).astype(np.float32)
    weights = rng.normal(size=(523, 35)).astype(np.float32)
    borders = np.arange(0, len(codes), 110)

    def work() -> None:
        for line in lines:
            sentencex.segment("de", line)
        hashes = codes
        for _ in range(6):
            hashes = hashes * np.uint32(0x01000193) + codes
            index = (hashes >> np.uint32(14)).astype(np.intp)
            np.add.reduceat(table.take(index, mode="wrap"), borders)
        for _ in range(4):
            np.clip(features, -1, 1) @ weights

    return work


MOST: Final = 1.25
"""A run may take so many times the reference, in units of RATIO; a third more work than now is beyond it."""


def ratio(separator: Separator, some: list[str], work: Callable[[], object]) -> float:
    """The shortest time of several runs in that of the reference, run in turn, in processor seconds."""
    best = [float("inf")] * 2
    for _ in range(7):
        for k, one in enumerate((lambda: separator.separate_batch(some), work)):
            began = time.process_time()
            one()
            best[k] = min(best[k], time.process_time() - began)
    return best[0] / best[1]


RATIO: Final = 2.7
"""The least of eighteen runs with one network (2.35 to 2.56), times what two took longer in turns (2.90 / 2.51)."""


@pytest.mark.slow  # on a busy machine the ratio was seen at 3.3: by hand, on a quiet one
def test_a_batch_takes_no_longer_than_other_work() -> None:
    some = texts(200_000)
    work = reference("\n".join(some))
    found: list[float] = []
    # What disturbs a run makes it longer, never shorter; so one good attempt is enough, and a regression has none.
    for _ in range(6):
        found.append(ratio(shipped(), some, work))
        if found[-1] <= MOST * RATIO:
            break
    assert min(found) <= MOST * RATIO, found


# Slow inputs.


def slow_inputs() -> list[tuple[str, str]]:
    rows = (line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [(f"{kind}: {unit}", str(ast.literal_eval(f"'{unit}'"))) for kind, unit in rows]


def shortest(work: Callable[[], object], runs: int) -> float:
    best = float("inf")
    with threadpool_limits(1):  # a second thread waits for work busily, which is processor time too
        for _ in range(runs):
            began = time.process_time()
            work()
            best = min(best, time.process_time() - began)
    return best


def least(texts: list[str], separator: Separator, enough: Callable[[list[float]], bool], runs: int) -> list[float]:
    """The shortest time of each text, until that is enough: what disturbs a run makes it longer, never shorter."""
    best = [float("inf")] * len(texts)
    for _ in range(runs):
        new = [shortest(lambda text=text: separator.separate(text), 2) for text in texts]  # type: ignore[misc]
        best = [min(pair) for pair in zip(best, new, strict=True)]
        if enough(best):
            break
    return best


@pytest.mark.parametrize("unit", [unit for _, unit in slow_inputs()], ids=[name for name, _ in slow_inputs()])
def test_slow_inputs_are_linear_and_not_much_slower_than_text(unit: str, separator: Separator) -> None:
    # Eight times as much takes eight times as long, or twelve where what fitted into a near cache no longer does;
    # what grows with the square takes 64 times.
    def enough(times: list[float]) -> bool:
        return times[1] <= 8 * 2 * times[0] and times[1] <= 30 * times[2]

    some = [u * (size // len(u)) for u, size in ((unit, 10_000), (unit, 80_000), (f"{ARTICLE} ", 80_000))]
    times = least(some, separator, enough, 8)
    assert enough(times), times


# Memory.


PEAK: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts the peak in KiB")
@pytest.mark.parametrize("form", ["paragraphs", "one line", "short sentences", "brackets", "emoji"])
def test_peak_memory_is_bounded_by_the_document(form: str, model: Path, tmp_path: Path) -> None:
    whole = "\n\n".join(texts(1_000_000)) + "\n\n"
    unit = {
        "paragraphs": whole, "one line": " ".join(whole.split()) + " ",
        "short sentences": "Das ist ein kurzer Satz. Ja ja.\n", "brackets": "(“", "emoji": "😂",
    }[form]  # fmt: skip
    data = (unit * (8_000_000 // len(unit.encode()))).encode()
    (tmp_path / "in.txt").write_bytes(data)
    arguments = command(model, "clean", tmp_path / "in.txt")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], check=True, capture_output=True, env=clean_environment()
    )  # fmt: skip
    assert int(done.stdout) * 1024 / 1e6 <= 120 + 12 * len(data) / 1e6


# Slices.


def test_slices_know_the_quotation_marks() -> None:
    quotes = {
        chr(code) for code in np.flatnonzero((classes() >= Char.QUOTE_LOW) & (classes() <= Char.QUOTE_ANGLE_LEFT))
    }
    assert set(slices._QUOTES) == quotes


@pytest.mark.parametrize("size", [300, 1_000, 5_000])
def test_results_do_not_depend_on_the_slices(size: int, separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (
        f"{ARTICLE} „Er gilt ab März.\n\nWer zahlt das? {COMMENT}\n\n{LINK}\n\n\nDas Amt prüft“, sagt sie. Und nun?\n\n"
    )
    text = page * 40
    whole = separator.separate(text)
    monkeypatch.setattr(encode, "SLICE", size)
    parts = list(encode.slices(text, size))
    assert len(parts) > 1
    assert "".join(part.text for part in parts) == text
    sliced = separator.separate(text)
    assert sliced.starts.tolist() == whole.starts.tolist()
    assert sliced.ends.tolist() == whole.ends.tolist()
    assert sliced.labels.tolist() == whole.labels.tolist()
    assert sliced.lone_scores == pytest.approx(whole.lone_scores, abs=1e-6)
    assert sliced.confidences == pytest.approx(whole.confidences, abs=1e-6)
    around = [separator.stages([text]).around]
    monkeypatch.undo()
    around.append(separator.stages([text]).around)
    assert np.array_equal(around[0].features, around[1].features)
    assert np.array_equal(edge_features(around[0]), edge_features(around[1]))


@pytest.mark.parametrize(
    "text", ["(“" * 2_000, "a" * 4_000, "‼️" * 2_000, "\n" * 3_000 + "a", "\ud800 " * 900, "„a “\r\n" * 700]
)
def test_sliced_texts_lose_nothing(text: str, separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "SLICE", 500)
    found = separator.separate(text)
    assert "".join(found.keep(LABELS).split()) == "".join(text.split())
    together = separator.separate_batch(["Der Rat tagt.", text, "", "Der Rat tagt."])
    assert together[1].labels.tolist() == found.labels.tolist()
    assert [len(one) for one in together] == [1, len(found), 0, 1]
