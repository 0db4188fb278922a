"""Arguments → a plan: which input goes where, and in what form.

Made before any work, so that a mistake in the arguments shows at once: folders are listed, every target is named,
two inputs that no names can keep apart are refused, and so is an input that needs a package which is not installed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from degloss import kinds
from degloss.columns import COLUMNS
from degloss.errors import ExtraMissing, InputError, OutputError
from degloss.formats import ENDINGS, Form
from degloss.kinds import KINDS, ROWS, TABLES, Kind, kind_of, parts
from degloss.listing import listed, tell_unfitting
from degloss.plan import Job, Options, Plan
from degloss.source import STDIN
from degloss.tally import Tally
from degloss.write import FileId, check_target, file_ids

_TITLES: Final = {"csv": "CSV", "tsv": "TSV", "jsonl": "JSON lines", "parquet": "Parquet", "html": "HTML"}
_REPLACED: Final = (".txt", ".jsonl", ".ndjson", ".jl", ".csv", ".tsv", ".parquet")
"""Endings of inputs that a new ending replaces; after others it follows."""

FormOf = Callable[[Kind], Form]


def plan(sources: list[str], options: Options, form: FormOf, tally: Tally) -> Plan:
    """The jobs for these files, folders and standard input; raises `InputError`, `OutputError`, `ExtraMissing`."""
    if sources.count(STDIN) > 1:
        raise InputError("-: standard input can be read only once; give - once")
    if options.output == "":
        raise OutputError("-o: an empty name; give a file or a folder, . for this one")
    for name in (*sources, options.output or ""):
        if "://" in name and not os.path.lexists(name):
            raise InputError(f"{name}: an address; only label --scheduler reads and writes there")
    folders = [source for source in sources if source != STDIN and os.path.isdir(source)]
    target = options.target
    if target is not None and kinds.parts(target.name).stem.lower().endswith(kinds.UNREAD) and not target.is_dir():
        raise OutputError(f"{target}: nothing is written as JSON, only as JSON lines; name it .jsonl")
    if target is not None and target.name.lower().endswith(kinds.UNPACKED) and not target.is_dir():
        raise OutputError(f"{target}: nothing is packed so, only as {' or '.join(kinds.PACKINGS)}; name it like that")
    in_place = options.backup is not None
    into_one = not in_place and (target is None or _is_file(target, options.output, several=len(sources) > 1))
    if folders and not in_place and (target is None or _is_file(target, options.output, several=True)):
        of = "say with -o which folder to write to" if target is None else f"{target} is a file: name a folder by -o"
        raise InputError(f"{folders[0]}: a folder; {of}, or give its files")
    if into_one and not folders:
        made = _sharing(sources, options, form, target)
        tell_unfitting(options, (), tally)
    else:
        made = _filed(sources, folders, options, form, tally, target)
    for job in made.jobs:
        if in_place and job.kind == "html":
            continue  # fails by itself and is never read, so that it needs no package
        try:
            kinds.require(job.kind, parts(job.source).packing, job.source)
        except ExtraMissing as error:
            if not folders:
                raise
            _, ending, packing = parts(job.source)
            raise ExtraMissing(f"{error}, or leave such files out: --exclude '*{ending}{packing}'") from error
    if made.shared is not None:
        kinds.require("text", parts(made.shared.name).packing, str(made.shared))
    return replace(made, forms=tuple(form(kind) for kind in sorted(set(KINDS.values()))))


def _sharing(sources: list[str], options: Options, form: FormOf, target: Path | None) -> Plan:
    """All into one file, or to standard output."""
    jobs = [_job(str(number), source, None, options, form) for number, source in enumerate(sources)]
    if len(jobs) > 1:
        jobs = [replace(job, form=replace(job.form, headed=True)) for job in jobs]
    inputs = file_ids(job.source for job in jobs if job.source != STDIN)
    layouts = {_layout(job) for job in jobs}
    if len(layouts) > 1 and layouts - {"lines"}:
        raise InputError(
            f"{', '.join(sorted(layouts))}: results of different forms cannot go into one file; give a folder by -o"
        )
    if "parquet" in layouts and (len(jobs) > 1 or target is None):
        raise InputError(f"{jobs[0].source}: Parquet goes into a file of its own; give -o a file's or folder's name")
    named = "" if target is None else parts(target.name).ending.lower()
    (layout,) = layouts
    if named == ".parquet" != f".{layout}":
        raise InputError(f"{target}: what comes out of {jobs[0].source} is no Parquet; give it another ending")
    if layout != "lines" and KINDS.get(named, layout) != layout:
        raise InputError(f"{target}: what comes out of {jobs[0].source} is {_TITLES[layout]}; name it .{layout}")
    if layout == "lines" and jobs[0].form.keep is not None and KINDS.get(named) in (*ROWS, "html"):
        for job in jobs:
            if job.kind != KINDS[named] or job.kind == "html":
                title, ending = ("JSON lines", "jsonl") if job.kind == "jsonl" else ("text", "txt")
                raise InputError(f"{target}: what comes out of {job.source} is {title}; name it .{ending}")
    if layout == "lines" and jobs[0].form.keep is None and KINDS.get(named) in (*ROWS, "html"):
        ending = ENDINGS[jobs[0].form.format]
        if KINDS[named] != KINDS[ending]:
            raise InputError(
                f"{target}: what comes out in the format {jobs[0].form.format} is no {_TITLES[KINDS[named]]}; name it"
                f" {ending}"
            )
    if target is not None and not options.resume:
        check_target(target, force=options.force, inputs=inputs)
    return Plan(tuple(jobs), options, shared=target, inputs=inputs)


def _filed(
    sources: list[str], folders: list[str], options: Options, form: FormOf, tally: Tally, folder: Path | None
) -> Plan:
    """Each into a file of its own: in a folder, or in place."""
    if STDIN in sources:
        raise InputError("-: standard input has no name to write under in a folder; give -o a file's name")
    for source in folders:
        if folder is not None and folder.is_dir() and os.path.samefile(source, folder):
            raise OutputError(f"{folder}: the results would be among the inputs; give another folder")
    found = listed(sources, folders, options, folder or options.backup, tally)
    jobs = [_job(name, source, Path(source), options, form) for source, name in found]
    if folder is not None:
        jobs = [replace(job, key=key, target=folder / key) for job, key in zip(jobs, _target_names(jobs), strict=True)]
    _refuse_collisions(jobs, in_place=folder is None)
    # In place the inputs are to be replaced; a backup stands in for the rule that they never are.
    inputs = file_ids(job.source for job in jobs) if folder is not None else frozenset[FileId]()
    return Plan(tuple(jobs), options, folder=folder, inputs=inputs)


def _is_file(target: Path, output: str | None, *, several: bool) -> bool:
    """Whether results go into one file of this name: else it is a folder, there already or to be made."""
    if target.is_dir() or str(output).endswith(("/", os.sep)):
        return False
    return not several or target.exists() or bool(parts(target.name).ending)


def _job(key: str, source: str, target: Path | None, options: Options, form: FormOf) -> Job:
    kind = kind_of(source, given=options.type, field=options.text_field)
    made = form(kind)
    if made.keep is None and made.format == "table" and kind in ROWS and options.field in COLUMNS:
        raise InputError(f"{source}: the field {options.field!r} is one that tables gain; rename it")
    return Job(key, source, target, kind, made)


def _layout(job: Job) -> str:
    """What the results look like side by side: only those of one layout go into one file."""
    if job.kind in TABLES and (job.form.keep is not None or job.form.format == "table"):
        return job.kind
    return job.kind if job.form.keep is None and job.form.format == "table" and job.kind == "jsonl" else "lines"


def _target_names(jobs: list[Job]) -> list[str]:
    """The names of the results. Where inputs differ in their endings alone, results have them: `a.csv.jsonl`."""
    names = [_target_name(job, whole=False) for job in jobs]
    wanted = Counter(names)
    return [_target_name(job, whole=wanted[name] > 1) for job, name in zip(jobs, names, strict=True)]


def _target_name(job: Job, *, whole: bool) -> str:
    """The name of an input's result: `clean` keeps it, `label` gives it the ending of its format.

    With `whole` that ending comes behind the input's own, unless it is the same one.
    """
    stem, ending, packing = parts(job.key)
    if job.form.keep is not None:
        return f"{stem}{ending}.txt{packing}" if job.kind == "html" else job.key
    if job.form.format == "table" and job.kind in ROWS:
        return job.key
    new = ENDINGS[job.form.format]
    replaced = ending.lower() == new if whole else ending.lower() in _REPLACED
    return f"{stem}{'' if replaced else ending}{new}{packing}"


def _refuse_collisions(jobs: list[Job], *, in_place: bool) -> None:
    """Refuses inputs whose results would have the same name, or in place the same copy in the backup."""
    seen: dict[str, str] = {}
    for job in jobs:
        if job.key not in seen:
            seen[job.key] = job.source
            continue
        other = seen[job.key]
        if os.path.realpath(other) == os.path.realpath(job.source):
            raise InputError(f"{job.source}: given twice; leave one out")
        if in_place:
            raise OutputError(
                f"{job.key}: the copies of both {other} and {job.source} would have this name in the backup; give a"
                " folder that both are in, or do one of them by itself with a backup folder of its own"
            )
        raise OutputError(
            f"{job.key}: the result of both {other} and {job.source} would have this name; give a folder that both are"
            " in, which is mirrored, rename one, or do one of them by itself into another folder"
        )
