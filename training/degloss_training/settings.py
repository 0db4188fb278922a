"""How the models are fitted: the numbers chosen by measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What is chosen by grouped folds, but for the seeds (docs/evaluation.md says how); docs/experiments.md has the
    figures.

    inverse_penalty  C of the sentence model's logistic regression
    cue_gain         the standardised cues' scale beside the n-grams, whose vectors have about length one
    iterations       of L-BFGS for the sentence model: stopping early is part of its regularisation
    rate, epochs     of Adam for the chain and its memory: the highest rate, and how often each document comes
    withheld         share of the context features that is left out of a whole document each time it comes
    features_dropped, dropped  shares of the context features, and of what is heard and remembered, that are left out
                     at single sentences
    remembers        whether there is a memory at all
    temperature      of the calibration: log-odds are divided by it
    folds            of the inner cross-fitting
    strangers        how often a document's scores are those of models that know the other kind of document only
    seeds            of the networks of the chain, which are fitted each by itself: of its start, of the order of
                     documents, and of what is left out
    jobs             models fitted at a time, which changes nothing but the time
    """

    inverse_penalty: float = 0.3
    cue_gain: float = 0.3
    iterations: int = 80
    rate: float = 2e-3
    epochs: int = 40
    withheld: float = 0.2
    features_dropped: float = 0.2
    dropped: float = 0.2
    remembers: bool = True
    temperature: float = 1.5
    folds: int = 5
    strangers: float = 0.5
    seeds: tuple[int, ...] = (6, 9)
    jobs: int = 2
