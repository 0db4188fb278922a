"""The likelihood of the chain with its memory, and its gradient, which the fit goes down.

The way forward is that of `degloss.decode.answers` (tested to agree), but for what is left out at random. The way back
is written out by hand: the rules of the chain over arrays, in the reverse order of the way forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.boundary import EDGES
from degloss.decode import TOLD, Chain, joined
from degloss.memory import HEARD, KEPT, REACH, Memory, carried, in_text, mixed, opened, running, side_by_side
from degloss.messages import messages
from degloss_training.settings import Settings

Floats = NDArray[np.float32]

GATES: Final = 0.5
"""What opens the gates before anything is learned: they then keep 0.73 of what is remembered."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """All that one member learns, as one vector and as the arrays that `Chain` and `Memory` have, which share its
    numbers."""

    flat: Floats
    chain: dict[str, Floats]
    memory: dict[str, Floats]

    @classmethod
    def of(cls, features: int, flat: Floats) -> Parameters:
        """The arrays of a vector."""
        shapes = _shapes(features)
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        pieces = np.split(flat, np.cumsum(sizes)[:-1])
        arrays = {name: p.reshape(shape) for p, (name, shape) in zip(pieces, shapes.items(), strict=True)}
        named = [(name.split("."), array) for name, array in arrays.items()]
        return cls(flat, *({n: a for (part, n), a in named if part == of} for of in ("chain", "memory")))

    @classmethod
    def drawn(cls, features: int, rng: np.random.Generator) -> Parameters:
        """A start: small random weights into what is heard, remembered and told, none into the labels' own."""
        size = sum(int(np.prod(shape)) for shape in _shapes(features).values())
        found = cls.of(features, np.zeros(size, np.float32))
        found.chain["hidden"][:] = _spread(rng, features, found.chain["hidden"].shape)
        found.chain["told"][:] = rng.normal(0, 0.1, found.chain["told"].shape)
        for layer, inputs in (("first", HEARD), ("second", 2 * KEPT)):
            found.memory[layer][:] = _spread(rng, REACH * inputs, found.memory[layer].shape)
            found.memory[f"{layer}_bias"].reshape(2, 2, KEPT)[:, 1] = GATES
        return found

    def model(self, mean: Floats, spread: Floats) -> tuple[Chain, Memory]:
        """The chain and memory of this member alone, uncalibrated."""
        chain, memory = ({name: array.copy() for name, array in part.items()} for part in (self.chain, self.memory))
        return Chain(mean=mean, spread=spread, temperature=np.array(1, np.float32), **chain), Memory(**memory)


def _shapes(features: int) -> dict[str, tuple[int, ...]]:
    return {
        "chain.weights": (features, 3), "chain.bias": (3,), "chain.hidden": (features, HEARD),
        "chain.hidden_bias": (HEARD,), "chain.told": (TOLD, 3), "chain.turns": (2, TOLD, 3, 3),
        "chain.edges": (len(EDGES), 3, 3), "chain.first": (3,),
        "memory.first": (1, REACH, HEARD, 4 * KEPT), "memory.first_bias": (1, 4 * KEPT),
        "memory.second": (1, REACH, 2 * KEPT, 4 * KEPT), "memory.second_bias": (1, 4 * KEPT),
    }  # fmt: skip


