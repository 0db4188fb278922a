"""Long runs: folders, several processes, failures, progress and summary, and how they end."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path

import pytest

from conftest import ARTICLE, CLEAN, COMMENT, LINK, PAGE, Run, clean_environment, command, with_a_terminal
from degloss.blocks import Begin, End, Failure, Given, in_blocks
from degloss.documents import LABELS
from degloss.errors import InputError
from degloss.formats import Form
from degloss.jobs import run
from degloss.partfile import PART, companion
from degloss.plan import Job, Options, Plan
from degloss.planning import plan
from degloss.progress import Progress
from degloss.read import Document
from degloss.separate import BATCH_DOCUMENTS, Separator
from degloss.tally import Counts, Figures, Tally
from degloss.workers import Labeller, interrupted_later, label_blocks
from degloss_training import corpus


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder of pages, of which one is binary."""
    files = {"a.txt": PAGE, "b.md": PAGE, "tief/c.txt": PAGE, "tief/d.jsonl": json.dumps({"text": PAGE}) + "\n"}
    for name, text in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "in" / "bild.txt").write_bytes(b"\x89PNG\r\n" + bytes(200))
    return tmp_path / "in"


# folders

GLOBS = [
    (["--exclude", "bild*"], ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]),
    (["--include", "*.md"], ["b.md"]),
    (["--include", "tief/*"], ["tief/c.txt", "tief/d.jsonl"]),
    (["--include", "*.txt", "--exclude", "tief/*", "--exclude", "bild.txt"], ["a.txt"]),
    (["--text-field", "text"], ["tief/d.jsonl"]),
]


@pytest.mark.parametrize(("args", "names"), GLOBS, ids=[" ".join(case[0]) for case in GLOBS])
def test_folders_are_mirrored_by_globs(args: list[str], names: list[str], archive: Path, degloss: Run) -> None:
    done = degloss("clean", "in", "-o", "out", *args)
    assert done.returncode == 0
    assert list(contents(archive.parent / "out")) == names


ALIKE = [
    # inputs, options, the results of each
    (["a.csv", "a.tsv", "b.csv"], ["--format", "jsonl"], ["a.csv.jsonl", "a.tsv.jsonl", "b.jsonl"]),
    (["a.csv", "a.jsonl", "a.txt"], ["--format", "jsonl"], ["a.csv.jsonl", "a.jsonl", "a.txt.jsonl"]),
    (["a.csv", "a.jsonl", "a.txt"], [], ["a.csv", "a.jsonl.txt", "a.txt"]),
    (["a.csv", "a.jsonl", "a.txt"], ["--format", "table"], ["a.csv", "a.jsonl", "a.txt.csv"]),
    (["a.md", "a.txt"], ["--format", "tsv"], ["a.md.tsv", "a.tsv"]),
    (["a.csv", "tief/a.jsonl"], ["--format", "jsonl"], ["a.jsonl", "tief/a.jsonl"]),
]


@pytest.mark.parametrize(("inputs", "options", "results"), ALIKE, ids=[f"{c[0]} {c[1]}" for c in ALIKE])
def test_results_of_inputs_that_differ_in_their_ending_alone_keep_it(
    inputs: list[str], options: list[str], results: list[str], degloss: Run, tmp_path: Path
) -> None:
    texts = {".csv": "text\nJa.\n", ".tsv": "text\nJa.\n", ".jsonl": '{"text": "Ja."}\n'}
    for name in inputs:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.get(path.suffix, "Ja.\n"))
    for _ in range(2):  # the same names again when the run is resumed
        done = degloss("label", "in", "-o", "out", "--resume", *options)
        assert done.returncode == 0, done.stderr
        assert [name for name in contents(tmp_path / "out") if not name.startswith(".")] == results


