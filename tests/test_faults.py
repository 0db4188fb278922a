"""What can go wrong around degloss: disks, permissions, clocks, locales, networks, hostile texts."""

from __future__ import annotations

import html
import html.parser
import importlib.util
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ARTICLE, CLEAN, COMMENT, PAGE, Run, clean_environment, command
from degloss import report
from degloss.errors import InputError, OutputError
from degloss.formats import Form
from degloss.read import Document, read_documents
from degloss.separate import Separator
from degloss.source import opened
from degloss.tally import Tally

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run(model: Path, folder: Path, *args: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(  # type: ignore[call-overload]
        command(model, *args), cwd=folder, capture_output=True, timeout=120, check=False,
        **{"env": clean_environment(), **options},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done  # type: ignore[no-any-return]


# disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this can be had; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


@posix
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_a_full_disk_in_a_long_run_leaves_nothing(ending: str, small_disk: Path, model: Path, tmp_path: Path) -> None:
    source = tmp_path / f"in.{ending.removesuffix('.gz')}"
    texts = [f"{PAGE}{os.urandom(1500).hex()}" for _ in range(600)]
    if ending == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table({"text": texts}), source, compression="none")
    elif ending == "csv":
        source.write_text("text\n" + "".join(f'"{text}"\n' for text in texts))
    else:
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    done = run(model, tmp_path, "label", source.name, "--format", "table", "-o", f"disk/out.{ending}")
    assert done.returncode == 1
    assert b"no space left" in done.stderr
    assert names(small_disk) == []


@posix
def test_a_full_disk_stops_single_files_and_not_the_run(small_disk: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, size in (("a", 10), ("gross", 30_000), ("z", 10)):
        (tmp_path / "in" / f"{name}.txt").write_text(PAGE * size)
    done = run(model, tmp_path, "clean", "in", "-o", "disk/out")
    assert done.returncode == 3
    assert b"gross.txt: no space left" in done.stderr
    assert [name for name in names(small_disk) if name.endswith(".txt")] == ["out/a.txt", "out/z.txt"]
    assert json.loads((small_disk / "out.errors.jsonl").read_text())["error"] == "OutputError"


@posix
def test_a_run_that_ran_out_of_space_goes_on_when_there_is_some(model: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"id": n, "text": PAGE}) for n in range(1500)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    args = ("label", "in.jsonl", "--format", "jsonl", "--resume")
    assert run(model, tmp_path, *args, "-o", "whole.jsonl").returncode == 0
    # A limit on the size of files fails in the middle of writing, as a full disk does.
    size = (tmp_path / "whole.jsonl").stat().st_size // 2
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
    done = run(model, tmp_path, *args, "-o", "out.jsonl", preexec_fn=limit)
    assert (done.returncode, b"no space left" in done.stderr) == (1, True)
    assert not (tmp_path / "out.jsonl").exists()
    done = run(model, tmp_path, *args, "-o", "out.jsonl")
    assert done.returncode == 0
    assert b"of them before)" in done.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_must_not_be_read_or_written_is_counted(
    degloss: Run, powerless: Callable[[], None] | None, tmp_path: Path
) -> None:
    (tmp_path / "in" / "zu").mkdir(parents=True)
    for name in ("a.txt", "geheim.txt", "z.txt"):
        (tmp_path / "in" / name).write_text(PAGE)
    (tmp_path / "in" / "geheim.txt").chmod(0)
    (tmp_path / "in" / "zu").chmod(0)
    done = degloss("clean", "in", "-o", "out", first=powerless)
    assert done.returncode == 3
    assert b"geheim.txt: no permission to read it" in done.stderr
    assert b"in/zu: folder cannot be read" in done.stderr
    assert names(tmp_path / "out") == ["a.txt", "z.txt"]


UNWRITABLE = [
    # what is locked, arguments, exit code, the results that are there all the same
    ("out/zu", ["in", "-o", "out"], 3, ["out/a.txt"]),
    ("out", ["in", "-o", "out"], 3, ["out/zu/b.txt"]),
    ("out", ["in", "-o", "out", "--resume"], 1, []),  # no journal, no run
    ("out", ["in/a.txt", "-o", "out/a.txt"], 1, []),
    ("in", ["in", "-o", "in/neu"], 1, []),
]


@pytest.mark.parametrize(("locked", "args", "code", "results"), UNWRITABLE, ids=[f"{c[0]} {c[1]}" for c in UNWRITABLE])
def test_folders_that_must_not_be_written(
    locked: str, args: list[str], code: int, results: list[str],
    degloss: Run, powerless: Callable[[], None] | None, tmp_path: Path,
) -> None:  # fmt: skip
    (tmp_path / "in" / "zu").mkdir(parents=True)
    for name in ("a.txt", "zu/b.txt"):
        (tmp_path / "in" / name).write_text(PAGE)
    (tmp_path / "out" / "zu").mkdir(parents=True)
    (tmp_path / locked).chmod(0o555)
    done = degloss("clean", *args, first=powerless)
    (tmp_path / locked).chmod(0o755)
    assert (done.returncode, b"no permission to write there" in done.stderr) == (code, True)
    assert results == [f"out/{name}" for name in names(tmp_path / "out")]
    assert all((tmp_path / name).read_text() == CLEAN for name in results)


def test_what_can_be_neither_read_nor_written_is_one_failure(
    degloss: Run, powerless: Callable[[], None] | None, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, data in (("a.txt", PAGE.encode()), ("binär.txt", bytes(100)), ("b.txt.gz", b"kein gzip")):
        (tmp_path / "in" / name).write_bytes(data)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o555)
    done = degloss("clean", "in", "-o", "out", first=powerless)
    (tmp_path / "out").chmod(0o755)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 4), done.stderr
    assert b"3 of 3 documents failed" in done.stderr


