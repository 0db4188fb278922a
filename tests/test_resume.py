"""Runs that end before their time – killed, interrupted, out of space – and go on: every document once, in order."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import ARTICLE, CLEAN, COMMENT, PAGE, Run, clean_environment, command
from degloss.errors import OutputError
from degloss.journal import FOLDER_JOURNAL, Journal
from degloss.partfile import JOURNAL, PART, Part, companion, remove_stale, sweep
from degloss.separate import BATCH_DOCUMENTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes")

LINES = 4 * BATCH_DOCUMENTS


def dump(number: int = LINES) -> str:
    """JSON lines of different lengths, some of them bad."""
    texts = [PAGE, COMMENT, "", f"{ARTICLE}\n" * 5]
    lines = [json.dumps({"id": n, "text": texts[n % 4]}) for n in range(number)]
    for bad in range(50, number, 400):
        lines[bad] = f'{{"id": {bad}'
    return "\n".join(lines) + "\n"


def remains(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".degloss*") if path.name != FOLDER_JOURNAL)


def kill_after(model: Path, folder: Path, ready: object, *args: str) -> int:
    """Starts a run, kills it when `ready` says so or after its end; its exit code."""
    process = subprocess.Popen(
        command(model, *args), cwd=folder, stderr=subprocess.DEVNULL, env=clean_environment(), start_new_session=True
    )
    while process.poll() is None and not ready():  # type: ignore[operator]
        time.sleep(0.002)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def part_is_longer_than(part: Path, size: int) -> object:
    return lambda: part.exists() and part.stat().st_size > size


ARGS = ("label", "in.jsonl", "--format", "jsonl", "--resume")


@pytest.mark.parametrize(("ending", "jobs"), [("", "1"), ("", "2"), (".gz", "1"), (".zst", "2")])
def test_a_killed_run_goes_on_where_it_was(ending: str, jobs: str, model: Path, degloss: Run, tmp_path: Path) -> None:
    if ending == ".zst":
        pytest.importorskip("zstandard")
    (tmp_path / "in.jsonl").write_text(dump())
    whole = degloss(*ARGS, "-o", f"whole.jsonl{ending}")
    assert whole.returncode == 3
    assert remains(tmp_path) == []
    expected = (tmp_path / f"whole.jsonl{ending}").read_bytes()
    out = tmp_path / f"out.jsonl{ending}"
    part = companion(out, PART)
    killed = 0
    for size in (0, len(expected) // 2):
        ready = part_is_longer_than(part, size)
        code = kill_after(model, tmp_path, ready, *ARGS, "-o", out.name, "--jobs", jobs)
        killed += code == -signal.SIGKILL
        assert code == 3 or not out.exists()
    assert killed >= 1
    done = degloss(*ARGS, "-o", out.name)
    if not out.exists():
        raise AssertionError(done.stderr.decode())
    assert out.read_bytes() == expected
    assert remains(tmp_path) == []
    records = [json.loads(line)["document"] for line in (tmp_path / f"{out.name}.errors.jsonl").open()]
    assert records == [f"in.jsonl:{n + 1}" for n in range(50, LINES, 400)]
    if ending == ".gz":
        ids = [json.loads(line)["id"] for line in gzip.decompress(expected).splitlines()]
        assert ids == [n for n in range(LINES) if (n - 50) % 400]


@pytest.mark.slow
def test_killed_again_and_again_at_any_moment(model: Path, degloss: Run, tmp_path: Path) -> None:
    source = random.Random(5)
    (tmp_path / "in.jsonl").write_text(dump(20 * BATCH_DOCUMENTS))
    assert degloss(*ARGS, "-o", "whole.jsonl").returncode == 3
    for _ in range(100):
        moment = time.monotonic() + source.uniform(0.2, 1.5)
        code = kill_after(model, tmp_path, lambda moment=moment: time.monotonic() > moment, *ARGS, "-o", "out.jsonl")
        if code != -signal.SIGKILL:
            break
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (tmp_path / "out.jsonl.errors.jsonl").read_bytes() == (tmp_path / "whole.jsonl.errors.jsonl").read_bytes()


def make_folder(folder: Path) -> None:
    (folder / "tief").mkdir(parents=True)
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"{PAGE}{number}\n" if number != 7 else "")
    (folder / "10.txt").write_bytes(bytes(100))
    (folder / "dump.jsonl").write_text(dump(3 * BATCH_DOCUMENTS))
    (folder / "alles schlecht.jsonl").write_text('{"id": 1\n' * 200)
    (folder / "gepackt.jsonl.gz").write_bytes(gzip.compress(dump(2 * BATCH_DOCUMENTS).encode()))
    (folder / "tief" / "tabelle.csv").write_text("id,text\n" + f'1,"{PAGE}"\n' * 300)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != FOLDER_JOURNAL
    }  # fmt: skip


FOLDER = ("label", "in", "--format", "jsonl", "--resume")


def test_a_killed_run_over_a_folder_goes_on(model: Path, degloss: Run, tmp_path: Path) -> None:
    make_folder(tmp_path / "in")
    whole = degloss(*FOLDER, "-o", "whole")
    assert whole.returncode == 3
    out = tmp_path / "out"
    dumped = companion(out / "dump.jsonl", PART)
    moments = [
        lambda: (out / "03.jsonl").exists(),
        lambda: (out / "59.jsonl").exists(),
        part_is_longer_than(dumped, 0),
        part_is_longer_than(dumped, 100_000),
    ]
    killed = 0
    for ready in moments:
        killed += kill_after(model, tmp_path, ready, *FOLDER, "-o", "out") == -signal.SIGKILL
    assert killed >= 2
    done = degloss(*FOLDER, "-o", "out")
    assert done.returncode == 3, done.stderr
    assert contents(out) == contents(tmp_path / "whole")
    assert remains(out) == []
    summaries = [re.search(r"degloss: ([\d,]+) documents", run.stderr.decode()) for run in (whole, done)]
    assert None not in summaries
    assert len({found[1] for found in summaries if found}) == 1
    assert (tmp_path / "out.errors.jsonl").read_bytes() == (tmp_path / "whole.errors.jsonl").read_bytes()


DIE = """
import os, sys
from degloss.cli import main
from degloss.journal import Journal
from degloss.partfile import Part
last = int(sys.argv.pop(1))
steps = 0

