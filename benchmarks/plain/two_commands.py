"""A Typer app of two commands: what a command line costs that does nothing else."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def greet(name: str, times: Annotated[int, typer.Option(help="How often.")] = 1) -> None:
    """Greet somebody."""
    for _ in range(times):
        print(f"hello {name}")


@app.command()
def add(first: float, second: float) -> None:
    """Add two numbers."""
    print(first + second)


if __name__ == "__main__":
    app()
