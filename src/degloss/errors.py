"""Every error degloss raises on purpose.

    DeglossError
    ├── InputError         a file or text that cannot be used as input
    ├── OutputError        a result that cannot be written
    ├── ModelError         a model that must not be used
    │   ├── ModelMissing       nothing, or not everything, at that place
    │   ├── ModelFormatError   another format or feature version than this degloss reads
    │   └── ModelDamaged       bytes or shapes differ from what the manifest promises
    ├── ExtraMissing       a package that only some inputs or options need, and that is not installed
    ├── ClusterError       machines that cannot be reached, or do not have what the work needs
    ├── CorpusError        a labelled document that breaks the block format
    └── TrainingError      training or evaluation that cannot go ahead

Each message says what was wrong, where, and what to do about it, on one line: the command line prints it as it
is. Wrong types and values handed to a function stay `TypeError` and `ValueError`.
"""


class DeglossError(Exception):
    """The base of all: catch this one to catch every deliberate error of degloss."""


class InputError(DeglossError):
    """A file or text that cannot be used as input."""


def too_large(name: str) -> InputError:
    """What to tell of an input or a document for which there is not enough memory."""
    return InputError(f"{name}: not enough memory for it; split it, or take a machine with more")


class OutputError(DeglossError):
    """A result that cannot be written."""


class ModelError(DeglossError):
    """A model that must not be used."""


class ModelMissing(ModelError):
    """No model, or only a part of one, at the place named."""


class ModelFormatError(ModelError):
    """A model of another format or feature version than this degloss reads."""


class ModelDamaged(ModelError):
    """A model whose bytes or shapes differ from what its manifest promises."""


class ExtraMissing(DeglossError):
    """A package that only some inputs or options need is not installed; the message names the extra."""


class ClusterError(DeglossError):
    """Machines that cannot be reached, or do not have what the work needs."""


class CorpusError(DeglossError):
    """A labelled document that breaks the block format of the corpus."""


class TrainingError(DeglossError):
    """Training or evaluation that cannot go ahead."""
