"""Every kind of file that people have, packed or not: read right, or refused on one line."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ARTICLE, CLEAN, COMMENT, LINK, PAGE, Run
from degloss import kinds, source
from degloss.encodings import declared, decode, guess
from degloss.errors import ExtraMissing, InputError
from degloss.formats import Form
from degloss.kinds import Name, kind_of, parts
from degloss.pages import page_text
from degloss.plan import Options
from degloss.planning import plan
from degloss.read import Document, mended, read_documents
from degloss.records import read_records
from degloss.tally import Tally

pyarrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
zstandard = pytest.importorskip("zstandard")
pytest.importorskip("trafilatura")
pytest.importorskip("ftfy")

HTML = f"""<!doctype html><html><head><title>Der Plan</title></head><body><article><h1>Der Plan</h1>
<p>{ARTICLE} Er gilt ab März, und alle Ämter müssen sich von da an nach ihm richten, auch die kleinen.</p>
<p>Der Rat stimmt zu, nach einer langen Debatte, die bis in den späten Abend dauerte und hitzig war.</p></article>
<div id="comments" class="comments"><h3>Kommentare</h3>
<div class="comment"><p>{COMMENT} Das zahlen am Ende doch wieder nur wir kleinen Leute.</p></div></div></body></html>"""

NAMES = [
    ("seite.txt", Name("seite", ".txt", ""), "text"),
    ("SEITE.HTM", Name("SEITE", ".HTM", ""), "html"),
    ("a.b.md.gz", Name("a.b", ".md", ".gz"), "text"),
    ("dump.jsonl.ZST", Name("dump", ".jsonl", ".zst"), "jsonl"),
    ("dump.ndjson", Name("dump", ".ndjson", ""), "jsonl"),
    ("crawl.JL.gz", Name("crawl", ".JL", ".gz"), "jsonl"),
    ("tabelle.csv", Name("tabelle", ".csv", ""), "csv"),
    ("tabelle.tsv.zst", Name("tabelle", ".tsv", ".zst"), "tsv"),
    ("tabelle.parquet", Name("tabelle", ".parquet", ""), "parquet"),
    ("2026.01.30", Name("2026.01.30", "", ""), "text"),
    ("archiv.gz", Name("archiv", "", ".gz"), "text"),
    ("dump.JSON.gz", Name("dump.JSON", "", ".gz"), "json"),
    ("json", Name("json", "", ""), "text"),
]


@pytest.mark.parametrize(("name", "split", "kind"), NAMES, ids=[case[0] for case in NAMES])
def test_names_say_what_files_hold(name: str, split: Name, kind: str) -> None:
    assert parts(name) == split
    assert kind_of(name) == kind
    assert kind_of(name, given="html") == "html"
    assert kind_of(name, field="body") == (kind if kind in kinds.ROWS else "jsonl")


# packed files


def packed(data: bytes, packing: str) -> bytes:
    if packing == ".gz":
        return gzip.compress(data)
    return bytes(zstandard.ZstdCompressor().compress(data)) if packing == ".zst" else data


def unpacked(data: bytes, packing: str) -> bytes:
    if packing == ".gz":
        return gzip.decompress(data)
    return bytes(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()) if packing == ".zst" else data


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".txt", ".md", ".jsonl", ".csv", ".tsv", ".parquet"])
def test_every_kind_packed_or_not_is_cleaned_in_its_own_form(
    ending: str, packing: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    name = f"seite{ending}{packing}"
    cleaned = CLEAN.rstrip("\n")
    forms: dict[str, tuple[bytes, bytes]] = {
        ".jsonl": tuple(json.dumps({"id": 7, "text": text}).encode() + b"\n" for text in (PAGE, cleaned)),  # type: ignore[dict-item]
        ".csv": (f'id;text\n7;"{PAGE}"\n'.encode(), f'id;text\n7;"{cleaned}"\n'.encode()),
        ".tsv": (f'id\ttext\r\n7\t"{PAGE}"\r\n'.encode(), f'id\ttext\r\n7\t"{cleaned}"\r\n'.encode()),
    }
    if ending == ".parquet":
        buffer = io.BytesIO()
        pq.write_table(pyarrow.table({"id": [7], "text": [PAGE]}), buffer)
        data = buffer.getvalue()
    else:
        data = forms.get(ending, (PAGE.encode(), CLEAN.encode()))[0]
    (tmp_path / "in" / name).write_bytes(packed(data, packing))
    done = degloss("clean", "in", "-o", "out")
    assert (done.stderr, done.returncode) == (b"", 0)
    written = (tmp_path / "out" / name).read_bytes()
    written = unpacked(written, packing)
    if ending == ".parquet":
        assert pq.read_table(io.BytesIO(written)).to_pylist() == [{"id": 7, "text": cleaned}]
    elif ending == ".jsonl":
        assert json.loads(written) == json.loads(forms[ending][1])
    else:
        assert written == forms.get(ending, (b"", CLEAN.encode()))[1]


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".html", ".htm"])
def test_pages_packed_or_not_become_texts_packed_likewise(
    ending: str, packing: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"seite{ending}{packing}").write_bytes(packed(HTML.encode(), packing))
    done = degloss("clean", "in", "-o", "out")
    assert (done.stderr, done.returncode) == (b"", 0)
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == f"seite{ending}.txt{packing}"
    text = unpacked(written.read_bytes(), packing).decode()
    assert ARTICLE in text
    assert COMMENT not in text


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("format", ["text", "tsv", "jsonl", "html", "table"])
def test_every_format_is_packed_as_the_input_was(format: str, packing: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, data in (("seite.txt", PAGE.encode()), ("dump.jsonl", json.dumps({"text": PAGE}).encode() + b"\n")):
        (tmp_path / "in" / f"{name}{packing}").write_bytes(packed(data, packing))
        (tmp_path / "in" / name).write_bytes(data)
    assert degloss("label", "in", "--format", format, "-o", "out", "-q").returncode == 0
    endings = {
        "seite": {"text": ".txt", "tsv": ".tsv", "jsonl": ".jsonl", "html": ".html", "table": ".csv"}[format],
        "dump": {"text": ".txt", "tsv": ".tsv", "jsonl": ".jsonl", "html": ".html", "table": ".jsonl"}[format],
    }
    for stem, ending in endings.items():
        plain = (tmp_path / "out" / f"{stem}{ending}").read_bytes()
        assert COMMENT.encode() in plain or format == "jsonl"
        written = unpacked((tmp_path / "out" / f"{stem}{ending}{packing}").read_bytes(), packing)
        # Formats that name their input name the packed one.
        sources = [".txt", ".jsonl"] if packing else []
        for named in sources:
            written = written.replace(f"{stem}{named}{packing}".encode(), f"{stem}{named}".encode())
        assert written == plain


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_standard_input_may_be_packed(packing: str, degloss: Run) -> None:
    done = degloss("clean", "-", stdin=packed(PAGE.encode(), packing))
    assert (done.stdout.decode(), done.returncode) == (CLEAN, 0)
    table = f'text\n"{PAGE}"\n'.encode()
    done = degloss("clean", "-", "--type", "csv", stdin=packed(table, packing))
    assert (done.stdout.decode(), done.returncode) == (f'text\n"{CLEAN.rstrip()}"\n', 0)


def test_several_pieces_one_after_the_other_are_one_file(degloss: Run, tmp_path: Path) -> None:
    for packing in (".gz", ".zst"):
        pieces = packed(PAGE[:20].encode(), packing) + packed(PAGE[20:].encode(), packing)
        (tmp_path / f"in.txt{packing}").write_bytes(pieces)
        assert degloss("clean", f"in.txt{packing}").stdout.decode() == CLEAN


def bomb(packing: str, size: int) -> bytes:
    buffer = io.BytesIO()
    writer: Any = (
        gzip.GzipFile(fileobj=buffer, mode="wb") if packing == ".gz"
        else zstandard.ZstdCompressor().stream_writer(buffer, closefd=False)
    )  # fmt: skip
    with writer:
        for _ in range(size >> 20):
            writer.write(b"a" * (1 << 20))
    return buffer.getvalue()


DAMAGED = [
    # name, what is made of packed bytes, part of the message
    ("cut off", lambda data: data[:-5], "ends in the middle"),
    ("cut off early", lambda data: data[: len(data) // 2], "ends in the middle"),
    ("not packed", lambda data: b"Das ist Klartext." * 10, "not packed as its name says"),
    ("rubbish behind", lambda data: data + b"\1\2\3 Klartext", "not packed as its name says"),
]


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize(("damage", "message"), [case[1:] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_damaged_packed_files(
    packing: str, damage: Callable[[bytes], bytes], message: str, degloss: Run, tmp_path: Path
) -> None:
    line = json.dumps({"text": PAGE}) + "\n"
    for ending, text in ((".txt", PAGE), (".jsonl", line)):
        (tmp_path / f"in{ending}{packing}").write_bytes(damage(packed((text * 50).encode(), packing)))
    for name in (f"in.txt{packing}", f"in.jsonl{packing}"):
        done = degloss("label", name, "--format", "jsonl", "-o", "out.jsonl")
        # What could be read of the lines is kept, and the code says that it is not all.
        kept = (tmp_path / "out.jsonl").exists()
        assert done.returncode == (3 if kept else 1)
        assert message in done.stderr.decode()
        if kept:
            assert name.startswith("in.jsonl")
            assert len((tmp_path / "out.jsonl").read_text().splitlines()) > 0
            for left in ("out.jsonl", "out.jsonl.errors.jsonl"):
                (tmp_path / left).unlink()
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"in.jsonl{packing}", f"in.txt{packing}"]


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".csv"])
def test_decompression_bombs_are_refused(packing: str, ending: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / f"in{ending}{packing}").write_bytes(bomb(packing, 80 << 20))
    done = degloss("clean", f"in{ending}{packing}", "-o", f"out{ending}")
    assert done.returncode == 1
    assert b"decompression bomb" in done.stderr or b"one line of more" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [f"in{ending}{packing}"]


def test_a_document_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from degloss import records

    monkeypatch.setattr(source, "MOST_BYTES", 100)
    monkeypatch.setattr(records, "MOST_BYTES", 100)
    file = tmp_path / "in.txt"
    file.write_text("a" * 101)
    with pytest.raises(InputError, match="one document of more than"):
        list(read_documents(str(file), "text", "text", pytest.fail))
    file.write_text('{"text": "Ja."}\n{"text": "' + "a" * 500 + '"}\n{"text": "Nein."}\n')
    first, error, last = read_records(str(file), "text")
    assert [getattr(record, "text", None) for record in (first, error, last)] == ["Ja.", None, "Nein."]
    assert "in.txt:2: one document of more than" in str(error)


def test_text_that_packs_well_is_no_bomb(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt.gz").write_bytes(gzip.compress((f"{ARTICLE}\n" * 20_000).encode()))
    assert degloss("clean", "in.txt.gz", "-o", "out.txt").returncode == 0


# HTML


def test_pages_come_with_their_comments_and_their_text(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "seite.html").write_text(HTML, encoding="utf-8")
    done = degloss("label", "seite.html", "--format", "jsonl")
    (line,) = map(json.loads, done.stdout.splitlines())
    assert ARTICLE in line["text"]
    assert COMMENT in line["text"]
    assert "<p>" not in line["text"]
    assert COMMENT in [line["text"][s["start"] : s["end"]] for s in line["sentences"]]
    assert degloss("clean", "seite.html", "-o", "out/").returncode == 0
    cleaned = (tmp_path / "out" / "seite.html.txt").read_text(encoding="utf-8")
    assert ARTICLE in cleaned
    assert COMMENT not in cleaned


REFUSED_PAGES = ["", " \n", "<html></html>", "<script>alert(1)</script>"]


@pytest.mark.parametrize("html", REFUSED_PAGES)
def test_pages_without_text(html: str) -> None:
    with pytest.raises(InputError, match=r"^x\.html: "):
        page_text(html, "x.html")


FRAGMENTS = ["<p>{}</p>", "<div><p>{}</p></div>", "<article>{}</article>", "<p>{}</p><p>Ja.</p>", "<span>{}", "{}"]
FRAGMENTS += ["<body><p>{}</p></body>", "<body>{}<br>Ja.</body>", "<div><p>{}</p></div><!-- <body> -->"]


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_of_pages_are_read(fragment: str) -> None:
    """As editors of pages and feeds keep them, with or without an element around the whole."""
    assert page_text(fragment.format(ARTICLE), "x.html").startswith(ARTICLE)


BETWEEN_PAGES = ["", "\n", "\n<!-- aus dem Zwischenspeicher -->\n", "\n<!DOCTYPE html>\n"]


@pytest.mark.parametrize("between", BETWEEN_PAGES)
def test_all_pages_of_a_file_are_read(between: str) -> None:
    """Some crawlers put one page behind the other into one file; parsers stop at the end of the first."""
    page = "<html><body><p>{}</p></body></html>"
    texts = [ARTICLE, "Der Kreis plant drei neue Schulen.", "Am Sonntag wird gewählt."]
    found = page_text(between.join([*map(page.format, texts), "<HTML><body></body></HTML>"]), "x.html")
    assert found.split("\n\n") == texts


REFERENCES = [
    # a reference, what stands in its place
    *((reference, "") for reference in ("&#2;", "&#1", "&#x8;", "&#X0e;", "&#00014;", "&#x00001B;")),
    *((reference, "") for reference in ("&#xFFFF;", "&#xfffe;", "&#65535;", "&#27;")),
    *((reference, " ") for reference in ("&#11;", "&#12;", "&#x1f;", "&#9;", "&#10;", "&#13;")),
    *((reference, character) for reference, character in (("&#228;", "ä"), ("&#xE4;", "ä"), ("&#50;", "2"))),
    *((reference, character) for reference, character in (("&#x2014;", "—"), ("&#x1F600;", "😀"), ("&#1000;", "Ϩ"))),
]


@pytest.mark.parametrize("paragraphs", [1, 5], ids=["short", "long"])
@pytest.mark.parametrize(("reference", "said"), REFERENCES, ids=[case[0] for case in REFERENCES])
def test_references_to_control_characters_cost_a_page_nothing(reference: str, said: str, paragraphs: int) -> None:
    """Of some of them trafilatura finds nothing at all, and lxml breaks off."""
    page = "<html><body>{}<p>Der Rat{}haus sagt: ja.</p></body></html>"
    lines = [f"{number}. {ARTICLE}" for number in range(paragraphs)]
    found = page_text(page.format("".join(f"<p>{line}</p>" for line in lines), reference), "x.html")
    assert found.split("\n") == [*lines, f"Der Rat{said}haus sagt: ja."]


@pytest.mark.parametrize("between", ["<!---->", "<!-- -->\n", "<!--"], ids=ascii)
def test_what_could_be_between_two_pages_takes_no_time(between: str) -> None:
    html = f"<html><body><p>{ARTICLE}</p></body></html>{between * 100}"
    assert page_text(html, "x.html") == ARTICLE


def test_many_and_endless_references_take_no_time() -> None:
    html = "<p>Ja." + "&#2;" * 100_000 + "&#" + "0" * 500_000 + "2;" + "&#" * 100_000
    assert page_text(html, "x.html").rstrip("&#") == "Ja."


PARTS = [
    ARTICLE,
    "Er gilt ab März, für alle Ämter.",
    "Der Rat stimmte ihm nach langer Debatte mit knapper Mehrheit zu.",
]
MARKED = "".join(f"<p>{part}</p>" for part in PARTS)
COMMENTED = [
    # body of a page, its lines
    (f'<div class="comments">{MARKED}</div>', PARTS),
    (f'<p>Kurz.</p><div id="comments">{MARKED}</div>', ["Kurz.", *PARTS]),
    (f'<p>Kurz.</p><div id="comments"><h3>Stimmen</h3>{MARKED}</div>', ["Kurz.", *PARTS, "Stimmen"]),
    ('<p>Kurz.</p><div id="comments"><p>So ein <b>Unsinn</b>!</p></div>', ["Kurz.", "So ein", "Unsinn", "!"]),
    (f'<article>{MARKED * 2}</article><div id="comments"><p>Unfug!</p></div>', [*PARTS * 2, "Unfug!"]),
    # A comment that says what a line of the article says is none that is there twice.
    (f'<article>{MARKED * 2}</article><div id="comments"><p>{PARTS[1]}</p></div>', [*PARTS * 2, PARTS[1]]),
    (f'<div id="comments"><p>Ja, ja!</p><p>{ARTICLE}</p><p>Ja, ja!</p></div>', ["Ja, ja!", ARTICLE, "Ja, ja!"]),
]


@pytest.mark.parametrize(("body", "lines"), COMMENTED, ids=[f"{case[0][:60]}…" for case in COMMENTED])
def test_comments_come_once(body: str, lines: list[str]) -> None:
    """Of a page that is little but comments trafilatura takes all for the text, and has them as comments as well."""
    assert page_text(f"<html><body>{body}</body></html>", "x.html").split("\n") == lines


def test_many_comments_take_no_time() -> None:
    ours = "".join(f"<p>{number} ja ja ja</p>" for number in range(5_000))
    html = f"<html><body><p>Kurz.</p><div id='comments'>{ours}</div></body></html>"
    assert len(page_text(html, "x.html").split("\n")) == 5_001


BREAKS = "<br>".join([ARTICLE, *PARTS, ARTICLE])
IN_LINES = "\n".join([ARTICLE, *PARTS, ARTICLE])
LAID_OUT = [
    # body of a page, its text
    (BREAKS, IN_LINES),
    (BREAKS.replace(ARTICLE, f"<span>{ARTICLE}</span>"), IN_LINES),
    (
        f"<span>{ARTICLE}</span><br><span>{PARTS[2]}</span><br><br><span>{PARTS[2]}</span>",
        "\n".join(PARTS[:1] + PARTS[2:] * 2),
    ),
    (f"<b>Der Plan</b><br>{BREAKS}<p>Ende.</p>", f"Der Plan\n{IN_LINES}\nEnde."),
    (f"<article>{MARKED}<noscript><p>Ohne Skript?</p></noscript></article>", "\n".join([*PARTS, "Ohne Skript?"])),
    (f"<article>{MARKED}<textarea>Was meinst du?</textarea></article>", "\n".join([*PARTS, "Was meinst du?"])),
    (f"<article><p>{ARTICLE} {PARTS[2]}</p></article>", f"{ARTICLE} {PARTS[2]}"),
    (f"<table><tr><td>Menü<td><font>{BREAKS}</font></table>", f"| Menü | {IN_LINES} |"),
    (
        f"<table><tr><td>Kopf<tr><td>Ja | nein<td>{MARKED * 2}</table>",
        "| Kopf |  | \n| Ja \\| nein | {}\n{} |".format(*["\n".join(PARTS)] * 2),
    ),
    (f"<table><tr><td>{ARTICLE} {PARTS[1]}<td>{PARTS[2]}</table>", f"| {ARTICLE} {PARTS[1]} | {PARTS[2]} |"),
    (f"<table>{'<tr><td>Ja, ja<td>12<br>13' * 30}</table>", " \n".join(["| Ja, ja | 12 13 |"] * 30)),
]


@pytest.mark.parametrize(("body", "text"), LAID_OUT, ids=[f"{case[0][:60]}…" for case in LAID_OUT])
def test_pages_laid_out_by_line_breaks_and_tables_keep_their_lines(body: str, text: str) -> None:
    """As old pages are, and short ones; in rows of data and at the ends of cells there are no lines to keep."""
    assert page_text(f"<html><body>{body}</body></html>", "x.html") == text


def test_all_text_of_a_page_is_taken_a_line_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where trafilatura finds nothing."""
    monkeypatch.setattr("trafilatura.bare_extraction", lambda *_, **__: None)
    html = f"""<html><head><style>p {{ color: red }}</style></head><body><script>alert(1)</script><h1>Der
    Plan</h1><p>{ARTICLE}<p>Es <b>ist</b>
    so.<br>Ja.</p>lose<ul><li>eins<li>zwei</ul><table><tr><td>drei</table><div><div><p></p></div></div></body></html>"""
    lines = ["Der Plan", ARTICLE, "Es ist so.", "Ja.", "lose", "eins", "zwei", "drei"]
    assert page_text(html, "x.html").split("\n") == lines


