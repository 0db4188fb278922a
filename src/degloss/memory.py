"""Memory: who has spoken before a sentence and who will behind it, as far as that matters.

Two layers, the second over the first, each of which reads a document from both ends and keeps running means: at every
sentence, each number that is remembered moves towards a new value, h ← f·h + (1 − f)·z, and the value z and how much is
kept f depend on the sentence and its two neighbours (quasi-recurrent networks; Bradbury et al. 2017). What is learned
is what to remember and when to forget it: at a separator, a signature, a change of tone.

There are several such memories, the members of an ensemble (`decode`), each of which reads what it hears itself. They
stand side by side in one set of arrays: on a short document a call of NumPy takes about as long for all as for one.

Of a document of more than `LANE` sentences each stretch of so many is read for itself, with `MARGIN` more on either
side: what was said further away is no help, and stretches need little room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

HEARD: Final = 64
"""Numbers a sentence that a member reads."""

KEPT: Final = 16
"""Running means a layer, direction and member; docs/experiments.md."""

LANE: Final = 1024
"""Sentences of a document that are read at a time."""

MARGIN: Final = 128
"""Sentences read before and behind a stretch of a longer document; at least one, which the first boundary asks for."""

REACH: Final = 3
"""What enters a layer at a sentence: the one before it, it, the one behind it."""


@dataclass(frozen=True, eq=False)
class Memory:
    """The weights of the two layers of g members.

    first        (g, 3, HEARD, 4 · KEPT) of the numbers read at the sentence before, the sentence, the one behind it, to
                 the value and the gate of the forward, then of the backward means
    first_bias   (g, 4 · KEPT)
    second       (g, 3, 2 · KEPT, 4 · KEPT) the same of the means of the first layer
    second_bias  (g, 4 · KEPT)
    """

    first: NDArray[np.float32]
    first_bias: NDArray[np.float32]
    second: NDArray[np.float32]
    second_bias: NDArray[np.float32]

    @cached_property
    def layers(self) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
        """The weights of each layer `side_by_side`, and its bias."""
        return (side_by_side(self.first), self.first_bias), (side_by_side(self.second), self.second_bias)


class Lanes(NamedTuple):
    """Stretches of documents that are read each for itself; all are arrays of l rows, in the order of the text.

    heard, begins, ends, until  the first row read, the first and the row after the last that it is read for, and the
                                row after the last one read
    """

    heard: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    until: NDArray[np.int64]

    @property
    def whole(self) -> bool:
        """Whether each lane is a whole document."""
        return self.heard is self.begins

    def at(self, rows: slice) -> Lanes:
        """Some of the lanes."""
        begins, ends = self.begins[rows], self.ends[rows]
        if self.whole:
            return Lanes(begins, begins, ends, ends)
        return Lanes(self.heard[rows], begins, ends, self.until[rows])


def lanes(documents: NDArray[np.int64]) -> Lanes:
    """The lanes of documents that begin at these rows (d + 1); of a document without sentences there is none."""
    first, last = documents[:-1], documents[1:]
    lengths = last - first
    if np.maximum.reduce(lengths, initial=0) <= LANE:  # as nearly always
        some = lengths > _NONE
        first, last = first[some], last[some]
        return Lanes(first, first, last, last)
    count = -(-lengths // LANE)
    of = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    begins = first[of] + number * LANE
    ends = np.minimum(begins + LANE, last[of])
    return Lanes(np.maximum(begins - MARGIN, first[of]), begins, ends, np.minimum(ends + MARGIN, last[of]))


def remember(memory: Memory, heard: NDArray[np.float32], begins: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(m, g · 2 · KEPT) the running means of the second layer, of each member the forward and the backward ones, from
    what is heard (m, g · HEARD) at the sentences of some lanes, one behind the other; `begins` (m) says which are the
    first of their lane."""
    found = heard
    for weights, bias in memory.layers:
        kept, value = opened(mixed(found, weights, bias, begins))
        found = in_text(running(carried(kept, begins), value - kept * value))
    return found


def side_by_side(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(g, inputs, 3 · 4 · KEPT) the weights of a layer as one matrix a member: what a row gives to the row behind it,
    to itself, to the row before it."""
    return np.concatenate(list(weights.swapaxes(0, 1)), 2)


def mixed(
    rows: NDArray[np.float32], weights: NDArray[np.float32], bias: NDArray[np.float32], begins: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(g, m, 4 · KEPT) what a layer makes of each row (m, g · inputs) and its two neighbours, with its weights
    `side_by_side`; beyond the ends of a lane is nothing."""
    members, inputs, width = *weights.shape[:2], bias.shape[1]
    given = np.matmul(rows.reshape(-1, members, inputs).swapaxes(0, 1), weights)
    ahead, back = given[:, :-1, :width], given[:, 1:, 2 * width :]
    ahead[:, begins[1:]] = 0
    back[:, begins[1:]] = 0
    sums: NDArray[np.float32] = given[:, :, width : 2 * width] + bias[:, None]
    sums[:, 1:] += ahead
    sums[:, :-1] += back
    return sums


def opened(sums: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(m, 2, g, KEPT) how much is kept, and the value, in the order they are read: forward, and backward from the
    end."""
    members, rows = sums.shape[:2]
    sums = sums.reshape(members, rows, 2, 2, KEPT).swapaxes(0, 1)
    both = np.empty((rows, 2, members, 2, KEPT), np.float32)
    np.tanh(sums[:, :, 0], out=both[:, 0])
    np.tanh(sums[::-1, :, 1], out=both[:, 1])
    kept = both[:, :, :, 1] * _HALF  # the logistic function of twice the sum
    kept += _HALF
    return kept, both[:, :, :, 0]


def carried(kept: NDArray[np.float32], begins: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(m, 2, g, KEPT) how much is kept of what was read before: nothing where a lane begins, from either end."""
    carried = kept.copy()
    carried[begins, 0] = 0
    carried[1:][begins[:0:-1], 1] = 0
    return carried


def in_text(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, g · 2 · KEPT) of each sentence the forward and the backward means of each member, in the order of the
    text."""
    return np.concatenate([means[:, 0], means[::-1, 1]], 2).reshape(len(means), -1)


def running(kept: NDArray[np.float32], added: NDArray[np.float32]) -> NDArray[np.float32]:
    """h of h[i] = kept[i] · h[i - 1] + added[i], along the first axis of arrays (m, …), with nothing before the first.

    The rows are cut into about √m runs of as many rows, which are summed side by side, and then joined: a loop over
    all rows would take most of the time in Python (as for the messages of the chain, `messages`).
    """
    m = len(kept)
    size = isqrt(max(m - 1, 0)) + 1
    shape = (-(-m // size), size, *kept.shape[1:])
    sums, products = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    sums.reshape(-1, *shape[2:])[:m], products.reshape(-1, *shape[2:])[:m] = added, kept
    for step in range(1, size):
        here = products[:, step]
        sums[:, step] += here * sums[:, step - 1]
        here *= products[:, step - 1]
    for number in range(1, len(sums)):
        sums[number] += products[number] * sums[number - 1, -1]
    return sums.reshape(-1, *shape[2:])[:m]


_HALF: Final[Any] = np.array(0.5, np.float32)
_NONE: Final = np.array(0)
