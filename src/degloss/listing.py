"""Folders → files: what of a folder is read, by endings or by the patterns of `--include` and `--exclude`.

Links: a link to a file is read as the file; links to folders are not followed, so that no listing runs in a circle
or leaves the folder, and are counted in a note. So are pipes and devices, which would keep the run waiting.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from degloss.errors import InputError
from degloss.kinds import KINDS, ROWS, parts
from degloss.partfile import PREFIX
from degloss.plan import BACKUP_JOURNAL, ERRORS, Options
from degloss.show import counted, some, visible
from degloss.tally import Tally
from degloss.write import file_ids

_AS_WELL: Final = ", with the usual kinds beside them ('*.txt'), which it replaces"


def listed(
    sources: list[str], folders: list[str], options: Options, target: Path | None, tally: Tally
) -> Iterator[tuple[str, str]]:
    """Each file and its name under the folder it was found in."""
    fitting: set[str] = set()
    for source in sources:
        if source not in folders:
            yield source, Path(source).name
            continue
        found = _walk(Path(source), options, target, tally, fitting)
        yield from ((str(path), path.relative_to(source).as_posix()) for path in found)
    tell_unfitting(options, fitting, tally)


def tell_unfitting(options: Options, fitting: Collection[str], tally: Tally) -> None:
    """Tells of the patterns that are not among the fitting ones: of a slip, or of a run that reads no folder."""
    dotted = any(map(_is_hidden, options.include))
    for option, patterns in (("include", options.include), ("exclude", options.exclude)):
        for pattern in patterns:
            unseen = option == "exclude" and _is_hidden(pattern) and not dotted  # nobody looked there
            if pattern not in fitting and not unseen:
                tally.tell(
                    f"--{option} {pattern!r} fits no file of a folder; it is held against the name of each, and against"
                    " its path from the folder that is given on"
                )


def _expected(options: Options) -> list[str]:
    return [ending for ending, kind in KINDS.items() if options.text_field is None or kind in ROWS]


def _walk(folder: Path, options: Options, target: Path | None, tally: Tally, fitting: set[str]) -> Iterator[Path]:
    """The files to read in a folder and below, in order of their names; not those in the target, or of ours, and hidden
    ones, in which editors and systems keep copies of their own, only if a pattern of `--include` names them.

    The patterns that fit a file are added to `fitting`. Raises `InputError` if there is nothing to read.
    """

    def unreadable(error: OSError) -> None:
        failed = InputError(f"{error.filename}: folder cannot be read ({error.strerror}); check its permissions")
        tally.fail(failed, str(error.filename))

    own = file_ids([] if target is None else [target, f"{target}{ERRORS}"]) - file_ids([folder])
    endings = set(_expected(options))
    dotted = tuple(pattern for pattern in options.include if _is_hidden(pattern))
    links = others = backups = hidden = read = left_out = 0
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
                read += 1
                yield path
            elif wanted and excluding:
                left_out += not (name.startswith(PREFIX) or name.endswith(ERRORS) or _is_hidden(relative))
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
        tally.tell(
            f"{folder}: {counted(others, 'pipe or device', 'pipes or devices')} left out; to read one, give it by name"
        )
    if links:
        tally.tell(f"{folder}: {counted(links, 'link')} to folders not followed; give those folders as inputs, too")
    if left_out and not read:
        them = "the only file" if left_out == 1 else f"all {left_out:,} files"
        raise InputError(
            f"{folder}: nothing to read, --exclude leaves out {them} of this folder; give a narrower pattern"
        )
    if not read:
        expected = ", ".join(options.include or [f"*{ending}" for ending in _expected(options)])
        raise InputError(f"{folder}: no files to read in this folder ({expected}); give them by name, or --include")


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
