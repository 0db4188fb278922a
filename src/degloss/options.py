"""The arguments and options of the command line, each said once: name, form and help.

Commands that share an option take it from here, so that it means and says the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from degloss.documents import Favor
from degloss.formats import Format
from degloss.kinds import Readable
from degloss.plan import Options


class Speaker(StrEnum):
    """`LABELS` in the form of an option that may be repeated."""

    ARTICLE = "article"
    COMMENTARY = "commentary"
    BOILERPLATE = "boilerplate"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILES|-",
        help="Files (.txt .md .html .jsonl .ndjson .csv .tsv .parquet, each also .gz or .zst), folders (with -o),"
        " or - for standard input.",
        show_default=False,
    ),
]
Pages = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILES|-",
        help="Files (.txt .md .html .jsonl .ndjson .csv .tsv .parquet, each also .gz or .zst),"
        " or - for standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE|DIR",
        help="Where to write; a folder takes one file for each input.",
        show_default=False,
    ),
]
Keep = Annotated[list[Speaker] | None, typer.Option(help="What to keep, may be repeated.", show_default="article")]
Formatted = Annotated[
    Format | None,
    typer.Option(
        help="text, html: for people; tsv: a line a sentence; jsonl: for programs; table: a row a document."
        " Else by the ending of -o; without one tables stay tables, all else is text.",
        show_default=False,
    ),
]
Favored = Annotated[
    Favor, typer.Option(help="precision: keep only what surely is article; recall: lose no sentence of it.")
]
Field = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Inputs are JSON lines or tables with the text in this field (else: text).",
        show_default=False,
    ),
]
Typed = Annotated[
    Readable | None,
    typer.Option("--type", help="What the inputs are, whatever their names say.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist (never an input).")]
Folder = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="Another model than the one shipped.", show_default=False),
]
Include = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Of folders only these files; may be repeated.", show_default=False),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Of folders not these files; may be repeated.", show_default=False),
]
Workers = Annotated[int, typer.Option("-j", "--jobs", min=1, help="In how many processes to work.")]
Resume = Annotated[bool, typer.Option("--resume", help="Keep a journal, and go on where the last run ended.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first document that fails.")]
Mend = Annotated[bool, typer.Option("--fix-mojibake", help="Put wrongly decoded letters right (GrÃ¼ÃŸe).")]
Raw = Annotated[bool, typer.Option("--raw-cells", help="Leave cells in CSV that a spreadsheet would run.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no summary.")]
InPlace = Annotated[bool, typer.Option("--in-place", help="Clean the files where they are; needs --backup.")]
BackupFolder = Annotated[
    Path | None,
    typer.Option("--backup", metavar="DIR", help="A new folder for the originals.", show_default=False),
]
MaxLoss = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="In place, leave documents that would lose more than this.",
        show_default="0.9",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        help="Work on the machines of a Dask scheduler, tcp://host:8786; FILES are then globs or addresses.",
        show_default=False,
    ),
]


def _common(
    output: Output = None,
    text_field: Field = None,
    type: Typed = None,
    force: Force = False,
    include: Include = None,
    exclude: Exclude = None,
    jobs: Workers = 1,
    resume: Resume = False,
    strict: Strict = False,
    fix_mojibake: Mend = False,
    quiet: Quiet = False,
) -> Options:
    """What commands that read and write files in bulk can be asked for."""
    if text_field == "":
        raise typer.BadParameter("--text-field is empty; give a field's name")
    return Options(
        output, force, text_field, type, tuple(include or ()), tuple(exclude or ()), resume=resume, strict=strict,
        workers=jobs, mend=fix_mojibake, quiet=quiet,
    )  # fmt: skip


def common(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `_common` besides its own: it gets them as its first argument.

    The help lists them behind files, output and the command's first two, which say what it makes.
    """
    shared = signature(_common, eval_str=True).parameters
    _, files, *own = signature(command, eval_str=True).parameters.values()
    output, *rest = shared.values()

    @wraps(command)
    def called(**given: Any) -> None:
        options = _common(**{name: given.pop(name) for name in shared})
        command(options, **given)

    # typer reads a command's options from these two.
    parameters = [files, output, *own[:2], *rest, *own[2:]]
    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def check_in_place(in_place: bool, backup: Path | None, output: str | None, max_loss: float | None) -> None:
    """Raises `typer.BadParameter` for options of `clean` that do not go together."""
    if in_place != (backup is not None):
        raise typer.BadParameter("--in-place and --backup go together: originals are kept")
    if in_place and output is not None:
        raise typer.BadParameter("--in-place writes where the files are; leave out -o")
    if max_loss is not None and not in_place:  # who gives it counts on a guard that would not be there
        raise typer.BadParameter("--max-loss guards files cleaned with --in-place only; leave it out")


def check_scheduled(options: Options, format: Format, *, raw_cells: bool) -> None:
    """Raises `typer.BadParameter` for options of `label` that work on one machine only."""
    if options.resume:
        raise typer.BadParameter(
            "--resume goes on on one machine only; with --scheduler label some of the files at a time, each time into"
            " a folder of its own, and do again what was interrupted (--force)"
        )
    if any((
        options.workers > 1, options.include, options.exclude, options.type, options.mend, raw_cells,
        format in ("html", "table"),
    )):  # fmt: skip
        raise typer.BadParameter(
            "with --scheduler go -o, --force, --format text, tsv or jsonl, --favor, --text-field, --model,"
            " --strict, --quiet"
        )
