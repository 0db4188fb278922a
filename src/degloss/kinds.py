"""Names → kinds: what a file holds and how it is packed, told by its name alone.

The name decides and not the content: whoever lists a folder sees what will be done with it. `--type` overrules
the name for inputs that have none (standard input) or an odd one.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from degloss import extras
from degloss.errors import InputError

Readable = Literal["text", "html", "jsonl", "csv", "tsv", "parquet"]
Kind = Readable | Literal["json"]
Packing = Literal["", ".gz", ".zst"]

KINDS: Final[dict[str, Readable]] = {
    ".txt": "text", ".md": "text", ".html": "html", ".htm": "html",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".jl": "jsonl", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet",
}  # fmt: skip
"""What the endings of names say; each may be followed by one of `PACKINGS`. Capitals make no difference."""
PACKINGS: Final[tuple[Packing, ...]] = (".gz", ".zst")
UNREAD: Final = ".json"
"""What ends so fails when it is read: as a text, its braces and keys would be taken for somebody's words."""
UNPACKED: Final = (".bz2", ".xz", ".zip", ".7z", ".lz4", ".rar", ".tgz")
"""Endings of packings that nothing is written in, so that no result goes by such a name."""
ROWS: Final[tuple[Kind, ...]] = ("jsonl", "csv", "tsv", "parquet")
"""Kinds that hold a document a row. Of the others a file is one document."""
TABLES: Final[tuple[Kind, ...]] = ("csv", "tsv", "parquet")
"""Kinds that have columns of their own."""


class Name(NamedTuple):
    """A file's name in three parts: `page.html.gz` is ("page", ".html", ".gz").

    `ending` is empty unless it is one of `KINDS`.
    """

    stem: str
    ending: str
    packing: Packing


def parts(name: str) -> Name:
    """The parts of a name.

    >>> parts("seite.HTML.gz"), parts("2026.01.30")
    (Name(stem='seite', ending='.HTML', packing='.gz'), Name(stem='2026.01.30', ending='', packing=''))
    """
    packing: Packing = ""
    for possible in PACKINGS:
        if name.lower().endswith(possible):
            name, packing = name[: -len(possible)], possible
    for ending in KINDS:
        if name.lower().endswith(ending):
            return Name(name[: -len(ending)], name[-len(ending) :], packing)
    return Name(name, "", packing)


def kind_of(name: str, *, given: Readable | None = None, field: str | None = None) -> Kind:
    """What a file of this name holds; `given` overrules it. With a text field all that is no table is JSON lines.

    >>> kind_of("seite.htm"), kind_of("seite"), kind_of("archiv.csv.zst"), kind_of("-", field="body")
    ('html', 'text', 'csv', 'jsonl')
    """
    stem, ending, _ = parts(name)
    unknown: Kind = "json" if stem.lower().endswith(UNREAD) else "text"
    named: Kind = KINDS[ending.lower()] if ending else unknown
    found = given or named
    return "jsonl" if field is not None and found not in ROWS else found


def no_json(name: str) -> InputError:
    """What to tell of a file whose name says that it is JSON."""
    return InputError(
        f"{name}: JSON is not read, only JSON lines; if it is that, one object a line, give --type jsonl, or call it"
        " .jsonl"
    )


def require(kind: Kind, packing: Packing, where: str) -> None:
    """Raises `ExtraMissing` if a file of this kind needs a package that is not installed."""
    if packing == ".zst":
        extras.require("zstandard", "zst", f"{where}: zstd")
    if kind == "parquet":
        extras.require("pyarrow", "parquet", f"{where}: Parquet")
    if kind == "html":
        extras.require("trafilatura", "html", f"{where}: HTML")
