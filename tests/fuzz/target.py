"""The fuzz target: any bytes → labels. It must not crash, lose a character, or take long.

    python tests/fuzz/target.py [INPUTS] [SEED]    makes that many inputs of its own (default 100,000), labels them
    python tests/fuzz/target.py --atheris [ARGS]   lets atheris look for inputs that reach new code (degloss[fuzz])

Inputs are pieces of German pages put together, repeated and damaged, since purely random bytes hardly get beyond the
decoding. They are labelled in batches, a hundred times faster than one by one; a batch that takes long is looked
through one by one, and an input that takes long for its length is a failure.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from degloss.documents import LABELS, Separation
from degloss.encodings import decode
from degloss.errors import InputError
from degloss.formats import Form, encode_line
from degloss.read import Document
from degloss.records import Record, records
from degloss.separate import Separator, shipped

BATCH: Final = 512
SECONDS: Final = 0.05
SECONDS_A_CHARACTER: Final = 2e-4
"""An input may take so much of the processor, some ten times of what the slowest took."""

PIECES: Final = [
    "Das Amt hat am Montag einen Plan vorgelegt.", "Der 1. FC gewinnt.", "So ein Unsinn!!", "Meine Meinung: ",
    "Teile diesen Beitrag", "https://t.me/beispiel/12", "———-", "***", "(", ")", "(“", "„", "“", "»", "«", "’", "…",
    "‼️", "👩‍👧", "🇩🇪", "a\u0301", "\u200d", "\u202e", "\ufeff", "\0", "\x1b[2J", "\r\n", "\n", "\n\n", "\r", "\u2028",
    "\x85", "\t", " ", "\u00a0", "z. B. ", "Dr. ", "3.", "12:30", "@kanal", "#wort", "GROSS", "ß", "ẞ", "İ", "ǅ", "ﬁ",
    "{", "}", "[", "]", '"', "\\", "\\ud800", ":", ",", '{"text": "', '", "id": 1}', "<b>", "=1+1", "٣", "漢字", "क्ष",
]  # fmt: skip
RAW: Final = [
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\x00\x00",
]


def inputs(seed: int) -> Iterator[bytes]:
    """Endless inputs, the same for the same seed; most have some hundred bytes, some a few thousand."""
    source = random.Random(seed)
    while True:
        data = bytearray()
        for _ in range(source.choice([0, 1, 2, 5, 10, 20])):
            piece = source.choice(PIECES).encode() if source.random() < 0.95 else source.choice(RAW)
            data += piece * (1 if source.random() < 0.97 else source.choice([2, 10, 200]))
            if source.random() < 0.3:
                data += source.choice([b" ", b"\n"])
        for _ in range(source.choice([0, 0, 0, 1, 5])):
            if data:
                data[source.randrange(len(data))] = source.randrange(256)
        text = bytes(data)
        if source.random() < 0.03:
            text = text.decode("utf-8", "replace").encode(source.choice(["utf-16", "utf-16-le", "latin-1"]), "replace")
        yield text


def label_many(batch: list[bytes], separator: Separator) -> int:
    """Labels a batch of inputs and checks what came out; how many were text."""
    given = [text for data in batch for text in texts(data)]
    began = time.process_time()
    found = list(separator.separate_many(given))
    seconds = time.process_time() - began
    assert len(found) == len(given)
    for text, separation in zip(given, found, strict=True):
        check(text, separation)
    if seconds > SECONDS + SECONDS_A_CHARACTER / 4 * sum(map(len, given)):
        for text in given:
            check_time(text, separator)
    return len(given)


def label_one(data: bytes, separator: Separator) -> None:
    """Labels one input and checks what came out."""
    for text in texts(data):
        check(text, separator.separate(text))
        check_time(text, separator)


def texts(data: bytes) -> Iterator[str]:
    """What the input is as a text file, and as JSON lines."""
    with suppress(InputError):
        yield decode(data, "x", lambda note: None)
    with suppress(InputError):
        for record in records(io.BytesIO(data), "x", "text"):
            if isinstance(record, Record):
                yield record.text


def check(text: str, found: Separation) -> None:
    """Nothing is lost, everything is in order, and every format can be written."""
    assert found.text == text
    end = 0
    for sentence in found.sentences:
        assert end <= sentence.start < sentence.end <= len(text)
        assert not text[end : sentence.start].strip()
        assert sentence.label in LABELS
        assert 0 < sentence.confidence <= 1
        end = sentence.end
    assert not text[end:].strip()
    document = Document("x", text)
    line = Form("text", format="jsonl").document(found, document)
    assert isinstance(line, str)
    assert len(json.loads(encode_line(line))["sentences"]) == len(found)
    for form in (Form("text", keep=("article",)), Form("text", format="html"), Form("text", format="table")):
        piece = form.document(found, document)
        assert isinstance(piece, str)
        encode_line(piece).decode("utf-8")


def check_time(text: str, separator: Separator) -> None:
    """The input does not take long for its length; the best of three tries."""
    allowed = SECONDS + SECONDS_A_CHARACTER * len(text)
    taken = allowed + 1
    for _ in range(3):
        began = time.process_time()
        separator.separate(text)
        taken = min(taken, time.process_time() - began)
        if taken <= allowed:
            return
    raise AssertionError(f"{taken:.2f} s for {len(text)} characters: {text[:200]!r}")


def main(arguments: list[str]) -> None:
    separator = shipped()
    if arguments[:1] == ["--atheris"]:
        import atheris  # type: ignore[import-not-found,unused-ignore]

        atheris.instrument_all()
        atheris.Setup([sys.argv[0], *arguments[1:]], lambda data: label_one(data, separator))
        atheris.Fuzz()
    number = int(arguments[0]) if arguments else 100_000
    seed = int(arguments[1]) if arguments[1:] else random.SystemRandom().randrange(1 << 32)
    print(f"{number} inputs, seed {seed}", flush=True)
    source, done, labelled, size = inputs(seed), 0, 0, 0
    began = time.monotonic()
    while done < number:
        batch = list(islice(source, min(BATCH, number - done)))
        try:
            labelled += label_many(batch, separator)
        except Exception:
            for data in batch:
                try:
                    label_many([data], separator)
                except Exception:
                    print(f"after {done} inputs: {data!r}", flush=True)
                    raise
            raise
        done, size = done + len(batch), size + sum(map(len, batch))
        if done % (BATCH * 100) == 0:
            print(f"{done} inputs, {size / 1e6:.0f} MB, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{done} inputs, {labelled} texts, {size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s: no failure")


if __name__ == "__main__":
    main(sys.argv[1:])