def test_results_that_no_ending_keeps_apart_are_refused_before_anything_is_done(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "s.html", "s.html.txt"):
        (tmp_path / "in" / name).write_text(f"<p>{ARTICLE}</p>")
    done = degloss("clean", "in", "-o", "out")
    assert (done.returncode, (tmp_path / "out").exists()) == (1, False)
    assert b"s.html.txt: the result of both in/s.html and in/s.html.txt would have this name" in done.stderr
    assert degloss("clean", "in", "-o", "out", "--exclude", "s.html").returncode == 0


def test_results_of_an_earlier_run_are_no_inputs(archive: Path, degloss: Run) -> None:
    for force in ([], ["--force"]):
        assert degloss("clean", "in", "-o", "in/out", *force).returncode == 3
        assert (archive / "out.errors.jsonl").exists()
        assert list(contents(archive / "out")) == ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]


def test_records_of_failures_are_no_inputs(archive: Path, degloss: Run, tmp_path: Path) -> None:
    (archive / "tief" / "x.errors.jsonl").write_text('{"file": "x", "document": "x", "error": "E", "message": "m"}\n')
    for options in ([], ["--include", "*.jsonl"]):
        done = degloss("clean", "in", "-o", "out", "--exclude", "bild*", "--force", *options)
        assert done.returncode == 0, done.stderr
        assert list(contents(tmp_path / "out")) == ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]


def test_links_are_read_but_not_followed_out_of_the_folder(archive: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "anders").mkdir()
    (tmp_path / "anders" / "x.txt").write_text(ARTICLE)
    (archive / "link.txt").symlink_to("../anders/x.txt")
    (archive / "kreis").symlink_to(".")
    (archive / "tot.txt").symlink_to("nirgends.txt")
    (archive / "bild.txt").unlink()
    done = degloss("clean", "in", "-o", "out", "-q")
    assert done.returncode == 3
    assert b"in: 1 link to folders not followed" in done.stderr
    assert b"in/tot.txt: a link to a file that is not there; mend the link" in done.stderr
    assert list(contents(tmp_path / "out")) == ["a.txt", "b.md", "link.txt", "tief/c.txt", "tief/d.jsonl"]
    assert not (tmp_path / "out" / "link.txt").is_symlink()


@pytest.mark.parametrize("output", [[], ["-o", "out.txt"], ["-o", "out/"]], ids=" ".join)
def test_patterns_without_a_folder_are_told(output: list[str], archive: Path, degloss: Run) -> None:
    done = degloss("clean", "in/a.txt", *output, "--exclude", "a*", "--include", "*.md", "--exclude", ".git/")
    told = done.stderr.decode().splitlines()
    assert [line.partition(";")[0] for line in told] == [
        "degloss: --include '*.md' fits no file of a folder",
        "degloss: --exclude 'a*' fits no file of a folder",
    ]
    assert done.returncode == 0


def test_hidden_files_are_read_only_if_asked_for(archive: Path, degloss: Run, tmp_path: Path) -> None:
    (archive / "._a.txt").write_bytes(b"\0\5\26\7 Mac OS X")
    (archive / ".entwurf").mkdir()
    (archive / ".entwurf" / "x.txt").write_text(PAGE)
    (archive / ".ohne-endung").write_text(PAGE)
    done = degloss("clean", "in", "-o", "out", "--exclude", "bild*")
    assert done.returncode == 0, done.stderr
    assert (
        b"in: 2 hidden files or folders left out; name them by --include, as '.drafts/*', with the usual" in done.stderr
    )
    assert list(contents(tmp_path / "out")) == ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]
    for number, (pattern, found) in enumerate((("*.txt", ["a.txt", "tief/c.txt"]), (".entwurf/*", [".entwurf/x.txt"]))):
        done = degloss("clean", "in", "-o", f"mehr{number}", "--include", pattern, "--exclude", "bild*")
        assert (done.returncode, list(contents(tmp_path / f"mehr{number}"))) == (0, found), done.stderr


