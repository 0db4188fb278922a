"""Fitting the model: the sentence model (`sentence`), the vectors (`embed`), and the chain (`chain`).

The chain and its memory are fitted on scores and vectors that come from models which do not know the sentence
(`stack`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from degloss.artefact import Model
from degloss_training import embed
from degloss_training.chain import ChainData, chain_data, document_rows, fit_chain
from degloss_training.prepare import Prepared
from degloss_training.sentence import fit_sentence_model
from degloss_training.settings import Settings
from degloss_training.stack import cross_fitted_scores, cross_fitted_vectors

Seen = Callable[[Prepared, NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]], ChainData]


@contextmanager
def steadily() -> Iterator[None]:
    """Within it models are fitted the same on any number of cores, and stopped early on purpose, without a warning."""
    # Filters hold for all threads, so the filter is set out here.
    # Sums of several BLAS threads depend on how many there are, and with them the last bits of every weight.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit(data: Prepared, buckets: NDArray[np.int64], settings: Settings) -> Model:
    """The model of the documents of these buckets; its manifest says nothing."""
    return fit_documents(data, np.flatnonzero(np.isin(data.bucket, buckets)), settings)


def fit_documents(data: Prepared, documents: NDArray[np.int64], settings: Settings, seen: Seen = chain_data) -> Model:
    """The model of these documents; `seen` makes of them, their scores and vectors what the chain is fitted on."""
    rows = document_rows(data, documents)
    with steadily():
        scores = cross_fitted_scores(data, rows, settings)
        sentence, _ = fit_sentence_model(data, rows, settings)
        vectors = cross_fitted_vectors(data, rows, settings)
        kin, strangers = (seen(data, documents, of, vectors) for of in scores)
        chain, memory = fit_chain(kin, strangers, settings)
        return Model(sentence, embed.learn(data, rows), chain, memory, {})
