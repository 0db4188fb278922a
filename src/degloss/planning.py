"""Arguments → a plan: which input goes where, and in what form.

Made before any work, so that a mistake in the arguments shows at once: folders are listed, every target is named,
two inputs that no names can keep apart are refused, and so is an input that needs a package which is not installed.

Links: a link to a file is read as the file; links to folders are not followed, so that no listing runs in a circle
or leaves the folder, and are counted in a note. So are pipes and devices, which would keep the run waiting.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from degloss import kinds
from degloss.columns import COLUMNS
from degloss.errors import ExtraMissing, InputError, OutputError
from degloss.formats import ENDINGS, Form
from degloss.kinds import KINDS, ROWS, TABLES, Kind, kind_of, parts
from degloss.partfile import PREFIX
from degloss.plan import BACKUP_JOURNAL, ERRORS, Job, Options, Plan
from degloss.show import counted, some, visible
from degloss.source import STDIN
from degloss.tally import Tally
from degloss.write import FileId, check_target, file_ids

_TITLES: Final = {"csv": "CSV", "tsv": "TSV", "jsonl": "JSON lines", "parquet": "Parquet"}
_REPLACED: Final = (".txt", ".jsonl", ".ndjson", ".jl", ".csv", ".tsv", ".parquet")
"""Endings of inputs that a new ending replaces; after others it follows."""

_AS_WELL: Final = ", with the usual kinds beside them ('*.txt'), which it replaces"

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
    in_place = options.backup is not None
    into_one = not in_place and (target is None or _is_file(target, options.output, several=len(sources) > 1))
    if folders and not in_place and (target is None or _is_file(target, options.output, several=True)):
        raise InputError(f"{folders[0]}: a folder; say with -o which folder to write to, or give its files")
    if into_one and not folders:
        made = _sharing(sources, options, form, target)
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
    if layout == "lines" and jobs[0].form.keep is not None and KINDS.get(named) in ROWS:
        for job in jobs:
            if job.kind != KINDS[named]:
                title, ending = ("JSON lines", "jsonl") if job.kind == "jsonl" else ("text", "txt")
                raise InputError(f"{target}: what comes out of {job.source} is {title}; name it .{ending}")
    if layout == "lines" and jobs[0].form.keep is None and KINDS.get(named) in ROWS:
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
    listed = _listed(sources, folders, options, folder or options.backup, tally)
    jobs = [_job(name, source, Path(source), options, form) for source, name in listed]
    if folder is not None:
        jobs = [replace(job, key=key, target=folder / key) for job, key in zip(jobs, _target_names(jobs), strict=True)]
    _refuse_collisions(jobs)
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


def _listed(
    sources: list[str], folders: list[str], options: Options, target: Path | None, tally: Tally
) -> Iterator[tuple[str, str]]:
    """Each file and its name under the folder it was found in."""
    fitting: set[str] = set()
    for source in sources:
        if source not in folders:
            yield source, Path(source).name
            continue
        found = list(_walk(Path(source), options, target, tally, fitting))
        if not found:
            expected = ", ".join(options.include or [f"*{ending}" for ending in _expected(options)])
            raise InputError(f"{source}: no files to read in this folder ({expected}); give them by name, or --include")
        yield from ((str(path), path.relative_to(source).as_posix()) for path in found)
    for option, patterns in (("include", options.include), ("exclude", options.exclude)):
        for pattern in patterns:
            if pattern not in fitting:
                tally.tell(
                    f"--{option} {pattern!r} fits no file of a folder; it is held against the name of each, and against"
                    " its path from the folder that is given on"
                )


def _expected(options: Options) -> list[str]:
    return [ending for ending, kind in KINDS.items() if options.text_field is None or kind in ROWS]


def _walk(folder: Path, options: Options, target: Path | None, tally: Tally, fitting: set[str]) -> Iterator[Path]:
    """The files to read in a folder and below, in order of their names; not those in the target, or of ours, and hidden
    ones, in which editors and systems keep copies of their own, only if a pattern of `--include` names them.

    The patterns that fit a file are added to `fitting`.
    """

    def unreadable(error: OSError) -> None:
        failed = InputError(f"{error.filename}: folder cannot be read ({error.strerror}); check its permissions")
        tally.fail(failed, str(error.filename))

    own = file_ids([] if target is None else [target, f"{target}{ERRORS}"]) - file_ids([folder])
    endings = set(_expected(options))
    dotted = tuple(pattern for pattern in options.include if _is_hidden(pattern))
    links = others = backups = hidden = 0
    unread: Counter[str] = Counter()
    for place, folders, names in os.walk(folder, onerror=unreadable):
        if BACKUP_JOURNAL in names:  # originals must never be cleaned where they are kept
            backups += 1
            folders.clear()
            continue
        folders[:] = [name for name in sorted(folders) if not own & file_ids([Path(place, name)])]
        if not dotted:
            hidden += sum(name.startswith(".") for name in folders)
            folders[:] = [name for name in folders if not name.startswith(".")]
        links += sum(os.path.islink(os.path.join(place, name)) for name in folders)
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            including = [pattern for pattern in options.include if _fits(relative, pattern)]
            excluding = [p for p in options.exclude if any(_fits(at, p.rstrip("/")) for at in _places(relative))]
            fitting.update(including, excluding)
            wanted = bool(including) if options.include else parts(name).ending.lower() in endings
            if wanted and not excluding and not name.startswith(PREFIX):
                if name.endswith(ERRORS):  # of any run: what failed there is no text
                    continue
                if own and own & file_ids([path]):
                    continue
                if path.exists() and not path.is_file():
                    others += 1
                    continue
                if _is_hidden(relative) and not any(_fits(relative, pattern) for pattern in dotted):
                    hidden += 1
                    continue
                yield path
            elif not (
                wanted or options.include or excluding or name.endswith(ERRORS) or name.startswith((PREFIX, "."))
            ):
                unread[Path(parts(name).stem).suffix.lower() or name] += 1
    if hidden:
        left = counted(hidden, "hidden file or folder", "hidden files or folders")
        tally.tell(f"{folder}: {left} left out; name them by --include, as '.drafts/*'{_AS_WELL}")
    if unread:
        most = sorted(unread, key=lambda ending: (-unread[ending], ending))[:3]
        left = counted(unread.total(), "file of another kind", "files of other kinds")
        tally.tell(f"{folder}: {left} left out ({visible(some(most, len(unread)))}); name them by --include{_AS_WELL}")
    if backups:
        tally.tell(f"{folder}: {counted(backups, 'backup')} of clean --in-place left out")
    if others:
        tally.tell(f"{folder}: {counted(others, 'pipe or device', 'pipes or devices')} left out; give them by name")
    if links:
        tally.tell(f"{folder}: {counted(links, 'link')} to folders not followed; give those folders as inputs, too")


def _is_hidden(path: str) -> bool:
    """Whether a part of a path or pattern begins with a dot."""
    return path.startswith(".") or "/." in path


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern fits the whole path or its last name alone; one that ends in a slash fits what is below."""
    pattern = pattern.removeprefix("./") + ("*" if pattern.endswith("/") else "")
    return fnmatchcase(path, pattern) or fnmatchcase(path.rpartition("/")[2], pattern)


def _places(path: str) -> Iterator[str]:
    """The path and those of the folders that it goes through."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _refuse_collisions(jobs: list[Job]) -> None:
    """Refuses inputs whose results would have the same name, or in place the same copy in the backup."""
    seen: dict[str, str] = {}
    for job in jobs:
        if job.key not in seen:
            seen[job.key] = job.source
            continue
        other = seen[job.key]
        if os.path.realpath(other) == os.path.realpath(job.source):
            raise InputError(f"{job.source}: given twice; leave one out")
        raise OutputError(
            f"{job.key}: the result of both {other} and {job.source} would have this name; give a folder that both are"
            " in, which is mirrored, rename one, or do one of them by itself into another folder"
        )
