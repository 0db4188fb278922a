"""The component for spaCy: what it marks, where, and that a pipeline with it can be saved and found again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from conftest import ARTICLE, COMMENT, LINK, PAGE
from degloss import LABELS, ModelMissing
from degloss.separate import Separator

TEXTS = [PAGE, "", " \n\t", f"👩‍👩‍👧 {COMMENT}\r\n\r\nGrüße  aus\tKöln! {LINK}", ARTICLE]


@pytest.fixture
def nlp(model: Path) -> Language:
    pipeline = spacy.blank("de")
    pipeline.add_pipe("degloss", config={"model": str(model)})
    return pipeline


def marked(doc: Doc, key: str = "degloss") -> list[tuple[int, int, str]]:
    return [(span.start_char, span.end_char, span.label_) for span in doc.spans[key]]


@pytest.mark.parametrize("text", TEXTS)
def test_a_span_for_each_segment(text: str, nlp: Language, separator: Separator) -> None:
    doc = nlp(text)
    assert doc.text == text
    assert marked(doc) == [tuple(segment) for segment in separator.separate(text).segments]


def test_scores_are_the_mean_confidences(nlp: Language, separator: Separator) -> None:
    found = separator.separate(PAGE)
    scores = nlp(PAGE).spans["degloss"].attrs["scores"]
    expected = []
    for segment in found.segments:
        inside = [s for s in found.sentences if segment.start <= s.start < segment.end]
        weights = [s.end - s.start for s in inside]
        expected.append(np.average([s.confidence for s in inside], weights=weights))
    assert scores == pytest.approx(expected, abs=1e-6)


def test_a_segment_that_ends_inside_a_token_gets_the_whole_of_it(nlp: Language, separator: Separator) -> None:
    # Without a line break between them spaCy may hold two speakers' characters for one token.
    text = f"{ARTICLE}\n{COMMENT}"
    words = [ARTICLE[:-5], text[len(ARTICLE) - 5 : len(ARTICLE) + 3], text[len(ARTICLE) + 3 :]]
    doc = nlp(Doc(nlp.vocab, words, [False] * 3))
    assert doc.text == text
    assert [s.label for s in separator.separate(text).segments] == ["article", "commentary"]
    first, second = doc.spans["degloss"]
    assert (first.start, first.end) == (0, 2)
    assert (second.start, second.end) == (1, 3)


def test_pipe_says_what_single_calls_say(nlp: Language) -> None:
    texts = TEXTS * 3
    for size in (1, 4, 100):
        assert [marked(doc) for doc in nlp.pipe(texts, batch_size=size)] == [marked(nlp(text)) for text in texts]


def test_several_processes(nlp: Language) -> None:
    assert [marked(doc) for doc in nlp.pipe(TEXTS, n_process=2)] == [marked(nlp(text)) for text in TEXTS]


def test_configuration(model: Path, separator: Separator) -> None:
    nlp = spacy.blank("de")
    nlp.add_pipe("degloss", config={"model": str(model), "favor": "recall", "spans_key": "wer"})
    # One exclamation mark: the model is not sure.
    doubtful = "Das Amt hat einen Plan vorgelegt!"
    assert separator.separate(doubtful).segments[0].label == "commentary"
    assert marked(nlp(doubtful), "wer")[0][2] == "article"
    assert "degloss" not in nlp(doubtful).spans


@pytest.mark.parametrize("config", [{"favor": "both"}, {"spans_key": 5}, {"nonsense": 1}])
def test_wrong_configuration_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=next(iter(config))):
        spacy.blank("de").add_pipe("degloss", config=config)


def test_a_wrong_folder_shows_when_the_component_is_added(tmp_path: Path) -> None:
    nlp = spacy.blank("de")
    with pytest.raises(ModelMissing, match=f"{tmp_path}.*manifest.json"):
        nlp.add_pipe("degloss", config={"model": str(tmp_path)})
    assert nlp.pipe_names == []


def test_a_pipeline_is_saved_and_found_without_an_import(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "pipeline")
    DocBin(docs=[nlp(PAGE)], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    script = (
        "import sys, spacy; from spacy.tokens import DocBin\n"
        "nlp = spacy.load(sys.argv[1])\n"
        "doc = nlp(sys.stdin.read())\n"
        "old = next(DocBin().from_disk(sys.argv[2]).get_docs(nlp.vocab))\n"
        "for d in (doc, old): print([(s.start_char, s.end_char, s.label_) for s in d.spans['degloss']])\n"
    )
    arguments = [sys.executable, "-c", script, str(tmp_path / "pipeline"), str(tmp_path / "docs.spacy")]
    done = subprocess.run(arguments, input=PAGE, capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines() == [str(marked(nlp(PAGE)))] * 2


def test_the_shipped_model_is_used_if_none_is_named() -> None:
    nlp = spacy.blank("de")
    nlp.add_pipe("degloss")
    labels = {label for _, _, label in marked(nlp(PAGE))}
    assert labels
    assert labels <= set(LABELS)


def test_without_spacy_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['spacy'] = None\n"
        "import degloss\n"
        "try: import degloss.spacy\n"
        "except degloss.ExtraMissing as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "degloss.spacy needs the package spacy; pip install 'degloss[spacy]'\n"
