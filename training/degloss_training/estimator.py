"""The sentence model as a scikit-learn estimator: sentences in, labels and probabilities out.

For whoever wants it in a pipeline, a grid search or a comparison with models of their own. Its numbers are those of
training and of `degloss.separate`: the features come from `prepare`, the matrix from `sentence.design`, and a fitted
estimator and `degloss.classify.SentenceModel` turn into each other. It sees every text alone; what its neighbours say
is the chain's part, and not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from degloss.errors import ExtraMissing

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
except ModuleNotFoundError as error:
    raise ExtraMissing("degloss_training.estimator needs the package sklearn; pip install 'degloss[train]'") from error
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, column_or_1d

from degloss.classify import SentenceModel
from degloss.documents import LABELS, Segment
from degloss.separate import shipped
from degloss_training.corpus import Document
from degloss_training.fit import steadily
from degloss_training.prepare import Prepared, legible_documents, prepare
from degloss_training.sentence import design, standardise
from degloss_training.settings import Settings

_DEFAULTS = Settings()


class SentenceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Who speaks a sentence, told by the sentence alone.

    A text is meant to be one sentence. One that is split into several trains with each of them, sharing its weight, and
    is judged by the mean of their scores; one without any, such as `""`, is judged as an average sentence. The labels
    are any two or more; only an estimator of the three of `degloss.LABELS` turns into a `SentenceModel`.

    inverse_penalty, cue_gain, iterations  as in `degloss_training.settings.Settings`

    Once fitted:

    classes_    (k) the labels, sorted
    coef_       (k, 2^18 + cues) weights of the n-grams and of the standardised cues; (1, …) for two labels
    intercept_  (k), or (1)
    mean_, spread_   (cues) by which the cues are standardised

    >>> known = ["Der Rat stimmte am Montag zu.", "Das Amt teilte mit, es werde gebaut.", "So ein Unsinn!", "Na toll!!"]
    >>> model = SentenceClassifier().fit(known, ["article", "article", "commentary", "commentary"])
    >>> model.predict(["Was für ein Unsinn!", "Der Rat teilte das am Montag mit."]).tolist()
    ['commentary', 'article']
    """

    def __init__(
        self,
        inverse_penalty: float = _DEFAULTS.inverse_penalty,
        cue_gain: float = _DEFAULTS.cue_gain,
        iterations: int = _DEFAULTS.iterations,
    ) -> None:
        self.inverse_penalty = inverse_penalty
        self.cue_gain = cue_gain
        self.iterations = iterations

    @classmethod
    def of(cls, model: SentenceModel) -> Self:
        """A fitted estimator of a sentence model, `degloss.load(folder).model.sentence` for example."""
        made = cls()
        gain = np.float32(made.cue_gain)
        article = np.zeros((1, len(model.table) + len(model.weights)), np.float32)
        others = np.concatenate([model.table, model.weights / gain]).T
        order = np.argsort(LABELS)
        made.classes_ = np.array(LABELS)[order]
        made.coef_ = np.concatenate([article, others])[order]
        made.intercept_ = np.concatenate([[0], model.bias])[order]
        made.mean_, made.spread_ = model.mean, model.spread
        return made

    @classmethod
    def shipped(cls) -> Self:
        """A fitted estimator of the model that comes with degloss.

        >>> SentenceClassifier.shipped().predict(["https://t.me/beispiel"]).tolist()
        ['boilerplate']
        """
        return cls.of(shipped().model.sentence)

    def sentence_model(self) -> SentenceModel:
        """The plain arrays of an estimator fitted on the three labels; raises `ValueError` for others."""
        check_is_fitted(self)
        if sorted(self.classes_.tolist()) != sorted(LABELS):
            raise ValueError(f"a sentence model has the labels {', '.join(LABELS)}, not {self.classes_.tolist()}")
        order = [self.classes_.tolist().index(label) for label in LABELS]
        coefficients, intercept = self.coef_[order], self.intercept_[order]
        against = (coefficients[1:] - coefficients[0]).T
        ngrams = len(against) - len(self.mean_)
        return SentenceModel(
            table=np.ascontiguousarray(against[:ngrams], np.float32),
            mean=self.mean_,
            spread=self.spread_,
            weights=np.ascontiguousarray(against[ngrams:] * self.cue_gain, np.float32),
            bias=(intercept[1:] - intercept[0]).astype(np.float32),
        )

    def fit(self, X: Sequence[str], y: Any, sample_weight: Any = None) -> Self:
        """Fits on n texts and their n labels; raises `TypeError` and `ValueError` for what cannot be fitted."""
        texts = self._texts(X, fitting=True)
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        check_consistent_length(texts, labels)
        given = _check_sample_weight(sample_weight, texts, ensure_non_negative=True)
        classes, codes = np.unique(labels, return_inverse=True)
        data = _prepared(texts)
        document = data.batch.document
        present = np.unique(codes[document])
        if len(present) < max(2, len(classes)):
            raise ValueError(
                f"sentences of {len(present)} class(es) alone, {classes[present].tolist()}, of {classes.tolist()}; give"
                " texts that are not blank of two or more, and of each"
            )
        weight = (given / np.maximum(np.bincount(document, minlength=len(texts)), 1))[document]
        mean, spread = standardise(data.cues.values[:, : data.cues.voice])
        matrix = design(data, np.arange(len(document)), mean, spread, self.cue_gain)
        # The weight of an n-gram that never occurs stays zero: without them a small set takes a tenth of the time.
        seen = np.flatnonzero(matrix.getnnz(0))
        logistic = LogisticRegression(C=self.inverse_penalty, max_iter=self.iterations, tol=1e-4)
        with steadily():
            logistic.fit(matrix[:, seen], codes[document], sample_weight=weight / (weight.mean() or 1))
        self.classes_, self.mean_, self.spread_ = classes, mean, spread
        self.intercept_, self.n_iter_ = logistic.intercept_, logistic.n_iter_
        self.coef_ = np.zeros((len(logistic.coef_), matrix.shape[1]))
        self.coef_[:, seen] = logistic.coef_
        return self

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:
        """(n, k) scores of each label, up to a constant a text; (n) the log-odds of the second of two."""
        check_is_fitted(self)
        texts = self._texts(X, fitting=False)
        data = _prepared(texts)
        document = data.batch.document
        matrix = design(data, np.arange(len(document)), self.mean_, self.spread_, self.cue_gain)
        total = np.zeros((len(texts), len(self.intercept_)))
        np.add.at(total, document, matrix @ self.coef_.T)
        scores = total / np.maximum(np.bincount(document, minlength=len(texts)), 1)[:, None] + self.intercept_
        return np.asarray(scores[:, 0] if len(self.classes_) == 2 else scores)

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:
        """(n, k) the probability of each of `classes_`."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            chance = expit(scores)
            return np.stack([1 - chance, chance], 1)
        return np.asarray(softmax(scores, 1))

    def predict(self, X: Sequence[str]) -> NDArray[Any]:
        """(n) the most probable label of each text."""
        chances = self.predict_proba(X)
        return np.asarray(self.classes_[chances.argmax(1)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _texts(self, X: Any, *, fitting: bool) -> list[str]:
        """The texts, checked."""
        if isinstance(X, str) or np.ndim(X) != 1:
            raise ValueError("X must be a sequence of texts, one-dimensional; for one text give [text]")
        texts = list(X)
        for place, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"X[{place}]: a text must be str, not {type(text).__name__}")
        if fitting and not texts:
            raise ValueError("0 texts; give some to fit on")
        return [str(text) for text in texts]


def _prepared(texts: Sequence[str]) -> Prepared:
    """Each text as a document of its own; the labels in it stand for nothing."""
    documents = [
        Document(str(n), "bucket-0", "text", text, (Segment(0, len(text), LABELS[0]),)) for n, text in enumerate(texts)
    ]
    return prepare(legible_documents(documents), {}, {}, {}, lambda kind: "page")
