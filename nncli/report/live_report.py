"""A report with a live line: on a terminal what is going on, elsewhere nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nncli.listener import Listener
from nncli.report.progress import LiveListener

if TYPE_CHECKING:
    from rich.console import Console


class LiveReport:
    """In a `with` block its `listener` shows what it is told, where there is a terminal."""

    def __init__(self, screen: Console, *, quiet: bool = False) -> None:
        self.screen, self.quiet = screen, quiet
        self.listener = Listener()
        self.live: LiveListener | None = None

    def __enter__(self) -> Self:
        if not self.quiet and self.screen.is_interactive:
            self.live = self.listener = LiveListener(self.screen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        self.listener.close()

    def give_back_terminal(self) -> None:
        """Erase what is live and show the cursor: the process ends, or is suspended."""
        if self.live is not None:
            self.live.hide()

    def take_terminal(self) -> None:
        """The process goes on."""
        if self.live is not None:
            self.live.show()
