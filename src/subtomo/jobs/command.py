"""A command: where its settings and its function are, loaded when they are needed."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subtomo.jobs.settings import CommandSettings


@dataclass(frozen=True)
class Command:
    """One row of the command table.

    Parameters
    ----------
    settings : "package.module:Class", importable without torch; a ``JobSettings`` where the
        command writes an output folder, else a ``CommandSettings``
    run : "package.module:function", called with ``(settings, job)``, or with ``(settings)``
        where the settings are no ``JobSettings``. The job gives it its folder, ledger and
        executor; it returns the path of what it made, and raises a ``SubtomoError`` where the
        input cannot be used, before anything is written.
    help : one line for ``subtomo --help``
    """

    settings: str
    run: str
    help: str

    def load_settings(self) -> "type[CommandSettings]":
        """Import the class of the settings."""
        loaded: type[CommandSettings] = _load(self.settings)
        return loaded

    def load_run(self) -> Callable[..., Any]:
        """Import the function, and with it whatever is heavy."""
        function: Callable[..., Any] = _load(self.run)
        return function


def _load(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
