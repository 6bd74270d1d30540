"""Being told to stop: by Ctrl-C, by kill, by a closed terminal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """Another signal than Ctrl-C's asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class Interrupts:
    """Raises when a signal comes, and again where that was swallowed.

    Code that is called from C, such as a callback of a compiler, may lose an exception.
    """

    def __init__(self) -> None:
        self._came: KeyboardInterrupt | None = None

    def come(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self._came = KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)
        raise self._came

    def check(self) -> None:
        """Raise what was raised when a signal came, if one did."""
        if self._came is not None:
            raise self._came


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Turn SIGINT, SIGTERM and SIGHUP into exceptions inside the block.

    A signal that is ignored (``nohup``) stays ignored. Handlers belong to the main thread; in
    another one nothing changes.
    """
    found = Interrupts()
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, found.come)
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
