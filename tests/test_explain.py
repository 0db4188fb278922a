"""The reasons are the numbers that decided: they add up to the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ARTICLE, COMMENT, LINK, PAGE
from degloss import context as surroundings
from degloss import decode
from degloss.documents import FAVORS, LABELS, Favor
from degloss.explain import Explanation, Reason, explain, explanation_text
from degloss.memory import KEPT
from degloss.messages import marginals
from degloss.separate import Separator, shipped

OPINION = "Meine Meinung: Das ist Unsinn!"
TEXT = f"{PAGE}\n{OPINION} Meinung, Meinung.\n"


def total(reasons: tuple[tuple[str, float], ...]) -> float:
    return sum(weight for _, weight in reasons)


def in_context(one: Explanation) -> float:
    """All that makes the final log-odds."""
    return total(one.context) + one.biases[1] + one.memory + one.boundaries


def by_text(found: list[Explanation], text: str) -> Explanation:
    return next(one for one in found if one.text == text)


@pytest.mark.parametrize("favor", FAVORS)
def test_reasons_add_up_to_the_scores(favor: Favor, separator: Separator) -> None:
    sentences = separator.separate(TEXT, favor=favor).sentences
    scores = separator.stages([TEXT]).scores
    found = list(explain(separator, TEXT, favor=favor, everything=True))
    assert [one.sentence for one in found] == list(sentences)
    for one, score in zip(found, scores, strict=True):
        assert TEXT[one.sentence.start : one.sentence.end] == one.text
        column = {"article": 0.0, "commentary": score[0], "boilerplate": score[1]}
        assert one.alone == pytest.approx(column[one.sentence.label] - column[one.rival], abs=1e-5)
        assert one.alone == pytest.approx(total(one.ngrams) + total(one.cues) + one.biases[0], abs=1e-4)
        assert one.final == pytest.approx(in_context(one), abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters() | st.sampled_from("Meinung!„“ \n/😀"), max_size=200))
def test_reasons_add_up_for_any_text(text: str, separator: Separator) -> None:
    for one in explain(separator, text, everything=True):
        assert one.alone == pytest.approx(total(one.ngrams) + total(one.cues) + one.biases[0], abs=1e-3)
        assert one.final == pytest.approx(in_context(one), abs=1e-3)
        assert explanation_text(one).count("\n") == 8


def test_reasons_of_the_shipped_model_add_up() -> None:
    """The model of these tests hears next to nothing; of what the shipped one hears nothing may be left over."""
    for one in explain(shipped(), TEXT, everything=True):
        assert one.final == pytest.approx(in_context(one), abs=1e-3)


@pytest.mark.parametrize("size", [1, 1024])
def test_what_is_told_is_what_decided(size: int, separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers that explain are those of the potentials, however many sentences are remembered at a time."""
    stages = separator.stages([TEXT, "", PAGE])
    monkeypatch.setattr(surroundings, "BLOCK", size)
    monkeypatch.setattr(decode, "WAITING", size)
    said = stages.spoken
    assert said.rows.tolist() == list(range(len(stages.scores)))
    chain = separator.model.chain
    chances = decode.calibrated(chain, marginals(said.potentials))
    assert chances == pytest.approx(stages.chances, abs=1e-6)
    layer = np.tanh(decode.standardised(stages.features, chain.mean, chain.spread) @ chain.hidden)
    assert said.told[:, chain.remembered :] == pytest.approx(layer, abs=1e-6)


def test_what_is_remembered_is_told(separator: Separator) -> None:
    """The model of these tests remembers the commentary before a sentence, which speaks for commentary."""
    page = f"{COMMENT}\n\n{ARTICLE} {COMMENT} {ARTICLE}\n\n{ARTICLE}\n{COMMENT}"
    found = list(explain(separator, page, everything=True))
    weights = np.exp(separator.stages([page]).scores)
    # Twice a mean of which each step keeps a half, the first of them of the sentence before.
    first = second = before = 0.0
    for one, chance in zip(found, weights[:, 0] / (1 + weights.sum(1)), strict=True):
        first = (first + np.tanh(before)) / 2
        second = (second + np.tanh(first)) / 2
        before = np.tanh(chance)
        speaks = (one.sentence.label == "commentary") - (one.rival == "commentary")
        assert one.memory == pytest.approx(0.5 * second * speaks / 1.25, abs=1e-5)
        assert f"memory    {one.memory:+.2f} of the sentences around" in explanation_text(one)
    assert found[0].memory == 0
    assert min(one.memory for one in found) < -0.05
    assert max(one.memory for one in found) > 0.05


