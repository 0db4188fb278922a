"""Documents, most of kinds that the corpus lacks, that the shipped model has not been trained on: how it fares."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from degloss.documents import Favor
from degloss.separate import shipped
from degloss_training import check, corpus, evaluate, metric

TRAINING: Final = Path(__file__).parents[1] / "training"
UNSEEN: Final = TRAINING / "unseen"


def test_they_are_sound_and_neither_in_the_corpus_nor_in_the_gate_set() -> None:
    beside_the_gate = check.check(UNSEEN, TRAINING / "gate")
    assert (beside_the_gate.slips, beside_the_gate.copies, beside_the_gate.leaks) == ([], [], [])
    assert check.check(TRAINING / "corpus", UNSEEN).leaks == []


@pytest.mark.parametrize(("favor", "most"), [("balanced", 0.05), ("recall", 0.02)])
def test_how_much_of_their_articles_is_lost(favor: Favor, most: float) -> None:
    result = evaluate.on_documents("unseen", shipped(), corpus.load(UNSEEN), favor)
    found = metric.score(result.judged["degloss"])
    assert found["article lost"].value <= most
    if favor == "balanced":
        assert found["F commentary"].value >= 0.69
        assert found["F boilerplate"].value >= 0.83
