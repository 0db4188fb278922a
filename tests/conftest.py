"""A small model whose decisions can be read off its weights, so that no test depends on the trained one.

Exclamation marks, emoji and the word "Meinung" speak for commentary, slashes and lines without words for
boilerplate, all else is article; the chain adds a little inertia inside a line, the memory some of the commentary
before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from degloss.artefact import MANIFEST, WEIGHTS, Model, pack
from degloss.boundary import EDGES
from degloss.classify import SentenceModel
from degloss.context import names as context_names
from degloss.cues import cues
from degloss.decode import TOLD, Chain
from degloss.encode import encode
from degloss.memory import HEARD, KEPT, REACH, Memory
from degloss.ngrams import TABLE_BITS, families
from degloss.separate import Separator, load
from degloss.vectors import DIMENSIONS, SOURCES, Embedding
from degloss.words import look_up

# In the background of a shell SIGINT is ignored, which children inherit: those that tests interrupt would never stop.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline of the wall clock fails where others use the machine, and says nothing of the code.
settings.register_profile("degloss", deadline=None)
settings.load_profile("degloss")

COMMENTARY, BOILERPLATE = 0, 1
CUE_WEIGHTS = {
    "count exclamation": (4.0, 0.0),
    "count emoji": (3.0, 0.0),
    "count slash": (0.0, 3.0),
    "no words": (0.0, 6.0),
}
BIAS = -3.0

ARTICLE = "Das Amt hat am Montag einen Plan vorgelegt."
COMMENT = "So ein Unsinn!!"
LINK = "https://t.me/beispiel/12"
PAGE = f"{ARTICLE} Er gilt ab März.\n\n{COMMENT}\n\nDer Rat stimmt zu.\n{LINK}\n"
CLEAN = f"{ARTICLE} Er gilt ab März.\n\nDer Rat stimmt zu.\n"
"""What `clean` makes of `PAGE`."""

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def make_model(folder: Path) -> Path:
    """Writes the model into a folder."""
    batch = encode(["Meinung"])
    words = look_up(batch)
    looks = cues(batch, words)
    features = context_names(looks)
    table = np.zeros((1 << TABLE_BITS, 2), np.float32)
    table[families(batch, words)[0].index[0], COMMENTARY] = 20
    weights = np.zeros((looks.voice, 2), np.float32)
    for name, value in CUE_WEIGHTS.items():
        weights[looks.names.index(name)] = value
    sentence = SentenceModel(
        table=table,
        mean=np.zeros(looks.voice, np.float32),
        spread=np.ones(looks.voice, np.float32),
        weights=weights,
        bias=np.full(2, BIAS, np.float32),
    )
    context = np.zeros((len(features), 3), np.float32)
    context[features.index("own score commentary"), 1] = 1
    context[features.index("own score boilerplate"), 2] = 1
    edges = np.zeros((len(EDGES), 3, 3), np.float32)
    edges[EDGES.index("same line")] = 0.5 * np.eye(3)
    chain = Chain(
        mean=np.zeros(len(features), np.float32),
        spread=np.ones(len(features), np.float32),
        weights=context,
        bias=np.zeros(3, np.float32),
        hidden=np.zeros((len(features), 2 * HEARD), np.float32),
        hidden_bias=np.zeros(2 * HEARD, np.float32),
        told=np.zeros((2 * TOLD, 3), np.float32),
        turns=np.zeros((2, 2 * TOLD, 3, 3), np.float32),
        edges=edges,
        first=np.array([0.5, 0, 0], np.float32),
        temperature=np.array(1.25, np.float32),
    )
    chain.hidden[features.index("own chance commentary"), HEARD] = 1
    memory = Memory(
        first=np.zeros((2, REACH, HEARD, 4 * KEPT), np.float32),
        first_bias=np.zeros((2, 4 * KEPT), np.float32),
        second=np.zeros((2, REACH, 2 * KEPT, 4 * KEPT), np.float32),
        second_bias=np.zeros((2, 4 * KEPT), np.float32),
    )
    # The first of the forward means of the second member: how much commentary there was, counted from the sentence
    # before. The first member says nothing.
    memory.first[1, 0, 0, 0] = memory.second[1, 1, 0, 0] = 1
    chain.told[2 * KEPT, 1] = 0.5
    rng = np.random.default_rng(5)
    slots = rng.integers(0, 900, (len(SOURCES), 1 << TABLE_BITS)).astype(np.uint16)
    embedding = Embedding(slots, rng.integers(-127, 128, (900, DIMENSIONS)).astype(np.int8))
    embedding.rows[0] = 0
    data, manifest = pack(Model(sentence, embedding, chain, memory, {"name": "written by hand", "seed": 0}))
    (folder / WEIGHTS).write_bytes(data)
    (folder / MANIFEST).write_bytes(manifest)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model."""
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def separator(model: Path) -> Separator:
    """The model, loaded."""
    return load(model)


def give_up_power() -> None:
    """In a new process, before its program starts: root that obeys permissions as everybody does (capabilities(7))."""
    import ctypes

    drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None, use_errno=True)
    for power in (override, search):
        if libc.prctl(drop, power, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "capabilities stay")


@pytest.fixture
def powerless() -> Callable[[], None] | None:
    """What a process has to do before its start so that permissions hold for it; None if they do anyway."""
    if os.name != "posix":
        pytest.skip("needs the permissions of POSIX")
    if os.geteuid() != 0:
        return None
    if not sys.platform.startswith("linux"):
        pytest.skip("root may read and write everything here")
    try:
        subprocess.run(["true"], preexec_fn=give_up_power, check=True)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("root may read and write everything here, and cannot give that up")
    return give_up_power


@pytest.fixture
def degloss(model: Path, tmp_path: Path) -> Run:
    """Runs `degloss` as a process in an empty folder, with the model of these tests where one is needed."""

    def run(
        *args: str | Path,
        stdin: bytes = b"",
        environment: dict[str, str] | None = None,
        first: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            command(model, *args), input=stdin, capture_output=True, cwd=tmp_path, timeout=120, check=False,
            env=clean_environment(environment), preexec_fn=first,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return run


def command(model: Path, *args: str | Path) -> list[str]:
    """The command line of a process; commands that separate get the model."""
    words = [str(arg) for arg in args]
    if words and words[0] in ("clean", "label", "explain"):
        words[1:1] = ["--model", str(model)]
    return [sys.executable, "-m", "degloss", *words]


def clean_environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment without what changes how a terminal looks."""
    dropped = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "PYTHONUTF8")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "TERM": "xterm", **(more or {})}


def with_a_terminal() -> None:
    """In a new process, before its program starts: as if the tests did not run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