def test_files_of_other_kinds_are_counted(archive: Path, degloss: Run, tmp_path: Path) -> None:
    for name in ("bild.jpg", "tief/e.JSON", "tief/f.json", "LIESMICH", ".versteckt.doc", "alt.errors.jsonl"):
        (archive / name).write_text("{}")
    done = degloss("clean", "in", "-o", "out", "--exclude", "bild.txt")
    assert (
        b"in: 4 files of other kinds left out (.json, .jpg, LIESMICH); name them by --include, with the usual"
        in done.stderr
    )
    assert list(contents(tmp_path / "out")) == ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]
    assert b"other kind" not in degloss("clean", "in", "-o", "mehr", "--include", "*.txt").stderr
    left = ("--exclude", "*.jpg", "--exclude", "*.[Jj]*", "--exclude", "LIES*")
    (archive / "e.doc.gz").write_text("")
    assert b"in: 1 file of another kind left out (.doc)" in degloss("clean", "in", "-o", "rest", *left).stderr


def test_rows_of_which_nothing_is_kept_are_counted(degloss: Run, tmp_path: Path) -> None:
    rows = [{"text": ARTICLE}, {"text": "So ein Unsinn!!"}, {"text": ""}, {"text": "Unfug! Unfug!!"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = degloss("clean", "in.jsonl", "-o", "out.jsonl")
    assert b"degloss: nothing kept of 2 documents\n" in done.stderr
    assert [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").open()] == [ARTICLE, "", "", ""]
    assert b"nothing kept" not in degloss("label", "in.jsonl", "-o", "labels.jsonl").stderr


@pytest.mark.parametrize("name", [".daten", "./in/../.daten", "."])
def test_a_hidden_folder_that_is_named_is_read(name: str, degloss: Run, tmp_path: Path) -> None:
    folder = tmp_path / (".daten" if name != "." else "")
    (folder / "tief").mkdir(parents=True)
    (tmp_path / "in").mkdir()
    (folder / "tief" / "c.txt").write_text(PAGE)
    done = degloss("clean", name, "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    assert list(contents(tmp_path / "out")) == ["tief/c.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_pipes_in_folders_keep_no_run_waiting(archive: Path, degloss: Run, tmp_path: Path) -> None:
    os.mkfifo(archive / "rohr.txt")
    done = degloss("clean", "in", "-o", "out", "--exclude", "bild*")
    assert done.returncode == 0
    assert b"in: 1 pipe or device left out" in done.stderr
    assert list(contents(tmp_path / "out")) == ["a.txt", "b.md", "tief/c.txt", "tief/d.jsonl"]


# failures


def test_failures_are_recorded_beside_the_output(archive: Path, degloss: Run, tmp_path: Path) -> None:
    (archive / "tief" / "d.jsonl").write_text(json.dumps({"text": PAGE}) + "\n{\n" + json.dumps({"text": "Ja."}) + "\n")
    done = degloss("clean", "in", "-o", "out")
    assert done.returncode == 3
    assert done.stderr.decode().splitlines()[-1] == "degloss: 2 of 7 documents failed; see out.errors.jsonl"
    lines = [json.loads(line) for line in (tmp_path / "out.errors.jsonl").read_text().splitlines()]
    assert [(line["file"], line["document"], line["error"]) for line in lines] == [
        ("in/bild.txt", "in/bild.txt", "InputError"),
        ("in/tief/d.jsonl", "in/tief/d.jsonl:2", "InputError"),
    ]
    assert "binary data" in lines[0]["message"]
    # A run without failures leaves none of an earlier one.
    (archive / "bild.txt").unlink()
    (archive / "tief" / "d.jsonl").unlink()
    assert degloss("clean", "in", "-o", "out", "--force").returncode == 0
    assert not (tmp_path / "out.errors.jsonl").exists()


def test_a_file_of_another_kind_is_not_taken_for_failures(archive: Path, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "out.errors.jsonl").write_text('{"meins": 1}\n')
    done = degloss("clean", "in", "-o", "out")
    assert (done.returncode, b"it is another file" in done.stderr) == (1, True)
    assert (tmp_path / "out.errors.jsonl").read_text() == '{"meins": 1}\n'
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["out", "out.jsonl"])
def test_a_refused_rerun_keeps_the_failures_of_the_run_before(output: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Ja."}\n{\n')
    args = ("label", "in.jsonl", "--format", "jsonl", "-o", output if "." in output else f"{output}/")
    assert degloss(*args).returncode == 3
    record = tmp_path / f"{output}.errors.jsonl"
    before = record.read_bytes()
    for _ in range(2):
        done = degloss(*args)
        assert (done.returncode, b"exists already" in done.stderr) == (1, True)
        assert record.read_bytes() == before
    # An output without documents replaces the one before all the same, and so the record goes.
    (tmp_path / "in.jsonl").write_text("")
    assert degloss(*args, "--force").returncode == 0
    assert not record.exists()


def test_strict_stops_at_the_first_failure(archive: Path, degloss: Run, tmp_path: Path) -> None:
    done = degloss("clean", "in", "-o", "out", "--strict")
    assert done.returncode == 1
    assert b"in/bild.txt: binary data" in done.stderr
    assert b"stopped at the first failure" in done.stderr
    assert list(contents(tmp_path / "out")) == ["a.txt", "b.md"]
    (tmp_path / "in.jsonl").write_text('{"text": "Ja."}\n{\n{"text": "Nein."}\n')
    done = degloss("label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl", "--strict")
    assert (done.returncode, (tmp_path / "out.jsonl").exists()) == (1, False)


def test_a_line_without_text_is_a_line_of_the_result(degloss: Run) -> None:
    data = b'{"id": 1, "text": null}\n{"id": 2, "text": "Ja."}\n'
    done = degloss("label", "-", "--type", "jsonl", "--format", "jsonl", stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]
    done = degloss("clean", "-", "--type", "jsonl", stdin=data)
    assert (done.returncode, done.stdout) == (0, data)


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("later", [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
def test_an_end_of_all_processes_while_they_start_is_no_traceback(
    later: float, sent: signal.Signals, code: int, model: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({"text": PAGE * 20})] * 20_000
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    program = "from degloss_start import main; main()"
    words = [sys.executable, "-c", program, *command(model, "label", "in.jsonl", "-o", "out.jsonl", "--jobs", "2")[3:]]
    process = subprocess.Popen(
        words, cwd=tmp_path, stderr=subprocess.PIPE, env=clean_environment(), start_new_session=True,
        preexec_fn=with_a_terminal,
    )  # fmt: skip
    part = companion(tmp_path / "out.jsonl", PART)  # made just before the processes
    while process.poll() is None and not part.exists():
        time.sleep(0.002)
    time.sleep(later)
    os.killpg(process.pid, sent)  # as a terminal does: all processes get it, Python's tracker of semaphores, too
    told = process.communicate(timeout=60)[1].decode()
    assert "Traceback" not in told
    assert process.returncode == code
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_an_end_that_another_thread_takes_waits_until_the_processes_have_begun(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    def ended(*_: object) -> None:
        raise raised

    def begin() -> None:
        with interrupted_later():
            os.kill(os.getpid(), number)
            time.sleep(0.05)  # long enough for a handler to be called
            begun.append(True)

    begun: list[bool] = []
    before, over = signal.signal(number, ended), threading.Event()
    threading.Thread(target=over.wait).start()  # as those of the linear algebra: nothing is blocked in it
    try:
        with pytest.raises(raised):
            begin()
        assert begun
        assert signal.getsignal(number) is ended
    finally:
        over.set()
        signal.signal(number, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
def test_what_is_ignored_stays_so_while_processes_begin() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with interrupted_later():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


PATTERNS = [
    # --exclude, or --include with its plus, what is read of a.txt, privat/x.txt, tief/privat/y.txt, tief/z.md
    (["privat/"], "a.txt tief/z.md", ""),
    (["privat"], "a.txt tief/z.md", ""),
    (["./privat/*"], "a.txt tief/privat/y.txt tief/z.md", ""),
    (["tief/privat"], "a.txt privat/x.txt tief/z.md", ""),
    (["*.txt"], "tief/z.md", ""),
    (
        ["in/privat/*", "*.md"],
        "a.txt privat/x.txt tief/privat/y.txt",
        "--exclude 'in/privat/*' fits no file of a folder",
    ),
    ([".git/*", "privat"], "a.txt tief/z.md", ""),  # nobody looks there: that it fits nothing is no slip
    (["+privat/"], "privat/x.txt", ""),
    ([".git/*", "+.git/*", "+*.md"], "tief/z.md", "--exclude '.git/*' fits no file of a folder"),
    (["+*.md", "+*.rtf"], "tief/z.md", "--include '*.rtf' fits no file of a folder"),
]


@pytest.mark.parametrize(("patterns", "read", "told"), PATTERNS, ids=[" ".join(case[0]) for case in PATTERNS])
def test_patterns_fit_files_and_folders_or_say_so(
    patterns: list[str], read: str, told: str, degloss: Run, tmp_path: Path
) -> None:
    for name in ("a.txt", "privat/x.txt", "tief/privat/y.txt", "tief/z.md"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(PAGE)
    options = [word for p in patterns for word in ("--include" if p[0] == "+" else "--exclude", p.removeprefix("+"))]
    done = degloss("clean", "in", "-o", "out", "-q", *options)
    assert sorted(contents(tmp_path / "out")) == read.split()
    assert (told in done.stderr.decode(), "fits no file" in done.stderr.decode()) == (True, bool(told))


# several processes


def test_several_processes_do_the_same_as_one(archive: Path, degloss: Run, tmp_path: Path) -> None:
    lines = [json.dumps({"id": n, "text": [PAGE, "", COMMENT, f"{ARTICLE}\n" * 40][n % 4]}) for n in range(1500)]
    (archive / "dump.jsonl").write_text("\n".join([*lines, "{", *lines[:3]]) + "\n")
    for jobs in ("1", "2"):
        done = degloss("label", "in", "--format", "jsonl", "-o", f"out{jobs}", "--jobs", jobs)
        assert done.returncode == 3
    assert contents(tmp_path / "out1") == contents(tmp_path / "out2")
    assert len(contents(tmp_path / "out2")["dump.jsonl"].splitlines()) == 1503
    assert (tmp_path / "out1.errors.jsonl").read_text() == (tmp_path / "out2.errors.jsonl").read_text()


def test_confidences_are_the_same_on_any_number_of_cores(tmp_path: Path) -> None:
    # With the shipped model: sums of several BLAS threads differ where weights are no round numbers.
    documents = corpus.load(Path(__file__).parents[1] / "training" / "corpus")
    (tmp_path / "lang.txt").write_text("\n\n".join(document.text for document in documents[:300]))
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in clean_environment().items() if name not in threads}
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "degloss", "label", "lang.txt", "--format", "jsonl", "--jobs", jobs],
            cwd=tmp_path, capture_output=True, check=True, env={**environment, **more},
        ).stdout
        for jobs, more in (("1", {}), ("2", {}), ("1", {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}))
    ]  # fmt: skip
    assert outputs[0].count(b'"label"') > 1000
    assert outputs[0] == outputs[1] == outputs[2]


def test_tables_go_through_several_processes(degloss: Run, tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"id": range(600), "text": [PAGE, None] * 300}), tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text("id,text\n" + f'1,"{PAGE}"\n' * 600)
    for name in ("in.parquet", "in.csv"):
        for jobs in ("1", "2"):
            assert degloss("label", name, "-o", f"{jobs}{name}", "-j", jobs).returncode == 0
    assert parquet.read_table(tmp_path / "1in.parquet").equals(parquet.read_table(tmp_path / "2in.parquet"))
    assert (tmp_path / "1in.csv").read_bytes() == (tmp_path / "2in.csv").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
def test_a_killed_worker_is_told_and_nothing_half_written(model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.jsonl")
    process = subprocess.Popen(
        command(model, "label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl", "--jobs", "2"),
        cwd=tmp_path, stderr=subprocess.PIPE, env=clean_environment(),
    )  # fmt: skip
    line = json.dumps({"text": PAGE}).encode() + b"\n"
    with open(tmp_path / "in.jsonl", "wb") as pipe:
        pipe.write(line * BATCH_DOCUMENTS * 2)
        pipe.flush()
        for worker in wait_for_workers(process.pid, 2)[:1]:
            os.kill(worker, 9)
        try:
            for _ in range(20):
                pipe.write(line * BATCH_DOCUMENTS)
                pipe.flush()
        except BrokenPipeError:
            pass
    message = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1
    assert "a worker process was killed" in message
    assert "Traceback" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


class _Killed:
    """Processes of which one was killed."""

    def submit(self, *_: object) -> None:
        raise BrokenProcessPool


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_with_a_journal_alone_is_told_to_go_on(
    resume: bool, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.txt").write_text(PAGE)
    monkeypatch.setattr("degloss.workers._pool", lambda _: nullcontext(_Killed()))
    options = Options(output=str(tmp_path / "out.txt"), resume=resume, workers=2)
    made = plan([str(tmp_path / "in.txt")], options, lambda kind: Form("text"), Tally(print))
    with pytest.raises(InputError, match="a worker process was killed") as refused:
        run(made, Labeller(model, "balanced"), Tally(print))
    assert str(refused.value).endswith("(--jobs), go on by --resume" if resume else "(--jobs)")


def wait_for_workers(parent: int, number: int) -> list[int]:
    """The processes that a process started to work for it."""
    for _ in range(600):
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                line = (path.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == parent and b"spawn_main" in line:
                found.append(int(path.parent.name))
        if len(found) == number:
            return found
        time.sleep(0.05)
    raise AssertionError("no workers")


def given(text: str) -> Given:
    return Given(Job("0", "x", None, "text", Form("text")), Document("x", text))


def test_blocks_are_bounded_and_lose_nothing() -> None:
    items = [given("a" * (n % 7) * 1000) for n in range(1000)] + [given("a" * 3_000_000), given("b")]
    blocks = list(in_blocks(items))
    assert [item for block in blocks for item in block] == items
    assert max(map(len, blocks)) <= BATCH_DOCUMENTS
    assert all(
        sum(len(item.document.text) for item in block[:-1] if isinstance(item, Given)) < 10**6 for block in blocks
    )


def test_no_more_blocks_are_read_than_can_be_worked_on(model: Path) -> None:
    """Memory stays bounded however much there is to read, and however slowly results are taken."""
    read = 0

    def endless() -> Iterator[Given]:
        nonlocal read
        while True:
            read += 1
            yield given(COMMENT)

    for workers in (1, 2):
        read = 0
        results = label_blocks(in_blocks(endless()), Labeller(model, "balanced"), workers)
        for taken in range(1, 4):
            next(results)
            assert read <= (taken + 2 * workers) * BATCH_DOCUMENTS
        results.close()  # type: ignore[attr-defined]


def write_rows(path: Path, size: int) -> None:
    """A file of rows with about so many bytes of text, written without holding it."""
    text, ending = PAGE * 10, path.name.partition(".")[2]
    rows = range(size // len(text))
    if ending == "parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        with parquet.ParquetWriter(path, arrow.schema([("id", arrow.int64()), ("text", arrow.string())])) as file:
            for begin in rows[::1000]:
                ids = [*rows[begin : begin + 1000]]
                file.write_table(arrow.table({"id": ids, "text": [f"{n} {text}" for n in ids]}))
        return
    with gzip.open(path, "wt") if ending.endswith(".gz") else open(path, "w") as file:
        if ending == "csv":
            file.write("id,text\n")
        for n in rows:
            file.write(f'{n},"{text}"\n' if ending == "csv" else json.dumps({"id": n, "text": text}) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "jobs"), [("jsonl", "1"), ("jsonl", "2"), ("jsonl.gz", "1"), ("csv", "1"), ("parquet", "1")]
)
def test_memory_stays_bounded_whatever_the_size(ending: str, jobs: str, model: Path, tmp_path: Path) -> None:
    script = (
        "import resource, runpy, sys; sys.argv = ['degloss', *sys.argv[1:]]\n"
        "try: runpy.run_module('degloss', run_name='__main__')\n"
        "except SystemExit: print(*(resource.getrusage(who).ru_maxrss for who in (0, -1)))\n"
    )
    peaks = []
    for size in (10, 50):
        write_rows(tmp_path / f"in.{ending}", size * 1_000_000)
        words = command(model, "label", f"in.{ending}", "-o", f"out.{ending}", "--format", "table", "--jobs", jobs)[3:]
        done = subprocess.run(
            [sys.executable, "-c", script, *words, "--force"], cwd=tmp_path, capture_output=True, check=True
        )
        peaks.append([int(peak) for peak in done.stdout.split()])
    print(f"{ending}, {jobs} processes: peak {peaks} KiB of the run and of its largest worker")
    assert all(large < 1.1 * small + 20_000 for small, large in zip(*peaks, strict=True))


# progress and summary


def test_the_summary_says_what_became_of_it(archive: Path, degloss: Run) -> None:
    (archive / "zweifel.txt").write_text(f"{ARTICLE}\nDas Amt hat noch einen Plan vorgelegt!\n" * 3)
    lines = degloss("clean", "in", "-o", "out").stderr.decode().splitlines()
    assert lines[0].startswith("degloss: in/bild.txt: binary data")
    assert lines[1].startswith("degloss: 5 documents, ")
    assert lines[1].endswith("% of the text")
    assert "article " in lines[1]
    assert not lines[3:] or lines[2].startswith("degloss: 1 uncertain (confidence below 0.7): in/zweifel.txt 0.")
    assert lines[-1] == "degloss: 1 of 6 documents failed; see out.errors.jsonl"
    quiet = degloss("clean", "in", "-o", "out", "--force", "--quiet").stderr.decode().splitlines()
    assert len(quiet) == 2


def test_the_summary_has_documents_bytes_shares_uncertain_and_slowest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = progress(tmp_path)
    monkeypatch.setattr(shown, "position", lambda: 2_500_000)
    monkeypatch.setattr(time, "monotonic", lambda: shown._began + 75)
    tally = Tally(print, done=1234, before=1000, failed=2)
    for number in range(5):
        tally.figures.count(f"d{number}", Counts((60, 30, 10), 0.5 + number / 20), number / 10)
    tally.figures.count("rein\x1b[2J", Counts((100, 0, 0), 0.99), 80.0)
    assert shown.summary(tally) == [
        "1,234 documents (1,000 of them before), 2.5 MB in 1:15 min:"
        " article 67%, commentary 25%, boilerplate 8% of the text",
        "4 uncertain (confidence below 0.7): d0 0.50, d1 0.55, d2 0.60, …",
        "slowest: rein\\u001b[2J 1:20 min, d4 0.4 s, d3 0.3 s",
    ]
    assert shown.summary(Tally(print, done=2))[0] == "2 documents, 2.5 MB in 1:15 min"
    assert shown.summary(Tally(print, done=1)) == []


def test_without_a_terminal_there_is_a_line_and_no_bar(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text((json.dumps({"text": PAGE}) + "\n") * 2000)
    script = (
        "import sys; from degloss import progress; progress._LINE_EVERY = 0.0; from degloss.cli import main; main()"
    )
    words = command(model, "label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl")[3:]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True, env=clean_environment(),
        check=True,
    )  # fmt: skip
    *lines, summary = done.stderr.splitlines()
    assert summary.startswith("degloss: 2,000 documents, ")
    assert len(lines) > 2
    pattern = r"degloss: [\d,]+ documents, [\d.]+ .?B of [\d.]+ KB \(\d+%\), [\d.]+ .?B/s, [\d.]+ s left"
    assert all(re.fullmatch(pattern, line) for line in lines), lines
    assert "\x1b" not in done.stderr


def test_short_runs_and_results_on_standard_output_are_quiet(archive: Path, degloss: Run) -> None:
    assert degloss("clean", "in/a.txt", "-o", "out.txt").stderr == b""
    assert degloss("clean", "in/a.txt", "in/b.md").stderr == b""


def progress(tmp_path: Path) -> Progress:
    (tmp_path / "x").write_bytes(b"a" * 1_000_000)
    job = Job("0", str(tmp_path / "x"), None, "text", Form("text"))
    return Progress.of(Plan((job,), Options(output="y"), shared=tmp_path / "y"), lambda note: None)


def test_the_line_for_logs_has_rate_and_remaining_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = progress(tmp_path)
    monkeypatch.setattr(shown, "position", lambda: 250_000)
    tally = Tally(print, done=1234, failed=2)
    line = "1,234 documents, 250.0 KB of 1.0 MB (25%), 2.5 KB/s, 5:00 min left, 2 failed"
    assert shown.line(tally, 100.0) == line


def test_lines_for_logs_come_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    shown = progress(tmp_path)
    monkeypatch.setattr(shown, "_tell", told.append)
    now = time.monotonic()
    for seconds in range(0, 100, 10):
        monkeypatch.setattr(time, "monotonic", lambda later=now + seconds: later)
        shown.show(Tally(print))
    assert len(told) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_bar_shows_on_a_terminal_and_goes_again(model: Path, tmp_path: Path) -> None:
    import pty

    (tmp_path / "in.jsonl").write_text((json.dumps({"text": PAGE * 20}) + "\n") * 6000)
    main, worker = pty.openpty()
    process = subprocess.Popen(
        command(model, "label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl"),
        cwd=tmp_path, stderr=worker, stdout=subprocess.DEVNULL, env=clean_environment({"COLUMNS": "100"}),
    )  # fmt: skip
    os.close(worker)
    shown = b""
    try:
        while piece := os.read(main, 4096):
            shown += piece
    except OSError:
        pass
    os.close(main)
    assert process.wait() == 0
    assert b"/s" in shown
    assert b"\x1b[2K" in shown
    # Behind the bar, which is gone, comes the summary.
    assert "degloss: 6,000 documents, " in shown.decode().rpartition("\x1b[2K")[2]


def test_the_tally_keeps_the_few_it_names(separator: Separator) -> None:
    tally = Figures()
    for number in range(100):
        tally.count(f"d{number}", Counts((10, 0, 0), 0.5 + number / 1000), float(number))
    assert tally.uncertain == 100
    assert [name for _, name in tally.least_certain()] == ["d0", "d1", "d2"]
    assert [name for _, name in tally.slowest()] == ["d99", "d98", "d97"]
    assert tally.sizes == [1000, 0, 0]
    others = Figures()
    others.count("fern", Counts((0, 7, 0), 0.4), 1e6)
    tally.add(others)
    assert (tally.uncertain, tally.sizes) == (101, [1000, 7, 0])
    assert [name for _, name in tally.least_certain()] == ["fern", "d0", "d1"]
    assert [name for _, name in tally.slowest()] == ["fern", "d99", "d98"]
    counts = Counts.of(separator.separate(PAGE))
    assert counts.sizes[LABELS.index("boilerplate")] == len(LINK)
    assert counts.lost(LABELS) == 0
    assert Counts.of(separator.separate("")).lost(["article"]) == 0


def test_the_stream_of_items_has_beginnings_and_ends(archive: Path) -> None:
    from degloss.blocks import read_items

    options = Options(output=str(archive.parent / "out"))
    made = plan([str(archive)], options, lambda kind: Form("text", keep=("article",)), Tally(print))
    kinds = [type(item) for item in read_items(made, print)]
    assert kinds == [Begin, Given, End, Begin, Given, End, Begin, Failure, *[Begin, Given, End] * 2]
    assert CLEAN
