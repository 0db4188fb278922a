"""Whatever is handed in: a correct result or one clear line, and never a half-written or a changed file."""

from __future__ import annotations

import itertools
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ARTICLE, CLEAN, COMMENT, PAGE, Run, clean_environment, command, with_a_terminal
from degloss import progress
from degloss.documents import LABELS
from degloss.separate import Separator

GERMAN = "Das Amt in Köln prüft das.\n\nSo ein Unsinn!!\n"
KEPT = "Das Amt in Köln prüft das.\n"

CLEANED = [
    # name, bytes of the file, what clean prints, what it notes
    ("empty", b"", "", "no text"),
    ("white space", b" \n\t \r\n\x0b", "", "no text"),
    ("a mark alone", b"\xef\xbb\xbf", "", "no text"),
    ("utf-8 with mark", b"\xef\xbb\xbf" + GERMAN.encode(), KEPT, ""),
    ("utf-16", GERMAN.encode("utf-16"), KEPT, ""),
    ("utf-16 big endian", b"\xfe\xff" + GERMAN.encode("utf-16-be"), KEPT, ""),
    ("utf-16 without mark", GERMAN.encode("utf-16-le"), KEPT, "read as UTF-16"),
    ("latin-1", GERMAN.encode("latin-1"), KEPT, "read as Windows-1252"),
    ("zero byte", b"Das Amt\0 sagt das.\n", "Das Amt\0 sagt das.\n", ""),
    ("crlf", GERMAN.replace("\n", "\r\n").encode(), KEPT.replace("\n", "\r\n"), ""),
    ("cr", GERMAN.replace("\n", "\r").encode(), KEPT, ""),
    ("no article", b"So ein Unsinn!!\n", "", "no article"),
    ("no line break at the end", ARTICLE.encode(), ARTICLE + "\n", ""),
    ("emoji and joiners", "Der Rat tagt 👩‍👧 heute.".encode(), "", "no article"),
]

REFUSED = [
    ("binary", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, "binary data"),
    ("zero bytes", b"\0" * 1000, "binary data"),
    ("damaged utf-8", GERMAN.encode() * 3 + b"\xff", "damaged at byte"),
    ("utf-8 cut off", ("Grüße. " * 9 + "ü").encode()[:-1], "damaged at byte"),
    ("damaged utf-16", b"\xff\xfe" + GERMAN.encode("utf-16-le")[:-1], "damaged at byte"),
]


