"""Cleaning files where they are: never without a backup, never too much, and undone to the byte."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from conftest import ARTICLE, CLEAN, COMMENT, PAGE, Run
from degloss.plan import BACKUP_JOURNAL
from test_resume import kill_after

CRLF = PAGE.replace("\n", "\r\n").encode()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archiv"
    (folder / "tief").mkdir(parents=True)
    (folder / "a.txt").write_text(PAGE)
    (folder / "b.md").write_bytes(CRLF)
    (folder / "tief" / "c.txt").write_text(PAGE)
    (folder / "rein.txt").write_text(f"  {ARTICLE}")  # nothing to remove: stays to the letter
    (folder / "dump.jsonl").write_text(
        json.dumps({"id": 1.50, "text": PAGE}) + "\n" + json.dumps({"text": "Ja."}) + "\n"
    )
    (folder / "tabelle.csv").write_text(f'id,text,formel\n7,"{PAGE}",=1+1\n')
    (folder / "a.txt").chmod(0o640)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_cleaned_and_restored(archive: Path, degloss: Run, tmp_path: Path) -> None:
    before, times = contents(archive), {path: path.stat().st_mtime_ns for path in archive.rglob("*")}
    done = degloss("clean", "archiv", "--in-place", "--backup", "sicherung")
    assert (done.returncode, done.stdout) == (0, b"")
    after = contents(archive)
    assert set(after) == set(before)
    assert after["a.txt"] == CLEAN.encode()
    assert (archive / "a.txt").stat().st_mode & 0o777 == 0o640
    assert after["b.md"] == CLEAN.replace("\n", "\r\n").encode()
    assert after["rein.txt"] == before["rein.txt"]
    assert json.loads(after["dump.jsonl"].splitlines()[0]) == {"id": 1.50, "text": CLEAN.rstrip("\n")}
    assert after["tabelle.csv"] == f'id,text,formel\n7,"{CLEAN.rstrip()}",=1+1\n'.encode()
    kept = contents(tmp_path / "sicherung" / "originals")
    assert kept == {name: data for name, data in before.items() if name != "rein.txt"}
    done = degloss("restore", "sicherung")
    assert (done.returncode, done.stderr) == (0, b"degloss: 5 files restored; the backup stays in sicherung\n")
    assert contents(archive) == before
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*.*")} == {
        path: time for path, time in times.items() if path.suffix
    }
    again = degloss("restore", "sicherung")
    assert (again.returncode, b"0 files restored, 5 were as before" in again.stderr) == (0, True)


@pytest.fixture
def another() -> tuple[int, int]:
    """A user and a group to which files can be given that are not those of new files."""
    if os.name != "posix":
        pytest.skip("needs the owners of POSIX")
    if os.geteuid() == 0:
        return 1234, 1235
    groups = [group for group in os.getgroups() if group != os.getegid()]
    if not groups:
        pytest.skip("may give no file to another group")
    return os.geteuid(), groups[0]


def test_owner_and_group_stay(another: tuple[int, int], archive: Path, degloss: Run, tmp_path: Path) -> None:
    def seen(path: Path) -> tuple[int, int, int]:
        status = path.stat()
        return status.st_uid, status.st_gid, status.st_mode & 0o777

    file, copy, expected = archive / "a.txt", tmp_path / "sicherung" / "originals" / "a.txt", (*another, 0o640)
    os.chown(file, *another)
    assert degloss("clean", "archiv", "--in-place", "--backup", "sicherung").returncode == 0
    assert (file.read_text(), seen(file), seen(copy)) == (CLEAN, expected, expected)
    assert degloss("restore", "sicherung").returncode == 0
    assert (file.read_text(), seen(file)) == (PAGE, expected)
    file.unlink()
    assert degloss("restore", "sicherung").returncode == 0
    assert (file.read_text(), seen(file)) == (PAGE, expected)


def test_extended_attributes_stay(archive: Path, degloss: Run) -> None:
    try:
        os.setxattr(archive / "a.txt", "user.herkunft", b"Kanal")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes here")
    assert degloss("clean", "archiv", "--in-place", "--backup", "sicherung").returncode == 0
    assert os.getxattr(archive / "a.txt", "user.herkunft") == b"Kanal"
    (archive / "a.txt").unlink()
    assert degloss("restore", "sicherung").returncode == 0
    assert os.getxattr(archive / "a.txt", "user.herkunft") == b"Kanal"


USAGE = [
    ["--in-place"],
    ["--backup", "sicherung"],
    ["--in-place", "--backup", "sicherung", "-o", "out"],
    ["--in-place", "--backup", "sicherung", "--max-loss", "2"],
    ["--max-loss", "0.5", "-o", "out"],
]


@pytest.mark.parametrize("args", USAGE, ids=" ".join)
def test_wrong_usage_changes_nothing(args: list[str], archive: Path, degloss: Run, tmp_path: Path) -> None:
    before = contents(tmp_path)
    assert degloss("clean", "archiv", *args).returncode == 2
    assert contents(tmp_path) == before


def test_who_would_lose_too_much_is_left_alone(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "meinung.txt").write_text(f"{COMMENT}\n" * 20 + "Ja.")
    (tmp_path / "in" / "seite.txt").write_text(PAGE)
    lines = [json.dumps({"id": n, "text": text}) for n, text in enumerate([PAGE, COMMENT, PAGE])]
    (tmp_path / "in" / "dump.jsonl").write_text("\n".join(lines) + "\n")
    before = contents(tmp_path / "in")
    done = degloss("clean", "in", "--in-place", "--backup", "b")
    assert done.returncode == 3
    told = done.stderr.decode()
    assert "in/meinung.txt: would lose 99% of its text; left as it is" in told
    assert "in/dump.jsonl:2: would lose 100% of its text" in told
    assert "degloss: 3 documents, " in told
    assert "degloss: 2 of 5 documents failed" in told
    after = contents(tmp_path / "in")
    assert after["meinung.txt"] == before["meinung.txt"]
    assert after["seite.txt"] == CLEAN.encode()
    texts = [json.loads(line)["text"] for line in after["dump.jsonl"].splitlines()]
    assert texts == [CLEAN.rstrip(), COMMENT, CLEAN.rstrip()]
    assert degloss("clean", "in/meinung.txt", "--in-place", "--backup", "c", "--max-loss", "1").returncode == 0
    assert (tmp_path / "in" / "meinung.txt").read_text() == "Ja.\n"
    strict = degloss("clean", "in/seite.txt", "--in-place", "--backup", "d", "--max-loss", "0")
    assert (strict.returncode, (tmp_path / "in" / "seite.txt").read_text()) == (0, CLEAN)


LEFT_ALONE = [
    ("latin-1", "a.txt", PAGE.replace("März", "Mai").encode() + "Größe!!".encode("latin-1"), "not plain UTF-8"),
    ("mark", "a.txt", b"\xef\xbb\xbf" + PAGE.encode(), "begins with a byte order mark"),
    ("a table in latin-1", "a.csv", f'text\n"{PAGE}Größe!!"\n'.encode("latin-1"), "not plain UTF-8"),
    ("a table in utf-16", "a.csv", f'text\n"{PAGE}"\n'.encode("utf-16"), "not plain UTF-8"),
    ("a damaged table", "a.csv", f'text\n"{PAGE}Größe!! Möhre."\n'.encode() + b"\xfc\n", "damaged at byte"),
    ("utf-16", "a.txt", PAGE.encode("utf-16"), "not plain UTF-8"),
    ("a bad line", "a.jsonl", json.dumps({"text": PAGE}).encode() + b"\n{\n", "the file is left as it is"),
    ("a bad row", "a.csv", f'id,text\n1,"{PAGE}"\n2\n'.encode(), "the file is left as it is"),
    ("HTML", "a.html", b"<p>Das Amt tagt. So ein Unsinn!!", "HTML would become plain text"),
]


@pytest.mark.parametrize(("name", "data", "message"), [c[1:] for c in LEFT_ALONE], ids=[c[0] for c in LEFT_ALONE])
def test_what_could_not_be_the_same_is_left_alone(
    name: str, data: bytes, message: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    done = degloss("clean", name, "--in-place", "--backup", "b")
    assert (done.returncode, message in done.stderr.decode()) == (1, True)
    assert (tmp_path / name).read_bytes() == data
    assert not (tmp_path / "b" / BACKUP_JOURNAL).exists()


def test_what_failed_is_not_counted_as_done(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "eine.jsonl").write_text(json.dumps({"text": COMMENT}) + "\n")
    done = degloss("clean", "in", "--in-place", "--backup", "b")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    (tmp_path / "in" / "laut.txt").write_text(f"{COMMENT}\n" * 200)
    (tmp_path / "in" / "still.txt").write_text(ARTICLE)
    done = degloss("clean", "in", "--in-place", "--backup", "c")
    assert b"degloss: 1 document, " in done.stderr
    assert b": article 100%, commentary 0%, boilerplate 0% of the text\n" in done.stderr
    assert b"degloss: 2 of 3 documents failed" in done.stderr


def test_a_page_among_them_stops_no_other(archive: Path, degloss: Run, tmp_path: Path) -> None:
    page = f"<p>{ARTICLE} {COMMENT}</p>"
    (archive / "seite.html").write_text(page)
    done = degloss("clean", "archiv", "--in-place", "--backup", "sicherung")
    assert done.returncode == 3, done.stderr
    assert b"seite.html: HTML would become plain text" in done.stderr
    assert done.stderr.splitlines()[-1] == b"degloss: 1 of 8 documents failed; see sicherung.errors.jsonl"
    assert (archive / "seite.html").read_text() == page
    assert (archive / "a.txt").read_text() == CLEAN


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_are_left_alone(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGE)
    (tmp_path / "weich.txt").symlink_to("a.txt")
    (tmp_path / "b.txt").write_text(PAGE)
    (tmp_path / "hart.txt").hardlink_to(tmp_path / "b.txt")
    for name, message in (("weich.txt", b"a symbolic link"), ("hart.txt", b"has other names")):
        done = degloss("clean", name, "--in-place", "--backup", f"b{name}")
        assert (done.returncode, message in done.stderr) == (1, True)
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b.txt").read_text() == PAGE
    assert (tmp_path / "weich.txt").is_symlink()


def test_a_backup_is_never_overwritten(archive: Path, degloss: Run, tmp_path: Path) -> None:
    args = ("clean", "archiv", "--in-place", "--backup", "b")
    assert degloss(*args).returncode == 0
    kept = contents(tmp_path / "b")
    done = degloss(*args)
    assert (done.returncode, b"holds a backup already" in done.stderr) == (1, True)
    (archive / "a.txt").write_text(f"{PAGE}Neu geschrieben!!\n")
    done = degloss(*args, "--resume")
    assert b"a.txt: changed since its backup was made" in done.stderr
    assert contents(tmp_path / "b") == kept
    (tmp_path / "voll").mkdir()
    (tmp_path / "voll" / "x").write_text("")
    done = degloss("clean", "archiv", "--in-place", "--backup", "voll")
    assert (done.returncode, b"is not empty" in done.stderr) == (1, True)


def test_a_backup_inside_the_archive_is_no_input_of_later_runs(archive: Path, degloss: Run, tmp_path: Path) -> None:
    assert degloss("clean", "archiv", "--in-place", "--backup", "archiv/alt").returncode == 0
    kept = contents(archive / "alt")
    (archive / "neu.txt").write_text(PAGE)
    done = degloss("clean", "archiv", "--in-place", "--backup", "b")
    assert (done.returncode, b"archiv: 1 backup of clean --in-place left out" in done.stderr) == (0, True)
    assert list(contents(tmp_path / "b" / "originals")) == ["neu.txt"]
    assert degloss("clean", "archiv", "-o", "out", "-q").returncode == 0
    assert not (tmp_path / "out" / "alt").exists()
    assert contents(archive / "alt") == kept


def test_restoring_does_not_overwrite_what_was_changed_since(archive: Path, degloss: Run, tmp_path: Path) -> None:
    before = contents(archive)
    assert degloss("clean", "archiv", "--in-place", "--backup", "b").returncode == 0
    (archive / "a.txt").write_text("von Hand")
    (archive / "b.md").unlink()
    done = degloss("restore", "b")
    assert (done.returncode, b"a.txt: changed since it was cleaned" in done.stderr) == (3, True)
    assert (archive / "a.txt").read_text() == "von Hand"
    assert (archive / "b.md").read_bytes() == CRLF
    assert degloss("restore", "b", "--force").returncode == 0
    assert contents(archive) == before


BAD_BACKUPS = [
    ("none", None, "no such file"),
    ("nonsense", b"[]\n", "no line of a journal"),
    ("nonsense in the middle", b'{"file": "x"}\n{}\n', "no line of a journal"),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in BAD_BACKUPS], ids=[case[0] for case in BAD_BACKUPS])
def test_what_is_no_backup(data: bytes | None, message: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    if data is not None:
        (tmp_path / "b" / BACKUP_JOURNAL).write_bytes(data)
    done = degloss("restore", "b")
    assert (done.returncode, message in done.stderr.decode()) == (1, True)


def test_a_damaged_backup_is_not_put_back(archive: Path, degloss: Run, tmp_path: Path) -> None:
    assert degloss("clean", "archiv/a.txt", "--in-place", "--backup", "b").returncode == 0
    (tmp_path / "b" / "originals" / "a.txt").write_text("beschädigt")
    done = degloss("restore", "b")
    assert (done.returncode, b"not the original any more" in done.stderr) == (1, True)
    assert (archive / "a.txt").read_text() == CLEAN


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
@pytest.mark.parametrize("moment", [1, 20])
def test_killed_at_any_moment_nothing_is_lost(moment: int, model: Path, degloss: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:03}.txt").write_text(f"{PAGE}{number}")
    before = contents(folder)
    journal = tmp_path / "b" / BACKUP_JOURNAL

    def ready() -> bool:
        return journal.exists() and journal.read_bytes().count(b"\n") >= moment

    args = ("clean", "in", "--in-place", "--backup", "b", "--resume")
    assert kill_after(model, tmp_path, ready, *args) in (0, -signal.SIGKILL)
    now = contents(folder)
    kept = contents(tmp_path / "b" / "originals")
    for name, data in before.items():
        assert now[name] == data or kept[name] == data
    done = degloss(*args)
    assert done.returncode == 0, done.stderr
    assert {name: data for name, data in contents(folder).items() if data.count(COMMENT.encode())} == {}
    assert [name for name in os.listdir(folder) if name.startswith(".degloss")] == []
    assert degloss("restore", "b").returncode == 0
    assert contents(folder) == before


LEFT_BY_A_KILLED_RUN = [
    ("a copy that no line speaks of", {"originals/b.md": b"halb"}, b""),
    ("a copy and no journal line at all", {"originals/a.txt": b"halb"}, None),
    ("a torn line", {}, b'{"file": "/x/y'),
    ("a torn line of a character cut in two", {}, '{"file": "/ä'.encode()[:-1]),
]


@pytest.mark.parametrize(
    ("files", "tail"), [c[1:] for c in LEFT_BY_A_KILLED_RUN], ids=[c[0] for c in LEFT_BY_A_KILLED_RUN]
)
def test_goes_on_with_what_a_killed_run_left(
    files: dict[str, bytes], tail: bytes | None, archive: Path, degloss: Run, tmp_path: Path
) -> None:
    before = contents(archive)
    journal = tmp_path / "b" / BACKUP_JOURNAL
    (tmp_path / "b").mkdir()
    if tail is None:
        journal.touch()
    else:
        journal.parent.rmdir()
        assert degloss("clean", "archiv/a.txt", "--in-place", "--backup", "b").returncode == 0
        journal.write_bytes(journal.read_bytes() + tail)
    for name, data in files.items():
        (tmp_path / "b" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "b" / name).write_bytes(data)
    done = degloss("clean", "archiv", "--in-place", "--backup", "b", "--resume")
    assert done.returncode == 0, done.stderr
    assert (archive / "a.txt").read_text() == CLEAN
    assert degloss("restore", "b").returncode == 0
    assert contents(archive) == before


def test_the_original_of_another_file_is_never_replaced(archive: Path, degloss: Run, tmp_path: Path) -> None:
    other = tmp_path / "zwei" / "archiv"
    other.mkdir(parents=True)
    (other / "a.txt").write_text(f"{PAGE} Und mehr.")
    assert degloss("clean", "archiv/a.txt", "--in-place", "--backup", "b").returncode == 0
    kept = contents(tmp_path / "b" / "originals")
    done = degloss("clean", "zwei/archiv/a.txt", "--in-place", "--backup", "b", "--resume")
    assert (done.returncode, b"the original of another file" in done.stderr) == (1, True), done.stderr
    assert contents(tmp_path / "b" / "originals") == kept
    assert (other / "a.txt").read_text() == f"{PAGE} Und mehr."


def test_a_file_that_changes_meanwhile_is_left_alone(archive: Path, tmp_path: Path) -> None:
    from degloss.errors import InputError
    from degloss.formats import Form
    from degloss.inplace import Backup
    from degloss.journal import stamp
    from degloss.plan import Job

    source = archive / "a.txt"
    begun = stamp(source)
    time.sleep(0.01)
    source.write_text("Inzwischen neu.")
    (tmp_path / "neu").write_text(CLEAN)
    job = Job("a.txt", str(source), source, "text", Form("text"))
    with pytest.raises(InputError, match="changed while it was read"):
        Backup(tmp_path / "b", resume=False).save(job, begun, tmp_path / "neu")
    assert source.read_text() == "Inzwischen neu."
