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
_RARELY: Final = 4  # factors stay far from the limits of float64


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
        ahead.append(messages(logs[start : start + STRETCH], ahead[-1])[0][-1])
    for start in reversed(starts):
        rows = slice(start, min(start + STRETCH, len(logs)))
        forward, backward, matrices = messages(logs[rows], ahead.pop(), behind)
        if start:
            behind = matrices[0] @ backward[0]
            behind /= behind.sum()
        joint = forward * backward
        joint /= np.add.reduce(joint, axis=1, keepdims=True)
        yield rows, joint


def messages(
    logs: NDArray[np.floating[Any]], first: NDArray[np.float64] = _EVEN, last: NDArray[np.float64] = _EVEN
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Forward (n, 3), with its own sentence, and backward (n, 3) messages, each of any scale; and the matrices.

    `first` is the forward message into the first sentence, `last` the backward one into the last.
    """
    n = len(logs)
    flat = np.asarray(logs.reshape(n, 9), np.float64)
    matrices = np.exp(flat - np.maximum.reduce(flat, axis=1, keepdims=True)).reshape(n, 3, 3)
    # In runs of about √n, all of them at once; the last one is filled up. The backward messages are the forward ones of
    # the reversed chain.
    size = isqrt(max(n - 1, 0)) + 1
    both = np.empty((2, -(-n // size) * size, 3, 3))
    both[0, :n], both[1, :n], both[:, n:] = matrices, matrices[::-1].swapaxes(1, 2), _IDENTITY
    into = _products(both.reshape(2, -1, size, 3, 3).transpose(2, 1, 0, 3, 4).copy(), np.array([[first], [last]]))
    forward, backward = into.transpose(2, 1, 0, 3, 4).reshape(2, -1, 1, 3)[:, :n]
    ahead = (forward @ matrices)[:, 0]
    ahead /= np.add.reduce(ahead, axis=1, keepdims=True)
    return ahead, backward[::-1, 0], matrices


def _products(runs: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """(s, r, 2, 1, 3) the product, of any scale, of rows (2, 1, 3) and all matrices (s, r, 2, 3, 3) before each one.

    The matrices are r runs of s, each for itself twice.
    """
    size, number = runs.shape[:2]
    flat = runs.reshape(size, 2 * number, 3, 3)
    before = np.empty((size + 1, 2 * number, 3, 3))  # the product of those before each, in its run
    before[0] = _IDENTITY
    for step in range(size):
        product = np.matmul(before[step], flat[step], out=before[step + 1])
        if step % _RARELY == _RARELY - 1 or step == size - 1:
            product /= np.maximum.reduce(product, axis=(1, 2), keepdims=True)
    whole = before[size].reshape(number, 2, 3, 3)
    into = np.empty((number + 1, 2, 1, 3))  # the product of all runs before each
    into[0] = start
    for run in range(number):
        product = np.matmul(into[run], whole[run], out=into[run + 1])
        if run % _RARELY == _RARELY - 1:
            product /= np.add.reduce(product, axis=2, keepdims=True)
    return np.asarray(np.matmul(into[:number], before[:size].reshape(size, number, 2, 3, 3)))
