"""The command line on several machines: the same bytes as on one, whoever is lost on the way."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import KilledWorker, LocalCluster

from conftest import ARTICLE, COMMENT, LINK, PAGE, Run
from degloss import cluster, parts
from degloss.artefact import Model
from degloss.errors import ClusterError, DeglossError, OutputError
from degloss.separate import Separator
from degloss.tally import NothingDone, Tally


@pytest.fixture(scope="module")
def machines() -> Iterator[LocalCluster]:
    """Two worker processes under a scheduler of their own."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with all that can be labelled: a dump with bad lines, a packed one, pages."""
    folder = tmp_path / "archive"
    folder.mkdir()
    lines = [json.dumps({"id": n, "text": [PAGE, COMMENT, "", LINK][n % 4] * (n % 3 + 1)}) for n in range(300)]
    lines[40:40] = ['{"id": "no text"}', "", "no JSON"]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(("\n".join(lines[:30]) + "\n").encode()))
    for n in range(5):
        (folder / f"c{n}.txt").write_text(f"{n}. {ARTICLE}\n\n{COMMENT}\n")
    return folder


def told() -> tuple[Tally, list[str]]:
    messages: list[str] = []
    return Tally(messages.append), messages


def label(made: LocalCluster, separator: Separator, sources: list[str], output: str | None, **options: Any) -> Any:
    tally, messages = told()
    given: dict[str, Any] = {
        "format": "jsonl",
        "favor": "balanced",
        "text_field": None,
        "force": False,
        "quiet": True,
    } | options
    cluster.label(sources, output, separator, scheduler=made.scheduler_address, tally=tally, **given)
    return tally, messages


@pytest.mark.parametrize("format", ["jsonl", "tsv", "text"])
def test_the_command_says_the_same_with_and_without_a_cluster(
    format: str, machines: LocalCluster, archive: Path, tmp_path: Path, degloss: Run
) -> None:
    # Not packed files: without a cluster these may be read otherwise.
    files = sorted(str(path.relative_to(tmp_path)) for path in archive.iterdir() if path.suffix != ".gz")
    alone = degloss("label", *files, "--format", format)
    together = degloss(
        "label", "archive/*.jsonl", "archive/*.txt", "--format", format, "--scheduler", machines.scheduler_address
    )
    assert together.stdout == alone.stdout
    assert together.stderr == alone.stderr
    assert together.returncode == alone.returncode == 3
    assert b"archive/a.jsonl:41: no field 'text'" in together.stderr
    assert len(together.stdout.splitlines()) > 300