def read_or_refused(html: str) -> str:
    try:
        return page_text(html, "x.html")
    except InputError as error:
        return "\n".join(str(error).splitlines()[:1])


@pytest.mark.parametrize(
    "html", ["<div>" * 20_000 + "Ja.", "<p>" + "(" * 100_000, "<!--" * 10_000, "</html><!-- " * 10_000, "\0<p>a\0b</p>"]
)
def test_odd_pages_are_read_or_refused(html: str) -> None:
    assert read_or_refused(html)


@given(st.text(st.sampled_from("<>/!-\"'= &;ap\n") | st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_page_is_read_or_refused(html: str) -> None:
    assert read_or_refused(html)


# encodings

GERMAN = "Grüße aus Köln: Das Frühstück für Ärzte heißt künftig anders, schöne Öfen überall."


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "cp850"])
@pytest.mark.parametrize("text", [GERMAN, "Straße", "Größe", f"{GERMAN}\r\n" * 1000])
def test_german_text_is_known_in_every_encoding_it_comes_in(text: str, encoding: str) -> None:
    pytest.importorskip("charset_normalizer")
    found, title = guess(text.encode(encoding))
    assert text.encode(encoding).decode(found) == text
    notes: list[str] = []
    assert decode(text.encode(encoding), "x", notes.append) == text
    assert notes == [f"x: not UTF-8, read as {title}; if letters look wrong, convert the file to UTF-8 (iconv)"]


