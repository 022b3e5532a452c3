"""`nncli`, and `python -m nncli`."""

from typing import NoReturn

from nncli import process
from nncli.cli import main


def run() -> NoReturn:
    """Run the process's command line, and end the process."""
    process.leave(main())


if __name__ == "__main__":
    run()
