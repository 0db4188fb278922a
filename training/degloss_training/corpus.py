"""The labelled corpus: one document a file, in blocks, read with every slip reported by file and line.

    [[article]]
    Minister stellt Plan vor. Er gilt ab Mai.
    [[+commentary]]
     Na, das wollen wir sehen!
    [[boilerplate]]
    Teile diesen Beitrag

A header line names the speaker of the text under it; all else is the text itself, to the letter. A header with
`+` continues the line: the line break in front of it is not part of the text. Speakers are those of
`degloss.documents.LABELS`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from degloss.documents import LABELS, Label, Segment
from degloss.errors import CorpusError

BUCKETS: Final = 10
"""All sources are dealt into this many buckets by a hash; folds are made of whole buckets and documents are composed
within one, so no source is ever on two sides of a split."""

GROUPS: Final = {"seed-001": "seed-000"}
"""Documents that are one source with another: two translations of one article."""

AUTHORED: Final = ("seed", "authored", "relay")
"""First words of the kinds of documents that are written by hand; all others are composed."""

_HEADER = re.compile(r"\[\[(\+?)(article|commentary|boilerplate)\]\]")
_NEARLY = re.compile(r"\s*\[{1,2}\s*\+?\s*(article|commentary|boilerplate)\s*\]{1,2}\s*", re.IGNORECASE)
"""A line that was meant as a header: indented, or with one bracket for two."""


@dataclass(frozen=True)
class Document:
    """A labelled document: the spans cover the text without a gap, in order.

    `group` names its source, `kind` what sort of training document it is: "seed", "authored" and the batch it was
    written in, or the layout it was composed in. The weights and the evaluation go by it.
    """

    name: str
    group: str
    kind: str
    text: str
    spans: tuple[Segment, ...]

    @property
    def bucket(self) -> int:
        return bucket(self.group)

    @property
    def authored(self) -> bool:
        """Whether it was written by hand, a seed and what was laid anew of such included, and not composed."""
        return self.kind.partition(" ")[0] in AUTHORED

    @property
    def batch(self) -> str:
        """The batch of a labelled document: its name without the number."""
        return self.kind.rpartition(" ")[2]

    def of(self, label: Label) -> list[str]:
        """The texts of all spans of one label."""
        return [self.text[s.start : s.end] for s in self.spans if s.label == label]


_NAMED: Final = tuple(f"bucket-{number}" for number in range(BUCKETS))


def bucket(group: str) -> int:
    """The bucket of a source. A name like `bucket-3` goes to the bucket it names.

    >>> bucket("bucket-3"), bucket("seed-000") == bucket("seed-000")
    (3, True)
    """
    if group in _NAMED:
        return _NAMED.index(group)
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) % BUCKETS


@dataclass(frozen=True)
class _Block:
    """What stands under one header; `line` is the header's."""

    line: int
    label: Label
    continues: bool
    lines: list[str]

    def text(self, following: _Block | None) -> str:
        """Its text: the last line break is taken back at the end of the file, and where a line is continued."""
        whole = "".join(f"{line}\n" for line in self.lines)
        return whole.removesuffix("\n") if following is None or following.continues else whole


Slip = tuple[int, str]
"""The line that is wrong, and what is wrong with it and what to do."""


def parse(data: str, where: str) -> tuple[str, tuple[Segment, ...]]:
    """The text and the spans of a document in block format; `CorpusError` names the first line that is wrong.

    >>> parse("[[article]]\\nEin Satz.\\n[[+commentary]]\\n Aha!", "beispiel.txt")
    ('Ein Satz. Aha!', (Segment(start=0, end=9, label='article'), Segment(start=9, end=14, label='commentary')))
    """
    blocks, found = _blocks(data)
    for line, message in found:
        raise CorpusError(f"{where}:{line}: {message}")
    text, spans = "", list[Segment]()
    for block, following in _in_pairs(blocks):
        begin = len(text)
        text += block.text(following)
        if spans and spans[-1].label == block.label:
            spans[-1] = Segment(spans[-1].start, len(text), block.label)
        else:
            spans.append(Segment(begin, len(text), block.label))
    return text, tuple(spans)


def slips(data: str) -> list[Slip]:
    """Every slip of a document in block format, in the order of the lines; none if `parse` reads it.

    >>> slips("[[article]]\\nEin Satz.\\n[[comment]]\\nAha!\\n[[boilerplate]]\\n")[1]
    (5, 'no text under the last header; write some or delete the header')
    """
    return _blocks(data)[1]


