"""`degloss evaluate`: what would fail after half an hour of fitting fails before it."""

import json
from pathlib import Path

import pytest

from degloss.errors import OutputError, TrainingError
from degloss_training import ablate, commands, kernels, recipe
from degloss_training.ablate import Ablation
from degloss_training.metric import Judged


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
