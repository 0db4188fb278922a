"""Potentials → marginals: the messages of a linear chain, forward and backward.

The marginals of all documents of a batch are computed at once: the chain is cut into about √n runs of as many
sentences, whose products are computed side by side (an associative scan, as Särkkä and García-Fernández 2021, of two
levels), in time linear in the number of sentences. A document begins with a matrix that forgets what was before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STRETCH: Final = 1 << 14
"""Sentences whose messages are computed at a time: half a kilobyte each."""
_EVEN: Final = np.full(3, 1 / 3)
_IDENTITY: Final = np.eye(3)
_SUM: Final = np.ones((3, 3))  # a product sums over so few faster than `np.add.reduce` does
_WHOLE: Final = np.ones((9, 1))
_RARELY: Final = 8  # so many factors stay far from the limits of float64: of any text tried, none was below e^−28


def marginals(logs: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(n, 3) the probability of each label at each sentence, of potentials (n, 3, 3)."""
    chances = np.empty((len(logs), 3))
    for rows, found in stretches(logs):
        chances[rows] = found
    return chances


def stretches(logs: NDArray[np.floating[Any]]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The marginals of so many sentences at a time, from the last to the first."""
    starts = range(0, len(logs), STRETCH)
    ahead, behind = [_EVEN], _EVEN
    for start in starts[:-1]:
        message = messages(logs[start : start + STRETCH], ahead[-1])[0][-1]
        ahead.append(message / message.sum())
    for start in reversed(starts):
        rows = slice(start, min(start + STRETCH, len(logs)))
        forward, backward, matrices = messages(logs[rows], ahead.pop(), behind)
        if start:
            behind = matrices[0] @ backward[0]
            behind /= behind.sum()
        joint = forward * backward
        joint /= joint.dot(_SUM)
        yield rows, joint


def messages(
    logs: NDArray[np.floating[Any]], first: NDArray[np.float64] = _EVEN, last: NDArray[np.float64] = _EVEN
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Forward (n, 3), with its own sentence, and backward (n, 3) messages, each of any scale; and the matrices.

    `first` is the forward message into the first sentence, `last` the backward one into the last.
    """
    n = len(logs)
    weights = logs.reshape(n, 9).T.astype(np.float64, order="C")
    weights -= np.maximum.reduce(weights)
    matrices = np.exp(weights, out=weights).T.reshape(n, 3, 3)
    # In runs of about √n, all of them at once; the last one is filled up. The backward messages are the forward ones of
    # the reversed chain.
    size = isqrt(max(n - 1, 0)) + 1
    both = np.empty((2, -(-n // size) * size, 3, 3))
    both[0, :n], both[1, :n], both[:, n:] = matrices, matrices[::-1].swapaxes(1, 2), _IDENTITY
    found = _products(both.reshape(2, -1, size, 3, 3), first, last)
    ahead, behind = found[0, :, 1:].reshape(-1, 3)[:n], found[1, :, :-1].reshape(-1, 3)[:n]
    return ahead, behind[::-1], matrices


def _products(runs: NDArray[np.float64], first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, r, s + 1, 3) of r runs of s matrices (2, r, s, 3, 3), each for itself twice: the products, of any scale, of
    a row, `first` and `last`, and all matrices before each one, and all of its run."""
    number, size = runs.shape[1:3]
    before = np.empty((size + 1, 2, number, 3, 3))
    before[0], before[1] = _IDENTITY, runs[:, :, 0]
    factors = runs.transpose(2, 0, 1, 3, 4)
    for step in range(1, size):
        product = np.matmul(before[step], factors[step], out=before[step + 1])
        if step % _RARELY == _RARELY - 1 or step == size - 1:
            flat = product.reshape(-1, 9)
            flat /= flat.dot(_WHOLE)
    into = np.empty((number, 2, 1, 3))
    into[0, 0], into[0, 1] = first, last
    whole = before[size].swapaxes(0, 1)
    for run in range(number - 1):
        product = np.matmul(into[run], whole[run], out=into[run + 1])
        if run % _RARELY == _RARELY - 1:
            product /= np.add.reduce(product, axis=2, keepdims=True)
    return np.asarray(np.matmul(into.swapaxes(0, 1), before)[..., 0, :].transpose(1, 2, 0, 3))