def test_cut_files_give_the_same_bytes_and_the_same_errors(
    machines: LocalCluster, separator: Separator, archive: Path, tmp_path: Path, degloss: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(parts, "PART_BYTES", 1000)
    monkeypatch.chdir(tmp_path)
    tally, messages = label(machines, separator, ["archive/a.jsonl"], "out.jsonl")
    alone = degloss("label", "archive/a.jsonl", "--format", "jsonl")
    assert Path("out.jsonl").read_bytes() == alone.stdout
    assert (tally.done, tally.failed) == (300, 2)
    assert messages == [line.removeprefix("degloss: ") for line in alone.stderr.decode().splitlines()[:-1]]
    with pytest.raises(OutputError, match="exists already"):
        label(machines, separator, ["archive/a.jsonl"], "out.jsonl")
    with pytest.raises(OutputError, match="is an input"):
        label(machines, separator, ["archive/a.jsonl"], "archive/a.jsonl", force=True)


def test_a_run_into_files_ends_with_a_summary(degloss: Run, archive: Path, machines: LocalCluster) -> None:
    args = (
        "label",
        "archive/c*.txt",
        "archive/a.jsonl",
        "--format",
        "jsonl",
        "--scheduler",
        machines.scheduler_address,
    )
    done = degloss(*args, "-o", "out.jsonl")
    *failures, summary, count = done.stderr.decode().splitlines()
    assert len(failures) == 2
    size = sum(path.stat().st_size for path in [archive / "a.jsonl", *archive.glob("c*.txt")])
    assert summary.startswith(f"degloss: 305 documents, {size / 1000:.1f} KB in ")
    assert re.search(r"article \d+%, commentary \d+%, boilerplate \d+% of the text$", summary)
    assert count == "degloss: 2 of 307 documents failed; see out.jsonl.errors.jsonl"
    quiet = degloss(*args, "-o", "teile/", "--quiet").stderr.decode().splitlines()
    assert quiet == [*failures, "degloss: 2 of 307 documents failed; see teile.errors.jsonl"]


def test_failures_are_recorded_as_on_one_machine(
    machines: LocalCluster, archive: Path, degloss: Run, tmp_path: Path
) -> None:
    (archive / "z.jsonl").write_text("{\n" * 50)
    files = [f"archive/{path.name}" for path in sorted(archive.iterdir()) if path.suffix != ".gz"]
    for folder, more in (("allein", []), ("alle", ["--scheduler", machines.scheduler_address])):
        (tmp_path / folder).mkdir()
        done = degloss("label", *files, "--format", "jsonl", "-o", f"{folder}/out.jsonl", *more)
        assert done.returncode == 3
        assert f"52 of 357 documents failed; see {folder}/out.jsonl.errors.jsonl" in done.stderr.decode()
    records = [(tmp_path / folder / "out.jsonl.errors.jsonl").read_bytes() for folder in ("allein", "alle")]
    assert records[0] == records[1]
    (tmp_path / "neu.jsonl.errors.jsonl").write_text("meins")
    done = degloss("label", *files, "--format", "jsonl", "-o", "neu.jsonl", "--scheduler", machines.scheduler_address)
    assert (done.returncode, b"it is another file" in done.stderr) == (1, True)
    assert (tmp_path / "neu.jsonl.errors.jsonl").read_text() == "meins"


def test_older_parts_stay_if_no_scheduler_answers(
    separator: Separator, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    (tmp_path / "teile").mkdir()
    (tmp_path / "teile" / "part-000000.jsonl").write_text("alt")
    with pytest.raises(ClusterError):
        cluster.label(
            [str(archive / "c0.txt")], f"{tmp_path}/teile/", separator, scheduler="tcp://127.0.0.1:1", format="jsonl",
            favor="balanced", text_field=None, force=True, tally=told()[0],
        )  # fmt: skip
    assert (tmp_path / "teile" / "part-000000.jsonl").read_text() == "alt"


def test_the_summary_names_lines_as_one_machine_does(
    machines: LocalCluster, separator: Separator, tmp_path: Path, degloss: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"Das Amt hat {n} Pläne vorgelegt!" if n in (40, 120, 121) else PAGE for n in range(200)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    alone = degloss("label", "in.jsonl", "--format", "jsonl", "-o", "alone.jsonl").stderr.decode()
    monkeypatch.setattr(parts, "PART_BYTES", 2000)
    monkeypatch.chdir(tmp_path)
    _, messages = label(machines, separator, ["in.jsonl"], "out.jsonl", quiet=False)
    (uncertain,) = (line for line in messages if "uncertain" in line)
    for told_there in (uncertain, alone):  # equally sure of all three, so in any order
        assert sorted(re.findall(r"in.jsonl:(\d+) 0.58", told_there)) == ["121", "122", "41"]


def test_workers_write_into_a_folder(
    machines: LocalCluster, separator: Separator, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 2000)
    sources = [str(archive / "*")]
    label(machines, separator, sources, str(tmp_path / "one.jsonl"))
    tally, _ = label(machines, separator, sources, f"{tmp_path}/many/")
    written = sorted((tmp_path / "many").iterdir())
    assert len(written) > 10
    assert [path.name for path in written[:2]] == ["part-000000.jsonl", "part-000001.jsonl"]
    assert b"".join(path.read_bytes() for path in written) == (tmp_path / "one.jsonl").read_bytes()
    assert tally.done == 300 + 30 + 5
    with pytest.raises(OutputError, match="parts in it"):
        label(machines, separator, sources, str(tmp_path / "many"))
    monkeypatch.setattr(parts, "PART_BYTES", 10**6)
    label(machines, separator, sources, str(tmp_path / "many"), force=True)
    assert [path.name for path in (tmp_path / "many").iterdir()] == ["part-000000.jsonl"]  # none of the old ones left


def test_a_killed_worker_costs_time_and_nothing_else(
    machines: LocalCluster, separator: Separator, tmp_path: Path, degloss: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(tmp_path / "dump.jsonl", "w") as file:
        for n in range(1500):
            file.write(json.dumps({"id": n, "text": f"{n}. {PAGE}" * 8}) + "\n")
    monkeypatch.setattr(parts, "PART_BYTES", 100_000)
    killed: list[tuple[int, str, set[str]]] = []
    count = cluster._count

    def kill_then_count(*args: Any) -> None:
        if not killed:
            at_work = {w.address: {ts.key for ts in w.processing} for w in machines.scheduler.workers.values()}
            victim = next(nanny for nanny in machines.workers.values() if at_work[nanny.worker_address])
            killed.append((victim.pid, victim.worker_address, at_work[victim.worker_address]))
            os.kill(victim.pid, signal.SIGKILL)
        count(*args)

    monkeypatch.setattr(cluster, "_count", kill_then_count)
    tally, messages = label(machines, separator, [str(tmp_path / "dump.jsonl")], str(tmp_path / "out.jsonl"))
    ((pid, address, lost),) = killed
    assert lost
    assert address not in machines.scheduler.workers
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (tally.done, tally.failed, messages) == (1500, 0, [])
    alone = degloss("label", "dump.jsonl", "--format", "jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == alone.stdout


def test_the_model_travels_once_to_each_worker_and_leaves_with_the_run(
    machines: LocalCluster, separator: Separator, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    pickled: list[int] = []

    def reduce(self: object) -> Any:
        pickled.append(1)
        return object.__reduce_ex__(self, 2)

    monkeypatch.setattr(Model, "__reduce_ex__", lambda self, protocol: reduce(self))
    label(machines, separator, [str(archive / "a.jsonl")], str(tmp_path / "out.jsonl"))
    assert 1 <= len(pickled) <= 2  # to the scheduler; a check of whether it can be pickled may come before
    assert not [name for name in machines.scheduler.worker_plugins if name.startswith("degloss")]


def test_a_local_cluster_needs_no_address(degloss: Run, archive: Path) -> None:
    done = degloss("label", "archive/c*.txt", "--format", "jsonl", "--scheduler", "local")
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [f"archive/c{n}.txt" for n in range(5)]
    assert (done.stderr, done.returncode) == (b"", 0)


# What goes wrong.


def test_missing_files_are_told_and_the_others_done(
    machines: LocalCluster, separator: Separator, archive: Path, tmp_path: Path
) -> None:
    tally, messages = label(
        machines, separator, ["/no/where/*.txt", str(archive / "c0.txt")], str(tmp_path / "out.jsonl")
    )
    assert (tally.done, tally.failed) == (1, 1)
    assert messages == ["/no/where/*.txt: no such file; check the path"]
    with pytest.raises(NothingDone):
        label(machines, separator, ["/no/where/*.txt"], str(tmp_path / "none.jsonl"))
    (archive / "bad.txt").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(NothingDone):
        label(machines, separator, [str(archive / "bad.txt")], str(tmp_path / "none.jsonl"))
    assert not (tmp_path / "none.jsonl").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "nosuch://host", "host:port"])
def test_no_scheduler(address: str, separator: Separator, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    tally, _ = told()
    with pytest.raises(ClusterError, match="no Dask scheduler answers") as error:
        cluster.label(
            [str(archive / "c0.txt")], None, separator, scheduler=address, format="jsonl", favor="balanced",
            text_field=None, force=False, tally=tally,
        )  # fmt: skip
    assert str(error.value).startswith(f"{address}: ")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"tcp://a:1": "0.0.1"}, "tcp://a:1: has degloss 0.0.1, here it is"),
        ({"tcp://a:1": None}, "tcp://a:1: has no degloss"),
    ],
)
def test_workers_with_another_degloss_are_refused(found: dict[str, str | None], message: str) -> None:
    class Other:
        @staticmethod
        def run(function: object) -> dict[str, str | None]:
            return found

    with pytest.raises(ClusterError) as error:
        cluster._compare(Other(), "tcp://s:1", told()[0])  # type: ignore[arg-type]
    assert message in str(error.value)


def test_a_part_that_kills_its_workers_is_a_failure_and_no_more() -> None:
    class Gone:
        @staticmethod
        def result() -> None:
            raise KilledWorker("task", None, 3)  # type: ignore[arg-type]

    piece = parts.Piece("big.txt", "/big.txt", "text")
    found, report = cluster._result((piece, piece), Gone())  # type: ignore[arg-type]
    assert found == b""
    (failure,) = report.failures
    assert failure.name == "big.txt and 1 more"
    assert failure.reason.startswith("4 workers died of this part")


def test_lines_behind_a_part_that_nobody_counted() -> None:
    def part(begin: int) -> tuple[parts.Piece]:
        return (parts.Piece("x.jsonl", "/x.jsonl", "jsonl", begin, 100),)

    def bad(line: int, lines: int | None) -> parts.Report:
        return parts.Report(failures=[parts.Failure("x.jsonl", line, "not JSON")], lines=lines)

    told, lines = list[str](), dict[str, int | None]()
    for begin, report in [(0, bad(2, 10)), (100, bad(3, 9)), (200, bad(0, None)), (300, bad(4, 8))]:
        cluster._count(part(begin), report, lines, Tally(told.append))
    expected = ["x.jsonl:2", "x.jsonl:13", "x.jsonl", "x.jsonl: line 4 from byte 300 on"]
    assert told == [f"{where}: not JSON" for where in expected]


def test_without_dask_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['distributed'] = None\n"
        "sys.argv = ['degloss', 'label', 'x.txt', '--scheduler', 'local']\n"
        "from degloss.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "degloss: --scheduler needs the package distributed; pip install 'degloss[dask]'\n"
    assert done.returncode == 1
    assert issubclass(ClusterError, DeglossError)


@pytest.mark.parametrize("option", ["--resume", "--jobs=2", "--format=table", "--fix-mojibake"])
def test_options_of_one_machine_are_refused(option: str, degloss: Run) -> None:
    done = degloss("label", "x.txt", "--scheduler", "local", option)
    assert done.returncode == 2
    assert (b"--resume goes on on one machine only" if option == "--resume" else b"with --scheduler go") in done.stderr


def test_tables_and_json_are_failures_and_pages_are_read(
    machines: LocalCluster, separator: Separator, tmp_path: Path, degloss: Run
) -> None:
    pytest.importorskip("trafilatura", reason="pages of HTML are not read: trafilatura is not installed")
    (tmp_path / "a.html").write_text(f"<html><body><article><p>{ARTICLE}</p><p>{ARTICLE}</p></article></body></html>")
    (tmp_path / "b.csv").write_text("text\nEins.\n")
    (tmp_path / "c.json").write_text("{}")
    tally, messages = label(machines, separator, [str(tmp_path / "*.*")], str(tmp_path / "out.jsonl"))
    assert (tally.done, tally.failed) == (1, 2)
    assert "b.csv: tables are not read on a cluster" in messages[0]
    assert "c.json: JSON is not read" in messages[1]
    alone = degloss("label", tmp_path / "a.html", "--format", "jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == alone.stdout