def _spread(rng: np.random.Generator, inputs: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform numbers that keep sums of so many inputs about as large as these."""
    return rng.uniform(-1, 1, shape) * np.float64(inputs) ** -0.5


class Example(NamedTuple):
    """Whole documents, one behind the other: standardised features (m, k), edge features (m, e), labels (m), weights
    (m), and which sentences open a document (m)."""

    features: Floats
    edges: Floats
    gold: NDArray[np.int8]
    weight: Floats
    opens: NDArray[np.bool_]


def gradient(
    parameters: Parameters, given: Example, settings: Settings, rng: np.random.Generator | None = None
) -> tuple[float, Floats]:
    """The weighted negative log-likelihood of the labels, and its slope for each parameter; without random numbers
    nothing is left out."""
    chain, opens = parameters.chain, given.opens
    back = Parameters.of(given.features.shape[1], np.zeros_like(parameters.flat))
    documents, width = np.cumsum(opens) - 1, given.features.shape[1]
    features = given.features * _dropped(rng, settings.withheld, (int(documents[-1]) + 1, width), documents)
    features *= _dropped(rng, settings.features_dropped, features.shape)
    layer = np.tanh(features @ chain["hidden"] + chain["hidden_bias"])
    stays = [_dropped(rng, settings.dropped, (len(layer), n)) for n in (HEARD, 2 * KEPT, 2 * KEPT)]
    heard = layer * stays[0]
    first = _Layer(parameters.memory, "first", heard, opens)
    second = _Layer(parameters.memory, "second", first.means * stays[1], opens)
    if not settings.remembers:
        stays[2] = np.zeros((1, 1), np.float32)
    told = np.concatenate([second.means * stays[2], heard], 1)
    weights = joined(chain["told"], chain["turns"])
    said = told @ weights
    emission = features @ chain["weights"] + chain["bias"] + said[:, :3]
    changes = given.edges @ chain["edges"].reshape(-1, 9) + said[:, 12:]
    changes[1:] += said[:-1, 3:12]
    changes = changes.reshape(-1, 3, 3)
    np.copyto(changes, chain["first"], where=opens[:, None, None])

    value, slope = likelihood(changes + emission[:, None, :], given)

    of_emission = slope.sum(1)
    back.chain["first"][:] = of_emission[opens].sum(0)
    slope[opens] = 0
    between = slope.reshape(-1, 9)
    of_said = np.concatenate([of_emission, np.concatenate([between[1:], np.zeros((1, 9), np.float32)]), between], 1)
    of_telling = told.T @ of_said
    back.chain["told"][:] = of_telling[:, :3]
    back.chain["turns"].reshape(2, TOLD, 9)[:] = of_telling[:, 3:].reshape(TOLD, 2, 9).swapaxes(0, 1)
    back.chain["edges"].reshape(-1, 9)[:] = given.edges.T @ between
    back.chain["weights"][:], back.chain["bias"][:] = features.T @ of_emission, of_emission.sum(0)
    of_told = of_said @ weights.T
    of_first = second.back(of_told[:, : 2 * KEPT] * stays[2], back.memory) * stays[1]
    of_heard = first.back(of_first, back.memory) + of_told[:, 2 * KEPT :]
    of_layer = of_heard * stays[0] * (1 - layer**2)
    back.chain["hidden"][:], back.chain["hidden_bias"][:] = features.T @ of_layer, of_layer.sum(0)
    return value, back.flat


def _dropped(
    rng: np.random.Generator | None, share: float, shape: tuple[int, ...], of: NDArray[np.int64] | None = None
) -> Floats:
    """Zero for a random share of numbers; the others make up for them. With `of`, one draw for several rows: row i is
    row of[i] of what is drawn."""
    if rng is None or not share:
        return np.ones((1, 1), np.float32)
    found: Floats = (rng.random(shape, np.float32) >= share) * np.float32(1 / (1 - share))
    return found if of is None else found[of]


class _Layer:
    """A layer of the memory on its way forward, with what the way back needs."""

    def __init__(self, memory: dict[str, Floats], name: str, rows: Floats, opens: NDArray[np.bool_]) -> None:
        self.name, self.rows, self.opens, self.weights = name, rows, opens, memory[name][0]
        gates = opened(mixed(rows, side_by_side(memory[name]), memory[f"{name}_bias"], opens))
        self.kept, self.value = (of_all[:, :, 0] for of_all in gates)
        self.carried = carried(self.kept, opens)
        self.running = running(self.carried, self.value - self.kept * self.value)
        self.means = in_text(self.running[:, :, None])

    def back(self, slope: Floats, memory: dict[str, Floats]) -> Floats:
        """Writes the slopes of the weights, and returns that of the rows."""
        n = len(slope)
        steps = np.stack([slope[:, :KEPT], slope[::-1, KEPT:]], 1)
        # What moves a mean moves all that are read later, as far as it is kept: the same recurrence from the other end.
        later = np.concatenate([self.carried[1:], np.zeros_like(steps[:1])])
        steps = running(later[::-1], steps[::-1])[::-1]
        earlier = np.concatenate([np.zeros_like(steps[:1]), self.running[:-1]])
        earlier[self.carried == 0] = 0  # where a lane begins, or nothing at all is kept
        gates = 2 * self.kept * (1 - self.kept) * steps * (earlier - self.value)
        values = (1 - self.kept) * (1 - self.value**2) * steps
        both = np.stack([values, gates], 2)
        flat = np.stack([both[:, 0], both[::-1, 1]], 1).reshape(n, 4 * KEPT)
        memory[f"{self.name}_bias"][:] = flat.sum(0)
        # What enters at a row is the one before it in its lane, it, and the one behind it.
        inside = np.where(self.opens[1:, None], np.float32(0), flat[1:]), np.where(self.opens[1:, None], 0, flat[:-1])
        weights = memory[self.name][0]
        weights[0], weights[1], weights[2] = (
            self.rows[:-1].T @ inside[0], self.rows.T @ flat, self.rows[1:].T @ inside[1],
        )  # fmt: skip
        rows: Floats = flat @ self.weights[1].T
        rows[:-1] += inside[0] @ self.weights[0].T
        rows[1:] += inside[1] @ self.weights[2].T
        return rows


def likelihood(logs: NDArray[np.floating], given: Example) -> tuple[float, Floats]:
    """The weighted negative log-likelihood, and its slope for each potential (m, 3, 3); of those that open a document
    the slopes of one label are in the first of its three.

    The log-likelihood is the sum over sentences of log p(label | label before, everything), each with its weight. All
    that comes later is in such a probability, so a sentence moves the potentials behind it too: by its weight less
    that of the sentence before it, along the distribution of what follows its label.
    """
    gold, weight, opens = given.gold.astype(np.intp), given.weight.astype(np.float64), given.opens
    _, behind, matrices = messages(logs)
    onward = matrices * behind[:, None, :]
    onward /= onward.sum(2, keepdims=True)
    before = np.concatenate([gold[:1], gold[:-1]])
    rows = np.arange(len(gold))
    entered = np.where(opens, 0, before)
    chosen = onward[rows, entered, gold]
    value = -float(weight @ np.log(np.maximum(chosen, 1e-300)))

    closes = np.append(opens[1:], True)
    moved = np.zeros((len(gold), 3))
    moved[rows, gold] = np.where(closes, 0, np.append(weight[1:], 0) - weight)
    # Side by side the first sentences of all documents, their second ones, …, the longest document first.
    firsts = np.flatnonzero(opens)
    lengths = np.diff(np.append(firsts, len(gold)))
    longest = np.argsort(-lengths, kind="stable")
    firsts, lengths = firsts[longest], lengths[longest]
    slope = np.zeros((len(gold), 3, 3))
    slope[firsts, 0] = weight[firsts, None] * onward[firsts, 0]
    flow = slope[firsts, 0] + moved[firsts]
    for step in range(1, int(lengths[0])):
        here = firsts[: np.searchsorted(-lengths, -step)] + step
        pairs = flow[: len(here), :, None] * onward[here]
        slope[here] = pairs
        flow = pairs.sum(1) + moved[here]
    slope[rows, entered, gold] -= weight
    return value, slope.astype(np.float32)
