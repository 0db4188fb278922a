"""Measures, prints Markdown tables and writes them with plots into a folder."""

from __future__ import annotations

import argparse
import platform
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import numpy as np

from bench import measure, texts
from bench.measure import Table

mpl.use("svg")


def main() -> None:
    """`python -m bench --out FOLDER [--public FOLDER] [--quick]`"""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--public", type=Path)
    parser.add_argument("--quick", action="store_true", help="small documents and few runs: a minute")
    arguments = parser.parse_args()
    documents = texts.load(arguments.public)
    rounds, largest = (2, 1_000_000) if arguments.quick else (7, 64_000_000)
    said = [
        f"{len(documents)} documents, {texts.megabytes(documents):.1f} MB; Python {platform.python_version()},"
        f" NumPy {np.__version__}, {platform.machine()}\n"
    ]

    def tell(title: str, table: Table, form: str = ".1f", *, across: bool = False) -> Table:
        said.append(f"\n## {title}\n\n{markdown(table, form, across=across)}")
        print(said[-1], flush=True)
        return table

    print(said[0])
    tell("Stages, ms/MB", measure.stages(documents, rounds), across=True)
    tell("End to end", measure.end_to_end(documents, rounds))
    if find_spec("fasttext") is None:
        print("fastText is not installed, so it is not compared; pip install fasttext-wheel")
    sizes = tell("Size of one document, ms/MB", measure.document_sizes(documents, largest, rounds), across=True)
    tell("Slow inputs, ms/MB", measure.slow_inputs(documents, 3))
    calls = tell("Documents a call, MB/s", measure.batch_sizes(documents, rounds), across=True)
    workers = tell("Processes, MB/s of wall clock", measure.processes(documents), across=True)
    tell("Start-up, ms of wall clock", measure.start_up(documents, rounds * 2), ".2f")
    peak = tell("Peak memory, MB", measure.memory(documents, largest), ".0f", across=True)

    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "performance.md").write_text("".join(said), encoding="utf-8")
    plot(arguments.out / "document-size.svg", sizes, "size of one document", "ms/MB")
    plot(arguments.out / "batch-size.svg", calls, "documents a call", "MB/s")
    plot(arguments.out / "processes.svg", workers, "processes", "MB/s")
    plot(arguments.out / "memory.svg", peak, "size of the input", "peak MB")
    print(f"\nwrote {arguments.out}")


def markdown(table: Table, form: str, *, across: bool) -> str:
    """A Markdown table; `across` has the names of the outer level in the head."""
    if across:
        rows = list(dict.fromkeys(row for column in table.values() for row in column))
        table = {row: {name: column[row] for name, column in table.items() if row in column} for row in rows}
    head = list(dict.fromkeys(name for row in table.values() for name in row))
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, row in table.items():
        lines.append(f"| {name} | " + " | ".join(format(row[c], form) if c in row else "" for c in head) + " |")
    return "\n".join(lines) + "\n"


def plot(path: Path, table: Table, along: str, up: str) -> None:
    """A line for each row of the table; the same figures give the same file."""
    from matplotlib import pyplot

    mpl.rcParams["svg.hashsalt"] = "degloss"
    figure, axes = pyplot.subplots(figsize=(5, 3), layout="constrained")
    for name, row in table.items():
        axes.plot(list(row), list(row.values()), marker="o", label=name)
    axes.set(xlabel=along, ylabel=up)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
