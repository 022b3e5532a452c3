"""One line on a terminal's standard error while a command gets ready."""

from __future__ import annotations

from nncli.listener import Listener
from nncli.report.console import console
from nncli.report.progress import LiveListener


class Waiting:
    """Shows what is going on in a `with` block, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._live: LiveListener | None = None

    def __enter__(self) -> Listener:
        screen = console(stderr=True)
        if not screen.is_interactive:
            return Listener()
        self._live = LiveListener(screen)
        return self._live

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.close()

    def give_back_terminal(self) -> None:
        """Erase the line and show the cursor: the process ends, or is suspended."""
        if self._live is not None:
            self._live.hide()

    def take_terminal(self) -> None:
        """The process goes on."""
        if self._live is not None:
            self._live.show()