def test_without_charset_normalizer_it_is_windows_1252(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    monkeypatch.setattr("degloss.encodings.installed", lambda module: False)
    assert guess(GERMAN.encode("cp1252")) == ("cp1252", "Windows-1252")
    assert guess(b"Gr\x81\xe1e")[0] == "latin_1"


@given(st.binary())
def test_any_bytes_have_an_encoding(data: bytes) -> None:
    data.decode(guess(data)[0])


DECLARATIONS = [
    (b'<meta charset="iso-8859-1">', "cp1252"),
    (b'<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=windows-1251">', "cp1251"),
    (b"<meta charset=utf-16>", None),
    (b"<meta charset=rot13>", None),
    (b"<meta charset=hex>", None),
    (b"<meta charset=klingonisch>", None),
    (b"<p>charset=latin-1", None),
]


@pytest.mark.parametrize(("html", "encoding"), DECLARATIONS)
def test_what_pages_say_of_their_encoding(html: bytes, encoding: str | None) -> None:
    assert declared(html) == encoding


def test_a_page_is_believed_if_it_can_be() -> None:
    cyrillic = "<meta charset=windows-1251><p>Привет</p>"
    assert decode(cyrillic.encode("cp1251"), "x", pytest.fail, page=True) == cyrillic
    notes: list[str] = []
    wrong = b"<meta charset=ascii><p>Gr\xfc\xdfe\x81"
    assert decode(wrong, "x", notes.append, page=True).startswith("<meta")
    assert "which it is not" in notes[0]


def test_a_damaged_page_is_read_with_marks_and_a_damaged_text_refused() -> None:
    """In a text the marks would stand for what was there; of a page the text is taken out anyhow."""
    damaged = "<p>Grüße aus Köln, für alle</p>".encode() + b"\xff"
    notes: list[str] = []
    assert decode(damaged, "x", notes.append, page=True) == "<p>Grüße aus Köln, für alle</p>\ufffd"
    assert notes == [f"x: UTF-8, damaged at byte {len(damaged)}; what cannot be read is shown as \ufffd"]
    with pytest.raises(InputError, match=f"UTF-8, but is damaged at byte {len(damaged)} "):
        decode(damaged, "x", pytest.fail)
    for little in (b"Der B\xc3\xbcrgermeister\xff", "Der Rat tagt über Kö".encode()[:-1]):
        with pytest.raises(InputError, match="is damaged at byte"):
            decode(little, "x", pytest.fail)
    marked = "Für \ufffd\ufffd\ufffd".encode() + b"\xff"
    with pytest.raises(InputError, match=f"is damaged at byte {len(marked)} "):
        decode(marked, "x", pytest.fail)
    # Bytes that stand next to each other in UTF-8 too.
    for text in ("Spaß… Gruß… für", "Das macht Spaß“, sagt er. Viel Spaß… Mit Fuß– ö"):
        assert decode(text.encode("cp1252"), "x", notes.append) == text
    for encoding in ("cp1252", "cp850", "mac_roman"):  # no damage, but another encoding
        assert decode("Grüße aus Köln, für alle".encode(encoding), "x", notes.append)


def test_mojibake_is_mended_only_if_asked_for(degloss: Run, tmp_path: Path) -> None:
    broken = GERMAN.encode().decode("cp1252")
    assert mended(broken, "x") == GERMAN
    assert mended(f"„{GERMAN}“ … (“’) <b>", "x") == f"„{GERMAN}“ … (“’) <b>"
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "text": broken}) + "\n")
    plain = json.loads(degloss("label", "in.jsonl", "--format", "jsonl").stdout)
    assert "text" not in plain
    line = json.loads(degloss("label", "in.jsonl", "--format", "jsonl", "--fix-mojibake").stdout)
    assert line["text"] == GERMAN
    assert line["sentences"][-1]["end"] == len(GERMAN)