def _blocks(data: str) -> tuple[list[_Block], list[Slip]]:
    """The blocks of a document, and every slip of the format in it."""
    blocks: list[_Block] = []
    found: list[Slip] = []
    lines = data.split("\n")
    if data.startswith("\ufeff"):
        found.append((1, "begins with a byte order mark; save it as UTF-8 without one"))
        lines[0] = lines[0][1:]
    windows = [number for number, line in enumerate(lines, 1) if line[-1:] == "\r" and _HEADER.fullmatch(line[:-1])]
    if windows:
        found.append((windows[0], "Windows line breaks (CRLF); save it with line feeds (LF) alone"))
        lines = [line.removesuffix("\r") for line in lines]
    if "\0" in data:
        found.append((data[: data.index("\0")].count("\n") + 1, "a zero byte (NUL); delete it"))
    for number, line in enumerate(lines, 1):
        header, problem = _HEADER.fullmatch(line), ""
        if header:
            label = next(known for known in LABELS if known == header[2])
            blocks.append(_Block(number, label, bool(header[1]), []))
        elif line.startswith("[["):
            problem = (
                f"{line[:40]!r} is no header; write [[article]], [[commentary]] or [[boilerplate]], with + before the"
                " name to continue the line"
            )
        elif _NEARLY.fullmatch(line):
            problem = f"{line[:40]!r} is nearly a header; write [[label]] from the line's beginning, or other words"
        elif not blocks:
            problem = "text before the first header; begin with a header line"
        if problem:
            found.append((number, problem))
            blocks.append(_Block(number, "article", False, [line or "?"]))  # what follows is some speaker's
        elif not header:
            blocks[-1].lines.append(line)
    return blocks, sorted([*found, *_empty(blocks)])


def _empty(blocks: Sequence[_Block]) -> Iterator[Slip]:
    """The slip of each block without text."""
    texts = [block.text(following) for block, following in _in_pairs(blocks)]
    if any(texts) and not any(text.strip() for text in texts):
        yield 1, "only white space; delete the file or write a text"
        return
    if blocks[0].continues:
        yield blocks[0].line, "nothing before this header to continue; drop the +"
    for i, ((block, following), text) in enumerate(zip(_in_pairs(blocks), texts, strict=True)):
        if not text and following is None:
            yield block.line, "no text under the last header; write some or delete the header"
        elif following is not None and following.continues and not block.lines:
            yield following.line, "nothing before this header to continue; drop the +"
        elif not text and following is not None:
            yield following.line, "the block before has no text; delete its header"
        # The blank lines between two separators may be somebody's.
        elif not text.strip() and not (i and following is not None and blocks[i - 1].label == following.label):
            yield block.line, "only blank lines under this header; write a text or delete the header"


def _in_pairs(blocks: Sequence[_Block]) -> Iterator[tuple[_Block, _Block | None]]:
    """Each block with the next one."""
    return zip(blocks, [*blocks[1:], None], strict=True)


def serialise(text: str, spans: Sequence[Segment]) -> str:
    """The block format of a labelled text: `parse` of it gives the text and the spans back.

    >>> text, spans = "Ein Satz. Aha!", (Segment(0, 9, "article"), Segment(9, 14, "commentary"))
    >>> parse(serialise(text, spans), "x") == (text, spans)
    True
    """
    out = ""
    for i, span in enumerate(spans):
        begin = spans[i - 1].end if i else 0
        mid = begin > 0 and text[begin - 1] != "\n"
        block = text[begin : span.end if i + 1 < len(spans) else len(text)]
        if block.startswith("[[") or "\n[[" in block:
            raise CorpusError(
                "a line of the text, or a speaker within one, begins with [[, which the block format keeps for headers;"
                " change it"
            )
        out += f"\n[[+{span.label}]]\n" if mid else f"[[{span.label}]]\n"
        out += block
    for _, message in slips(out):
        raise CorpusError(f"the block format cannot hold it: {message}")
    return out


def load(folder: Path) -> list[Document]:
    """Every document of the corpus, sorted by name."""
    return [read(path) for path in files(folder)]


def files(folder: Path) -> list[Path]:
    """The files of a corpus, sorted by name; `CorpusError` if there are none."""
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise CorpusError(
            f"{folder}: no labelled documents (*.txt) there; give the folder of a corpus, or work in a clone"
            " (pip install -e '.[train]')"
        )
    return paths


def scan(folder: Path) -> tuple[list[Document], list[str]]:
    """Every document of the corpus that is sound, and every slip of the others, with file and line."""
    documents, found = [], list[str]()
    for path in files(folder):
        try:
            wrong = [f"{path}:{line}: {message}" for line, message in slips(_decoded(path))]
        except CorpusError as error:
            wrong = [str(error)]
        found += wrong
        if not wrong:
            documents.append(read(path))
    return documents, found


def read(path: Path) -> Document:
    """One document; `CorpusError` for bytes that are not UTF-8 and for slips of the format."""
    text, spans = parse(_decoded(path), str(path))
    batch = re.sub(r"\d*-?\d+$", lambda m: m[0].partition("-")[0] if "-" in m[0] else "", path.stem)
    kind = "seed" if batch == "seed" else f"authored {batch}"
    return Document(path.stem, group_of(path.stem), kind, text, spans)


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}); check the name and the permissions") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


def group_of(name: str) -> str:
    """The group of the document of this name: what `GROUPS` leads to in the end; in a circle its first name.

    >>> group_of("seed-001"), group_of("a001")
    ('seed-000', 'a001')
    """
    passed = [name]
    while (following := GROUPS.get(passed[-1])) is not None:
        if following in passed:
            return min(passed[passed.index(following) :])
        passed.append(following)
    return passed[-1]


def digest(documents: Iterable[Document]) -> str:
    """A SHA-256 over names, texts and spans, in order: two corpora of one digest are the same."""
    state = hashlib.sha256()
    for d in documents:
        state.update(repr((d.name, d.group, d.text, [tuple(s) for s in d.spans])).encode("utf-8", "surrogatepass"))
    return state.hexdigest()
