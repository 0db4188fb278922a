"""`degloss train`, `degloss evaluate` and `degloss corpus`: arguments in, exit code out.

The package `degloss` finds these functions by entry point and hands them its remaining arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Final

from degloss.artefact import shipped_folder
from degloss.documents import FAVORS
from degloss.errors import CorpusError, TrainingError
from degloss.separate import load
from degloss.show import counted
from degloss.write import ready_folder, write_file
from degloss_training import ablate, check, exchange, gate, kernels, metric, recipe, report, seen, statistics
from degloss_training import corpus as labelled
from degloss_training import evaluate as evaluation
from degloss_training.train import train as train_model

HERE: Final = Path(__file__).parents[1]
CORPUS: Final = HERE / "corpus"
GATE: Final = HERE / "gate"
FLOORS: Final = HERE / "floors.json"
OURS: Final = ("gate", "folds", "seeds", "authored")
"""Names of sets in the tables that no file of real text may have."""


def train(arguments: list[str]) -> int:
    """Trains a model from a corpus."""
    parser = _parser("train", "Train a model. Writes weights.npz, manifest.json and MODEL_CARD.md.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model, made if need be")
    parser.add_argument("--public", type=Path, help="folder of public texts to compose documents from as well")
    options = parser.parse_args(arguments)
    kernels.pin()
    train_model(options.corpus, options.gate_set, options.public, options.out, _say)
    return 0


def evaluate(arguments: list[str]) -> int:
    """Measures a model, or models trained on folds of the corpus."""
    parser = _parser("evaluate", "Measure on the gate set, on folds of the corpus and on files of real text.")
    parser.add_argument("--model", type=Path, default=None, help="folder of the model; the shipped one otherwise")
    parser.add_argument("--public", type=Path, help="public texts the folds' models compose documents from as well")
    parser.add_argument("--real", type=Path, help="folder of annotated real text: *.jsonl, *.jsonl.gz")
    parser.add_argument("--out", type=Path, default=Path("build/eval"), help="folder for tables and plots")
    parser.add_argument("--no-folds", action="store_true", help="leave out the cross-validation: over an hour")
    parser.add_argument(
        "--no-ablations",
        action="store_true",
        help="leave out the ablations: training without one thing at a time, over an hour",
    )
    parser.add_argument("--favor", choices=FAVORS, default="balanced", help="the mistake to avoid, as in degloss clean")
    parser.add_argument("--gate", action="store_true", help="only check the floors of the gate set")
    parser.add_argument("--floors", type=Path, default=FLOORS, help="the floors")
    parser.add_argument("--set-floors", action="store_true", help="with --gate: set the floors to what is reached")
    parser.add_argument("--lower", action="store_true", help="with --set-floors: allow lower ones")
    options = parser.parse_args(arguments)
    if (options.set_floors and not options.gate) or (options.lower and not options.set_floors):
        parser.error("--lower goes with --set-floors, and --set-floors with --gate")
    if options.favor != "balanced" and (options.gate or not (options.no_folds and options.no_ablations)):
        parser.error(f"--favor {options.favor} goes with --no-folds and --no-ablations, and not with --gate")
    if not (options.gate or (options.no_folds and options.no_ablations)):
        kernels.pin()
    real = [] if options.gate else _real(options.real)
    if not options.gate:
        ready_folder(options.out)
    separator = load(options.model or shipped_folder())
    at_gate = evaluation.on_documents("gate", separator, labelled.load(options.gate_set), options.favor)
    if options.gate:
        return _gate(options, at_gate)
    trained = seen.training_sentences(labelled.load(options.corpus), options.public) if real else frozenset()
    if real and not options.public:
        _say("what real text shares with training texts is looked up in the corpus alone; --public looks there, too")
    at_real = [evaluation.on_file(file, separator, trained, options.favor) for file in real]
    folds = [] if options.no_folds else _folds(options)
    print(report.write([at_gate, *folds, *at_real], options.out))
    if not options.no_ablations:
        print(_ablations(options, real))
    _say(f"tables and plots are in {options.out}")
    return 0


def corpus(arguments: list[str]) -> int:
    """Checks and describes the labelled corpus; hands documents to label tools and takes them back."""
    if arguments[:1] == ["export"]:
        return exchange.export(arguments[1:])
    if arguments[:1] == ["import"]:
        return exchange.import_(arguments[1:])
    parser = _parser("corpus", "Check the labelled documents, say what is in them, take them to label tools and back.")
    parser.add_argument(
        "what", choices=["check", "describe", "export", "import"],
        help="check: find slips, copies and leaks; export, import: to a label tool and back, with options of their own",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.what in ("export", "import"):
        parser.error(
            f"{options.what} comes first and knows neither --corpus nor --gate-set: degloss corpus {options.what} -h"
        )
    if options.what == "describe":
        print(statistics.describe(labelled.load(options.corpus)))
        return 0
    found = check.check(options.corpus, options.gate_set)
    for line in found.notes:
        _say(line)
    for line in found.problems:
        print(line)
    if found.problems:
        raise CorpusError(f"{options.corpus}: {found.summary}")
    _say(f"{counted(found.documents, 'document')}, {found.held_out} held out: no slips, no copies between groups")
    return 0


def _gate(options: argparse.Namespace, result: evaluation.Result) -> int:
    documents = labelled.load(options.gate_set)
    ours = result.judged["degloss"]
    values = {m: i.value for m, i in metric.score(ours).items()}
    scores = {"all": values}
    digest = labelled.digest(documents)
    if options.set_floors:
        floors = gate.set_floors(options.floors, digest, scores, options.lower)
        for line in gate.moves(options.floors, floors):
            print(line)
        write_file(options.floors, floors, force=True)
        _say(f"wrote {options.floors}")
        return 0
    problems = gate.check(options.floors, digest, scores)
    for line in problems:
        print(line)
    if problems:
        raise TrainingError(
            f"{options.floors}: {counted(len(problems), 'measure')} below the floor; find out why, or lower it on"
            " purpose with: degloss evaluate --gate --set-floors --lower"
        )
    _say(f"gate open: {counted(len(documents), 'document')}, " + ", ".join(f"{m} {v:.3f}" for m, v in values.items()))
    return 0


def _folds(options: argparse.Namespace) -> list[evaluation.Result]:
    documents = labelled.load(options.corpus)
    prepared = partial(recipe.prepared, public=options.public)
    alone = []
    for result in evaluation.on_seeds(documents, prepared, recipe.SETTINGS):
        alone.append(result)
        _say(f"without {', '.join(d.name for d in result.judged['degloss'])}: {sum(map(len, result.gold))} sentences")
    data = prepared(documents)
    parts = []
    for k, result in evaluation.on_folds(data, recipe.SETTINGS):
        parts.append(result)
        _say(f"fold {k + 1} of {evaluation.OUTER_FOLDS}: {sum(map(len, result.gold))} sentences")
    return [evaluation.merge("folds", parts), *([evaluation.merge("seeds", alone)] if alone else [])]


def _ablations(options: argparse.Namespace, real: list[Path]) -> str:
    rows: list[dict[str, object]] = []
    whole: list[metric.Judged] = []
    text = ""
    bench = ablate.bench(options.corpus, options.gate_set, options.public, real)
    for number, (ablation, judged) in enumerate(ablate.run(bench), 1):
        whole = whole or judged
        rows += ablate.rows(ablation.name, whole, judged)
        text = ablate.markdown(rows)
        # Each takes minutes, so what is found stands there at once.
        write_file(options.out / "ablations.json", json.dumps(rows, indent=1, ensure_ascii=False).encode(), force=True)
        write_file(options.out / "ablations.md", text.encode(), force=True)
        _say(f"ablation {number} of {len(ablate.ABLATIONS)}: {ablation.name}")
    return text


def _real(folder: Path | None) -> list[Path]:
    if folder is None:
        _say("no folder of real text given (--real, or make eval EVAL=…): left out")
        return []
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not files:
        raise TrainingError(f"{folder}: no evaluation files (*.jsonl, *.jsonl.gz) there; check the path")
    names = [*OURS, *map(evaluation.set_name, files)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrainingError(f"{folder}: more than one set is called {', '.join(twice)}; rename the files")
    return files


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"degloss {name}", description=description)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of labelled documents")
    parser.add_argument("--gate-set", type=Path, default=GATE, help="folder of labelled documents never trained on")
    return parser


def _say(message: str) -> None:
    print(f"degloss: {message}", file=sys.stderr)
