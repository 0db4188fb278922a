"""CSV and TSV: every cell comes back, and none is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ARTICLE, COMMENT, LINK, PAGE, Run
from degloss import tables
from degloss.errors import InputError
from degloss.tables import Header, Row, line_of, neutral, read_rows

NEUTRALISED = [
    # a cell, and what becomes of it
    ("+++ Eilmeldung +++", "'+++ Eilmeldung +++"),
    ('=HYPERLINK("https://beispiel.de")', '\'=HYPERLINK("https://beispiel.de")'),
    ("-- so nicht", "'-- so nicht"),
    ("@kanal", "'@kanal"),
    ("\tEingerückt", "'\tEingerückt"),
    ("\rNeu", "'\rNeu"),
    ("\n=1+1", "'\n=1+1"),
    ("＝1＋1", "'＝1＋1"),
    ("'=1+1", "''=1+1"),
    ("-", "'-"),
    # these stay
    ("-12,5", "-12,5"),
    ("+3.000,50", "+3.000,50"),
    ("-1e-5", "-1e-5"),
    ("Zwei + zwei = vier", "Zwei + zwei = vier"),
    ("'Zitat'", "'Zitat'"),
    ("", ""),
    ("———-", "———-"),
]


@pytest.mark.parametrize(("cell", "shown"), NEUTRALISED)
def test_cells_that_a_spreadsheet_would_run(cell: str, shown: str) -> None:
    assert neutral(cell) == shown


def restored(cell: str) -> str:
    """What the documentation says how to undo it."""
    return cell[1:] if re.match(r"'+[=+\-@＝＋－＠\t\r\n]", cell) else cell


CELLS = st.text(st.sampled_from("'=+-@\t\r\n,;\"| ab1.") | st.characters(exclude_categories=["Cs"]), max_size=8)


@given(CELLS)
def test_neutralising_can_be_undone_and_is_complete(cell: str) -> None:
    assert restored(neutral(cell)) == cell
    first = neutral(cell)[:1]
    assert first not in "=+-@＝＋－＠\t\r\n" or not first or re.fullmatch(r"[+-]?\d[\d.,]*(e[+-]?\d+)?", cell, re.I)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_come_back_as_they_were(rows: list[list[str]], separator: str, line_break: str, raw: bool) -> None:
    lines = [line_of(row, raw=raw, separator=separator, line_break=line_break) for row in rows]
    assert all(line.endswith(line_break) for line in lines)
    found = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator, strict=True))
    assert [[cell if raw else restored(cell) for cell in row] for row in found] == rows


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_between_tabs_is_read(rows: list[list[str]], line_break: str) -> None:
    lines = [line_of(row, raw=True, separator="\t", line_break=line_break) for row in [["id", "text"], *rows]]
    header = Header(("id", "text"), 1, "\t", line_break, False)
    read_again = tables._split(io.StringIO("".join(lines), newline=""), header, "")
    assert [found[1] for found in read_again if not isinstance(found, InputError)] == rows


def read(data: bytes, tmp_path: Path, *, field: str = "text", tabs: bool = False) -> list[Header | Row | InputError]:
    file = tmp_path / "in.csv"
    file.write_bytes(data)
    return list(read_rows(str(file), field, lambda note: None, tabs=tabs))


TABLES = [
    # name, bytes, separator, texts
    ("comma", b"id,text\n1,Ja.\n", ",", ["Ja."]),
    ("semicolon", b"id;text\n1;Ja, so.\n", ";", ["Ja, so."]),
    ("tab", b"id\ttext\n1\tJa.\n", "\t", ["Ja."]),
    ("bar", b"id|text\n1|Ja.\n", "|", ["Ja."]),
    ("one column", b"text\nJa.\nNein.\n", ",", ["Ja.", "Nein."]),
    ("semicolon with commas in names", b'"a,b,c";text\n1;Ja.\n', ";", ["Ja."]),
    ("lines in a cell", b'id,text\n1,"Ja.\n\nNein."\n2,So.\n', ",", ["Ja.\n\nNein.", "So."]),
    ("quotation marks", b'id,text\n1,"Er sagt ""Ja""."\n', ",", ['Er sagt "Ja".']),
    ("mark", b"\xef\xbb\xbfid,text\n1,Ja.\n", ",", ["Ja."]),
    ("mark and quotation marks", b'\xef\xbb\xbf"text",id\nJa.,1\n', ",", ["Ja."]),
    ("utf-16", "id,text\n1,Grüße\n".encode("utf-16"), ",", ["Grüße"]),
    ("windows-1252", "id,text\n1,Grüße\n".encode("cp1252"), ",", ["Grüße"]),
    ("late umlaut", b"id,text\n" + b"1,Ja.\n" * 300_000 + "1,Größe\n".encode("cp1252"), ",", ["Größe"]),
    ("no line break at the end", b"id,text\n1,Ja.", ",", ["Ja."]),
    ("empty lines", b"id,text\n\n1,Ja.\n\n", ",", ["Ja."]),
    ("no rows", b"id,text\n", ",", []),
    ("zero byte", b"id,text\n1,Ja\0.\n", ",", ["Ja\0."]),
]


@pytest.mark.parametrize(
    ("data", "separator", "texts"), [case[1:] for case in TABLES], ids=[case[0] for case in TABLES]
)
def test_reads_tables(data: bytes, separator: str, texts: list[str], tmp_path: Path) -> None:
    header, *rows = read(data, tmp_path)
    assert isinstance(header, Header)
    assert header.separator == separator
    assert [row.text for row in rows if isinstance(row, Row)][-len(texts) :] == texts
    assert not [row for row in rows if isinstance(row, InputError)]


BAD_ROWS = [
    ("too few cells", b"1\n", "in.csv:3: 1 cell where the header has 2"),
    ("too many cells", b"1,2,3\n", "in.csv:3: 3 cells"),
    ("stray quotation mark", b'1,"Ja" so\n', "in.csv:3: no row of a table"),
]


@pytest.mark.parametrize(("line", "message"), [case[1:] for case in BAD_ROWS], ids=[case[0] for case in BAD_ROWS])
def test_a_bad_row_does_not_stop_the_rest(line: bytes, message: str, tmp_path: Path) -> None:
    _, first, error, last = read(b"id,text\n1,Ja.\n" + line + b"2,Nein.\n", tmp_path)
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert (first.line, last.line) == (2, 4)
    assert message in str(error)


BETWEEN_TABS = [
    # name, rows, their texts, or what is told of them
    ("a quotation begins", '1\t"Ja", sagt er.\n', ['"Ja", sagt er.']),
    ("of CSV", '1\t"Er sagt ""Ja""."\n2\t"Ja."\n', ['Er sagt "Ja".', "Ja."]),
    ("lines in a cell", '1\t"Ja.\n\nNein."\n2\tSo.\n', ["Ja.\n\nNein.", "So."]),
    ("a table in a cell", '1\t"Ja.\na\tb\nNein."\n', ["Ja.\na\tb\nNein."]),
    ("never closed", '1\t"Ja.\n2\tNein.\r\n3\tSo.\n', ['"Ja.', "Nein.", "So."]),
    ("never closed, with empty lines", '1\t"Ja.\n\n2\tNein.\n\n', ['"Ja.', "Nein."]),
    ("closed within a cell", '1\t"Ja.\n2\tEr sagt "Nein".\n3\tSo.\n', ['"Ja.', 'Er sagt "Nein".', "So."]),
    ("closed rows later", '1\tJa.\n2\t"Wir.\n3\tEr.\n4\tSie."\n5\tSo.\n', ["Ja.", "in.csv:3-5: one row of", "So."]),
    ("with a bad row between", '1\t"Wir.\n2\n3\tSie."\n4\tSo.\n', ["in.csv:2-4: one row of several lines", "So."]),
    ("closed in another column", '"Wir.\tEr.\n2\tSie."\n3\tSo.\n', ["Er.", 'Sie."', "So."]),
    ("closed in its line", '"Wir.\tEr."\n', ['Er."']),
    ("in the first column", '"1\tWir.\n2"\tSie.\n', ["in.csv:2-3: one row of several lines"]),
    ("all cells quoted", '"1"\t"Ja.\na\tb"\r\n"2"\t"So."\n', ["Ja.\na\tb", "So."]),
    ("never closed, with a bad row", '1\t"Ja.\n2\n', ["in.csv:2-3: no row of a table"]),
]


@pytest.mark.parametrize(("rows", "said"), [case[1:] for case in BETWEEN_TABS], ids=[case[0] for case in BETWEEN_TABS])
def test_quotation_marks_between_tabs_join_no_rows_untold(rows: str, said: list[str], tmp_path: Path) -> None:
    _, *found = read(f"id\ttext\n{rows}".encode(), tmp_path, tabs=True)
    assert len(found) == len(said)
    for one, expected in zip(found, said, strict=True):
        assert one.text == expected if isinstance(one, Row) else str(one).startswith(f"{tmp_path}/{expected}")


@pytest.mark.parametrize("text", ['"Das ist gut", sagt er.', '"Das ist gut."', '"Das ist gut. Der Rat stimmt zu.'])
def test_sentences_between_tabs_are_read_again(text: str, degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(f"{text}\nDer Rat tagt.\n{text}\n")
    assert degloss("label", "in.txt", "-o", "labels.tsv", "--format", "tsv").returncode == 0
    again = [
        row.text
        for row in read_rows(str(tmp_path / "labels.tsv"), "sentence", print, tabs=True)
        if isinstance(row, Row)
    ]
    plain = [line.split("\t")[6] for line in (tmp_path / "labels.tsv").read_text().splitlines()[1:]]
    assert again == plain
    assert " ".join(again).replace("\\u0022", '"') == f"{text} Der Rat tagt. {text}"


def test_a_table_with_lines_in_its_cells_comes_back_between_tabs(degloss: Run, tmp_path: Path) -> None:
    text = f'"{PAGE}"\tund "so"'  # of which the last line has as many cells as the header
    (tmp_path / "in.tsv").write_text(line_of(["7", text], raw=True, separator="\t").join(["id\ttext\n", ""]))
    _, given = read((tmp_path / "in.tsv").read_bytes(), tmp_path, tabs=True)
    assert isinstance(given, Row)
    assert given.text == text
    assert degloss("label", "in.tsv", "-o", "labels.tsv").returncode == 0
    (row,) = table((tmp_path / "labels.tsv").read_text(), "\t")
    _, again = read((tmp_path / "labels.tsv").read_bytes(), tmp_path, tabs=True)
    assert isinstance(again, Row)
    assert (again.text, again.cells) == (text, tuple(row.values()))


def test_an_open_quotation_mark_is_told(tmp_path: Path) -> None:
    *_, error = read(b'id,text\n1,Ja.\n2,"Nein.\n3,Doch.\n', tmp_path)
    assert "in.csv:3-4: no row of a table" in str(error)


REFUSED = [
    ("empty", b"", "no header"),
    ("no such column", b"id,body\n", "no column 'text', only 'id', 'body'"),
    ("damaged utf-16", "text\nJa.".encode("utf-16")[:-1], "not UTF-16"),
    ("header that is no utf-8", b"id,text,\xf6\n1,Br\xc3\xbccke \xc3\xb6l.,2\n", "its header is not UTF-8"),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_files_that_are_no_tables(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(data, tmp_path)


DAMAGED = [
    # rows, which of them fail, what is told
    ("a byte", "1,Die Brücke.\n2,Öl.\n3,".encode() + b"\xd6l.\n4,Ja.\n", [3], "damaged at byte 33 (invalid cont"),
    ("in another column", b"\xd6,Ja.\n" + "2,Öl und Brücke.\n".encode(), [1], "damaged at byte 9 (invalid cont"),
    ("cut off", "1,Die Brücke.\n2,Öl ist gut für".encode()[:-2], [2], "damaged at byte 39 (unexpected end"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "bad", "told"), [case[1:] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_of_a_table_that_is_nearly_utf8_the_bad_rows_fail_alone(
    rows: bytes, bad: list[int], told: str, degloss: Run, tmp_path: Path
) -> None:
    data = b"id,text\n" + rows
    (tmp_path / "in.csv").write_bytes(data)
    (tmp_path / "mark.csv").write_bytes(b"\xef\xbb\xbf" + data)
    whole = degloss("label", "in.csv", "-o", "out.csv")
    marked = degloss("label", "mark.csv", "-o", "marke.csv")
    piped = degloss("label", "--type", "csv", "-", "-o", "von.csv", stdin=data)
    number = len(rows.splitlines())
    for done, name in ((whole, "in.csv"), (piped, "-"), (marked, "mark.csv")):
        assert done.returncode == 3, done.stderr
        for row in bad:
            assert f"{name}:{row + 1}: not UTF-8; mend the row" in done.stderr.decode()
    assert f"in.csv: UTF-8, {told}" in whole.stderr.decode()
    assert len(table((tmp_path / "out.csv").read_text())) == number - len(bad)
    assert (tmp_path / "von.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    assert (tmp_path / "marke.csv").read_bytes() == b"\xef\xbb\xbf" + (tmp_path / "out.csv").read_bytes()


def table(text: str, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


def test_a_table_keeps_its_columns_and_gains_others(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f'id;beitrag;note\r\n7;"{PAGE}";=1+1\r\n8;;-3,5\r\n', newline="")
    done = degloss("label", "in.csv", "--text-field", "beitrag")
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout.count(b"\r\n") == 3
    first, second = table(done.stdout.decode(), ";")
    assert list(first) == [
        "id", "beitrag", "note", "article", "commentary", "boilerplate", "spans", "commentary_share", "confidence",
    ]  # fmt: skip
    assert (first["id"], first["beitrag"], first["note"]) == ("7", PAGE, "'=1+1")
    assert (first["commentary"], first["boilerplate"]) == (COMMENT, LINK)
    assert [PAGE[s["start"] : s["end"]] for s in json.loads(first["spans"]) if s["label"] == "boilerplate"] == [LINK]
    assert 0 < float(first["commentary_share"]) < 0.3
    assert 0.5 < float(first["confidence"]) <= 1
    assert (second["note"], second["article"], second["spans"], second["confidence"]) == ("-3,5", "", "[]", "")
    raw = degloss("label", "in.csv", "--text-field", "beitrag", "--raw-cells")
    assert table(raw.stdout.decode(), ";")[0]["note"] == "=1+1"


def test_a_mark_stays(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbftext\nJa.\n")
    assert degloss("clean", "in.csv", "-o", "out.csv").returncode == 0
    assert (tmp_path / "out.csv").read_bytes() == b"\xef\xbb\xbftext\nJa.\n"
    piped = degloss("clean", "-", "--type", "csv", stdin=(tmp_path / "in.csv").read_bytes())
    assert piped.stdout == b"\xef\xbb\xbftext\nJa.\n"


def test_a_column_may_have_a_name_of_two_lines(degloss: Run, tmp_path: Path) -> None:
    data = b'id,"zwei\nZeilen",text\n1,"a\nb",Ja.\n2,c,"Na\n'
    (tmp_path / "in.csv").write_bytes(data)
    done = degloss("clean", "in.csv", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(data[: data.index(b"2,c")])
    assert b"in.csv:5" in done.stderr  # lines are counted as in the file


def test_tables_in_other_formats(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f'id,text\n7,"{PAGE}"\n')
    line = json.loads(degloss("label", "in.csv", "--format", "jsonl").stdout)
    assert line["id"] == "7"
    assert [s["label"] for s in line["sentences"]].count("commentary") == 1
    text = degloss("label", "in.csv", "--format", "text").stdout.decode()
    assert text.startswith("==> in.csv:2 <==\narticle")


def test_texts_become_rows_of_a_table(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGE)
    (tmp_path / "b.txt").write_text(f"+++ {ARTICLE}")
    done = degloss("label", "a.txt", "b.txt", "--format", "table", "-o", "alle.csv", "-q")
    assert (done.stderr, done.returncode) == (b"", 0)
    first, second = table((tmp_path / "alle.csv").read_text())
    assert (first["file"], first["boilerplate"], second["file"]) == ("a.txt", LINK, "b.txt")
    assert second["article"].startswith("'+++ ")


def test_records_gain_the_same(degloss: Run, tmp_path: Path) -> None:
    record = {"id": 1.50, "confidence": "alt", "text": PAGE}
    (tmp_path / "in.jsonl").write_text(json.dumps(record) + "\n")
    line = json.loads(degloss("label", "in.jsonl", "--format", "table").stdout)
    assert list(line)[:3] == ["id", "text", "article"]
    assert (line["text"], line["commentary"]) == (PAGE, COMMENT)
    assert line["spans"][0]["start"] == 0
    assert line["confidence"] > 0.5


ENDINGS = [
    # input, output, how it begins or what is told
    ("in.jsonl", "out.jsonl", b'{"sentences": ['),
    ("in.jsonl", "out.jsonl.gz", b"\x1f\x8b"),
    ("in.txt", "out.JSONL", b'{"file": "in.txt", "sentences": ['),
    ("in.txt", "out.html", b"<!doctype html>"),
    ("in.txt", "out.tsv", b"start\tend\tlabel"),
    ("in.txt", "out.csv", b"file,article,commentary"),
    ("in.txt", "out.txt", b"article      0."),
    ("in.txt", "ohne", b"article      0."),
    ("in.csv", "out.csv", b"text,article,commentary"),
    ("in.csv", "out.tsv", "out.tsv: what comes out of in.csv is CSV; name it .csv"),
    ("in.csv", "out.jsonl", b'{"sentences": ['),
    ("in.csv", "out.txt", b"==> in.csv:2 <=="),
    ("in.parquet", "out.parquet", b"PAR1"),
    ("in.parquet", "out.csv", "out.csv: what comes out of in.parquet is Parquet; name it .parquet"),
    ("in.csv", "out.parquet", "out.parquet: what comes out of in.csv is no Parquet; give it another ending"),
    ("in.txt", "out.parquet", "out.parquet: what comes out of in.txt is no Parquet; give it another ending"),
]


@pytest.mark.parametrize(("name", "output", "begins"), ENDINGS, ids=[f"{case[0]} {case[1]}" for case in ENDINGS])
def test_without_a_format_the_ending_of_the_output_decides(
    name: str, output: str, begins: bytes | str, degloss: Run, tmp_path: Path
) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "in.txt").write_text(ARTICLE)
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": ARTICLE}) + "\n")
    (tmp_path / "in.csv").write_text(f"text\n{ARTICLE}\n")
    parquet.write_table(arrow.table({"text": [ARTICLE]}), tmp_path / "in.parquet")
    done = degloss("label", name, "-o", output)
    if isinstance(begins, bytes):
        assert (done.returncode, done.stderr) == (0, b"")
        assert (tmp_path / output).read_bytes().startswith(begins)
    else:
        assert (done.returncode, begins in done.stderr.decode()) == (1, True)
        assert not (tmp_path / output).exists()


CLEANED = [
    # inputs, output, what is told if it is refused
    (["in.jsonl"], "out.csv", "out.csv: what comes out of in.jsonl is JSON lines; name it .jsonl"),
    (["in.jsonl"], "out.ndjson", ""),
    (["in.jsonl"], "out.jsonl.gz", ""),
    (["in.jsonl"], "out.txt", ""),
    (["in.txt"], "out.jsonl", "out.jsonl: what comes out of in.txt is text; name it .txt"),
    (["in.txt"], "out.TSV", "out.TSV: what comes out of in.txt is text; name it .txt"),
    (["in.txt"], "out.md", ""),
    (["in.txt"], "out.html", "out.html: what comes out of in.txt is text; name it .txt"),
    (["seite.html"], "out.HTM.gz", "out.HTM.gz: what comes out of seite.html is text; name it .txt"),
    (["in.jsonl"], "out.html", "out.html: what comes out of in.jsonl is JSON lines; name it .jsonl"),
    *((["in.txt"], f"out.txt{packing}", "nothing is packed so, only as .gz or .zst") for packing in (".bz2", ".XZ")),
    *((["in.txt"], f"out{packing}", f"out{packing}: nothing is packed so") for packing in (".zip", ".7z", ".lz4")),
    (["in.txt", "in.jsonl"], "out.zip", "out.zip: nothing is packed so"),
    (["in.jsonl", "in.txt"], "out.jsonl", "out.jsonl: what comes out of in.txt is text; name it .txt"),
]


@pytest.mark.parametrize(("names", "output", "told"), CLEANED, ids=[f"{' '.join(c[0])} {c[1]}" for c in CLEANED])
def test_what_is_cleaned_is_not_named_as_another_kind(
    names: list[str], output: str, told: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text(ARTICLE)
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": ARTICLE}) + "\n")
    (tmp_path / "seite.html").write_text(f"<p>{ARTICLE}")
    done = degloss("clean", *names, "-o", output)
    assert (done.returncode, (tmp_path / output).exists()) == ((1, False) if told else (0, True))
    assert told in done.stderr.decode()


FORMATS = [
    # format, output, what is told if it is refused
    ("table", "out.tsv", "out.tsv: what comes out in the format table is no TSV; name it .csv"),
    ("tsv", "out.csv", "out.csv: what comes out in the format tsv is no CSV; name it .tsv"),
    ("text", "out.jsonl.gz", "out.jsonl.gz: what comes out in the format text is no JSON lines; name it .txt"),
    ("text", "out.html", "out.html: what comes out in the format text is no HTML; name it .txt"),
    ("html", "out.htm", ""),
    ("jsonl", "out.txt.xz", "out.txt.xz: nothing is packed so"),
    ("jsonl", "out.ndjson", ""),
    ("table", "out.csv", ""),
    ("table", "out.txt", ""),
    ("jsonl", "out.json", "out.json: nothing is written as JSON, only as JSON lines; name it .jsonl"),
    ("jsonl", "out.json.gz", "nothing is written as JSON"),
]


@pytest.mark.parametrize(("wanted", "output", "told"), FORMATS, ids=[f"{c[0]} {c[1]}" for c in FORMATS])
def test_a_format_that_was_asked_for_is_not_named_as_another(
    wanted: str, output: str, told: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE)
    (tmp_path / "b.txt").write_text(ARTICLE)
    for names in (["a.txt"], ["a.txt", "b.txt"]):
        done = degloss("label", *names, "--format", wanted, "-o", output, "--force")
        assert (done.returncode, (tmp_path / output).exists()) == ((1, False) if told else (0, True))
        assert told in done.stderr.decode()


CLASHES = [
    ("in.csv", "spans,text\n1,Ja.\n", [], "has a column 'spans' already"),
    ("in.csv", "id,article\n1,Ja.\n", ["--text-field", "article"], "'article' is one that tables gain"),
]


@pytest.mark.parametrize(("name", "content", "more", "message"), CLASHES)
def test_columns_are_not_overwritten(
    name: str, content: str, more: list[str], message: str, degloss: Run, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    done = degloss("label", name, *more)
    assert (done.stdout, done.returncode) == (b"", 1)
    assert message in done.stderr.decode()


@pytest.mark.parametrize(("first", "second"), [("\n", "\r\n"), ("\r\n", "\n")])
@pytest.mark.parametrize("command", [["clean"], ["label"]])
def test_in_one_file_all_lines_end_as_those_of_the_first_table(
    first: str, second: str, command: list[str], degloss: Run, tmp_path: Path
) -> None:
    texts = ["Ja.", "Zwei.\r\nZeilen.", ""]
    rows = {name: [[f"{name}{n}", text] for n, text in enumerate(texts)] for name in "ab"}
    for name, mark, line_break in (("a", "", first), ("b", "\ufeff", second)):
        lines = [line_of(row, raw=True, line_break=line_break) for row in [["id", "text"], *rows[name]]]
        (tmp_path / f"{name}.csv").write_bytes((mark + "".join(lines)).encode())
    done = degloss(*command, "a.csv", "b.csv", "-o", "alle.csv", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    data = (tmp_path / "alle.csv").read_bytes().decode()
    assert re.findall("\r?\n", data.replace("Zwei.\r\n", "")) == [first] * 7
    assert [row[0] for row in csv.reader(io.StringIO(data, newline=""))] == [
        "id", *(row[0] for row in rows["a"] + rows["b"]),
    ]  # fmt: skip


def test_tables_of_the_same_columns_go_into_one_file(degloss: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,Ja.\n")
    (tmp_path / "b.csv").write_text("id,text\n2,Nein.\n")
    (tmp_path / "c.csv").write_text("text\nDoch.\n")
    done = degloss("clean", "a.csv", "b.csv", "c.csv", "-o", "alle.csv", "-q")
    assert done.returncode == 3
    assert (tmp_path / "alle.csv").read_text() == "id,text\n1,Ja.\n2,Nein.\n"
    assert b"c.csv: has other columns than the table before it" in done.stderr
    (tmp_path / "d.csv").write_text("id;text\n4;Ja.\n")
    done = degloss("clean", "a.csv", "d.csv", "-o", "beide.csv", "-q")
    assert done.returncode == 3
    assert b"d.csv: has ';' between its cells, and the table before it ','; give a folder" in done.stderr
    done = degloss("clean", "a.csv", "nicht.jsonl", "-o", "neu.csv")
    assert (done.returncode, (tmp_path / "neu.csv").exists()) == (1, False)