def dying(step):
    def taken(*args, **options):
        global steps
        step(*args, **options)
        steps += 1
        if steps == last:
            os._exit(9)
    return taken

Journal.note, Part.commit, os.link = dying(Journal.note), dying(Part.commit), dying(os.link)
main()
"""
"""A run killed when it has taken so many steps: a line of the journal, a result's new name, the old one taken off."""


def die_after(steps: int, model: Path, folder: Path, *args: str) -> int:
    words = [sys.executable, "-c", DIE, str(steps), *command(model, *args)[3:]]
    return subprocess.run(words, cwd=folder, env=clean_environment(), capture_output=True, check=False).returncode


@pytest.mark.parametrize("into", ["out", "out.jsonl", "out.jsonl.gz", "link.jsonl"])
def test_a_run_killed_after_any_step_counts_every_document_once(
    into: str, model: Path, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (("a", PAGE), ("y", PAGE), ("z", ARTICLE)):
        (tmp_path / "in" / f"{name}.jsonl").write_text(json.dumps({"text": text}) + "\n")
    (tmp_path / "in" / "dump.jsonl").write_text(dump(BATCH_DOCUMENTS + 90))
    (tmp_path / "in" / "schlecht.jsonl").write_text("{\n")
    files = ("in",) if into == "out" else tuple(f"in/{path.name}" for path in sorted((tmp_path / "in").iterdir()))
    args = ("label", *files, "--format", "jsonl", "--resume", "-o", into)
    forced = ("--force",) if into.startswith("link") else ()

    def finished() -> tuple[str, dict[str, bytes], list[str]]:
        done = degloss(*args, *forced)
        assert done.returncode == 3, done.stderr
        found = re.search(r"degloss: (\d+) documents|complete already", done.stderr.decode())
        assert found is not None, done.stderr
        return found[1] or documents, contents(tmp_path), remains(tmp_path)

    def begin_anew() -> None:
        for path in list(tmp_path.iterdir()):
            if path.name != "in":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if into.startswith("link"):
            (tmp_path / "out.jsonl").write_text("alt")
            (tmp_path / into).symlink_to("out.jsonl")

    documents = str(BATCH_DOCUMENTS + 92)
    begin_anew()
    whole = finished()
    assert (whole[0], whole[2]) == (documents, [])
    for steps in range(1, 30):
        begin_anew()
        if die_after(steps, model, tmp_path, *args, *forced) != 9:
            break
        journal = tmp_path / into / FOLDER_JOURNAL
        if journal.exists() and b'"finished"' in journal.read_bytes():  # the last step, after which nothing is left
            break
        assert finished() == whole, f"killed after step {steps}"
    assert steps > 4


def test_a_finished_folder_takes_what_is_new_changed_or_failed(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "in" / name).write_text(PAGE)
    (tmp_path / "in" / "schlecht.txt").write_bytes(bytes(100))
    args = ("clean", "in", "-o", "out", "--resume")
    assert degloss(*args).returncode == 3
    untouched = (tmp_path / "out" / "a.txt").stat()
    (tmp_path / "in" / "b.txt").write_text(ARTICLE)
    (tmp_path / "in" / "neu.txt").write_text(ARTICLE)
    (tmp_path / "in" / "schlecht.txt").write_text(ARTICLE)
    done = degloss(*args)
    assert (done.returncode, done.stderr.splitlines()[0][:20]) == (0, b"degloss: 3 documents")
    assert (tmp_path / "out" / "a.txt").stat() == untouched
    assert {name: data for name, data in contents(tmp_path / "out").items() if name != "a.txt"} == {
        name: f"{ARTICLE}\n".encode() for name in ("b.txt", "neu.txt", "schlecht.txt")
    }
    assert not (tmp_path / "out.errors.jsonl").exists()
    done = degloss(*args)
    assert (done.returncode, done.stderr) == (0, b"degloss: out: nothing new, all results are there\n")
    (tmp_path / "in" / "noch.txt").write_text(ARTICLE)
    done = degloss(*args)
    assert (done.returncode, done.stderr.splitlines()[0][:20]) == (0, b"degloss: 1 document,")


def test_results_that_somebody_changed_stay_and_are_no_failures(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "abcd":
        (tmp_path / "in" / f"{name}.txt").write_text(PAGE)
    args = ("clean", "in", "-o", "out", "--resume", "-q")
    assert degloss(*args).returncode == 0
    for name in "abc":
        (tmp_path / "out" / f"{name}.txt").write_text("von Hand")
    os.utime(tmp_path / "out" / "d.txt", ns=(0, 0))
    told = (
        "degloss: 4 results were changed since degloss wrote them and left so: out/a.txt, out/b.txt, out/c.txt, …;"
        " to have one done anew, rename or delete it\ndegloss: out: nothing new, all results are there\n"
    )
    for _ in range(2):
        done = degloss(*args)
        assert (done.returncode, done.stderr.decode()) == (0, told)
    (tmp_path / "out" / "c.txt").unlink()
    (tmp_path / "in" / "b.txt").write_text(ARTICLE)
    for _ in range(2):
        done = degloss(*args)
        assert done.returncode == 3
        assert (
            "degloss: out/b.txt: was changed since degloss wrote it, and in/b.txt, too; rename or delete the result to"
            " have it done anew\n"
        ) in done.stderr.decode()
        assert b"2 results were changed since degloss wrote them and left so: out/a.txt, out/d.txt;" in done.stderr
        assert b"--force" not in done.stderr
        assert [(tmp_path / "out" / f"{name}.txt").read_text() for name in "abc"] == ["von Hand", "von Hand", CLEAN]
    (tmp_path / "out" / "b.txt").rename(tmp_path / "out" / "b.von-Hand.txt")
    assert degloss(*args).returncode == 0
    assert (tmp_path / "out" / "b.txt").read_text() == f"{ARTICLE}\n"
    assert degloss(*args, "--force").returncode == 0
    assert (tmp_path / "out" / "a.txt").read_text() == CLEAN


def test_a_result_changed_after_an_interruption_stays(model: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.txt").write_text(PAGE)
    args = ("clean", "in", "-o", "out", "--resume")
    assert die_after(3, model, tmp_path, *args) == 9  # when a.txt has its name
    assert [path.name for path in (tmp_path / "out").glob("*.txt")] == ["a.txt"]
    (tmp_path / "out" / "a.txt").write_text("von Hand")
    done = degloss(*args)
    assert (done.returncode, b"1 result was changed since degloss wrote it and left so: out/a.txt;" in done.stderr) == (
        0, True,
    )  # fmt: skip
    assert b"degloss: 3 documents" in done.stderr
    assert [(tmp_path / "out" / f"{name}.txt").read_text() for name in "abc"] == ["von Hand", CLEAN, CLEAN]


CUT_OFF = "import os; from degloss import cli, partfile; partfile._rename = lambda *_, **__: os._exit(9); cli.main()"


@pytest.mark.parametrize("swept", [False, True])
def test_a_result_of_before_that_was_to_be_replaced_is_nobodys_change(
    swept: bool, model: Path, degloss: Run, tmp_path: Path
) -> None:
    """Also if another run that writes into the folder swept the part away meanwhile."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(ARTICLE)
    args = ("clean", "in", "-o", "out", "--resume")
    assert degloss(*args).returncode == 0
    (tmp_path / "in" / "a.txt").write_text(PAGE)
    words = [sys.executable, "-c", CUT_OFF, *command(model, *args)[3:]]
    assert subprocess.run(words, cwd=tmp_path, env=clean_environment(), check=False).returncode == 9
    if swept:
        assert degloss("clean", "in/a.txt", "-o", "out/b.txt").returncode == 0
    done = degloss(*args)
    assert (done.returncode, b"was changed" in done.stderr) == (0, False)
    assert (tmp_path / "out" / "a.txt").read_text() == CLEAN


def test_failures_in_results_that_stay_are_remembered(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dump.jsonl").write_text(dump(500))
    (tmp_path / "in" / "schlecht.txt").write_bytes(bytes(100))
    records = tmp_path / "out.errors.jsonl"
    args = ("clean", "in", "-o", "out", "--resume")

    def recorded() -> list[str]:
        return [json.loads(line)["document"] for line in records.read_text().splitlines()]

    assert degloss(*args).returncode == 3
    in_dump = ["in/dump.jsonl:51", "in/dump.jsonl:451"]
    assert recorded() == [*in_dump, "in/schlecht.txt"]
    assert degloss(*args).returncode == 3  # what failed as a whole is tried again
    assert recorded() == [*in_dump, "in/schlecht.txt"]
    (tmp_path / "in" / "schlecht.txt").write_text(ARTICLE)
    assert degloss(*args).returncode == 0
    assert recorded() == in_dump
    assert b"nothing new" in degloss(*args).stderr
    assert recorded() == in_dump
    ours = records.read_bytes()
    records.write_bytes(ours + b"{\n")
    done = degloss(*args)
    assert (done.returncode, b"out.errors.jsonl: not as degloss recorded it" in done.stderr) == (1, True)
    records.write_bytes(ours)
    (tmp_path / "in" / "dump.jsonl").write_text(dump(40))
    assert degloss(*args).returncode == 0
    assert not records.exists()


@pytest.mark.parametrize("fewer", [("in/a.txt",), ("in", "--exclude", "dump*")], ids=" ".join)
def test_fewer_inputs_forget_no_failures_of_results_that_stay(
    fewer: tuple[str, ...], degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dump.jsonl").write_text(dump(500))
    (tmp_path / "in" / "a.txt").write_text(PAGE)
    assert degloss("clean", "in", "-o", "out", "--resume").returncode == 3
    recorded = (tmp_path / "out.errors.jsonl").read_bytes()
    done = degloss("clean", *fewer, "-o", "out", "--resume")
    assert (done.returncode, b"nothing new" in done.stderr) == (0, True)
    assert (tmp_path / "out.errors.jsonl").read_bytes() == recorded
    (tmp_path / "out" / "dump.jsonl").unlink()
    assert degloss("clean", *fewer, "-o", "out", "--resume").returncode == 0
    assert not (tmp_path / "out.errors.jsonl").exists()


def test_a_complete_result_with_failures_is_not_called_all(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(dump(500))
    assert degloss(*ARGS, "-o", "out.jsonl").returncode == 3
    done = degloss(*ARGS, "-o", "out.jsonl")
    assert b"taken as complete: 2 failures recorded in out.jsonl.errors.jsonl; to do it again" in done.stderr
    (tmp_path / "out.jsonl.errors.jsonl").unlink()
    assert b"taken as complete: all results are there; to do it again" in degloss(*ARGS, "-o", "out.jsonl").stderr


@pytest.mark.parametrize("number", [3, 30])
def test_a_run_that_does_nothing_leaves_what_was_recorded(number: int, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for place in range(number):
        (tmp_path / "in" / f"{place}.txt").write_text(PAGE)
    (tmp_path / "in" / "dump.jsonl").write_text(dump(60))
    args = ("clean", "in", "-o", "out", "-q")
    assert degloss(*args).returncode == 3
    recorded = (tmp_path / "out.errors.jsonl").read_bytes()
    done = degloss(*args)  # once more, by mistake: all is there already
    assert (done.returncode, b"errors.jsonl" in done.stderr) == (1, False)
    assert (tmp_path / "out.errors.jsonl").read_bytes() == recorded


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_goes_on(sent: signal.Signals, code: int, model: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(dump(12 * BATCH_DOCUMENTS))
    assert degloss(*ARGS, "-o", "whole.jsonl").returncode == 3
    journal = companion(tmp_path / "out.jsonl", JOURNAL)
    process = subprocess.Popen(
        command(model, *ARGS, "-o", "out.jsonl"), cwd=tmp_path, stderr=subprocess.PIPE, env=clean_environment()
    )
    while process.poll() is None and not (journal.exists() and b'"at"' in journal.read_bytes()):
        time.sleep(0.01)
    process.send_signal(sent)
    message = process.communicate()[1].decode()
    assert "Traceback" not in message
    if process.returncode == 3:
        pytest.skip("the run was done before the signal came")
    assert process.returncode == code
    assert len(remains(tmp_path)) == 2
    assert degloss(*ARGS, "-o", "out.jsonl").returncode == 3
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


DIFFERENT = [
    ("another option", [*ARGS, "--favor", "recall"], "differs in favor"),
    ("another format", ["label", "in.jsonl", "--format", "table", "--resume"], "differs in forms"),
    ("another field", [*ARGS, "--text-field", "text"], "differs in options"),
]


@pytest.mark.parametrize(("args", "message"), [case[1:] for case in DIFFERENT], ids=[case[0] for case in DIFFERENT])
def test_another_run_is_not_resumed(args: list[str], message: str, model: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(dump())
    part = companion(tmp_path / "out.jsonl", PART)
    assert kill_after(model, tmp_path, part_is_longer_than(part, 0), *ARGS, "-o", "out.jsonl") == -signal.SIGKILL
    done = degloss(*args, "-o", "out.jsonl")
    assert (done.returncode, done.stdout) == (1, b"")
    assert message in done.stderr.decode()
    (tmp_path / "in.jsonl").write_text(dump() + '{"text": "Neu."}\n')
    assert b"differs in inputs" in degloss(*ARGS, "-o", "out.jsonl").stderr
    assert part.exists()
    # What cannot go on can be begun anew.
    companion(tmp_path / "out.jsonl", JOURNAL).unlink()
    assert degloss(*ARGS, "-o", "out.jsonl").returncode == 3
    assert remains(tmp_path) == []


@pytest.mark.parametrize("into", ["out.jsonl", "out/"])
def test_without_resume_an_interrupted_run_is_not_undone(into: str, model: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(dump())
    target = tmp_path / into / "in.jsonl" if into.endswith("/") else tmp_path / into
    part = companion(target, PART)
    journal = tmp_path / into / FOLDER_JOURNAL if into.endswith("/") else companion(target, JOURNAL)

    def begun() -> bool:
        return journal.exists() and b'"at"' in journal.read_bytes()

    args = (*ARGS[:-1], "-o", into)
    assert kill_after(model, tmp_path, begun, *args, "--resume") == -signal.SIGKILL
    left = part.read_bytes()
    done = degloss(*args)
    assert (done.returncode, b"add --resume to go on with it, or --force" in done.stderr) == (1, True)
    assert part.read_bytes() == left
    assert degloss(*args, "--resume").returncode == 3
    whole = target.read_bytes()
    target.unlink()
    kill_after(model, tmp_path, begun, *args, "--resume")
    assert degloss(*args, "--force").returncode == 3
    assert target.read_bytes() == whole
    assert not list(tmp_path.rglob(".degloss*"))


def test_a_run_that_is_not_over_is_not_begun_anew(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE)
    journal = Journal.opened(companion(tmp_path / "out.txt", JOURNAL), {"degloss": "0"})
    done = degloss("clean", "in.txt", "-o", "out.txt", "--force")
    journal.close()
    assert (done.returncode, b"another run is writing there" in done.stderr) == (1, True)
    assert not (tmp_path / "out.txt").exists()


IMPOSSIBLE = [
    (["label", "in.jsonl", "--resume"], "--resume needs an output that stays"),
    (["label", "-", "-o", "out.txt", "--resume"], "standard input cannot be read again"),
]


@pytest.mark.parametrize(("args", "message"), IMPOSSIBLE)
def test_what_cannot_be_resumed(args: list[str], message: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Ja."}\n')
    done = degloss(*args)
    assert (done.returncode, message in done.stderr.decode()) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_complete_result_is_not_done_again(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Ja."}\n')
    assert degloss(*ARGS, "-o", "out.jsonl").returncode == 0
    before = (tmp_path / "out.jsonl").stat()
    done = degloss(*ARGS, "-o", "out.jsonl")
    assert (done.returncode, b"all results are there; to do it again" in done.stderr) == (0, True)
    assert (tmp_path / "out.jsonl").stat() == before
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.jsonl", "out.jsonl"]
    assert degloss(*ARGS, "-o", "out.jsonl", "--force").returncode == 0
    assert (tmp_path / "out.jsonl").stat() != before
    done = degloss(*ARGS, "-o", "in.jsonl")
    assert (done.returncode, b"is an input" in done.stderr) == (1, True)


# What a run without --resume leaves when it is killed.


def test_workers_end_with_a_killed_run(model: Path, tmp_path: Path) -> None:
    args = ("label", "-", "--type", "jsonl", "--format", "jsonl", "-o", "out.jsonl", "--jobs", "2")
    process = subprocess.Popen(
        command(model, *args), cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env=clean_environment(), start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    ready = part_is_longer_than(companion(tmp_path / "out.jsonl", PART), 0)
    try:
        process.stdin.write(dump(8 * BATCH_DOCUMENTS).encode())  # and no end, so the run waits for more
        process.stdin.flush()
        while process.poll() is None and not ready():  # type: ignore[operator]
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate(timeout=10)  # standard error ends when the last worker that holds it is gone
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_what_a_killed_run_left_is_swept_away(model: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(dump())
    args = ("label", "in.jsonl", "--format", "jsonl", "-o", "out/")
    part = companion(tmp_path / "out" / "in.jsonl", PART)
    assert kill_after(model, tmp_path, lambda: part.exists(), *args) == -signal.SIGKILL
    assert remains(tmp_path) == [part.name]
    (tmp_path / "a.txt").write_text(PAGE)
    assert degloss("clean", "a.txt", "-o", "out/").returncode == 0
    assert remains(tmp_path) == []
    assert degloss(*args).returncode == 3


def test_a_part_that_is_being_written_or_can_be_continued_is_not_swept(tmp_path: Path) -> None:
    alive = Part(tmp_path / "lebt.txt")
    with pytest.raises(OutputError, match="another run is writing it"):
        Part(tmp_path / "lebt.txt")
    left = Part(tmp_path / "kann-weiter.txt")
    left.leave()
    companion(tmp_path / "kann-weiter.txt", JOURNAL).write_text("")
    gone = Part(tmp_path / "tot.txt")
    gone.leave()
    sweep(tmp_path)
    assert set(remains(tmp_path)) == {alive.path.name, left.path.name, left.path.with_suffix(JOURNAL).name}
    alive.discard()


def test_a_part_is_no_way_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "wichtig").write_text("bleibt")
    companion(tmp_path / "a.txt", PART).symlink_to("wichtig")
    with pytest.raises(OutputError):
        Part(tmp_path / "a.txt")
    remove_stale(companion(tmp_path / "a.txt", PART))
    assert (tmp_path / "wichtig").read_text() == "bleibt"


# The journal itself.

RUN = {"degloss": "0", "favor": "balanced"}
TOTALS = {"documents": 3, "failures": 1, "errors": 10}


def test_a_journal_forgets_only_what_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal.opened(path, RUN)
    journal.note({"done": "a", "source": [1, 2], "result": [3, 4]}, TOTALS, durable=True)
    journal.note({"at": "b", "items": 5, "bytes": 6}, TOTALS)
    journal.close()
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        again = Journal.opened(path, RUN)
        assert set(again.done) <= {"a"}
        assert again.at is None
        again.note({"at": "c", "items": 1, "bytes": 1}, TOTALS)
        again.close()
        last = Journal.opened(path, RUN)
        assert last.at is not None
        assert last.at["at"] == "c"
        assert set(last.done) == set(again.done)
        last.close()
    path.write_bytes(whole)
    again = Journal.opened(path, RUN)
    assert (set(again.done), again.at and again.at["at"], again.totals) == ({"a"}, "b", TOTALS)
    with pytest.raises(OutputError, match="another run is writing there"):
        Journal.opened(path, RUN)
    again.close()
    with pytest.raises(OutputError, match="differs in favor"):
        Journal.opened(path, {**RUN, "favor": "recall"})
