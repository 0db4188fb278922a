"""`degloss corpus export` and `import`: documents to a label tool, and corrected back into the block format.

A page that degloss got wrong goes out with the labels degloss gives it, is corrected where clicking is easier than
typing, and comes back as a document to train with.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from degloss.annotations import UNITS, Tool, Units, from_doccano, from_label_studio, to_doccano, to_label_studio
from degloss.artefact import shipped_folder
from degloss.documents import LABELS, Label, Segment
from degloss.errors import CorpusError, DeglossError, InputError
from degloss.kinds import kind_of
from degloss.read import read_text
from degloss.separate import load
from degloss.show import counted
from degloss.write import check_target, file_ids, make_folder, write_file
from degloss_training.corpus import parse, serialise

LONGEST: Final = 255
"""Bytes that file systems take as a name."""


def export(arguments: list[str]) -> int:
    """Writes documents and pages for a label tool."""
    parser = _parser("export", "Labelled documents as they are, pages as the model labels them, for a label tool.")
    parser.add_argument("files", nargs="+", help="documents in block format, or pages as text files")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the file to write: JSONL or JSON")
    parser.add_argument("--model", type=Path, default=None, help="folder of the model; the shipped one otherwise")
    options = parser.parse_args(arguments)
    tool, units = _conventions(options)
    inputs = file_ids(options.files)
    _check_exportable(options.files)
    check_target(options.out, force=options.force, inputs=inputs)
    separator = load(options.model or shipped_folder())
    entries = []
    for name in options.files:
        text = read_text(name, _say)
        spans: tuple[Segment, ...]
        if text.startswith("[["):
            text, spans = parse(text, name)
        else:
            spans = separator.separate(text).segments
        make = to_doccano if tool == "doccano" else to_label_studio
        entries.append(make(text, spans, units, name=Path(name).stem))
    if tool == "doccano":
        data = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    else:
        data = json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
    write_file(options.out, data.encode("utf-8", "backslashreplace"), force=options.force, inputs=inputs)
    _say(f"wrote {counted(len(entries), 'document')} to {options.out}, offsets in {units}")
    return 0


def _check_exportable(names: list[str]) -> None:
    """Refuses inputs that are no text, and two that would come back under one name."""
    taken: dict[str, str] = {}
    for name in names:
        kind = kind_of(name)
        if kind != "text":
            raise InputError(
                f"{name}: {kind} is no text, its marks and keys would be labelled; save the text alone as .txt first"
            )
        if names.count(name) > 1:
            raise InputError(f"{name}: given twice; give it once")
        first = taken.setdefault(_file_name(Path(name).stem) or name, name)
        if first != name:
            raise InputError(f"{name}: comes back under the same name as {first}; rename one, or export it apart")


def import_(arguments: list[str]) -> int:
    """Writes what a label tool exported into documents in block format."""
    parser = _parser("import", "What a label tool exported, as documents in block format; all of them or none.")
    parser.add_argument("file", help="what the tool exported: doccano's JSONL, Label Studio's JSON or JSON-MIN")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for the documents")
    parser.add_argument("--rest", choices=LABELS, help="the label of text that nobody labelled")
    options = parser.parse_args(arguments)
    tool, units = _conventions(options)
    rest: Label | None = options.rest
    documents: dict[str, bytes] = {}
    problems = []
    for where, name, entry in _entries(options.file, tool):
        try:
            if tool == "label-studio" and _only_predicted(entry):
                raise InputError(f"{where}: predictions alone, which nobody confirmed; submit the task and export it")
            found = (from_doccano if tool == "doccano" else from_label_studio)(entry, where, units, rest)
            if len(f"{name}.txt".encode()) > LONGEST:
                raise InputError(f"{where}: {name[:30]}… is too long a name for a file; shorten the field 'name'")
            if name in documents:
                raise InputError(f"{where}: a second document {name!r}; rename one in the field 'name'")
            documents[name] = serialise(*found).encode("utf-8")
        except CorpusError as error:
            problems.append(f"{where}: {error}")
        except UnicodeEncodeError:
            problems.append(f"{where}: half a character in it (a lone surrogate), which no file can hold; delete it")
        except DeglossError as error:
            problems.append(str(error))
    for line in problems:
        _say(line)
    if problems:
        raise CorpusError(
            f"{options.file}: {counted(len(problems), 'document')} cannot be taken over; nothing was written"
        )
    make_folder(options.out)
    taken = [name for name in documents if (options.out / f"{name}.txt").exists()]
    if taken and not options.force:
        more = f" and {len(taken) - 1:,} more are there; --force replaces them"
        raise CorpusError(f"{options.out}: {taken[0]}.txt{more if taken[1:] else ' is there; --force replaces it'}")
    inputs = file_ids([options.file])
    for name in documents:  # all of them or none
        check_target(options.out / f"{name}.txt", force=options.force, inputs=inputs)
    for name, data in documents.items():
        write_file(options.out / f"{name}.txt", data, force=options.force, inputs=inputs)
    _say(f"wrote {counted(len(documents), 'document')} into {options.out}; now: degloss corpus check")
    return 0


def _entries(file: str, tool: Tool) -> Iterator[tuple[str, str, object]]:
    """Each document: where it stands, its name, and what the tool says of it."""
    text = read_text(file, _say)
    try:
        if tool == "doccano":
            entries = [(f"{file}:{n}", json.loads(line)) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        else:
            tasks = json.loads(text)
            if not isinstance(tasks, list):
                raise InputError(f"{file}: not a JSON list of tasks; export as JSON")
            entries = [(f"{file}: task {n}", task) for n, task in enumerate(tasks, 1)]
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not JSON ({error}); export it again, for {tool}") from error
    for number, (where, entry) in enumerate(entries, 1):
        data = entry.get("data", entry) if isinstance(entry, dict) else None
        given = data.get("name") if isinstance(data, dict) else None
        yield where, _file_name(str(given or f"{Path(file).stem}-{number}")) or f"document-{number}", entry


def _file_name(name: str) -> str:
    """What a document of this name is called when it comes back, without `.txt`; "" if nothing of it can stay."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")


def _only_predicted(entry: object) -> bool:
    """Whether this is a task of Label Studio that nobody has worked at: a model's predictions and no labels."""
    return isinstance(entry, dict) and bool(entry.get("predictions")) and not {"annotations", "label"} & entry.keys()


def _conventions(options: argparse.Namespace) -> tuple[Tool, Units]:
    tool: Tool = options.tool
    units: Units = options.units or UNITS[tool]
    return tool, units


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"degloss corpus {name}", description=description)
    parser.add_argument("--tool", choices=sorted(UNITS), required=True, help="the label tool")
    parser.add_argument(
        "--units", choices=["code-points", "utf-16"],
        help="what offsets count; " + ", ".join(f"{tool}: {units}" for tool, units in UNITS.items()),
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace what is there")
    return parser


def _say(message: str) -> None:
    print(f"degloss: {message}", file=sys.stderr)
