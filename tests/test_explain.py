"""The reasons are the numbers that decided: they add up to the scores."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ARTICLE, COMMENT, LINK, PAGE
from degloss.context import context
from degloss.decode import edge_features, potentials
from degloss.documents import FAVORS, Favor
from degloss.explain import Explanation, Reason, explain, explanation_text
from degloss.messages import marginals
from degloss.separate import Separator

OPINION = "Meine Meinung: Das ist Unsinn!"
TEXT = f"{PAGE}\n{OPINION} Meinung, Meinung.\n"


def total(reasons: tuple[tuple[str, float], ...]) -> float:
    return sum(weight for _, weight in reasons)


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
        assert one.final == pytest.approx(total(one.context) + one.biases[1] + one.boundaries, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters() | st.sampled_from("Meinung!„“ \n/😀"), max_size=200))
def test_reasons_add_up_for_any_text(text: str, separator: Separator) -> None:
    for one in explain(separator, text, everything=True):
        assert one.alone == pytest.approx(total(one.ngrams) + total(one.cues) + one.biases[0], abs=1e-3)
        assert explanation_text(one).count("\n") == 7


def test_the_boundaries_are_those_that_decided(separator: Separator) -> None:
    stages = separator.stages([TEXT])
    edges = edge_features(context(stages.sentences, stages.around.parts, stages.scores, stages.around.vectors))
    chances = marginals(potentials(separator.model.chain, stages.sentences, stages.emission, edges))
    assert chances == pytest.approx(stages.chances, abs=1e-6)


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
    assert first.edges == (("begins the document", 0.5),)
    assert second.edges == (("same line", 0.5),)
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
