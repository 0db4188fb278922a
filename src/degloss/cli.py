"""The command `degloss`: arguments in, exit code out; the work is done elsewhere.

Data goes to standard output, everything else to standard error, one line a message; `exits` lists the exit
codes.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from degloss import __version__, artefact, extras, formats, jobs
from degloss.documents import LABELS, Favor
from degloss.errors import InputError, TrainingError
from degloss.exits import end, perform, tell
from degloss.read import STDIN
from degloss.separate import Separator, load, shipped
from degloss.write import standard_output

_TRAINING_PACKAGES: Final = ("sklearn", "scipy", "pandas", "joblib", "matplotlib", "degloss_training")

app = typer.Typer(
    name="degloss",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help fits a screen, and rich takes longer to import than the work takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Separates a republished German article from commentary and page furniture:\n\n"
    "degloss clean page.txt   prints the article alone",
    epilog="Exit codes: 0 done, 1 nothing done, 2 wrong usage, 3 some inputs failed.",
)


class Speaker(StrEnum):
    """`LABELS` in the form of an option that may be repeated."""

    ARTICLE = "article"
    COMMENTARY = "commentary"
    BOILERPLATE = "boilerplate"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILES|-",
        help="Text files, .jsonl files, folders (with -o), or - for standard input.",
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
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist (never an input).")]
Favored = Annotated[
    Favor, typer.Option(help="precision: keep only what surely is article; recall: lose no sentence of it.")
]
Field = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Inputs are JSON lines with the text in this field (.jsonl files: text).",
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="Another model than the one shipped.", show_default=False),
]


def main() -> NoReturn:
    """The entry point: runs the command and exits with its code, whatever happens."""
    end(app)


@app.callback(invoke_without_command=True)
def _degloss(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"degloss {__version__}")
        raise typer.Exit


@app.command()
def clean(
    files: Files = None,
    output: Output = None,
    keep: Annotated[
        list[Speaker] | None, typer.Option(help="What to keep, may be repeated.", show_default="article")
    ] = None,
    favor: Favored = "balanced",
    text_field: Field = None,
    force: Force = False,
    model: Folder = None,
) -> None:
    """Print or write the article alone."""
    field = text_field or "text"
    wanted = keep or [Speaker.ARTICLE]

    def work(tally: jobs.Tally) -> None:
        made = jobs.plan(_sources(files), output, ending=None, force=force, text_field=text_field, tally=tally)
        form = formats.clean_form([label for label in LABELS if label in wanted], field, tell)
        jobs.run(made, _separator(model), favor, form, text_field=field, tally=tally)

    raise typer.Exit(perform(work))


@app.command()
def label(
    files: Files = None,
    output: Output = None,
    format: Annotated[formats.Format, typer.Option(help="For people, for tables, or for programs.")] = "text",
    favor: Favored = "balanced",
    text_field: Field = None,
    force: Force = False,
    model: Folder = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local",
            help="Work on the machines of a Dask scheduler, tcp://host:8786; FILES are then globs or addresses.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print every sentence with who speaks it."""
    field = text_field or "text"

    def work(tally: jobs.Tally) -> None:
        if scheduler is not None:
            extras.require("distributed", "dask", "--scheduler")
            from degloss import cluster

            cluster.label(
                _sources(files), None if output == STDIN else output, _separator(model), scheduler=scheduler,
                format=format, favor=favor, text_field=text_field, force=force, tally=tally,
            )  # fmt: skip
            return
        ending = formats.ENDINGS[format]
        made = jobs.plan(_sources(files), output, ending=ending, force=force, text_field=text_field, tally=tally)
        color = made.shared is None and _colored()
        form = formats.label_form(format, field, headed=made.several, color=color)
        jobs.run(made, _separator(model), favor, form, text_field=field, tally=tally)

    raise typer.Exit(perform(work))


@app.command()
def explain(
    files: Files = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the sentences that are article.")] = False,
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many reasons of each kind.")] = 5,
    favor: Favored = "balanced",
    text_field: Field = None,
    model: Folder = None,
) -> None:
    """Say of each removed sentence why."""

    def work(tally: jobs.Tally) -> None:
        from degloss.explain import explain, explanation_text

        made = jobs.plan(_sources(files), None, ending=None, force=False, text_field=text_field, tally=tally)
        separator = _separator(model)
        with standard_output() as stream:
            for name, text in jobs.texts(made, text_field or "text", tally):
                if made.several:
                    stream.write(formats.encode_line(formats.heading(name)))
                for found in explain(separator, text, favor=favor, everything=everything):
                    lines = explanation_text(found, top=top, color=_colored())
                    stream.write(formats.encode_line(lines))
                tally.done += 1

    raise typer.Exit(perform(work))


@app.command()
def model(folder: Folder = None) -> None:
    """Check the model and show its manifest."""

    def work(tally: jobs.Tally) -> None:
        import json

        manifest = artefact.load_model(folder or artefact.shipped_folder()).manifest
        with standard_output() as stream:
            stream.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
        tally.done += 1

    raise typer.Exit(perform(work))


_PASSED_ON: Final[dict[str, Any]] = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
}


@app.command(**_PASSED_ON)
def train(context: typer.Context) -> None:
    """Train a model (needs degloss[train])."""
    _pass_on("train", context.args)


@app.command(**_PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Measure a model on labelled documents (needs degloss[train])."""
    _pass_on("evaluate", context.args)


@app.command(**_PASSED_ON)
def corpus(context: typer.Context) -> None:
    """Check and count labelled documents (needs degloss[train])."""
    _pass_on("corpus", context.args)


def _pass_on(name: str, args: list[str]) -> NoReturn:
    """Hands a command over to the package that registered for it, which this one never imports by name."""
    code = 0

    def work(_: jobs.Tally) -> None:
        nonlocal code
        from importlib.metadata import entry_points

        registered = list(entry_points(group="degloss.commands", name=name))
        if not registered:
            raise TrainingError(f"{name}: not registered in this installation; pip install 'degloss[train]'")
        try:
            code = registered[0].load()(args)
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in _TRAINING_PACKAGES:
                raise
            raise TrainingError(f"{name}: needs packages of its own ({error}); pip install 'degloss[train]'") from error

    raise typer.Exit(perform(work) or code)


def _sources(files: list[str] | None) -> list[str]:
    """The inputs; without any, standard input unless a person sits at it."""
    if files:
        return files
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("no input; give files, or - for standard input")
    return [STDIN]


def _separator(folder: Path | None) -> Separator:
    return shipped() if folder is None else load(folder)


def _colored() -> bool:
    """Colours only for a terminal that wants them (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()
