"""`degloss evaluate`: what would fail after half an hour of fitting fails before it."""

import json
import shutil
from pathlib import Path

import pytest

from conftest import ARTICLE, COMMENT
from degloss.documents import FAVORS
from degloss.errors import CorpusError, OutputError, TrainingError
from degloss_training import ablate, commands, kernels, recipe
from degloss_training.ablate import Ablation
from degloss_training.metric import Judged


def gate_set(folder: Path) -> list[str]:
    """Two labelled documents in a folder, as options."""
    (folder / "gate").mkdir()
    for name, comment in (("x-1", COMMENT), ("x-2", "Ich finde das falsch.")):
        (folder / "gate" / f"{name}.txt").write_text(f"[[article]]\n{ARTICLE}\n[[commentary]]\n{comment}\n")
    return ["--gate-set", str(folder / "gate")]


@pytest.fixture(autouse=True)
def nothing_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "pin", lambda: None)
    monkeypatch.setattr(recipe, "prepared", lambda *_: pytest.fail("documents were prepared"))


@pytest.mark.parametrize("place", ["file", "file/eval"])
def test_a_file_in_place_of_the_folder(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"file.*: a file stands where a folder is needed"):
        commands.evaluate(["--out", str(tmp_path / place)])
    assert (tmp_path / "file").read_text() == "x"


def test_real_text_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"fehlt: no evaluation files"):
        commands.evaluate(["--out", str(tmp_path / "out"), "--real", str(tmp_path / "fehlt")])


