"""The command `degloss`: arguments in, exit code out; the work is done elsewhere.

Data goes to standard output, everything else to standard error, one line a message; `exits` lists the codes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from threadpoolctl import threadpool_limits

from degloss import __version__, artefact, extras, formats
from degloss.documents import LABELS
from degloss.errors import InputError, TrainingError
from degloss.exits import end, perform, tell
from degloss.formats import Form, format_for
from degloss.jobs import run, texts
from degloss.kinds import Kind
from degloss.options import (
    BackupFolder,
    Favored,
    Field,
    Files,
    Folder,
    Formatted,
    InPlace,
    Keep,
    MaxLoss,
    Pages,
    Raw,
    Scheduler,
    Speaker,
    Typed,
    check_in_place,
    check_scheduled,
    common,
)
from degloss.plan import Options
from degloss.planning import FormOf, plan
from degloss.separate import load, shipped
from degloss.source import STDIN
from degloss.tally import Tally
from degloss.workers import Labeller
from degloss.write import standard_output

_FIRST: Final = ("name", "format", "features", "labels", "sha256", "recipe", "seed", "python", "packages", "gate")
"""Of the manifest, what people look for; lists of arrays and sources come behind."""
_TRAINING_PACKAGES: Final = ("sklearn", "scipy", "pandas", "joblib", "matplotlib", "degloss_training")

app = typer.Typer(
    name="degloss",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help fits a screen, and rich takes longer to import than the work takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="\b\nSeparates a republished German article from commentary and page furniture:\n"
    "  degloss clean page.txt   prints the article alone",
    epilog="Exit codes: 0 done, 1 nothing done, 2 wrong usage, 3 some inputs failed.",
)


def main() -> NoReturn:
    """The entry point: runs the command and exits with its code, whatever happens."""
    # The last digits of a sum over several threads hang on how many there are: on the machine, and on --jobs.
    threadpool_limits(1, "blas")
    end(app)


@app.callback(invoke_without_command=True)
def _degloss(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"degloss {__version__}")
        raise typer.Exit


@app.command()
@common
def clean(
    options: Options,
    files: Files = None,
    keep: Keep = None,
    favor: Favored = "balanced",
    in_place: InPlace = False,
    backup: BackupFolder = None,
    max_loss: MaxLoss = None,
    raw_cells: Raw = False,
    model: Folder = None,
) -> None:
    """Print or write the article alone."""
    wanted = keep or [Speaker.ARTICLE]
    labels = tuple(label for label in LABELS if label in wanted)
    check_in_place(in_place, backup, options.output, max_loss)
    options = replace(options, backup=backup, max_loss=0.9 if max_loss is None else max_loss)
    # In place the cells are those of the user, and stay.
    form = Form(options.field, labels, raw=raw_cells or in_place)
    raise typer.Exit(_perform(files, options, lambda kind: form, Labeller(model, favor)))


@app.command()
@common
def label(
    options: Options,
    files: Files = None,
    format: Formatted = None,
    favor: Favored = "balanced",
    raw_cells: Raw = False,
    model: Folder = None,
    scheduler: Scheduler = None,
) -> None:
    """Print every sentence with who speaks it."""
    shared = Form(options.field, color=options.target is None and _colored(), raw=raw_cells)

    def form(kind: Kind) -> Form:
        return replace(shared, format=format_for(kind, format, options.output))

    if scheduler is None:
        raise typer.Exit(_perform(files, options, form, Labeller(model, favor)))
    wanted = format_for("jsonl", format, options.output)
    check_scheduled(options, wanted, raw_cells=raw_cells)

    def work(tally: Tally) -> None:
        extras.require("distributed", "dask", "--scheduler")
        from degloss import cluster

        tally.strict, tally.records = options.strict, options.errors
        separator = shipped() if model is None else load(model)
        cluster.label(
            _sources(files), None if options.target is None else options.output, separator, scheduler=scheduler,
            format=wanted, favor=favor, text_field=options.text_field, force=options.force, tally=tally,
            quiet=options.quiet,
        )  # fmt: skip

    raise typer.Exit(perform(work))


def _perform(files: list[str] | None, options: Options, form: FormOf, labeller: Labeller) -> int:
    """The work of `clean` and `label`."""

    def work(tally: Tally) -> None:
        tally.strict, tally.records = options.strict, options.errors
        made = plan(_sources(files), options, form, tally)
        if labeller.model is not None:
            load(labeller.model)
        run(made, labeller, tally)

    return perform(work, resumable=options.resume)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that --backup named.")],
    force: Annotated[bool, typer.Option("--force", help="Also over files that were changed since.")] = False,
) -> None:
    """Undo clean --in-place."""

    def work(tally: Tally) -> None:
        from degloss.inplace import restore

        restore(backup, tally, tell, force=force)

    raise typer.Exit(perform(work))


@app.command()
def explain(
    files: Pages = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the sentences that are article.")] = False,
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many reasons of each kind.")] = 5,
    favor: Favored = "balanced",
    text_field: Field = None,
    type: Typed = None,
    model: Folder = None,
) -> None:
    """Say of each removed sentence why."""

    def work(tally: Tally) -> None:
        from degloss.explain import explain, explanation_text

        for name in files or ():
            if os.path.isdir(name):
                raise InputError(f"{name}: a folder; explain takes files, give some of those in it")
        options, form = Options(text_field=text_field, type=type), Form(text_field or "text")
        made = plan(_sources(files), options, lambda kind: form, tally)
        separator = shipped() if model is None else load(model)
        with standard_output() as stream:
            for name, text in texts(made, tally):
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

    def work(tally: Tally) -> None:
        import json

        manifest = artefact.load_model(folder or artefact.shipped_folder()).manifest
        manifest = {key: manifest[key] for key in (*_FIRST, *manifest) if key in manifest}
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
    """Check, export, import labelled documents (needs degloss[train])."""
    _pass_on("corpus", context.args)


def _pass_on(name: str, args: list[str]) -> NoReturn:
    """Hands a command over to the package that registered for it, which this one never imports by name."""
    code = 0

    def work(_: Tally) -> None:
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


def _colored() -> bool:
    """Colours only for a terminal that wants them (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()