@pytest.mark.parametrize(("data", "printed", "note"), [c[1:] for c in CLEANED], ids=[c[0] for c in CLEANED])
def test_texts_that_can_be_cleaned(data: bytes, printed: str, note: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(data)
    done = degloss("clean", "in.txt")
    assert (done.stdout.decode(), done.returncode) == (printed, 0)
    assert done.stderr.count(b"\n") == bool(note)
    assert note in done.stderr.decode()
    assert (tmp_path / "in.txt").read_bytes() == data


def test_json_is_nobodys_words(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text(json.dumps({"text": GERMAN}) + "\n")
    (tmp_path / "in.txt").write_text(GERMAN)
    done = degloss("clean", "dump.json", "in.txt")
    assert done.returncode == 3
    assert "dump.json: JSON is not read" in done.stderr.decode()
    assert KEPT in done.stdout.decode()
    for told in (("--type", "jsonl"), ("--text-field", "text")):
        assert json.loads(degloss("clean", *told, "dump.json").stdout) == {"text": KEPT.rstrip()}


@pytest.mark.parametrize(("data", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_files_that_are_no_text(data: bytes, message: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(data)
    for output in ([], ["-o", "out.txt"]):
        done = degloss("clean", "in.txt", *output)
        assert (done.stdout, done.returncode) == (b"", 1)
        assert done.stderr.startswith(b"degloss: in.txt: ")
        assert message in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
    assert os.listdir(tmp_path) == ["in.txt"]


MISTAKES = [
    # arguments, part of the message; in a folder with in.txt, other.txt, sub/ and sub/in.txt
    (["clean", "fehlt.txt"], "fehlt.txt: no such file"),
    (["clean", "in.txt", "-o", ""], "-o: an empty name; give a file or a folder"),
    (["clean", "sub"], "sub: a folder; say with -o"),
    (["explain", "sub"], "sub: a folder; explain takes files"),
    (["clean", "sub", "-o", "all.txt"], "sub: a folder; all.txt is a file: name a folder by -o"),
    (["clean", "empty", "-o", "out"], "empty: no files to read"),
    (["clean", "sub", "--include", "*.xyz", "-o", "out"], "sub: no files to read in this folder (*.xyz)"),
    (
        ["clean", "sub", "--exclude", "*.txt", "-o", "out"],
        "sub: nothing to read, --exclude leaves out the only file of",
    ),
    (
        ["clean", ".", "--exclude", "*", "-o", "out"],
        ".: nothing to read, --exclude leaves out all 5 files of this folder",
    ),
    (
        ["clean", "sub", "--include", "*.md", "--exclude", "*.txt", "-o", "out"],
        "sub: no files to read in this folder (*.md)",
    ),
    (["label", "sub", "-o", "sub"], "sub: the results would be among the inputs; give another folder"),
    (["label", "sub", "-o", "./sub/"], "the results would be among the inputs"),
    (["clean", "in.txt", "-o", "other.txt"], "other.txt: exists already"),
    (["clean", "in.txt", "-o", "in.txt"], "in.txt: is an input"),
    (["clean", "in.txt", "-o", "in.txt", "--force"], "in.txt: is an input"),
    (["clean", "in.txt", "-o", "link.txt", "--force"], "link.txt: is an input"),
    (["clean", "in.txt", "-o", "fehlt/out.txt"], "its folder does not exist"),
    (["clean", "in.txt", "other.txt", "-o", "in.txt/"], "a file stands where a folder is needed"),
    (["clean", "in.txt", "sub/in.txt", "-o", "out"], "in.txt: the result of both in.txt and sub/in.txt would"),
    (["clean", "in.txt", "./in.txt", "-o", "out"], "./in.txt: given twice"),
    (["clean", "sub", "sub/in.txt", "-o", "out"], "sub/in.txt: given twice"),
    (["clean", "in.txt", "sub/in.txt", "--in-place", "--backup", "b"], "in.txt: the copies of both in.txt and sub/"),
    (["clean", "s3://eimer/a.txt"], "s3://eimer/a.txt: an address; only label --scheduler"),
    (["clean", "in.txt", "-o", "s3://eimer/"], "s3://eimer/: an address; only label --scheduler"),
    (["clean", "-", "in.txt", "-o", "out"], "standard input has no name"),
    (["clean", "-", "-"], "standard input can be read only once"),
    (["clean", "in.txt", "--model", "sub"], "manifest.json: cannot be read"),
    (["clean", "in.txt", "--model", "fehlt", "-o", "out.txt"], "manifest.json: cannot be read"),
    (["label", "in.txt", "--text-field", "text"], "in.txt:1: not JSON"),
    (["clean", "zwei\nZeilen.txt"], "zwei⏎Zeilen.txt: no such file"),
]


@pytest.mark.parametrize(("args", "message"), MISTAKES, ids=[" ".join(c[0]) for c in MISTAKES])
def test_mistakes_are_told_before_anything_is_written(
    args: list[str], message: str, degloss: Run, tmp_path: Path
) -> None:
    for name in ("sub", "empty"):
        (tmp_path / name).mkdir()
    for name in ("in.txt", "other.txt", "sub/in.txt"):
        (tmp_path / name).write_text(ARTICLE)
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": ARTICLE}))
    (tmp_path / "link.txt").symlink_to("in.txt")
    before = contents(tmp_path)
    done = degloss(*args)
    assert (done.stdout, done.returncode) == (b"", 1)
    # The first line is the reason; where there were several inputs, a last one counts them.
    first, *rest = done.stderr.decode().splitlines()
    assert first.startswith("degloss: ")
    assert message in first
    assert all("documents failed" in line or message in line for line in rest)
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_permission(degloss: Run, powerless: Callable[[], None] | None, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(ARTICLE)
    (tmp_path / "in.txt").chmod(0)
    assert b"no permission to read it" in degloss("clean", "in.txt", first=powerless).stderr
    (tmp_path / "in.txt").chmod(0o600)
    (tmp_path / "locked").mkdir(0o500)
    done = degloss("clean", "in.txt", "-o", "locked/out.txt", first=powerless)
    assert b"no permission to write there" in done.stderr


def test_one_bad_file_does_not_stop_the_rest(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(PAGE)
    (tmp_path / "bad.txt").write_bytes(b"\0" * 100)
    (tmp_path / "last.txt").write_text(ARTICLE)
    done = degloss("clean", "good.txt", "bad.txt", "fehlt.txt", "last.txt")
    assert (done.stdout.decode(), done.returncode) == (CLEAN + ARTICLE + "\n", 3)
    *errors, count = done.stderr.decode().splitlines()
    assert [line.split(":")[1].strip() for line in errors] == ["bad.txt", "fehlt.txt"]
    assert count == "degloss: 2 of 4 documents failed"
    done = degloss("clean", "good.txt", "bad.txt", "fehlt.txt", "last.txt", "-o", "out")
    assert done.returncode == 3
    assert contents(tmp_path / "out") == {"good.txt": CLEAN.encode(), "last.txt": f"{ARTICLE}\n".encode()}
    # What is there already is one more failure, not the end.
    (tmp_path / "out" / "last.txt").unlink()
    done = degloss("clean", "good.txt", "last.txt", "-o", "out")
    assert done.returncode == 3
    assert b"good.txt: exists already" in done.stderr
    assert sorted(contents(tmp_path / "out")) == ["good.txt", "last.txt"]


def test_only_bad_files_write_nothing(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("x\ny\n")
    for args in (["fehlt.txt", "auch.txt"], ["bad.jsonl"]):
        for output in ("all.txt", "out/"):
            done = degloss("clean", *args, "-o", output)
            assert (done.stdout, done.returncode) == (b"", 1)
            assert done.stderr.endswith(b"degloss: 2 of 2 documents failed\n")
            assert contents(tmp_path) == {"bad.jsonl": b"x\ny\n"}


def test_bad_lines_of_json_lines_are_told_and_left_out(degloss: Run, tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": PAGE}),
        "{",
        '{"text": 5}',
        "[" * 10_000,
        "",
        json.dumps({"text": "a\ud800 b!!"}),
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = degloss("label", "in.jsonl", "--text-field", "text", "--format", "jsonl", "-o", "out.jsonl", "-q")
    assert done.returncode == 3
    told = [line.split(": ")[1] for line in done.stderr.decode().splitlines()]
    assert told == ["in.jsonl:2", "in.jsonl:3", "in.jsonl:4", "3 of 5 documents failed; see out.jsonl.errors.jsonl"]
    assert [len(json.loads(line)["sentences"]) for line in (tmp_path / "out.jsonl").open()] == [5, 1]


@pytest.mark.parametrize("format", ["text", "tsv", "jsonl"])
def test_lone_surrogates_come_out_as_valid_utf8(format: str, degloss: Run) -> None:
    line = '{"id": "\\udfff", "text": "Das \\ud800 Amt tagt."}\n'
    done = degloss("label", "-", "--text-field", "text", "--format", format, stdin=line.encode())
    assert done.returncode == 0
    done.stdout.decode("utf-8")
    if format == "jsonl":
        assert json.loads(done.stdout)["id"] == "\udfff"
        assert json.loads(done.stdout)["sentences"][0]["end"] == 15
    else:
        assert b"Das \\ud800 Amt tagt." in done.stdout
    cleaned = degloss("clean", "-", "--text-field", "text", stdin=line.encode())
    assert json.loads(cleaned.stdout) == {"id": "\udfff", "text": "Das \ud800 Amt tagt."}


def test_names_that_are_no_utf8(degloss: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"stra\xdfe.txt")
    try:
        (tmp_path / name).write_text(PAGE)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    done = degloss("label", name, "--format", "jsonl")
    assert json.loads(done.stdout)["file"] == name
    assert degloss("clean", name, "-o", "out/").returncode == 0
    assert os.listdir(tmp_path / "out") == [name]


LONG = [
    ("brackets and quotes", "(“" * 100_000),
    ("one word", "a" * 1_000_000),
    ("full stops", "." * 300_000),
    ("line breaks", "\n" * 1_000_000),
    ("emoji", "👩‍👧" * 100_000),
    ("combining marks", "a" + "\u0301" * 300_000),
    ("one line", (ARTICLE + " ") * 50_000),
]


@pytest.mark.parametrize("text", [c[1] for c in LONG], ids=[c[0] for c in LONG])
def test_long_and_odd_texts_lose_nothing(text: str, separator: Separator) -> None:
    began = time.process_time()
    found = separator.separate(text)
    assert time.process_time() - began < 20
    assert "".join(found.keep(LABELS).split()) == "".join(text.split())


@pytest.mark.slow
def test_one_line_of_50_megabytes(degloss: Run, tmp_path: Path) -> None:
    sentence = f"{ARTICLE} "
    (tmp_path / "in.txt").write_text(sentence * (50_000_000 // len(sentence)))
    done = degloss("clean", "in.txt", "-o", "out.txt")
    assert (done.stderr, done.returncode) == (b"", 0)
    assert (tmp_path / "out.txt").stat().st_size >= 49_900_000


def test_any_number_of_sentences_alone_and_in_company(separator: Separator) -> None:
    texts = [f"{ARTICLE}\n" * number for number in range(20)]
    alone = [separator.separate(text) for text in texts]
    assert [len(found) for found in alone] == list(range(20))
    for one, other in zip(alone, separator.separate_many(texts), strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        assert one.confidences == pytest.approx(other.confidences, abs=1e-9)


# What happens to the output.


def start(model: Path, folder: Path, *args: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command(model, *args), cwd=folder, stderr=subprocess.PIPE, env=clean_environment(), **options
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_reading(
    unbuffered: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (tmp_path / "in.txt").write_text(PAGE * 5000, encoding="utf-8")
    process = start(model, tmp_path, "label", "in.txt", stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"article")
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("args", [["clean", "in.txt"], ["model"], ["--help"], ["--version"]], ids=" ".join)
def test_a_reader_that_is_gone(args: list[str], model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE, encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    more = ["--model", str(model)] if args == ["model"] else []
    process = start(model, tmp_path, *args, *more, stdout=write)
    os.close(write)
    assert process.communicate()[1] == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("args", [["clean", "in.txt"], ["label", "in.txt"], ["explain", "in.txt"], ["--help"]])
def test_a_full_disk_behind_standard_output(args: list[str], model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE * 2000, encoding="utf-8")
    with open("/dev/full", "wb") as full:
        process = start(model, tmp_path, *args, stdout=full)
    message = process.communicate()[1].decode()
    assert process.returncode == 1
    assert message.startswith("degloss: ")
    assert "o space left" in message
    assert message.count("\n") == 1


def test_a_full_disk_behind_a_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE * 2000, encoding="utf-8")
    # A limit on the size of files fails in the middle of writing, as a full disk does.
    process = start(
        model, tmp_path, "clean", "in.txt", "-o", "out.txt", stdout=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    message = process.communicate()[1].decode()
    assert process.returncode == 1
    assert message == "degloss: out.txt: no space left to write it; make room, or write to another disk\n"
    assert os.listdir(tmp_path) == ["in.txt"]


@pytest.mark.parametrize("args", [["clean", "in.txt"], ["clean", "in.txt", "-o", "out.txt"], ["--help"]])
def test_closed_standard_output(args: list[str], model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE, encoding="utf-8")
    process = start(model, tmp_path, *args, preexec_fn=lambda: os.close(1))
    message = process.communicate()[1].decode()
    assert "Traceback" not in message
    if "-o" in args:
        assert (process.returncode, message) == (0, "")
        assert (tmp_path / "out.txt").read_text(encoding="utf-8") == CLEAN
    elif args[0] == "clean":
        assert (process.returncode, message.count("\n")) == (1, 1)
        assert "standard output is closed" in message


def test_closed_standard_input_and_error(model: Path, tmp_path: Path) -> None:
    process = start(model, tmp_path, "clean", "-", stdout=subprocess.PIPE, preexec_fn=lambda: os.close(0))
    assert b"standard input is closed" in process.communicate()[1]
    assert process.returncode == 1
    process = start(model, tmp_path, "clean", "fehlt.txt", stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    assert process.communicate()[0] == b""
    assert process.returncode == 1


def no_hang_up() -> None:
    """In a new process, before its program starts: as if under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


ENDING = [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize(("sent", "code"), ENDING)
def test_interrupted_while_reading(sent: signal.Signals, code: int, model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.txt")
    process = start(
        model, tmp_path, "clean", "in.txt", "-o", "out.txt", stdout=subprocess.DEVNULL, preexec_fn=with_a_terminal
    )
    with open(tmp_path / "in.txt", "wb"):  # waits until the process reads
        time.sleep(0.1)
        process.send_signal(sent)
        message = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code
    assert "Traceback" not in message
    assert message.count("\n") <= 1
    assert os.listdir(tmp_path) == ["in.txt"]


TOLD_TWICE = """
import os, signal
from degloss import exits
def work():
    try:
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        print("cleaned up")
exits.end(work)
"""


def test_a_second_signal_does_not_break_off_the_cleaning_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD_TWICE], capture_output=True, check=False, preexec_fn=with_a_terminal
    )
    assert (done.returncode, done.stdout, done.stderr) == (129, b"cleaned up\n", b"")


def test_a_system_without_hang_up_has_the_other_signals() -> None:
    script = (
        "import os, signal; del signal.SIGHUP; from degloss import exits\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "exits.end(lambda: os.kill(os.getpid(), signal.SIGINT))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_terminal_that_is_closed_takes_its_bar_with_it(model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.jsonl")
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        command(model, "label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl"),
        cwd=tmp_path, stderr=terminal, env=clean_environment(), preexec_fn=with_a_terminal,
    )  # fmt: skip
    os.close(terminal)
    with open(tmp_path / "in.jsonl", "wb") as pipe:
        while not select.select([ours], [], [], 0.05)[0]:
            pipe.write((json.dumps({"text": COMMENT}) + "\n").encode() * 100)
            pipe.flush()
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 129
    assert os.listdir(tmp_path) == ["in.jsonl"]


UNTAKEN = {
    "at the end": ("sys.stderr.buffer.write(b'a bar'); exits.end(lambda: sys.exit(3))", no_hang_up, 3),
    # As the bar's thread may, behind the last flush.
    "after the end": (
        "atexit.register(lambda: sys.stderr.buffer.write(b'a bar'));"
        " exits.end(lambda: os.kill(os.getpid(), signal.SIGHUP))",
        with_a_terminal, 129,
    ),
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
@pytest.mark.parametrize(("does", "before", "code"), UNTAKEN.values(), ids=UNTAKEN)
def test_what_a_dead_terminal_did_not_take_changes_no_exit_code(
    does: str, before: Callable[[], None], code: int
) -> None:
    script = f"import atexit, os, signal, sys; from degloss import exits; {does}"
    ours, terminal = os.openpty()
    os.close(ours)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", script], stderr=terminal, env=buffered, check=False, preexec_fn=before)
    os.close(terminal)
    assert done.returncode == code


@pytest.mark.parametrize("told", [SystemExit(129), KeyboardInterrupt()])
def test_a_signal_is_not_lost_over_a_terminal_that_is_gone(told: BaseException) -> None:
    def cleaned_up() -> None:
        try:
            raise told
        finally:
            raise OSError(5, "Input/output error")

    with pytest.raises(type(told)) as found:
        progress._moved(cleaned_up)
    assert found.value is told


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_a_run_outlives_its_terminal_if_it_is_to(model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.jsonl")
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        command(model, "label", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl"), cwd=tmp_path, stderr=terminal,
        env=clean_environment(), preexec_fn=no_hang_up,
    )  # fmt: skip
    os.close(terminal)
    lines = (json.dumps({"text": COMMENT}) + "\n").encode() * 100
    written = 0
    with open(tmp_path / "in.jsonl", "wb") as pipe:
        while not select.select([ours], [], [], 0.05)[0]:
            pipe.write(lines)
            pipe.flush()
            written += 100
        os.close(ours)
        for _ in range(20):
            pipe.write(lines)
            pipe.flush()
            written += 100
    assert process.wait(60) == 0
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == written


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize(("sent", "code"), ENDING)
def test_interrupted_while_writing(sent: signal.Signals, code: int, model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.jsonl")
    process = start(
        model,
        tmp_path,
        "label",
        "in.jsonl",
        "--format",
        "jsonl",
        "-o",
        "out.jsonl",
        stdout=subprocess.DEVNULL,
        preexec_fn=with_a_terminal,
    )
    with open(tmp_path / "in.jsonl", "wb") as pipe:
        for _ in range(600):  # more than a batch, so that some are written and some are read
            pipe.write(json.dumps({"text": COMMENT}).encode() + b"\n")
        pipe.flush()
        for _ in itertools.takewhile(lambda _: not list(tmp_path.glob(".degloss-*.part")), range(600)):
            time.sleep(0.05)
        assert list(tmp_path.glob(".degloss-*.part"))
        time.sleep(0.1)
        process.send_signal(sent)
        message = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code
    assert "Traceback" not in message
    assert os.listdir(tmp_path) == ["in.jsonl"]