def test_memory_speaks_for_the_label_against_its_rival(separator: Separator) -> None:
    """Of other weights, told for all labels: as much as they are apart, and neither what was heard nor its turns."""
    chain = separator.model.chain
    told, turns = np.zeros_like(chain.told), np.zeros_like(chain.turns)
    told[2 * KEPT], turns[:, :] = (1, 4, -2), 0.1 * np.arange(3)
    told[chain.remembered] = (0.5, 0.1, 0.2)
    other = Separator(replace(separator.model, chain=replace(chain, told=told, turns=turns)))
    remembered = other.stages([TEXT]).spoken.told[:, 2 * KEPT]
    assert np.ptp(remembered) > 0.1
    for one, number in zip(explain(other, TEXT, everything=True), remembered.tolist(), strict=True):
        won, rival = LABELS.index(one.sentence.label), LABELS.index(one.rival)
        apart = told[2 * KEPT, won] - told[2 * KEPT, rival]
        assert one.memory == pytest.approx(number * apart * chain.sharpness, abs=1e-5)


def test_only_what_is_not_article_unless_asked(separator: Separator) -> None:
    removed = [one.text for one in explain(separator, PAGE)]
    assert removed == [COMMENT, LINK]
    assert len(list(explain(separator, PAGE, everything=True))) == 5
    assert list(explain(separator, ARTICLE)) == []


def test_the_strongest_reasons_are_those_of_the_model(separator: Separator) -> None:
    found = list(explain(separator, TEXT, everything=True))
    opinion = by_text(found, OPINION)
    assert opinion.sentence.label == "commentary"
    assert opinion.rival == "article"
    assert opinion.ngrams[0].name == 'word "meinung"'
    assert opinion.ngrams[0].weight == pytest.approx(20 / 5**0.5, abs=1e-4)  # five words
    assert opinion.cues[0] == ("count exclamation", 4.0)
    assert opinion.context[0].name == "own score commentary"
    assert by_text(found, LINK).cues[0].name == "count slash"
    # What stands in a sentence twice counts twice, as one reason.
    twice = by_text(found, "Meinung, Meinung.")
    assert [reason.name for reason in twice.ngrams].count('word "meinung"') == 1
    assert twice.ngrams[0].weight == pytest.approx(2 * 20 / 2**0.5, abs=1e-4)


def test_boundaries_are_part_of_the_decision(separator: Separator) -> None:
    found = list(explain(separator, PAGE, everything=True))
    first, second = found[0], found[1]
    assert first.edges == (("begins the document", pytest.approx(0.5 / 1.25)),)
    assert second.edges == (("same line", pytest.approx(0.5 / 1.25)),)
    assert second.boundaries > 0


def test_an_article_sentence_is_held_against_the_nearer_label(separator: Separator) -> None:
    (one,) = explain(separator, "Das Amt hat / einen Plan vorgelegt", favor="recall", everything=True)
    assert (one.sentence.label, one.rival) == ("article", "boilerplate")
    assert one.cues[0].weight < 0


def test_as_text(separator: Separator) -> None:
    opinion = by_text(list(explain(separator, TEXT)), OPINION)
    lines = explanation_text(opinion).splitlines()
    assert lines[0].startswith("commentary ")
    assert lines[0].endswith(OPINION)
    assert '+8.94 word "meinung"' in lines[2]
    assert "+4.00 count exclamation" in lines[3]
    assert explanation_text(opinion, top=1).count("own score") == 1
    assert "\x1b[" in explanation_text(opinion, color=True)
    assert "\x1b" not in explanation_text(opinion)


def test_an_n_gram_of_blanks_hides_no_other(separator: Separator) -> None:
    opinion = by_text(list(explain(separator, TEXT)), OPINION)
    blank = replace(opinion, ngrams=(Reason('characters "  "', 9.5), *opinion.ngrams))
    assert '+8.94 word "meinung"' in explanation_text(blank)


def test_only_long_n_grams_are_cut(separator: Separator) -> None:
    opinion = by_text(list(explain(separator, TEXT)), OPINION)
    edge = Reason("likeness of skeleton 2s in and beside the paragraph in short texts", 9.5)
    shown = explanation_text(replace(opinion, ngrams=(Reason(f'word "{"lang" * 20}"', 9.5),), edges=(edge,)))
    assert f'+9.50 word "{"lang" * 13}…"\n' in shown
    assert f"+9.50 {edge.name}" in shown
