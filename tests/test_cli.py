"""The command line as people and scripts meet it: as a process."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import degloss_start
from conftest import ARTICLE, CLEAN, COMMENT, LINK, PAGE, Run, clean_environment
from conftest import command as command_line
from degloss import cli, exits, options
from degloss.documents import FAVORS, LABELS
from degloss.errors import TrainingError
from degloss.tally import Tally


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.txt"
    file.write_text(PAGE, encoding="utf-8")
    return file


# The examples of the documentation.

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^\$ degloss (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
EXAMPLES = [
    example
    for block in _BLOCK.findall((Path(__file__).parents[1] / "docs" / "command-line.md").read_text("utf-8"))
    for example in _COMMAND.findall(block)
    if "missing.txt" not in example[0]  # which takes time, and says how much
]
"""The commands and what is said to come out of them; of long outputs the beginning."""


def test_there_are_examples() -> None:
    assert {words.split()[0] for words, _ in EXAMPLES} >= {"clean", "label", "explain"}
    assert len(EXAMPLES) >= 7
    assert all(shown for _, shown in EXAMPLES)


@pytest.mark.parametrize(("words", "shown"), EXAMPLES, ids=[words for words, _ in EXAMPLES])
def test_the_examples_of_the_documentation(words: str, shown: str, degloss: Run, page: Path, tmp_path: Path) -> None:
    line = {"id": 7, "text": f"{ARTICLE}\n\n{COMMENT}", "tags": ["a"]}
    (tmp_path / "dump.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    done = degloss(*words.split())
    assert (done.stderr + done.stdout).decode().startswith(shown)


# clean


def test_clean_prints_the_article(degloss: Run, page: Path) -> None:
    done = degloss("clean", "page.txt")
    assert (done.stdout.decode(), done.stderr, done.returncode) == (CLEAN, b"", 0)
    assert page.read_text(encoding="utf-8") == PAGE


@pytest.mark.parametrize("args", [["clean", "-"], ["clean"], ["clean", "-", "-o", "-"]])
def test_clean_reads_standard_input(args: list[str], degloss: Run) -> None:
    done = degloss(*args, stdin=PAGE.encode())
    assert (done.stdout.decode(), done.returncode) == (CLEAN, 0)


KEPT = [
    (["--keep", "commentary"], COMMENT + "\n"),
    (["--keep", "boilerplate"], LINK + "\n"),
    (["--keep", "boilerplate", "--keep", "commentary"], f"{COMMENT}\n\n{LINK}\n"),
    (["--keep", "article", "--keep", "commentary", "--keep", "boilerplate"], PAGE),
]


@pytest.mark.parametrize(("args", "kept"), KEPT)
def test_clean_keeps_what_is_asked_for(args: list[str], kept: str, degloss: Run) -> None:
    assert degloss("clean", "-", *args, stdin=PAGE.encode()).stdout.decode() == kept


def test_favor_moves_the_decision(degloss: Run) -> None:
    # The model is not sure of this one: one exclamation mark weighs 4 - 3.
    doubtful = "Das Amt hat einen Plan vorgelegt!\n"
    kept = {favor: degloss("clean", "-", "--favor", favor, stdin=doubtful.encode()).stdout for favor in FAVORS}
    assert kept["recall"].decode() == doubtful
    assert kept["precision"] == b""


def test_clean_writes_a_file(degloss: Run, page: Path, tmp_path: Path) -> None:
    done = degloss("clean", "page.txt", "-o", "article.txt")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert (tmp_path / "article.txt").read_text(encoding="utf-8") == CLEAN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["article.txt", "page.txt"]


def test_clean_writes_files_into_a_folder_under_their_names(degloss: Run, page: Path, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(ARTICLE)
    assert degloss("clean", "page.txt", "other.md", "-o", "new/out").returncode == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new" / "out").iterdir()}
    assert written == {"page.txt": CLEAN, "other.md": ARTICLE + "\n"}


def test_clean_mirrors_a_folder(degloss: Run, tmp_path: Path) -> None:
    for name in ("in/a.txt", "in/deep/er/b.txt", "in/no.docx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(PAGE, encoding="utf-8")
    # A second run does not take the results of the first for inputs.
    for force in ([], ["--force"]):
        assert degloss("clean", "in", "-o", "in/out", *force).returncode == 0
        out = tmp_path / "in" / "out"
        written = {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}
        assert written == {"a.txt": CLEAN, os.path.join("deep", "er", "b.txt"): CLEAN}


def test_clean_puts_the_article_in_place_of_the_text_of_json_lines(degloss: Run, tmp_path: Path) -> None:
    lines = [{"id": i, "body": text, "n": 1.50} for i, text in enumerate([PAGE, "", COMMENT])]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = degloss("clean", "in.jsonl", "--text-field", "body")
    assert done.returncode == 0
    cleaned = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(line) for line in cleaned] == [["id", "body", "n"]] * 3
    assert [line["body"] for line in cleaned] == [CLEAN.rstrip("\n"), "", ""]


# label


def test_label_prints_a_line_a_sentence(degloss: Run, page: Path) -> None:
    done = degloss("label", "page.txt")
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == [
        "article",
        "article",
        "commentary",
        "article",
        "boilerplate",
    ]
    assert lines[2].endswith(COMMENT)
    assert b"\x1b" not in done.stdout


def test_label_names_the_files_if_there_are_several(degloss: Run, page: Path) -> None:
    text = degloss("label", "page.txt", "page.txt").stdout.decode()
    assert text.count("==> page.txt <==\n") == 2
    table = degloss("label", "page.txt", "page.txt", "--format", "tsv").stdout.decode().splitlines()
    assert table[0].split("\t")[:3] == ["start", "end", "label"]
    assert [line.split("\t")[-1] for line in table[1:]] == ["page.txt"] * 10


def test_label_jsonl_of_files(degloss: Run, page: Path) -> None:
    done = degloss("label", "page.txt", "-", "--format", "jsonl", stdin=b"")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["file"] == "page.txt"
    assert [PAGE[s["start"] : s["end"]] for s in first["sentences"]][2] == COMMENT
    assert second == {"file": "-", "sentences": []}


def test_label_jsonl_of_json_lines(degloss: Run, tmp_path: Path) -> None:
    lines = [{"id": i, "text": text, "nested": {"a": [i, None]}} for i, text in enumerate([PAGE, "", COMMENT] * 200)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = degloss("label", "in.jsonl", "--text-field", "text", "--format", "jsonl", "-o", "out.jsonl", "--quiet")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    labelled = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in labelled] == list(range(600))
    for line, before in zip(labelled, lines, strict=True):
        assert list(line) == ["id", "nested", "sentences"]
        assert line["nested"] == before["nested"]
    assert [len(line["sentences"]) for line in labelled[:3]] == [5, 0, 1]
    assert labelled[2]["sentences"][0]["label"] == "commentary"


def test_label_writes_files_into_a_folder_with_the_ending_of_their_format(
    degloss: Run, page: Path, tmp_path: Path
) -> None:
    (tmp_path / "2026.01.30").write_text(ARTICLE)
    for format, first in (("tsv", "start\tend\t"), ("jsonl", '{"file": "'), ("text", "article")):
        assert degloss("label", "page.txt", "2026.01.30", "--format", format, "-o", format).returncode == 0
        ending = {"text": "txt"}.get(format, format)
        names = {f"page.{ending}", f"2026.01.30.{ending}"}
        assert {path.name for path in (tmp_path / format).iterdir()} == names
        assert all((tmp_path / format / name).read_text().startswith(first) for name in names)


def test_several_files_go_into_one_if_its_name_says_so(degloss: Run, page: Path, tmp_path: Path) -> None:
    assert degloss("label", "page.txt", "page.txt", "--format", "jsonl", "-o", "all.jsonl").returncode == 0
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2


# the others


def test_explain_reads_what_it_is_told_to(degloss: Run) -> None:
    done = degloss("explain", "--type", "csv", "-", stdin=f"id,text\n7,{COMMENT}\n".encode())
    assert done.returncode == 0, done.stderr
    assert COMMENT in done.stdout.decode()
    assert "id,text" not in done.stdout.decode()


def test_explain_gives_reasons_for_what_is_removed(degloss: Run, page: Path) -> None:
    text = degloss("explain", "page.txt").stdout.decode()
    assert COMMENT in text
    assert "+8.00 count exclamation" in text
    assert ARTICLE not in text
    assert ARTICLE in degloss("explain", "--all", "page.txt").stdout.decode()


def test_model_shows_the_manifest(degloss: Run, model: Path, tmp_path: Path) -> None:
    done = degloss("model", "--model", model)
    assert json.loads(done.stdout) == json.loads((model / "manifest.json").read_text())
    missing = degloss("model", "--model", tmp_path)
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert missing.stderr.count(b"\n") == 1


def test_model_shows_first_what_people_look_for(degloss: Run) -> None:
    keys = list(json.loads(degloss("model").stdout))
    assert keys[:4] == ["format", "features", "labels", "sha256"]
    assert keys.index("gate") < min(keys.index("arrays"), keys.index("sources"))


def test_version(degloss: Run) -> None:
    assert degloss("--version").stdout.decode() == f"degloss {importlib.metadata.version('degloss')}\n"


def test_help_fits_a_screen_with_the_main_job_first(degloss: Run) -> None:
    done = degloss("--help")
    lines = done.stdout.decode().splitlines()
    assert len(lines) <= 23  # and the prompt below
    assert all(len(line) <= 80 for line in lines)
    assert "degloss clean page.txt" in "\n".join(lines[:6])
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.startswith("  ")]
    assert listed[:8] == ["clean", "label", "restore", "explain", "model", "train", "evaluate", "corpus"]


@pytest.mark.parametrize("name", ["clean", "label", "explain"])
@pytest.mark.parametrize("encoding", ["ascii", "cp850", "latin-1"])
def test_help_in_any_encoding(encoding: str, name: str) -> None:
    environment = {**clean_environment(), "PYTHONIOENCODING": encoding}
    args = [sys.executable, "-m", "degloss", name, "--help"]
    done = subprocess.run(args, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Usage: ")


def test_the_command_is_installed() -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="degloss")
    assert script.load() is degloss_start.main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, degloss: Run) -> None:
    environment = {
        "_DEGLOSS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "degloss cl",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "degloss cl",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    script = "import sys; sys.argv[0] = 'degloss'; from degloss.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=clean_environment(environment), check=False
    )
    assert b"clean" in done.stdout
    assert b"label" not in done.stdout


@pytest.mark.parametrize("name", ["train", "evaluate", "corpus"])
def test_training_commands_get_all_arguments(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[str] = []

    def command(args: list[str]) -> int:
        given.extend(args)
        return 5

    class Registered:
        load = staticmethod(lambda: command)

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group, name: [Registered()])
    monkeypatch.setattr(sys, "argv", ["degloss", name, "check", "--public", "DIR", "-x", "--help", "a b"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 5
    assert given == ["check", "--public", "DIR", "-x", "--help", "a b"]


@pytest.mark.parametrize("where", ["loading", "running", "not registered"])
def test_training_without_its_packages_says_what_to_install(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> object:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn.linear_model")

    class Registered:
        @staticmethod
        def load() -> object:
            return fail() if where == "loading" else fail

    found = [] if where == "not registered" else [Registered()]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group, name: found)
    monkeypatch.setattr(sys, "argv", ["degloss", "train"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == exits.FAILED
    assert "pip install 'degloss[train]'" in capsys.readouterr().err


# exit codes


def fail_with(error: BaseException, done: int = 0, failed: int = 0) -> int:
    def work(tally: Tally) -> None:
        tally.done += done
        for _ in range(failed):
            tally.fail(TrainingError("kaputt"))
        raise error

    return exits.perform(work)


ENDINGS = [
    (TrainingError("kaputt"), 1, "degloss: kaputt\n"),
    (TrainingError("zwei\nZeilen\x1b[2J"), 1, "degloss: zwei⏎Zeilen\\u001b[2J\n"),
    (MemoryError(), 1, "degloss: not enough memory"),
    (KeyboardInterrupt(), 130, "degloss: interrupted; no file is half-written, those that are there are complete\n"),
]


@pytest.mark.parametrize(("error", "code", "message"), ENDINGS)
def test_every_ending_is_a_line_and_a_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail_with(error) == code
    told = capsys.readouterr()
    assert told.err.startswith(message)
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize(("done", "failed", "code"), [(0, 0, 0), (3, 0, 0), (0, 3, 1), (1, 2, 3)])
def test_the_code_says_how_much_was_done(done: int, failed: int, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def work(tally: Tally) -> None:
        tally.done += done
        for _ in range(failed):
            tally.fail(TrainingError("kaputt"))

    assert exits.perform(work) == code
    told = capsys.readouterr().err.splitlines()
    assert told == ["degloss: kaputt"] * failed + [f"degloss: {failed} of {failed + done} documents failed"] * bool(
        failed
    )


def test_a_million_failures_of_one_kind_are_not_told_one_by_one() -> None:
    told: list[str] = []
    tally = Tally(told.append)
    for _ in range(1000):
        tally.fail(TrainingError("kaputt"))
    assert tally.failed == 1000
    assert len(told) < 30
    assert told[-1] == "further errors are counted, not shown; with -o all are recorded"


def test_many_notes_of_one_kind_hide_no_others(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(23):
        (tmp_path / "in" / f"{number:02}-leer.txt").write_bytes(b"")
        (tmp_path / "in" / f"{number:02}.txt").write_bytes(f"Der Rat tagt in Köln {number}.".encode("cp1252"))
    (tmp_path / "in" / "zuletzt.txt").write_bytes("Der Rat tagt.".encode("utf-16-le"))
    for jobs in ("1", "2"):
        done = degloss("clean", "in", "-o", "out", "-q", "--force", "--jobs", jobs)
        *told, last = done.stderr.decode().splitlines()
        assert (done.returncode, len(told)) == (0, 41)
        assert sum("no text in it" in line for line in told) == sum("as Windows-1252" in line for line in told) == 20
        assert sum("zuletzt.txt: read as UTF-16" in line for line in told) == 1
        assert last == "degloss: further notes, not shown: 3 empty results, 3 read as Windows-1252"


USAGE = [
    ["clean", "--favor", "sure"],
    ["clean", "--keep", "nothing"],
    ["label", "--format", "xml"],
    ["explain", "-n", "0"],
    ["clean", "--no-such-option"],
    ["clean", "--text-field", ""],
    ["no-such-command"],
]


@pytest.mark.parametrize("args", USAGE, ids=" ".join)
def test_wrong_usage(args: list[str], degloss: Run) -> None:
    done = degloss(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Error: " in done.stderr


def test_the_options_speak_of_the_labels() -> None:
    assert tuple(options.Speaker) == LABELS
    assert isinstance(cli.app, typer.Typer)


# terminals


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colors_only_on_a_terminal_that_wants_them(
    environment: dict[str, str], colored: bool, model: Path, page: Path
) -> None:
    import pty

    main, worker = pty.openpty()
    process = subprocess.Popen(
        command_line(model, "label", page),
        stdout=worker,
        stdin=subprocess.DEVNULL,
        env=clean_environment(environment),
    )
    os.close(worker)
    shown = b""
    try:
        while piece := os.read(main, 4096):
            shown += piece
    except OSError:  # the way Linux tells that the other end is closed
        pass
    os.close(main)
    assert process.wait() == 0
    assert COMMENT.encode() in shown
    assert (b"\x1b[" in shown) is colored


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_without_input_a_person_is_told_what_to_give(model: Path) -> None:
    import pty

    main, worker = pty.openpty()
    done = subprocess.run(command_line(model, "clean"), stdin=worker, capture_output=True, timeout=60, check=False)
    os.close(worker)
    os.close(main)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"degloss: no input; give files, or - for standard input\n"
