"""Packages that only some inputs and options need: imported when they are, or the extra to install is named.

degloss itself needs five small packages. All others come with an extra, so that who cleans text files does not
install a table format, and none is imported before its work is at hand: the start of the command stays fast.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from degloss.errors import ExtraMissing


def package(module: str, extra: str, purpose: str) -> Any:
    """The module, imported; `ExtraMissing` if it is not there.

    >>> package("json", "json", "JSON").loads("[1]")
    [1]
    >>> package("nicht_da.unten", "tabellen", "reading tables")
    Traceback (most recent call last):
    degloss.errors.ExtraMissing: reading tables needs the package nicht_da; pip install 'degloss[tabellen]'
    """
    require(module, extra, purpose)
    try:
        return import_module(module)
    except ImportError as error:  # one that the package itself needs
        raise ExtraMissing(f"{purpose} fails ({error}); pip install --upgrade 'degloss[{extra}]'") from error


def require(module: str, extra: str, purpose: str) -> None:
    """Raises `ExtraMissing` unless the module can be imported; imports nothing."""
    if not installed(module):
        name = module.partition(".")[0]
        raise ExtraMissing(f"{purpose} needs the package {name}; pip install 'degloss[{extra}]'")


def installed(module: str) -> bool:
    """Whether the package of a module is there to be imported."""
    return find_spec(module.partition(".")[0]) is not None
