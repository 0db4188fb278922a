"""The arguments and options of the command line, each said once: name, form and help.

Commands that share an option take it from here, so that it means and says the same everywhere.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from degloss.documents import Favor
from degloss.formats import Format
from degloss.kinds import Kind


class Speaker(StrEnum):
    """`LABELS` in the form of an option that may be repeated."""

    ARTICLE = "article"
    COMMENTARY = "commentary"
    BOILERPLATE = "boilerplate"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILES|-",
        help="Files (.txt .md .html .jsonl .csv .tsv .parquet, each also .gz or .zst), folders (with -o),"
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
        " Tables stay tables, all else is text by default.",
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
    Kind | None,
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


def check_in_place(in_place: bool, backup: Path | None, output: str | None, max_loss: float | None) -> None:
    """Raises `typer.BadParameter` for options of `clean` that do not go together."""
    if in_place != (backup is not None):
        raise typer.BadParameter("--in-place and --backup go together: originals are kept")
    if in_place and output is not None:
        raise typer.BadParameter("--in-place writes where the files are; leave out -o")
    if max_loss is not None and not in_place:  # who gives it counts on a guard that would not be there
        raise typer.BadParameter("--max-loss guards files cleaned with --in-place only; leave it out")