@pytest.mark.parametrize("names", [["a.jsonl", "a.jsonl.gz"], ["gate.jsonl"], ["folds.jsonl.gz"]], ids=str)
def test_two_sets_of_one_name(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(TrainingError, match=rf"more than one set is called {names[0].partition('.')[0]}; rename"):
        commands.evaluate(["--out", str(tmp_path / "out"), "--real", str(tmp_path)])


def test_real_text_that_cannot_be_read(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{")
    with pytest.raises(TrainingError, match=r"a\.jsonl:1: not an evaluation file"):
        commands.evaluate(
            ["--out", str(tmp_path / "out"), "--real", str(tmp_path), "--model", str(model), *gate_set(tmp_path)]
        )


def test_real_text_that_was_trained_on_is_named(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    known = "Der Rat von Altenau hat am Dienstag im Rathaus lange über die neue Brücke gesprochen."
    (tmp_path / "corpus" / "y-1.txt").write_text(f"[[article]]\nVorspann.\n{known}", "utf-8")
    spans = [{"start": 0, "end": len(known), "label": "article"}]
    real = {"id": "seite-7", "kind": "mixed", "text": known, "spans": spans}
    (tmp_path / "a.jsonl").write_text(json.dumps(real))
    commands.evaluate([
        "--no-folds", "--no-ablations", "--out", str(tmp_path / "out"), "--real", str(tmp_path), "--model", str(model),
        "--corpus", str(tmp_path / "corpus"), *gate_set(tmp_path),
    ])  # fmt: skip
    told = capsys.readouterr()
    assert "Shared with training texts: 1 document (seite-7)" in told.out
    assert "in the corpus alone; --public looks there, too" in told.err
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert scores["a"]["shared with training texts"] == {"documents": 1, "names": ["seite-7"]}
    assert "shared with training texts" not in scores["gate"]


def test_what_favor_costs_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gate").mkdir()
    for path in commands.GATE.glob("g2-*.txt"):  # short texts, of which the shipped model is not sure
        shutil.copy(path, tmp_path / "gate")
    options = ["--gate-set", str(tmp_path / "gate"), "--out", str(tmp_path / "out")]
    lost = []
    for favor in FAVORS:
        assert commands.evaluate([*options, "--no-folds", "--no-ablations", "--favor", favor]) == 0
        (kind,) = json.loads((tmp_path / "out" / "scores.json").read_text())["gate"]["kinds"].values()
        lost.append(kind["systems"]["degloss"]["article lost"]["value"])
    assert lost[FAVORS.index("precision")] > lost[FAVORS.index("balanced")] > lost[FAVORS.index("recall")]
    for given in (["--gate"], ["--no-folds"]):
        with pytest.raises(SystemExit, match="2"):
            commands.evaluate([*options, *given, "--favor", "recall"])
        assert "--favor recall goes with --no-folds and --no-ablations" in capsys.readouterr().err


def test_a_gate_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="fehlt"):
        commands.train(["--out", str(tmp_path / "model"), "--gate-set", str(tmp_path / "fehlt")])


@pytest.mark.parametrize("name", ["x-2", "x-9"])
def test_nothing_is_trained_on_the_gate_set(name: str, tmp_path: Path) -> None:
    options = gate_set(tmp_path)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "x-3.txt").write_text("[[article]]\nEin anderer Text.\n")
    copy = tmp_path / "corpus" / f"{name}.txt"
    copy.write_text(f"[[commentary]]\n{(tmp_path / 'gate' / 'x-1.txt').read_text().replace('[[article]]', '')[1:]}")
    if name == "x-2":
        copy.write_text("[[article]]\nNoch ein anderer Text.\n")
    with pytest.raises(TrainingError, match=rf"corpus: {name}: in the gate set as well, .*; delete it from the corpus"):
        commands.train(["--out", str(tmp_path / "model"), "--corpus", str(tmp_path / "corpus"), *options])
    with pytest.raises(
        CorpusError, match=r"corpus: \d traces? of the gate set, delete these documents from the corpus"
    ):
        commands.corpus(["check", "--corpus", str(tmp_path / "corpus"), *options])


def test_the_check_tells_all_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = gate_set(tmp_path)
    (tmp_path / "gate" / "x-2.txt").unlink()  # much the same as the other
    (tmp_path / "corpus").mkdir()
    for name, data in (("y-1", "Eins."), ("y-2", "[[comment]]\nEins."), ("y-3", "[[article]]\nZwei.")):
        (tmp_path / "corpus" / f"{name}.txt").write_text(data)
    given = ["check", "--corpus", str(tmp_path / "corpus"), *options]
    with pytest.raises(CorpusError, match=r"corpus: 2 slips of the format, mend them$"):
        commands.corpus(given)
    told = capsys.readouterr()
    assert [line.rpartition("/")[2].partition(":")[0] for line in told.out.splitlines()] == ["y-1.txt", "y-2.txt"]
    assert "y-3 is the only document of the batch y" in told.err
    for name in ("y-1", "y-2"):
        (tmp_path / "corpus" / f"{name}.txt").unlink()
    assert commands.corpus(given) == 0
    assert "1 document, 1 held out: no slips, no copies between groups" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--set-floors"], ["--gate", "--lower"], ["--lower", "--set-floors"]], ids=str)
def test_options_of_the_gate_without_the_gate(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.evaluate(options)
    assert end.value.code == 2
    assert "--lower goes with --set-floors" in capsys.readouterr().err


def test_the_gate(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    floors = tmp_path / "floors.json"
    given = ["--gate", "--model", str(model), "--floors", str(floors), *gate_set(tmp_path)]
    assert commands.evaluate([*given, "--set-floors"]) == 0
    reached = json.loads(floors.read_text())["floors"]["all"]
    assert f"all macro F – → {reached['macro F']}" in capsys.readouterr().out
    assert commands.evaluate(given) == 0
    assert "gate open: 2 documents" in capsys.readouterr().err
    floors.write_text(floors.read_text().replace(str(reached["macro F"]), "0.9999"))
    with pytest.raises(TrainingError, match=r"floors\.json: 1 measure below the floor"):
        commands.evaluate(given)
    assert "macro F" in capsys.readouterr().out
    other = json.loads(floors.read_text())
    floors.write_text(json.dumps({**other, "corpus": "e" * 64}))
    with pytest.raises(TrainingError, match=r"would lower all macro F 0\.9999 → .*; say --lower"):
        commands.evaluate([*given, "--set-floors"])
    assert commands.evaluate([*given, "--set-floors", "--lower"]) == 0
    assert f"all macro F 0.9999 → {reached['macro F']}" in capsys.readouterr().out


def test_each_ablation_is_on_disk_when_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = [Judged(str(i), "gate", (0, 1, 1), (0, 1, 1)) for i in range(3)]

    def one(_: ablate.Bench, ablation: Ablation) -> list[Judged]:
        if ablation.name == ablate.ABLATIONS[2].name:
            raise MemoryError
        return judged

    monkeypatch.setattr(ablate, "bench", lambda *_: None)
    monkeypatch.setattr(ablate, "judged", one)
    with pytest.raises(MemoryError):
        commands.evaluate(["--out", str(tmp_path), "--no-folds"])
    rows = json.loads((tmp_path / "ablations.json").read_text())
    assert [row["without"] for row in rows] == ["nothing: the measures themselves", ablate.ABLATIONS[1].name]
    assert ablate.ABLATIONS[1].name in (tmp_path / "ablations.md").read_text()
