"""Labels every sentence of a scraped German repost with who speaks: article, commentary or boilerplate.

    import degloss

    found = degloss.separate(text)
    found.article       # what the republished source says
    found.sentences     # every sentence with its label and how sure that is

`separate` and `separate_many` use the model that comes with the package; `load` opens another one. `label_frame`
does the same to a pandas table.
"""

from degloss.documents import LABELS, Favor, Label, Segment, Sentence, Separation
from degloss.errors import (
    ClusterError,
    CorpusError,
    DeglossError,
    ExtraMissing,
    InputError,
    ModelDamaged,
    ModelError,
    ModelFormatError,
    ModelMissing,
    OutputError,
    TrainingError,
)
from degloss.frame import label_frame
from degloss.separate import Separator, load, separate, separate_many

__version__ = "0.1.0"

__all__ = [
    "LABELS",
    "ClusterError",
    "CorpusError",
    "DeglossError",
    "ExtraMissing",
    "Favor",
    "InputError",
    "Label",
    "ModelDamaged",
    "ModelError",
    "ModelFormatError",
    "ModelMissing",
    "OutputError",
    "Segment",
    "Sentence",
    "Separation",
    "Separator",
    "TrainingError",
    "__version__",
    "label_frame",
    "load",
    "separate",
    "separate_many",
]
