"""A seeded search for slow inputs: short strings that, repeated, take the most time a character.

    python -m bench.search --generations 30

Strings are bred: the slowest are kept, and new ones made of them by inserting, dropping and joining. What it finds is
kept in tests/cases/slow_inputs.tsv.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Final

from degloss.separate import Separator, shipped

ALPHABET: Final = [
    *"aA1.!?…,:;-„“”\"'«»()[]{}@#/+*😂‼\u0301\u200d\ufe0f\n\r\t \u2028\ud800",
    "z. B. ", "1. ", "Na. ", "„Ja“", "\n\n", "Der Rat tagt. ", "https://a.de ", "x" * 50, "wort " * 12 + "\n",
]  # fmt: skip
CHARACTERS: Final = 10_000
_KEPT: Final = 12


def cost(separator: Separator, unit: str, runs: int = 2) -> float:
    """Microseconds a character of the unit repeated."""
    text = unit * (CHARACTERS // len(unit))
    best = float("inf")
    for _ in range(runs):
        began = time.process_time()
        separator.separate(text)
        best = min(best, time.process_time() - began)
    return best / len(text) * 1e6


def search(generations: int, seed: int) -> dict[str, float]:
    """The slowest units with their costs, the slowest first."""
    rng, separator = random.Random(seed), shipped()
    costs = {unit: cost(separator, unit) for unit in ALPHABET}
    for _ in range(generations):
        best = sorted(costs, key=lambda unit: -costs[unit])[:_KEPT]
        for unit in best:
            place = rng.randint(0, len(unit))
            child = rng.choice(
                (
                    unit[:place] + rng.choice(ALPHABET) + unit[place:],
                    unit[:place] + unit[place + 1 :],
                    unit + rng.choice(best),
                )
            )[:200]
            if child and child not in costs:
                costs[child] = cost(separator, child)
    return dict(sorted(costs.items(), key=lambda item: -item[1]))


def main() -> None:
    """Prints the slowest units and how much slower than running text they are."""
    parser = argparse.ArgumentParser(prog="bench.search", description=__doc__)
    parser.add_argument("--generations", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    running = cost(shipped(), "Der Rat der Stadt hat am Montag nach langer Debatte einen neuen Plan beschlossen. ")
    for unit, found in list(search(arguments.generations, arguments.seed).items())[:25]:
        print(f"{found / running:6.1f} ×  {unit!a}")


if __name__ == "__main__":
    main()
