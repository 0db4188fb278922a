"""How the models are fitted: the numbers chosen by measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What is chosen by grouped folds; docs/experiments.md has the figures.

    inverse_penalty  C of the sentence model's logistic regression
    cue_gain         the standardised cues' scale beside the n-grams, whose vectors have about length one
    iterations       of L-BFGS for the sentence model: stopping early is part of its regularisation
    chain_penalty, hidden_penalty  ridge penalties of the chain's weights, a sentence
    chain_iterations  of L-BFGS for the chain, stopped early like the sentence model
    folds            of the inner cross-fitting
    strangers        share of the documents that are scored by models that know the other kind of document only
    draws            how often these documents are drawn, and a chain fitted; the model has their mean
    seed, hidden_start  of the hidden layer's start: of its random numbers, and their scale; 0 leaves the layer out
    jobs             models fitted at a time, which changes nothing but the time
    """

    inverse_penalty: float = 0.3
    cue_gain: float = 0.3
    iterations: int = 80
    chain_penalty: float = 1e-3
    hidden_penalty: float = 3e-3
    chain_iterations: int = 110
    folds: int = 5
    strangers: float = 0.5
    draws: int = 5
    seed: int = 2
    hidden_start: float = 1.0
    jobs: int = 2
