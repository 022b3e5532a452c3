"""`nncli`, and `python -m nncli`."""

import signal
from typing import NoReturn


def run() -> NoReturn:
    """Run the process's command line, and end the process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C shows nobody what is being imported
    from nncli import process
    from nncli.cli import main

    process.leave(main())


if __name__ == "__main__":
    run()
