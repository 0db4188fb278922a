"""Bytes → text: every encoding people have, and every way to be no text."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from degloss.encodings import decode
from degloss.errors import InputError
from degloss.read import read_text
from degloss.records import Record, read_records

GERMAN = "Grüße aus Köln – „schön“ war’s.\r\nZweite Zeile\n"
WESTERN = "Grüße aus Köln, schön war es.\r\nZweite Zeile\n"

DECODED = [
    # name, bytes, text, what the note says
    ("empty", b"", "", ""),
    ("utf-8", GERMAN.encode(), GERMAN, ""),
    ("utf-8 with mark", b"\xef\xbb\xbf" + GERMAN.encode(), GERMAN, ""),
    ("second mark is text", b"\xef\xbb\xbf\xef\xbb\xbfJa", "\ufeffJa", ""),
    ("utf-16 le", b"\xff\xfe" + GERMAN.encode("utf-16-le"), GERMAN, ""),
    ("utf-16 be", b"\xfe\xff" + GERMAN.encode("utf-16-be"), GERMAN, ""),
    ("utf-16 mark alone", b"\xff\xfe", "", ""),
    ("utf-32 le", b"\xff\xfe\0\0" + GERMAN.encode("utf-32-le"), GERMAN, ""),
    ("utf-32 be", b"\0\0\xfe\xff" + GERMAN.encode("utf-32-be"), GERMAN, ""),
    ("utf-16 le without mark", GERMAN.encode("utf-16-le"), GERMAN, "UTF-16"),
    ("utf-16 be without mark", GERMAN.encode("utf-16-be"), GERMAN, "UTF-16"),
    ("windows-1252", GERMAN.encode("cp1252"), GERMAN, "Windows-1252"),
    ("latin-1", WESTERN.encode("latin-1"), WESTERN, "Windows-1252"),
    ("latin-1 with a byte Windows has not", WESTERN.encode("latin-1") + b"\x81", WESTERN + "\x81", "Latin-1"),
    ("a zero byte in text", b"Das ist ein Satz\0 mit Null.", "Das ist ein Satz\0 mit Null.", ""),
    ("all line breaks stay", "a\rb\r\nc\nd\u2028e\x85f".encode(), "a\rb\r\nc\nd\u2028e\x85f", ""),
    ("non-characters", "\ufffe\uffff\U0010ffff".encode(), "\ufffe\uffff\U0010ffff", ""),
]

REFUSED = [
    # name, bytes, part of the message
    ("zero bytes", b"\0" * 64, "binary"),
    ("an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, "binary"),
    ("all bytes", bytes(range(256)), "binary"),
    ("control characters", b"\x01\x02\x03\x04abc", "binary"),
    ("cut utf-16", b"\xff\xfe" + GERMAN.encode("utf-16-le")[:-1], "damaged at byte"),
    ("lone surrogate in utf-16", b"\xff\xfe\x00\xd8a\0", "damaged at byte"),
    ("mark of utf-8, then not", b"\xef\xbb\xbfGr\xfc\xdfe", "damaged at byte 3"),
    ("utf-32 beyond unicode", b"\xff\xfe\0\0\0\0\x11\0", "damaged at byte"),
]


@pytest.mark.parametrize(("data", "text", "said"), [c[1:] for c in DECODED], ids=[c[0] for c in DECODED])
def test_decodes(data: bytes, text: str, said: str) -> None:
    notes: list[str] = []
    assert decode(data, "brief.txt", notes.append) == text
    assert len(notes) == bool(said)
    assert all(said in note and note.startswith("brief.txt: ") for note in notes)


@pytest.mark.parametrize(("data", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refuses(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"^brief\.txt: .*{message}"):
        decode(data, "brief.txt", pytest.fail)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\r\n\t"), min_size=1))
def test_utf8_comes_back_whole(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode(), "x", pytest.fail) == text


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused_on_one_line(data: bytes) -> None:
    try:
        said = decode(data, "x", lambda note: None)
    except InputError as refused:
        said = str(refused)
        shown = said.splitlines()
    else:
        shown = [said]
    assert len(shown) == 1
    assert said or len(data) <= 4  # nothing but a byte order mark may vanish


MISSING = [
    ("no such file", "fehlt.txt", "no such file"),
    ("a zero byte in the name", "a\0b", "no name a file can"),
]


@pytest.mark.parametrize(("name", "message"), [c[1:] for c in MISSING], ids=[c[0] for c in MISSING])
def test_files_that_cannot_be_opened(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_text(str(tmp_path / name), pytest.fail)
    with pytest.raises(InputError, match=message):
        list(read_records(str(tmp_path / name), "text"))


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a file"):
        read_text(str(tmp_path), pytest.fail)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), "no permission to read"),
        (OSError(5, "I/O error"), "I/O error"),
    ],
)
def test_disk_trouble(error: OSError, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(InputError, match=rf"^brief\.txt: .*{message}.*; "):
        read_text("brief.txt", pytest.fail)


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        read_text("-", pytest.fail)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GERMAN.encode("utf-16"))))
    assert read_text("-", pytest.fail) == GERMAN


def records(data: bytes, tmp_path: Path, field: str = "text") -> list[Record | InputError]:
    file = tmp_path / "in.jsonl"
    file.write_bytes(data)
    return list(read_records(str(file), field))


TEXTS = [
    # name, line, text, the fields as they stand there
    ("plain", '{"id": 7, "text": "Gut."}', "Gut.", ['"id": 7', '"text": "Gut."']),
    ("spaces", ' { "text" :\t"Gut." , "a":[1, 2] } ', "Gut.", ['"text" :\t"Gut."', '"a":[1, 2]']),
    (
        "numbers as written",
        '{"n": 1.10, "m": 1e999, "text": ""}',
        "",
        ['"n": 1.10', '"m": 1e999', '"text": ""'],
    ),
    ("a very long number", f'{{"n": {"9" * 5000}, "text": ""}}', "", [f'"n": {"9" * 5000}', '"text": ""']),
    ("lone surrogate", '{"text": "a\\ud800b"}', "a\ud800b", ['"text": "a\\ud800b"']),
    ("surrogate pair", '{"text": "\\ud83d\\ude00"}', "😀", ['"text": "\\ud83d\\ude00"']),
    ("escaped name", '{"te\\u0078t": "x"}', "x", ['"te\\u0078t": "x"']),
    ("the last of two", '{"text": "a", "text": "b"}', "b", ['"text": "a"', '"text": "b"']),
    ("null", '{"id": 1, "text": null }', "", ['"id": 1', '"text": null']),
    ("null, then a text", '{"text": null, "text": "b"}', "b", ['"text": null', '"text": "b"']),
    ("carriage return", '{"text": "x"}\r', "x", ['"text": "x"']),
    ("other line breaks", '{"text": "a\u2028b\u0085c"}', "a\u2028b\u0085c", ['"text": "a\u2028b\u0085c"']),
]


@pytest.mark.parametrize(("line", "text", "members"), [c[1:] for c in TEXTS], ids=[c[0] for c in TEXTS])
def test_records(line: str, text: str, members: list[str], tmp_path: Path) -> None:
    (record,) = records(line.encode(), tmp_path)
    assert isinstance(record, Record)
    assert (record.line, record.text) == (1, text)
    assert [piece for _, piece in record.members] == members


BAD_LINES = [
    ("not JSON", b"Hallo", "not JSON"),
    ("cut off", b'{"text": "Ha', "not JSON"),
    ("comma at the end", b'{"text": "a",}', "not JSON"),
    ("no colon", b'{"text" "a"}', "not JSON"),
    ("no comma", b'{"text": "a" "b": 1}', "not JSON"),
    ("two values", b'{"text": "a"} {}', "not JSON"),
    ("raw control character", b'{"text": "a\x01"}', "not JSON"),
    ("a list", b'["text"]', "not a JSON object"),
    ("a string", b'"text"', "not a JSON object"),
    ("a number", b"17", "not a JSON object"),
    ("empty object", b"{}", "no field 'text'"),
    ("another name", b'{"body": "a"}', "no field 'text', only 'body'"),
    ("a number for text", b'{"text": 5}', "holds no string"),
    ("a list for text", b'{"text": ["null"]}', "holds no string"),
    ("true for text", b'{"text": true}', "holds no string"),
    ("an object for text", b'{"text": {"a": null}}', "holds no string"),
    ("NaN for text", b'{"text": NaN}', "holds no string"),
    ("too deep", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "text": "x"}', "nested too deeply"),
    ("not UTF-8", b'{"text": "Gr\xfc\xdfe"}', "not UTF-8 at byte 13"),
]


@pytest.mark.parametrize(("line", "message"), [c[1:] for c in BAD_LINES], ids=[c[0] for c in BAD_LINES])
def test_bad_lines_name_their_place_and_do_not_stop_the_rest(line: bytes, message: str, tmp_path: Path) -> None:
    first, error, last = records(b'{"text": "a"}\n\n' + line + b'\n{"text": "b"}', tmp_path)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert (first.line, last.line) == (1, 4)
    assert isinstance(error, InputError)
    assert str(error).startswith(f"{tmp_path / 'in.jsonl'}:3: ")
    assert message in str(error)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_records_with_a_mark(encoding: str, tmp_path: Path) -> None:
    data = '{"text": "Grüße"}\n{"text": "schön"}\n'.encode(encoding)
    assert [getattr(r, "text", r) for r in records(data, tmp_path)] == ["Grüße", "schön"]


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.floats() | st.text(), max_size=5),
    st.text(),
)
def test_the_pieces_of_any_object_make_it_again(other: dict[str, object], text: str) -> None:
    whole = {**other, "text": text}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(whole).encode())))
        (record,) = read_records("-", "text")
    assert isinstance(record, Record)
    assert record.text == text
    again = json.loads("{" + ",".join(piece for _, piece in record.members) + "}")
    assert json.dumps(again) == json.dumps(whole)  # NaN is not equal to itself


def test_records_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            line = b'{"text": "ohne Ende"}\n'
            buffer[: len(line)] = line
            return len(line)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))
    lines = read_records("-", "text")
    assert [getattr(next(lines), "line", None) for _ in range(3)] == [1, 2, 3]
