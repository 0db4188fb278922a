"""The estimator: scikit-learn's own checks, and that its numbers are those of training and of `separate`."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from degloss import LABELS
from degloss.classify import SentenceModel
from degloss.separate import Separator, shipped
from degloss_training import estimator
from degloss_training.estimator import SentenceClassifier
from degloss_training.sentence import fit_sentence_model
from degloss_training.settings import Settings
from training_data import document, prepared

ARTICLE = (
    "Der Rat berät am Montag über den Haushalt der Stadt.", "Das Amt teilte mit, der Bau beginne im Mai.",
    "Nach Angaben der Polizei wurden drei Wagen beschädigt.", "Die Ministerin sagte, man prüfe den Entwurf.",
    "Im vergangenen Jahr stieg die Zahl der Anträge um vier Prozent.", "Der Verband kritisierte den Beschluss.",
)  # fmt: skip
COMMENTARY = (
    "Ich glaube denen kein Wort mehr, Leute!", "Na toll, und wer zahlt das wieder?", "Was für ein Irrsinn 😂",
    "Ihr wisst doch alle, wie das ausgeht!!", "Mir reicht es jetzt wirklich.", "Danke für nichts, ihr Heuchler!",
)  # fmt: skip
BOILERPLATE = ("https://t.me/beispiel/5", "➖➖➖", "👉 @beispielkanal", "Quelle: beispiel.de", "Teile das!", "+++++")
TEXTS = [*ARTICLE, *COMMENTARY, *BOILERPLATE]
GOLD = ["article"] * 6 + ["commentary"] * 6 + ["boilerplate"] * 6


@pytest.fixture(scope="module")
def fitted() -> SentenceClassifier:
    return SentenceClassifier().fit(TEXTS, GOLD)


# scikit-learn's checks come with numbers. Written out as words, they are sentences like any other.


class OfNumbers(SentenceClassifier):
    """The estimator behind a conversion of rows of numbers into sentences: a word for each column and half step."""

    def _texts(self, X: Any, *, fitting: bool) -> list[str]:
        rows = validate_data(self, X, reset=fitting)
        return super()._texts([" ".join(self._words(row)) for row in rows.tolist()], fitting=fitting)

    @staticmethod
    def _words(row: list[float]) -> list[str]:
        return [f"{'abcdefghijklmnopqrstuvwxyz'[n % 26]}{n // 26}x{round(2 * x)}" for n, x in enumerate(row)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "as in training, weights count relative to their mean and cues are"
    " standardised over the rows whatever they weigh, so a weight of two is almost, but not quite, the row twice",
}


@parametrize_with_checks([OfNumbers(iterations=10)], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_real_texts_are_no_tables() -> None:
    tags = SentenceClassifier().__sklearn_tags__().input_tags
    assert (tags.string, tags.one_d_array, tags.two_d_array) == (True, True, False)


# The numbers are those of training and of the package.


def test_fitting_gives_the_model_that_training_gives(fitted: SentenceClassifier) -> None:
    data = prepared([document(str(n), (text, label)) for n, (text, label) in enumerate(zip(TEXTS, GOLD, strict=True))])
    assert len(data.batch) == len(TEXTS)
    trained, _ = fit_sentence_model(data, np.arange(len(TEXTS)), Settings())
    ours = fitted.sentence_model()
    for name in ("table", "mean", "spread", "weights", "bias"):
        assert getattr(ours, name).dtype == getattr(trained, name).dtype
        np.testing.assert_allclose(getattr(ours, name), getattr(trained, name), atol=1e-4)


def test_the_arrays_of_a_fitted_estimator_separate_as_it_predicts(fitted: SentenceClassifier) -> None:
    own = Separator(replace(shipped().model, sentence=fitted.sentence_model()))
    unseen = ["So ein Irrsinn, Leute!", "Die Polizei teilte das am Montag mit.", "https://t.me/anderes"]
    alone = [own.separate(text).sentences[0] for text in unseen]
    assert fitted.predict(unseen).tolist() == [sentence.lone_label for sentence in alone]
    chances = fitted.predict_proba(unseen)
    assert chances.max(1) == pytest.approx([sentence.lone_score for sentence in alone], abs=1e-5)
    assert chances.sum(1) == pytest.approx(1)


def test_arrays_and_estimators_turn_into_each_other(fitted: SentenceClassifier) -> None:
    arrays = fitted.sentence_model()
    again = SentenceClassifier.of(arrays)
    assert again.predict_proba(TEXTS) == pytest.approx(fitted.predict_proba(TEXTS), abs=1e-5)
    for name in SentenceModel.__dataclass_fields__:
        np.testing.assert_allclose(getattr(again.sentence_model(), name), getattr(arrays, name), atol=1e-6)
    released = SentenceClassifier.shipped()
    texts = [*TEXTS[:3], "Zwei Sätze. Der zweite!"]
    for text, chance in zip(texts[:3], released.predict_proba(texts), strict=False):
        sentence = shipped().separate(text).sentences[0]
        assert chance[released.classes_ == sentence.lone_label] == pytest.approx(sentence.lone_score, abs=1e-5)


def test_what_is_said_of_a_text_does_not_hang_on_the_texts_beside_it() -> None:
    released = SentenceClassifier.shipped()
    texts = ["• Der Rat\n• Das Amt", "• Der Rat • Das Amt", "Was nun?*\n\nJa.", "Was nun?\n\nJa.", "Was nun?*\n\nJa."]
    alone = np.concatenate([released.decision_function([text]) for text in texts])
    assert released.decision_function(texts) == pytest.approx(alone, abs=1e-6)


def test_other_labels_fit_but_are_no_sentence_model() -> None:
    made = SentenceClassifier().fit(TEXTS, [label == "commentary" for label in GOLD])
    assert made.classes_.tolist() == [False, True]
    assert made.predict(COMMENTARY).all()
    assert made.decision_function(TEXTS).shape == (18,)
    assert made.predict_proba(TEXTS).shape == (18, 2)
    with pytest.raises(ValueError, match="has the labels article, commentary, boilerplate"):
        made.sentence_model()


# Texts that are not one sentence.


def test_a_text_of_several_sentences_is_judged_by_their_mean(fitted: SentenceClassifier) -> None:
    scores = fitted.decision_function([ARTICLE[0], COMMENTARY[0], f"{ARTICLE[0]}\n{COMMENTARY[0]}"])
    # Some cues see the line around a sentence, so not to the last digit.
    np.testing.assert_allclose(scores[2], (scores[0] + scores[1]) / 2, atol=0.5)


def test_the_sentences_of_a_text_share_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    class Recording(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            given.append(sample_weight)
            return super().fit(X, y, sample_weight)

    monkeypatch.setattr(estimator, "LogisticRegression", Recording)
    SentenceClassifier().fit(["Eins.\nZwei.", "Drei!", ""], ["article", "commentary", "article"], [2.0, 3.0, 9.0])
    assert given[0] / given[0].sum() == pytest.approx([0.2, 0.2, 0.6])


@pytest.mark.parametrize("blank", ["", " \n\t"])
def test_blank_texts(blank: str, fitted: SentenceClassifier) -> None:
    chances = fitted.predict_proba([blank, COMMENTARY[0]])
    assert chances[0].sum() == pytest.approx(1)
    assert chances[1] == pytest.approx(fitted.predict_proba([COMMENTARY[0]])[0])
    more = SentenceClassifier().fit([*TEXTS, blank], [*GOLD, "article"])
    np.testing.assert_allclose(more.intercept_, fitted.intercept_, atol=1e-3)
    with pytest.raises(ValueError, match=r"sentences of 1 class\(es\) alone, \['article'\]"):
        SentenceClassifier().fit([ARTICLE[0], blank], ["article", "commentary"])


@pytest.mark.parametrize("texts", [TEXTS, np.array(TEXTS), np.array(TEXTS, object), pd.Series(TEXTS), tuple(TEXTS)])
def test_sequences_of_any_kind(texts: Any, fitted: SentenceClassifier) -> None:
    assert fitted.predict(texts).tolist() == fitted.predict(TEXTS).tolist()


WRONG = [
    ("Ein Satz.", ValueError, "for one text give"),
    ([["Ein Satz."]], ValueError, "one-dimensional"),
    ([b"Ein Satz."], TypeError, r"X\[0\]: a text must be str, not bytes"),
    (["Ein Satz.", None], TypeError, r"X\[1\]: a text must be str, not NoneType"),
]


@pytest.mark.parametrize(("texts", "kind", "message"), WRONG)
def test_wrong_texts(texts: Any, kind: type[Exception], message: str, fitted: SentenceClassifier) -> None:
    with pytest.raises(kind, match=message):
        fitted.predict(texts)
    with pytest.raises(kind, match=message):
        SentenceClassifier().fit(texts, ["article"] * len(texts))


def test_before_fitting() -> None:
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(SentenceClassifier(), method)(TEXTS)
    with pytest.raises(NotFittedError):
        SentenceClassifier().sentence_model()


# In scikit-learn's company.


def test_in_a_pipeline_and_a_search() -> None:
    strip = FunctionTransformer(lambda texts: [text.strip() for text in texts])
    search = GridSearchCV(
        make_pipeline(strip, SentenceClassifier(iterations=20)),
        {"sentenceclassifier__inverse_penalty": [0.1, 1.0], "sentenceclassifier__cue_gain": [0.3]}, cv=3,
    )  # fmt: skip
    search.fit(TEXTS, GOLD)
    assert set(search.classes_) == set(LABELS)
    assert search.score(TEXTS, GOLD) > 0.9


def test_pickled_and_cloned(fitted: SentenceClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    assert clone(SentenceClassifier(cue_gain=0.5)).get_params() == SentenceClassifier(cue_gain=0.5).get_params()


def test_without_scikit_learn_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import degloss\n"
        "try: import degloss_training.estimator\n"
        "except degloss.ExtraMissing as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "degloss_training.estimator needs the package sklearn; pip install 'degloss[train]'\n"
