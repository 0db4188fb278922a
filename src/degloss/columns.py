"""One separated document as columns of a table: the names and meanings that every table degloss makes shares.

Plain Python without pandas, so that whoever writes tables – files of the command line, a data frame, a cluster –
writes the same ones.
"""

from __future__ import annotations

from typing import Final

from degloss.documents import LABELS, Separation

COLUMNS: Final = ("article", "commentary", "boilerplate", "spans", "commentary_share", "confidence")
"""The columns a table gains, in this order."""

_DIGITS: Final = 4  # finer differences mean nothing, and tables stay the same across machines
_COMMENTARY: Final = LABELS.index("commentary")


def columns(found: Separation) -> dict[str, object]:
    """The values of `COLUMNS` for one document.

    article, commentary, boilerplate  str, what each of them says; empty if nothing
    spans             list of {"start", "end", "label"}, the segments in order; offsets in code points
    commentary_share  float, the code points of sentences of commentary by those of all sentences
    confidence        float, the mean of the sentences' confidences, each counted by its code points: the share of
                      the text that is expected to be labelled right

    The numbers are rounded to four digits. A text without any sentence has a share of 0.0 and no confidence, None.

    >>> from degloss.separate import separate
    >>> row = columns(separate("Teile diesen Beitrag"))
    >>> row["boilerplate"], row["spans"], row["commentary_share"]
    ('Teile diesen Beitrag', [{'start': 0, 'end': 20, 'label': 'boilerplate'}], 0.0)
    >>> columns(separate(" "))["confidence"] is None
    True
    """
    lengths = found.ends - found.starts
    total = int(lengths.sum())
    return {
        "article": found.article,
        "commentary": found.commentary,
        "boilerplate": found.boilerplate,
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in found.segments],
        "commentary_share": round(int(lengths[found.labels == _COMMENTARY].sum()) / total, _DIGITS) if total else 0.0,
        "confidence": round(float(lengths @ found.confidences) / total, _DIGITS) if total else None,
    }
