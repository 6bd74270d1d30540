"""The package's own warnings, taken where they are said and carried where they are heard."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from subtomo.errors import SubtomoWarning


@contextmanager
def own_warnings_to(hear: Callable[[str], object]) -> Iterator[None]:
    """Give the text of each ``SubtomoWarning`` to ``hear``; others are shown as ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", SubtomoWarning)
        show = warnings.showwarning

        def take(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, SubtomoWarning):
                hear(str(message))
            else:
                show(message, category, *rest, **more)

        warnings.showwarning = take
        yield
