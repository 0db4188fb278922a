"""`degloss evaluate`: what would fail after half an hour of fitting fails before it."""

import json
from pathlib import Path

import pytest

from conftest import ARTICLE, COMMENT
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
    with pytest.raises(TrainingError, match=r"a\.jsonl: not an evaluation file"):
        commands.evaluate(
            ["--out", str(tmp_path / "out"), "--real", str(tmp_path), "--model", str(model), *gate_set(tmp_path)]
        )


def test_a_gate_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="fehlt"):
        commands.train(["--out", str(tmp_path / "model"), "--gate-set", str(tmp_path / "fehlt")])


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
    assert commands.evaluate(given) == 0
    assert "gate open: 2 documents" in capsys.readouterr().err
    floors.write_text(floors.read_text().replace(str(reached["macro F"]), "0.9999"))
    with pytest.raises(TrainingError, match=r"floors\.json: 1 measure below the floor"):
        commands.evaluate(given)
    assert "macro F" in capsys.readouterr().out


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
