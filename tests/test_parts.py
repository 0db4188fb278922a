"""Parts of files: together they are the files, wherever they are cut, and what fails is named by file and line."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import COMMENT, LINK, PAGE, Run
from degloss import parts as module
from degloss.errors import InputError, OutputError
from degloss.formats import Form
from degloss.parts import Piece, Report, find, kind_in, label_part, make_place, part_urls, parts, write_part
from degloss.separate import Separator

TEXTS = [PAGE, "", COMMENT, "Grüße aus Köln 👩‍👩‍👧. " * 40, LINK]


def form() -> Form:
    return Form("text", format="jsonl", headed=True)


def dump(path: Path, count: int) -> Path:
    lines = [json.dumps({"id": n, "text": text}) for n, text in zip(range(count), itertools.cycle(TEXTS), strict=False)]
    path.write_text("".join(line + "\n" for line in lines))
    return path


def labelled(pieces: list[tuple[Piece, ...]], separator: Separator) -> tuple[bytes, list[Report]]:
    reports = [Report() for _ in pieces]
    found = [
        label_part(part, separator, "balanced", form(), "text", r) for part, r in zip(pieces, reports, strict=True)
    ]
    return b"".join(itertools.chain(*found)), reports


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 10**6])
def test_wherever_a_file_is_cut_every_line_comes_once_and_in_order(
    size: int, tmp_path: Path, separator: Separator, degloss: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", size)
    path = dump(tmp_path / "dump.jsonl", 20)
    made = list(parts(find(str(path)), records=False, cut=True))
    assert len(made) == -(-path.stat().st_size // size)
    found, reports = labelled(made, separator)
    assert found == degloss("label", path, "--format", "jsonl").stdout
    assert sum(report.done for report in reports) == 20
    lines = [report.lines for report in reports]
    assert None not in lines
    assert sum(n for n in lines if n is not None) == (20 if len(made) > 1 else 0)


@example(lines=[b"\x00\x00\xfe\xff", b"\xef\xbb\xbf{}"], size=1)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")), max_size=8),
    size=st.integers(1, 20),
)
def test_no_line_is_lost_whatever_is_in_it(
    lines: list[bytes], size: int, tmp_path: Path, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", size)
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"{}\n" + b"\n".join(lines))
    _, reports = labelled(list(parts(find(str(path)), records=False, cut=True)), separator)
    bad = [n for n, line in enumerate([b"{}", *lines], 1) if line and not line.isspace()]
    known, before = [], 0
    for report in reports:
        known += [before + failure.line for failure in report.failures]
        assert report.lines is not None
        before += report.lines
    assert known == bad


def test_files_are_dealt_out_together_until_a_part_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 1000)
    monkeypatch.setattr(module, "PART_FILES", 3)
    sizes = [10, 10, 10, 10, 995, 10, 2000, 10]
    for n, size in enumerate(sizes):
        (tmp_path / f"{n}.txt").write_text("x" * size)
    made = list(parts(find(f"{tmp_path}/*.txt"), records=False, cut=True))
    assert [[Path(piece.name).stem for piece in part] for part in made] == [
        ["0", "1", "2"],
        ["3", "4"],
        ["5", "6"],
        ["7"],
    ]
    assert all(piece.size is None and piece.kind == "text" for part in made for piece in part)


def test_a_pipe_is_no_input_of_a_glob(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGE)
    os.mkfifo(tmp_path / "rohr.txt")
    assert [name for name, *_ in find(str(tmp_path / "*.txt"))] == [str(tmp_path / "a.txt")]


def test_records_of_failures_are_no_input_of_a_glob(tmp_path: Path) -> None:
    for name in ("a.jsonl", "out.jsonl.errors.jsonl"):
        (tmp_path / name).write_text("{}\n")
    assert [Path(name).name for name, _, _ in find(f"{tmp_path}/*.jsonl")] == ["a.jsonl"]
    assert len(find(f"{tmp_path}/out.jsonl.errors.jsonl")) == 1
    system = fsspec.filesystem("memory")
    for name in ("a.jsonl", "out.jsonl.errors.jsonl"):
        system.pipe_file(f"/test-records/{name}", b"{}\n")
    assert [name for name, _, _ in find("memory://test-records/*.jsonl")] == ["memory:///test-records/a.jsonl"]
    system.rm("/test-records", recursive=True)


def test_what_cannot_be_cut_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 100)
    path = dump(tmp_path / "dump.jsonl", 20)
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "wide.jsonl").write_bytes(path.read_text().encode("utf-16"))
    for name in ("packed.jsonl.gz", "wide.jsonl"):
        ((piece,),) = parts(find(str(tmp_path / name)), records=False, cut=True)
        assert piece.kind == "jsonl"
        assert piece.size is None
    ((piece,),) = parts(find(str(path)), records=False, cut=False)
    assert piece.size is None


@pytest.mark.parametrize("name", ["dump.jsonl.gz", "wide.jsonl", "marked.jsonl"])
def test_packed_and_marked_files_say_the_same(
    name: str, tmp_path: Path, separator: Separator, degloss: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 100)
    path = dump(tmp_path / "dump.jsonl", 20)
    data = path.read_bytes()
    (tmp_path / "dump.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "wide.jsonl").write_bytes(data.decode().encode("utf-16"))
    (tmp_path / "marked.jsonl").write_bytes(data.decode().encode("utf-8-sig"))
    found, _ = labelled(list(parts(find(str(tmp_path / name)), records=False, cut=True)), separator)
    assert found == degloss("label", path, "--format", "jsonl").stdout


def test_addresses_of_fsspec_are_found_and_read(separator: Separator) -> None:
    system = fsspec.filesystem("memory")
    for n in (2, 10, 1):
        system.pipe_file(f"/test-parts/deep/{n}.txt", f"{n}. {COMMENT}".encode())
    try:
        files = find("memory://test-parts/**/*.txt")
        assert [name for name, _, _ in files] == [f"memory:///test-parts/deep/{n}.txt" for n in (1, 10, 2)]
        found, (report,) = labelled(list(parts(files, records=False, cut=True)), separator)
        assert [json.loads(line)["file"] for line in found.splitlines()] == [name for name, _, _ in files]
        assert report.done == 3
        assert find("memory://test-parts/deep/1.txt")[0][2] == len(f"1. {COMMENT}")
    finally:
        system.rm("/test-parts", recursive=True)


def test_names_stay_as_they_were_given(tmp_path: Path, separator: Separator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = "sub/Größe [1]::%20.txt"
    (tmp_path / "sub").mkdir()
    (tmp_path / odd).write_text(PAGE)
    for source in ("sub/*.txt", odd, "**/*.txt"):
        ((name, url, size),) = find(source)
        assert (name, size) == (odd, len(PAGE.encode()))
        monkeypatch.chdir("/")
        found, _ = labelled([(Piece(name, url, "text"),)], separator)
        assert json.loads(found)["file"] == odd
        monkeypatch.chdir(tmp_path)


WRONG = [
    ("-", "-: standard input stays"),
    ("none.txt", "none.txt: no such file"),
    ("none/*.txt", "none/*.txt: no such file"),
    (".", "a folder; give its files by a glob"),
    ("nosuch://bucket/a.txt", "Protocol not known: nosuch"),
    ("memory://nothing/here.txt", "no such file"),
    ("memory://nothing/*.txt", "no such file"),
]


@pytest.mark.parametrize(("source", "message"), WRONG)
def test_sources_that_are_none(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        find(source)
    assert message in str(error.value)


def test_a_document_that_is_too_large_is_a_failure(
    tmp_path: Path, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    (tmp_path / "bombe.txt.gz").write_bytes(gzip.compress(bytes(b"a" * (1 << 20)) + b"a"))
    name = str(tmp_path / "bombe.txt.gz")
    _, (report,) = labelled([(Piece(name, name, "text"),)], separator)
    assert [f.reason for f in report.failures] == ["more than 1 MiB; split it into documents"]


def test_one_bad_file_does_not_stop_a_part(tmp_path: Path, separator: Separator) -> None:
    (tmp_path / "1.txt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "2.txt").write_text(PAGE)
    (tmp_path / "3.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Eins."}\n' * 2000)[:-20])
    (tmp_path / "4.txt").write_text(PAGE)
    (tmp_path / "5.txt").write_bytes("Grüße".encode("latin-1"))
    files = [(str(p), str(p), 1) for p in sorted(tmp_path.iterdir())]
    (tmp_path / "2.txt").unlink()
    _, (report,) = labelled([tuple(Piece(n, u, kind_in(u, records=False)) for n, u, _ in files)], separator)
    said = {Path(f.name).name: f.reason for f in report.failures}
    assert set(said) == {"1.txt", "2.txt", "3.jsonl.gz"}
    assert said["1.txt"].startswith("binary data")
    assert said["2.txt"].startswith("no such file")
    assert "middle of the packed data" in said["3.jsonl.gz"]
    assert report.done >= 2
    assert len(report.notes) == 1
    assert "Windows-1252" in report.notes[0]


def test_parts_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> itertools.chain[bytes]:
        return itertools.chain([b"eins\n"], (1 / 0 for _ in range(1)))  # type: ignore[list-item]

    memory = fsspec.filesystem("memory")
    for folder in (str(tmp_path / "out"), "memory://test-out"):
        make_place(folder, force=False)
        url = next(part_urls(folder, ".jsonl"))
        with pytest.raises(ZeroDivisionError):
            write_part(broken(), url)
        assert not list((tmp_path / "out").iterdir())
        assert not memory.glob("/test-out/part-*")
        write_part([b"eins\n", b"zwei\n"], url)
        write_part([b"eins\n", b"zwei\n"], url)
        with fsspec.open(url) as file:
            assert file.read() == b"eins\nzwei\n"
        with pytest.raises(OutputError, match="has 1 part in it"):
            make_place(folder, force=False)
        make_place(folder, force=True)
        assert not memory.glob("/test-out/part-*") if "memory" in folder else not list((tmp_path / "out").iterdir())
