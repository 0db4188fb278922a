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
from collections.abc import Iterable, Sequence
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


def parse(data: str, where: str) -> tuple[str, tuple[Segment, ...]]:
    """The text and the spans of a document in block format; `CorpusError` names the line that is wrong.

    >>> parse("[[article]]\\nEin Satz.\\n[[+commentary]]\\n Aha!", "beispiel.txt")
    ('Ein Satz. Aha!', (Segment(start=0, end=9, label='article'), Segment(start=9, end=14, label='commentary')))
    """
    blocks: list[tuple[Label, list[str]]] = []
    for number, line in enumerate(data.split("\n"), 1):
        if line.startswith("[["):
            match = _HEADER.fullmatch(line)
            if not match:
                raise CorpusError(
                    f"{where}:{number}: {line[:40]!r} is no header; write [[article]], [[commentary]] or"
                    " [[boilerplate]], with + before the name to continue the line"
                )
            if match[1]:
                if not blocks or blocks[-1][1] == []:
                    raise CorpusError(f"{where}:{number}: nothing before this header to continue; drop the +")
                # Text lines end in a line break each; this one takes the last of them back.
                blocks[-1][1][-1] = blocks[-1][1][-1].removesuffix("\n")
            if blocks and not any(blocks[-1][1]):
                raise CorpusError(f"{where}:{number}: the block before has no text; delete its header")
            label = next(known for known in LABELS if known == match[2])
            blocks.append((label, []))
        elif not blocks:
            raise CorpusError(f"{where}:{number}: text before the first header; begin with a header line")
        else:
            blocks[-1][1].append(line + "\n")
    if not blocks or not blocks[-1][1]:
        raise CorpusError(f"{where}:{number}: no text under the last header; write some or delete the header")
    blocks[-1][1][-1] = blocks[-1][1][-1].removesuffix("\n")

    text, spans = "", list[Segment]()
    for label, lines in blocks:
        begin = len(text)
        text += "".join(lines)
        if spans and spans[-1].label == label:
            spans[-1] = Segment(spans[-1].start, len(text), label)
        elif len(text) > begin:
            spans.append(Segment(begin, len(text), label))
    if not text.strip():
        raise CorpusError(f"{where}:1: only white space; delete the file or write a text")
    return text, tuple(spans)


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
    return out


def load(folder: Path) -> list[Document]:
    """Every document of the corpus, sorted by name."""
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise CorpusError(
            f"{folder}: no labelled documents (*.txt) there; give the folder of a corpus, or work in a clone"
            " (pip install -e '.[train]')"
        )
    return [read(path) for path in paths]


def read(path: Path) -> Document:
    """One document; `CorpusError` for bytes that are not UTF-8 and for slips of the format."""
    try:
        data = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}); check the name and the permissions") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    text, spans = parse(data, str(path))
    batch = re.sub(r"\d*-?\d+$", lambda m: m[0].partition("-")[0] if "-" in m[0] else "", path.stem)
    kind = "seed" if batch == "seed" else f"authored {batch}"
    return Document(path.stem, GROUPS.get(path.stem, path.stem), kind, text, spans)


def digest(documents: Iterable[Document]) -> str:
    """A SHA-256 over names, texts and spans, in order: two corpora of one digest are the same."""
    state = hashlib.sha256()
    for d in documents:
        state.update(repr((d.name, d.group, d.text, [tuple(s) for s in d.spans])).encode("utf-8", "surrogatepass"))
    return state.hexdigest()