# what is not installed

EXTRAS = [("seite.html", "trafilatura", "html"), ("a.parquet", "pyarrow", "parquet"), ("a.txt.zst", "zstandard", "zst")]


@pytest.mark.parametrize(("name", "module", "extra"), EXTRAS)
def test_a_missing_package_is_named_with_its_extra(
    name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("degloss.extras.find_spec", lambda found: None if found == module else object())
    with pytest.raises(ExtraMissing, match=rf"{name}: .*{module}; pip install 'degloss\[{extra}\]'"):
        kinds.require(kind_of(name), parts(name).packing, name)
    with pytest.raises(ExtraMissing):
        list(read_documents(__file__, kind_of(name), "text", pytest.fail) if module != "zstandard" else _opened(name))


def test_one_page_that_cannot_be_read_among_the_files_of_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    (tmp_path / "b.htm.gz").touch()
    monkeypatch.setattr("degloss.extras.find_spec", lambda found: None if found == "trafilatura" else object())
    options = Options(output=str(tmp_path / "out"))
    with pytest.raises(ExtraMissing, match=r"degloss\[html\]', or leave such files out: --exclude '\*\.htm\.gz'"):
        plan([str(tmp_path)], options, lambda _: Form("text", keep=("article",)), Tally(pytest.fail))


def _opened(name: str) -> list[object]:
    return [source.unpacked(io.BytesIO(b"x"), ".zst", name).read()]


# Parquet


def parquet(file: Path, **columns: object) -> None:
    pq.write_table(pyarrow.table(columns), file, row_group_size=100)


def documents(file: Path, field: str = "text") -> list[Document]:
    found = read_documents(str(file), "parquet", field, pytest.fail)
    return [document for document in found if isinstance(document, Document)]


def test_parquet_is_read_in_blocks_in_order(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", text=[f"Satz {n}." for n in range(1000)])
    found = documents(tmp_path / "a.parquet")
    assert [document.text for document in found] == [f"Satz {n}." for n in range(1000)]
    assert found[-1].name.endswith("a.parquet:1000")


KINDS_OF_TEXT = [
    pyarrow.string(),
    pyarrow.large_string(),
    pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    pyarrow.dictionary(pyarrow.int8(), pyarrow.string(), ordered=True),
    pyarrow.dictionary(pyarrow.uint16(), pyarrow.large_string()),
]


def encoded(cells: list[Any], kind: Any) -> Any:
    found = pyarrow.array(cells, kind.value_type).dictionary_encode()
    indices = found.indices.cast(kind.index_type)
    return pyarrow.DictionaryArray.from_arrays(indices, found.dictionary, ordered=kind.ordered)


@pytest.mark.parametrize("command", ["clean", "label"])
@pytest.mark.parametrize("many", ["text", "thema"])
def test_dictionaries_too_large_for_one_group_of_parquet_stay(
    command: str, many: str, degloss: Run, tmp_path: Path
) -> None:
    kind = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    other = "thema" if many == "text" else "text"
    rows = [f"Der Rat tagt am {n}. März." for n in range(300)]
    groups = [
        pyarrow.table({many: encoded(rows[begin : begin + 100], kind), other: encoded([ARTICLE] * 100, kind)})
        for begin in range(0, 300, 100)
    ]
    with pq.ParquetWriter(tmp_path / "in.parquet", groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group)
    assert degloss(command, "in.parquet", "-o", "out.parquet").returncode == 0
    out = pq.read_table(tmp_path / "out.parquet")
    assert (out.column(many).to_pylist(), out.column(many).type) == (rows, kind)
    assert (out.column(other).to_pylist(), out.column(other).type) == ([ARTICLE] * 300, kind)


@pytest.mark.parametrize("kind", KINDS_OF_TEXT, ids=str)
def test_parquet_keeps_columns_and_types(kind: Any, degloss: Run, tmp_path: Path) -> None:
    import datetime

    moment = datetime.datetime(2026, 1, 30, 12, tzinfo=datetime.UTC)
    rows = [PAGE, None, "", COMMENT] * 100
    table = pyarrow.table({
        "id": pyarrow.array(range(400), pyarrow.int16()),
        "text": encoded(rows, kind) if pyarrow.types.is_dictionary(kind) else pyarrow.array(rows).cast(kind),
        "when": pyarrow.array([moment] * 400, pyarrow.timestamp("ns", "UTC")),
        "tags": [["a", None]] * 400,
    }).replace_schema_metadata({"herkunft": "Archiv"})  # fmt: skip
    pq.write_table(table, tmp_path / "in.parquet", compression="zstd", row_group_size=150)
    done = degloss("label", "in.parquet", "-o", "out.parquet")
    assert done.returncode == 0
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == [
        *table.column_names, "article", "commentary", "boilerplate", "spans", "commentary_share", "confidence",
    ]  # fmt: skip
    assert out.schema.metadata[b"herkunft"] == b"Archiv"
    read = pq.read_table(tmp_path / "in.parquet")  # Parquet has no word for a dictionary of large strings
    for name in ("id", "text", "when", "tags"):
        assert out.column(name).to_pylist() == table.column(name).to_pylist()
        assert out.schema.field(name).type == read.schema.field(name).type
    assert out.column("text").to_pylist() == rows
    first, nothing, empty, last = out.slice(0, 4).to_pylist()
    assert first["boilerplate"] == LINK
    assert [PAGE[s["start"] : s["end"]] for s in first["spans"] if s["label"] == "commentary"] == [COMMENT]
    assert (nothing["article"], nothing["spans"], nothing["confidence"]) == ("", [], None)
    assert (empty["article"], empty["commentary_share"]) == ("", 0.0)
    assert (last["commentary"], last["commentary_share"]) == (COMMENT, 1.0)
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.skipif(not hasattr(pyarrow, "string_view"), reason="needs a pyarrow that has views")
@pytest.mark.parametrize("command", [["label"], ["clean"], ["label", "--format", "jsonl"]], ids=" ".join)
def test_parquet_of_views(command: list[str], degloss: Run, tmp_path: Path) -> None:
    texts = [PAGE, None, ARTICLE]
    columns = {
        "text": pyarrow.array(texts, pyarrow.string_view()),
        "b": pyarrow.array([b"x"] * 3, pyarrow.binary_view()),
    }
    pq.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    as_lines = "jsonl" in command
    done = degloss(*command, "in.parquet", "-o", "out.jsonl" if as_lines else "out.parquet")
    assert done.returncode == 0, done.stderr
    if as_lines:
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    else:
        out = pq.read_table(tmp_path / "out.parquet").to_pydict()
        assert out["b"] == [b"x"] * 3
        assert out["text"] == ([CLEAN.rstrip(), None, ARTICLE] if command == ["clean"] else texts)


@pytest.mark.parametrize("command", [["label"], ["clean"], ["label", "--format", "jsonl"]], ids=" ".join)
def test_a_text_in_parquet_that_is_not_utf8_fails_alone(command: list[str], degloss: Run, tmp_path: Path) -> None:
    cells = pyarrow.array([ARTICLE.encode(), b"Gr\xfc\xdfe.", ARTICLE.encode()])
    wrong = pyarrow.Array.from_buffers(pyarrow.string(), 3, cells.buffers())
    pq.write_table(pyarrow.table({"id": [1, 2, 3], "text": wrong}), tmp_path / "in.parquet")
    name = "out.jsonl" if "jsonl" in command else "out.parquet"
    done = degloss(*command, "in.parquet", "-o", name)
    assert (done.returncode, b"in.parquet:2: its text is not UTF-8" in done.stderr) == (3, True)
    if name == "out.parquet":
        assert pq.read_table(tmp_path / name)["id"].to_pylist() == [1, 3]
    else:
        assert [json.loads(line)["id"] for line in (tmp_path / name).open()] == [1, 3]


CELLS = [
    ("a far time", pyarrow.array([10**18], pyarrow.timestamp("us")), "<value out of range: 1000000000000000000>"),
    ("a day in the far future", pyarrow.array([10**7], pyarrow.date32()), "29349-01-26"),
    ("a span of ages", pyarrow.array([10**18], pyarrow.duration("s")), "1000000000000000000"),
    ("nanoseconds of a day", pyarrow.array([45296123456789], pyarrow.time64("ns")), "12:34:56.123456789"),
    ("none of them", pyarrow.array([45296123456000], pyarrow.time64("ns")), "12:34:56.123456"),
    ("in a list", pyarrow.array([[1, None]], pyarrow.list_(pyarrow.time64("ns"))), ["00:00:00.000000001", None]),
    (
        "in a map",
        pyarrow.array([[("a", 1), ("b", 1000)]], pyarrow.map_(pyarrow.string(), pyarrow.time64("ns"))),
        [["a", "00:00:00.000000001"], ["b", "00:00:00.000001"]],
    ),
    ("a far day in a map", pyarrow.array([[("a", 10**7)]], pyarrow.map_(pyarrow.string(), pyarrow.date32())),
        [["a", "29349-01-26"]]),
    ("no such list", pyarrow.array([None], pyarrow.list_(pyarrow.time64("ns"))), None),
    ("such in a list", pyarrow.array([[10**7]], pyarrow.list_(pyarrow.date32())), ["29349-01-26"]),
    ("in a struct", pyarrow.array([{"a": 10**7}], pyarrow.struct([("a", pyarrow.date32())])), {"a": "29349-01-26"}),
    ("one of a few", pyarrow.array([10**7], pyarrow.date32()).dictionary_encode(), "29349-01-26"),
    (
        "no text",
        pyarrow.Array.from_buffers(pyarrow.string(), 1, pyarrow.array([b"Gr\xfc"]).buffers()),
        base64.b64encode(b"Gr\xfc").decode(),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "said"), [case[1:] for case in CELLS], ids=[case[0] for case in CELLS])
def test_what_python_cannot_hold_comes_out_of_parquet(cell: Any, said: object, degloss: Run, tmp_path: Path) -> None:
    pq.write_table(pyarrow.table({"x": cell, "text": [ARTICLE]}), tmp_path / "in.parquet")
    done = degloss("label", "in.parquet", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["x"] == said


def test_columns_of_one_name_both_come_out_of_parquet(degloss: Run, tmp_path: Path) -> None:
    table = pyarrow.Table.from_arrays(
        [pyarrow.array([1]), pyarrow.array([3]), pyarrow.array([ARTICLE])], ["id", "id", "text"]
    )
    pq.write_table(table, tmp_path / "in.parquet")
    done = degloss("label", "in.parquet", "--format", "jsonl")
    pairs = json.loads(done.stdout, object_pairs_hook=list)
    assert [value for name, value in pairs if name == "id"] == [1, 3]


def test_parquet_with_two_columns_of_the_name_is_refused(degloss: Run, tmp_path: Path) -> None:
    table = pyarrow.Table.from_arrays([pyarrow.array([ARTICLE])] * 2, names=["text", "text"])
    pq.write_table(table, tmp_path / "in.parquet")
    done = degloss("label", "in.parquet", "--format", "jsonl")
    assert done.returncode == 1
    assert b"in.parquet: has several columns 'text'; rename one" in done.stderr


@pytest.mark.parametrize("name", ["in.csv", "in.tsv"])
def test_tables_with_two_columns_of_the_name_are_refused(name: str, degloss: Run, tmp_path: Path) -> None:
    row = "\t" if name == "in.tsv" else ","
    (tmp_path / name).write_text(f"id{row}text{row}text\n1{row}a{row}b\n")
    done = degloss("clean", name)
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"{name}: has several columns 'text'; rename one".encode() in done.stderr


def test_what_json_has_no_word_for(degloss: Run, tmp_path: Path) -> None:
    values = [{"x": float("nan"), "y": [float("inf"), 1.5], "z": b"\xff"}]
    parquet(tmp_path / "in.parquet", text=[ARTICLE], number=[float("nan")], packed=[b"\xff\x00"], deep=values)
    (line,) = degloss("label", "in.parquet", "--format", "jsonl").stdout.splitlines()
    found = json.loads(line, parse_constant=pytest.fail)
    expected = {"number": None, "packed": "/wA=", "deep": {"x": None, "y": [None, 1.5], "z": "/w=="}}
    assert {name: found[name] for name in expected} == expected


def test_parquet_as_json_lines(degloss: Run, tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", id=[1, 2], text=[ARTICLE, None])
    done = degloss("label", "in.parquet", "--format", "jsonl")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], len(first["sentences"])) == (1, 1)
    assert second == {"id": 2, "sentences": []}


def test_a_parquet_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from degloss import parquet as module

    texts = [f"{number}{'a' * 50_000}" for number in range(400)]
    pq.write_table(pyarrow.table({"text": texts}), tmp_path / "in.parquet", compression="zstd", use_dictionary=False)
    assert (tmp_path / "in.parquet").stat().st_size < 100_000
    assert len([*read_documents(str(tmp_path / "in.parquet"), "parquet", "text", pytest.fail)]) == 401
    monkeypatch.setattr(module, "_FREE", 1 << 20)
    with pytest.raises(InputError, match="as a decompression bomb does"):
        list(read_documents(str(tmp_path / "in.parquet"), "parquet", "text", pytest.fail))
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_BYTES", 50_001)
    found = [*read_documents(str(tmp_path / "in.parquet"), "parquet", "text", pytest.fail)]
    assert [isinstance(item, InputError) for item in found] == [False] * 11 + [True] * 390
    assert "in.parquet:11: one document of more than" in str(found[11])


PARQUET_MISTAKES = [
    (["label", "in.parquet"], "Parquet goes into a file of its own"),
    (["label", "in.parquet", "--text-field", "id", "-o", "out.parquet"], "'id' is int64, not text"),
    (["label", "in.parquet", "--text-field", "body", "-o", "out.parquet"], "no column 'body', only 'id', 'text'"),
    (["label", "bad.parquet", "-o", "out.parquet"], "damaged, or no Parquet"),
    (["label", "in.parquet", "other.jsonl", "--format", "table", "-o", "all.jsonl"], "cannot go into one file"),
]


@pytest.mark.parametrize(("args", "message"), PARQUET_MISTAKES, ids=[" ".join(case[0]) for case in PARQUET_MISTAKES])
def test_parquet_mistakes(args: list[str], message: str, degloss: Run, tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", id=[1], text=[ARTICLE])
    (tmp_path / "bad.parquet").write_bytes((tmp_path / "in.parquet").read_bytes()[:-20])
    (tmp_path / "other.jsonl").write_text('{"text": "Ja."}\n')
    before = sorted(path.name for path in tmp_path.iterdir())
    done = degloss(*args)
    assert (done.returncode, done.stdout) == (1, b"")
    assert message in done.stderr.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == before
