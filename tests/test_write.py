"""Files are whole or not there, inputs are never touched, and every format says the same."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ARTICLE, CLEAN, COMMENT, LINK, PAGE
from degloss import formats, show
from degloss.documents import LABELS
from degloss.errors import OutputError
from degloss.partfile import Part
from degloss.records import Record
from degloss.separate import Separator
from degloss.write import file_ids, make_folder, new_file, standard_output


def write(target: Path, data: bytes = b"neu", **options: object) -> None:
    with new_file(target, **options) as file:  # type: ignore[arg-type]
        file.write(data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_a_new_file_with_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.txt")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").read_bytes() == b"neu"
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("old", [None, b"alt"])
def test_whatever_stops_the_writing_leaves_what_was_there(
    error: type[BaseException], old: bytes | None, tmp_path: Path
) -> None:
    target = tmp_path / "a.txt"
    if old is not None:
        target.write_bytes(old)

    def write_and_fail() -> None:
        with new_file(target, force=True) as file:
            file.write(b"halb")
            file.flush()
            assert len(names(tmp_path)) == 1 + (old is not None)
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert names(tmp_path) == ([] if old is None else ["a.txt"])
    assert old is None or target.read_bytes() == old


def test_an_existing_file_is_refused_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"alt")
    target.chmod(0o600)
    with pytest.raises(OutputError, match=r"exists already; .*--force"):
        write(target)
    assert target.read_bytes() == b"alt"
    write(target, force=True)
    assert target.read_bytes() == b"neu"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="needs the permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_part_is_private_until_it_has_the_mode_of_the_file_it_follows(mode: int, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"alt")
    (tmp_path / "a.txt").chmod(mode)
    os.utime(tmp_path / "a.txt", ns=(1, 2))
    for part, time in ((Part(tmp_path / "kopie", original=tmp_path / "a.txt"), 2), (Part(tmp_path / "a.txt"), None)):
        part.file.write(b"neu")
        part.sync()
        before = part.path.stat()
        assert stat.S_IMODE(before.st_mode) == 0o600
        part.commit(force=True)
        after = part.place.stat()
        assert (stat.S_IMODE(after.st_mode), after.st_mtime_ns) == (mode, time or before.st_mtime_ns)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_file_that_appears_meanwhile_is_not_overwritten(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refuse_links)
    target = tmp_path / "a.txt"

    def write_too_late() -> None:
        with new_file(target) as file:
            file.write(b"neu")
            target.write_bytes(b"von anderer Hand")

    with pytest.raises(OutputError, match="exists already"):
        write_too_late()
    assert target.read_bytes() == b"von anderer Hand"
    assert names(tmp_path) == ["a.txt"]


def test_works_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse_links)
    write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"neu"
    assert names(tmp_path) == ["a.txt"]


def refuse_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("kind", ["itself", "symbolic link", "hard link", "another way there"])
@pytest.mark.parametrize("force", [False, True])
def test_an_input_is_never_overwritten(kind: str, force: bool, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"alt")
    target = tmp_path / "out.txt"
    if kind == "itself":
        target = source
    elif kind == "symbolic link":
        target.symlink_to(source)
    elif kind == "hard link":
        target.hardlink_to(source)
    else:
        (tmp_path / "sub").mkdir()
        target = tmp_path / "sub" / ".." / "in.txt"
    with pytest.raises(OutputError, match="is an input"):
        write(target, force=force, inputs=file_ids([source]))
    assert source.read_bytes() == b"alt"


def test_a_forced_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.write_bytes(b"alt")
    link = tmp_path / "link.txt"
    link.symlink_to("real.txt")
    with pytest.raises(OutputError, match="exists already"):
        write(link)
    write(link, force=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"neu"


def test_a_link_to_nowhere_is_refused_unless_forced(tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to("real.txt")
    with pytest.raises(OutputError, match="exists already"):
        write(link)
    assert not (tmp_path / "real.txt").exists()
    write(link, force=True)
    assert (tmp_path / "real.txt").read_bytes() == b"neu"


def test_a_device_is_written_to_and_stays_one() -> None:
    write(Path(os.devnull))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_device() -> None:
    with pytest.raises(OutputError, match="/dev/full: no space left"):
        write(Path("/dev/full"))


IMPOSSIBLE = [
    ("a folder", "sub", "is a folder"),
    ("no such folder", "fehlt/a.txt", "its folder does not exist"),
    ("below a file", "file/a.txt", "a file stands where a folder is needed"),
    ("too long a name", "x" * 300, "a name longer than the disk takes"),
    ("a zero byte", "a\0b", "cannot be written"),
]


@pytest.mark.parametrize(("name", "message"), [c[1:] for c in IMPOSSIBLE], ids=[c[0] for c in IMPOSSIBLE])
def test_impossible_targets(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=message):
        write(tmp_path / name)
    assert names(tmp_path) == ["file", "sub"]


TROUBLE = [
    (errno.ENOSPC, "no space left"),
    (errno.EDQUOT, "no space left"),
    (errno.EACCES, "no permission"),
    (errno.EROFS, "read-only"),
    (errno.EIO, "cannot be written"),
]


@pytest.mark.parametrize(("code", "message"), TROUBLE)
def test_trouble_with_the_disk_leaves_nothing_behind(
    code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=rf"a\.txt: .*{message}.*; "):
        write(tmp_path / "a.txt")
    assert names(tmp_path) == []


def test_makes_folders_but_not_over_files(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    for place in ("file", "file/below"):
        with pytest.raises(OutputError, match="a file stands where a folder is needed"):
            make_folder(tmp_path / place)


def test_closed_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OutputError, match="standard output is closed"), standard_output():
        pytest.fail("there is nothing to write to")


# What the formats make of a text.


def test_clean_keeps_what_is_asked_for(separator: Separator) -> None:
    found = separator.separate(PAGE)
    assert formats.clean_text(found, ["article"]) == CLEAN
    assert formats.clean_text(found, ["commentary"]) == COMMENT + "\n"
    assert formats.clean_text(found, LABELS) == PAGE
    assert formats.clean_text(separator.separate(COMMENT), ["article"]) == ""


def test_clean_ends_lines_as_the_text_does(separator: Separator) -> None:
    found = separator.separate(PAGE.replace("\n", "\r\n"))
    assert formats.clean_text(found, ["article"]) == CLEAN.replace("\n", "\r\n")


def test_label_text_is_one_line_a_sentence(separator: Separator) -> None:
    found = separator.separate(PAGE)
    lines = formats.label_text(found, "a.txt", headed=True, color=False).splitlines()
    assert lines[0] == "==> a.txt <=="
    assert [line.split()[0] for line in lines[1:]] == [s.label for s in found.sentences]
    assert lines[3].endswith(f"  {COMMENT}")
    colored = formats.label_text(found, "a.txt", headed=False, color=True)
    assert re.sub("\x1b\\[[0-9]*m", "", colored).splitlines() == lines[1:]
    assert colored.count("\x1b[0m") == len(found)


def test_label_tsv_has_the_named_columns(separator: Separator) -> None:
    found = separator.separate(PAGE)
    rows = [
        dict(zip(formats.TSV_COLUMNS, line.split("\t"), strict=True))
        for line in formats.label_tsv(found, "a.txt").splitlines()
    ]
    assert [PAGE[int(row["start"]) : int(row["end"])] for row in rows] == [row["sentence"] for row in rows]
    for row, sentence in zip(rows, found.sentences, strict=True):
        assert (row["label"], row["lone_label"], row["file"]) == (
            sentence.label,
            sentence.lone_label,
            "a.txt",
        )
        assert float(row["confidence"]) == pytest.approx(sentence.confidence, abs=1e-4)
        assert float(row["lone_score"]) == pytest.approx(sentence.lone_score, abs=1e-4)


def test_label_jsonl_is_one_object_a_document(separator: Separator) -> None:
    found = separator.separate(PAGE)
    line = formats.label_jsonl(found, "a.txt")
    assert line.count("\n") == 1
    whole = json.loads(line)
    assert list(whole) == ["file", "sentences"]
    assert [(s["start"], s["end"], s["label"]) for s in whole["sentences"]] == [s[:3] for s in found.sentences]
    assert [list(s) for s in whole["sentences"]] == [["start", "end", "label", "confidence"]] * len(found)


def record(line: str) -> Record:
    members = json.loads(line)
    pieces = tuple((name, f"{json.dumps(name)}: {json.dumps(value)}") for name, value in members.items())
    return Record(1, members["text"], pieces)


def test_records_keep_their_other_fields(separator: Separator) -> None:
    line = record(json.dumps({"id": 1.5, "sentences": "alt", "text": PAGE, "tags": ["a", {"b": None}]}))
    found = separator.separate(PAGE)
    labelled = json.loads(formats.label_record(found, line, "text"))
    assert list(labelled) == ["id", "tags", "sentences"]
    assert (labelled["id"], labelled["tags"]) == (1.5, ["a", {"b": None}])
    assert labelled["sentences"] == json.loads(formats.label_jsonl(found, ""))["sentences"]
    cleaned = json.loads(formats.clean_record(found, line, "text", ["article"]))
    assert list(cleaned) == ["id", "sentences", "text", "tags"]
    assert cleaned["text"] == CLEAN.rstrip("\n")
    assert cleaned["sentences"] == "alt"


def test_a_record_of_nothing_but_its_text(separator: Separator) -> None:
    line = record(json.dumps({"text": ""}))
    assert formats.label_record(separator.separate(""), line, "text") == '{"sentences": []}\n'


def test_a_text_that_is_null_stays_null(separator: Separator) -> None:
    line = Record(1, "", (("id", '"id": 1.50'), ("text", '"text": null')))
    found = separator.separate("")
    assert formats.label_record(found, line, "text") == '{"id": 1.50, "sentences": []}\n'
    assert formats.label_record(found, line, "text", "") == '{"id": 1.50, "sentences": []}\n'
    assert formats.clean_record(found, line, "text", ["article"]) == '{"id": 1.50, "text": null}\n'
    for derived in (False, True):
        gained = formats.gain_record(found, line, "text", {"article": ""}, derived)
        assert gained == '{"id": 1.50, "text": null, "article": ""}\n'


UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def unescape(text: str) -> str:
    return re.sub(r"\\(?:u([0-9a-f]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else UNESCAPED[m[2]], text)


@given(st.text(st.characters()) | st.text("\\ntru0\n\r\t\u2028\x85\ud800\x1b"))
def test_escapes_stay_on_one_line_and_lose_nothing(text: str) -> None:
    escaped = show.escape(text)
    assert len(escaped.splitlines()) <= 1
    assert "\t" not in escaped
    assert unescape(escaped) == text
    assert formats.encode_line(escaped).decode() == escaped
    assert len(show.visible(text).splitlines()) <= 1


@given(st.text(st.characters(categories=["Cs"]) | st.sampled_from('ab\\"\n')))
def test_json_keeps_lone_surrogates(text: str) -> None:
    # Neighbours that happen to make a pair are the one character they stand for once they have been JSON.
    data = formats.encode_line(json.dumps(text, ensure_ascii=False))
    assert json.loads(data.decode("utf-8")) == json.loads(json.dumps(text))


def test_the_formats_know_all_three_labels() -> None:
    assert set(formats.ENDINGS) == {"text", "tsv", "jsonl", "html", "table"}
    assert [formats.painted(label, color=False) for label in LABELS] == list(LABELS)
    assert len({formats.painted(label, color=True) for label in LABELS}) == len(LABELS)


def test_the_parts_of_the_page_are_what_the_tests_take_them_for(separator: Separator) -> None:
    found = separator.separate(PAGE)
    assert {s.label for s in found.sentences} == set(LABELS)
    assert found.article.startswith(ARTICLE)
    assert (found.commentary, found.boilerplate) == (COMMENT, LINK)