POOR = """
from degloss import blocks
from degloss.cli import main
from degloss.separate import Separator
read, separate = blocks.read_documents, Separator.separate_many

def read_poorly(source, *args, **options):
    if "Riesendatei" in source:
        raise MemoryError
    return read(source, *args, **options)

def separate_poorly(self, texts, **options):
    given = list(texts)
    if any("Riesentext" in text for text in given):
        raise MemoryError
    return separate(self, given, **options)

blocks.read_documents, Separator.separate_many = read_poorly, separate_poorly
main()
"""
"""Memory is too small for a file and for a text."""


def test_what_is_too_large_for_the_memory_fails_alone(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (("a", PAGE), ("b", f"{PAGE}Riesentext"), ("c-Riesendatei", PAGE), ("z", PAGE)):
        (tmp_path / "in" / f"{name}.txt").write_text(text)
    rows = [json.dumps({"id": number, "text": text}) for number, text in enumerate([PAGE, "Riesentext", ARTICLE])]
    (tmp_path / "in" / "dump.jsonl").write_text("\n".join(rows))
    for more in (["-o", "out"], ["--in-place", "--backup", "b"]):
        words = [sys.executable, "-c", POOR, *command(model, "clean", "in", *more)[3:]]
        done = subprocess.run(words, cwd=tmp_path, env=clean_environment(), capture_output=True, check=False)
        told = done.stderr.decode()
        for place in ("b.txt", "c-Riesendatei.txt", "dump.jsonl:2"):
            assert f"degloss: in/{place}: not enough memory for it; split it, or take a machine with more" in told
        assert (done.returncode, "documents failed" in told) == (3, True)
        folder = tmp_path / more[-1] if "-o" in more else tmp_path / "in"
        assert (folder / "a.txt").read_text() == (folder / "z.txt").read_text() == CLEAN
        left = [json.loads(line)["id"] for line in (folder / "dump.jsonl").read_text().splitlines()]
        assert left == ([0, 2] if "-o" in more else [0, 1, 2])
    assert names(tmp_path / "out") == ["a.txt", "dump.jsonl", "z.txt"]


def test_the_system_has_no_memory() -> None:
    script = (
        "import errno, os; from degloss import exits\n"
        "def work(): raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))\n"
        "exits.end(work)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr.startswith(b"degloss: not enough memory for this input; split it")) == (
        1,
        True,
    )


def test_what_must_not_be_written_in_place_stays(
    degloss: Run, powerless: Callable[[], None] | None, tmp_path: Path
) -> None:
    for name in ("offen/a.txt", "zu/b.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        (tmp_path / "in" / name).write_text(PAGE)
    (tmp_path / "in" / "zu").chmod(0o555)
    done = degloss("clean", "in", "--in-place", "--backup", "b", first=powerless)
    (tmp_path / "in" / "zu").chmod(0o755)
    assert (done.returncode, b"b.txt: no permission to write there" in done.stderr) == (3, True)
    assert (tmp_path / "in" / "offen" / "a.txt").read_text() == CLEAN
    assert (tmp_path / "in" / "zu" / "b.txt").read_text() == PAGE
    assert degloss("restore", "b").returncode == 0
    assert (tmp_path / "in" / "offen" / "a.txt").read_text() == PAGE


@posix
def test_a_read_only_disk(model: Path, small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(PAGE)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for args in (["-o", "disk/out.txt"], ["-o", "disk/out/"], ["-o", "disk/out.txt", "--resume"]):
        done = run(model, tmp_path, "clean", "in.txt", *args)
        assert (done.returncode, b"read-only" in done.stderr) == (1, True)


# files that change


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text(PAGE)
    with opened(str(file)) as source:
        file.write_text(PAGE * 2)
        with pytest.raises(InputError, match="changed while it was read"):
            source.whole()


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_rows_of_a_file_that_grows_are_kept_and_the_change_is_told(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"in.{kind}"
    rows = {"jsonl": '{"text": "Ja."}\n' * 3, "csv": "text\nJa.\nNein.\nSo.\n"}
    file.write_text(rows[kind])
    found = []
    for item in read_documents(str(file), kind, "text", pytest.fail):  # type: ignore[arg-type]
        if isinstance(item, Document) and not found:
            with file.open("a") as more:
                more.write(" ")
        found += [item] if isinstance(item, Document | InputError) else []
    assert [type(item) for item in found][:3] == [Document] * 3
    assert "changed while it was read" in str(found[-1])


def test_a_file_that_vanishes_is_one_failure(tmp_path: Path, separator: Separator) -> None:
    from degloss.blocks import Failure, read_items
    from degloss.plan import Options
    from degloss.planning import plan

    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(PAGE)
    options = Options(output=str(tmp_path / "out/"))
    made = plan([str(tmp_path)], options, lambda kind: Form("text", keep=("article",)), Tally(print))
    (tmp_path / "b.txt").unlink()
    failures = [item for item in read_items(made, print) if isinstance(item, Failure)]
    assert [str(item.error).rpartition("/")[2] for item in failures] == ["b.txt: no such file; check the path"]


# clocks and locales


@posix
@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"LC_ALL": "de_DE.ISO-8859-1"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "0"},
    ],
    ids=str,
)
def test_results_do_not_depend_on_locale_and_time_zone(
    environment: dict[str, str], model: Path, tmp_path: Path
) -> None:
    (tmp_path / "seite.txt").write_text(PAGE, encoding="utf-8")
    for args in (["label", "seite.txt", "--format", "jsonl"], ["clean", "seite.txt"], ["label", "seite.txt"]):
        plain = run(model, tmp_path, *args)
        done = run(model, tmp_path, *args, env=clean_environment(environment))
        assert (done.stdout, done.returncode) == (plain.stdout, 0)
    packed = ("clean", "seite.txt", "-o", "out.txt.gz", "--force")
    run(model, tmp_path, *packed)
    first = (tmp_path / "out.txt.gz").read_bytes()
    run(model, tmp_path, *packed, env=clean_environment(environment))
    assert (tmp_path / "out.txt.gz").read_bytes() == first


def test_a_clock_that_jumps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from degloss.progress import Progress

    shown = Progress([], print, shown=True)
    monkeypatch.setattr(time, "time", lambda: -1e9)
    monkeypatch.setattr(time, "monotonic", lambda: shown._began)  # a clock that stands still
    assert "documents" in shown.line(Tally(print), 0.0)
    assert shown.summary(Tally(print, done=2))[0].startswith("2 documents in 0.0 s")


def test_a_file_from_the_future_is_resumed_like_any_other(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(PAGE)
    os.utime(tmp_path / "in" / "a.txt", (4e9, 4e9))
    for _ in range(2):
        assert degloss("clean", "in", "-o", "out", "--resume").returncode == 0
    assert (tmp_path / "out" / "a.txt").read_text() == CLEAN


@posix
def test_interrupted_while_everything_is_still_being_loaded() -> None:
    import signal

    script = (
        "import os, signal, sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'numpy': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from degloss_start import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, "--version"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


# networks

ASKING = ("connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")
BLOCKED = f"""
import sys
def refuse(event, arguments):
    if event in {{"socket." + name for name in {ASKING}}}:
        sys.stderr.write("NETWORK\\n")
        raise OSError("no network")
sys.addaudithook(refuse)
sys.argv = ["degloss", *sys.argv[1:]]
from degloss.cli import main
main()
"""


@pytest.mark.parametrize(
    "args",
    [
        ["clean", "in.txt"],
        ["label", "in.jsonl", "--format", "jsonl"],
        ["explain", "in.txt"],
        ["label", "in.html"],
        ["label", "in.html", "--format", "html"],
        ["label", "in.csv", "--format", "table", "--fix-mojibake"],
        ["clean", "latin.txt"],
        ["label", "in.parquet", "--format", "jsonl"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_is_asked_of_the_network(args: list[str], model: Path, tmp_path: Path) -> None:
    if "in.html" in args:
        pytest.importorskip("trafilatura")
    link = f"<p>{ARTICLE} https://example.org/bild.png</p><img src=https://example.org/x.png>"
    (tmp_path / "in.txt").write_text(f"{PAGE}\n{link}")
    (tmp_path / "in.html").write_text(f"<html><link rel=stylesheet href=https://example.org/a.css><body>{link}")
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": link}) + "\n")
    (tmp_path / "in.csv").write_text(f"text\n{link}\n")
    (tmp_path / "latin.txt").write_bytes(f"{PAGE} Größe".encode("latin-1"))
    if "in.parquet" in args:
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.table({"text": [link]}), tmp_path / "in.parquet")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *command(model, *args)[3:]],
        cwd=tmp_path, capture_output=True, env=clean_environment(), check=False,
    )  # fmt: skip
    assert b"NETWORK" not in done.stderr
    assert (done.returncode, done.stdout != b"") == (0, True)


def test_the_block_would_be_noticed(model: Path) -> None:
    script = BLOCKED.replace(
        "from degloss.cli import main\nmain()", "import socket; socket.create_connection(('127.0.0.1', 9))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert b"NETWORK" in done.stderr


# hostile texts


class Page(html.parser.HTMLParser):
    """What a browser would see of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = st.text(
    st.sampled_from("<>&\"'/=` \n\0\x1b\u202e\ud800aZ!") | st.characters(), max_size=60
) | st.sampled_from(
    ["<script>alert(1)</script>", "</div><img src=x onerror=alert(1)>", "&lt;script&gt;", "]]>", "<!--"]
)


@given(text=HOSTILE, name=HOSTILE)
def test_nothing_of_a_text_gets_into_the_page_but_as_text(text: str, name: str, separator: Separator) -> None:
    found = separator.separate(text)
    page = Page()
    page.feed(report.document(found, name))
    page.close()
    assert {tag for tag, _ in page.tags} <= {"h2", "div", "span"}
    assert all(set(attributes) <= {"class", "title"} for _, attributes in page.tags)
    allowed = {"text", "article", "commentary", "boilerplate", "unsure"}
    assert all(set(str(attributes.get("class", "")).split()) <= allowed for _, attributes in page.tags)
    assert not re.search("[\0\x1b\u202e\ud800]", page.text)


def test_the_page_forbids_the_browser_everything_but_its_style(degloss: Run, tmp_path: Path) -> None:
    import base64
    import hashlib

    (tmp_path / "in.txt").write_text(f"{PAGE}\n<script src=https://example.org/x.js></script>")
    (tmp_path / "more.txt").write_text(COMMENT)
    done = degloss("label", "in.txt", "more.txt", "--format", "html", "-o", "out.html", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    policies = [
        a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]
    assert not {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "object", "a", "form", "base"}
    assert not [a for _, a in page.tags if {"src", "href", "style", "onerror"} & set(a)]
    assert text.count("<!doctype html>") == 1
    assert text.count("<h2>") == 2


DEEP = [
    ("lists", "[" * 10_000 + "]" * 10_000),
    ("objects", '{"a":' * 10_000 + "1" + "}" * 10_000),
    ("unfinished", '{"text":' + "[" * 10_000),
]


@pytest.mark.parametrize("line", [case[1] for case in DEEP], ids=[case[0] for case in DEEP])
def test_deep_json_is_refused_and_the_rest_done(line: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(f'{{"text": "Ja."}}\n{{"text": "x", "mehr": {line}}}\n{{"text": "Nein."}}\n')
    done = degloss("label", "in.jsonl", "--format", "jsonl")
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 2
    assert b"in.jsonl:2: n" in done.stderr


# the error tree and threads


def test_trouble_with_the_file_of_failures_is_told(tmp_path: Path) -> None:
    (tmp_path / "ordner").mkdir()
    tally = Tally(print, records=tmp_path / "ordner")
    with pytest.raises(OutputError, match="failures are to be recorded there"):
        tally.fail(InputError("x: kaputt"), "x")
    tally.records = tmp_path / "ordner" / ("x" * 300)
    with pytest.raises(OutputError, match="the file of failures"):
        tally.fail(InputError("x: kaputt"), "x")


def test_threads_share_a_model(separator: Separator) -> None:
    expected = separator.separate(PAGE)
    results: list[bool] = []

    def work() -> None:
        results.extend(separator.separate(PAGE) == expected for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 80


# fuzzing, shortly


def test_fuzz_target() -> None:
    """A few thousand inputs, new ones each time; many more by hand: tests/fuzz/target.py."""
    place = Path(__file__).parent / "fuzz" / "target.py"
    specification = importlib.util.spec_from_file_location("fuzz_target", place)
    assert specification is not None
    assert specification.loader is not None
    target = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(target)
    target.main(["4000"])
    target.label_one("Er traf A\u00a0. So ein Unsinn!!".encode(), target.shipped())
