"""`vitrina up`, `status` and `down`: the whole shop on this machine."""

import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from vitrina.platform.embedded.launcher import Console, Stores, launch
from vitrina.platform.embedded.lock import holder_of
from vitrina.settings import Settings

STOP_TIMEOUT_S = 30.0

app = typer.Typer()

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="VITRINA_DATA", file_okay=False, help="Folder that keeps it all."
    ),
]
HERE = Path("var")


@app.command(epilog="Example: vitrina up --data ./var --port 8080")
def up(
    data: Data = HERE,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port of 127.0.0.1, 0 for any free one.",
            show_default="8000, or the next free one",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Web processes; one per core is the most of use.")
    ] = 1,
    embedded: Annotated[
        bool,
        typer.Option(
            help="Bring an AWS and a PostgreSQL along. Without: DATABASE_URL, and AWS_ENDPOINT_URL"
            " or AWS itself."
        ),
    ] = True,
    demo: Annotated[
        bool, typer.Option("--demo", help="Furnish an empty shop with the studio's collection.")
    ] = False,
    show: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open", help="Open the shop in a browser.", show_default="on a desktop"
        ),
    ] = None,
) -> None:
    """Open the shop on this machine, until Ctrl-C.

    Exit status: 0 stopped as asked, 1 a part did not start or was lost, 2 wrong usage.
    """
    typer.echo(f"Vitrina, data in {data}")
    if embedded and "AWS_ENDPOINT_URL" in os.environ:
        _note("AWS_ENDPOINT_URL is set, and not used: with --no-embedded it would be.")
    launch(
        _stores(data, embedded=embedded),
        Console(step=_step, note=_note, opened=_opened(data, show), trouble=_trouble),
        port=port,
        workers=workers,
        furnish=_furnish if demo else None,
    )
    typer.echo("\nStopped. The data is kept.")


@app.command(epilog="Example: vitrina status")
def status(data: Data = HERE) -> None:
    """Say whether a shop runs on this data, and where.

    Exit status: 0 it runs, 1 it does not.
    """
    holder = holder_of(data)
    if holder is None:
        typer.echo(f"No shop runs on {data}.")
        raise typer.Exit(1)
    typer.echo(f"Process {holder.pid} runs on {data}: {holder.address or 'no shop open yet'}")


@app.command(epilog="Example: vitrina down")
def down(data: Data = HERE) -> None:
    """Stop the shop that runs on this data.

    Exit status: 0 it has stopped or did not run, 1 it goes on.
    """
    holder = holder_of(data)
    if holder is None:
        typer.echo(f"No shop runs on {data}.")
        return
    os.kill(holder.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while holder_of(data):
        if time.monotonic() > deadline:
            typer.echo(f"Process {holder.pid} was told to stop and has not.", err=True)
            raise typer.Exit(1)
        time.sleep(0.1)
    typer.echo("Stopped. The data is kept.")


def _stores(data: Path, *, embedded: bool) -> Stores:
    if embedded:
        from vitrina.platform.embedded.supervisor import Embedded

        return Embedded(data, progress=_step)
    # It imports the clients of all stores, which embedded ones would have to wait for.
    from vitrina.platform.embedded.elsewhere import Elsewhere

    return Elsewhere(data)


def _furnish(settings: Settings) -> None:
    began = time.monotonic()
    from vitrina.studio.service import install

    products = install(settings).products
    what = f"{products} products put up" if products else "all there"
    _step(f"Demo collection: {what}", time.monotonic() - began)


def _step(what: str, took_s: float) -> None:
    typer.echo(f"  {what:<52} {took_s:5.1f} s")


def _note(what: str) -> None:
    typer.echo(f"  {what}")


def _trouble(what: str) -> None:
    typer.echo(f"\n{what}", err=True)


def _opened(data: Path, show: bool | None) -> Callable[[str], None]:
    def tell(address: str) -> None:
        typer.echo(
            _box(
                ("Shop", address),
                ("API", f"{address}/api/docs"),
                ("Data", str(data)),
                ("Logs", str(data / "logs")),
                ("Stop", "Ctrl-C"),
            )
        )
        if _has_desktop() if show is None else show:
            webbrowser.open(address)

    return tell


def _box(*rows: tuple[str, str]) -> str:
    texts = [f"{name:<6} {value}" for name, value in rows]
    width = max(len(text) for text in texts)
    lines = [f"  │  {text:<{width}}  │" for text in texts]
    rule = "─" * (width + 4)
    return "\n".join(["", f"  ╭{rule}╮", *lines, f"  ╰{rule}╯", ""])


def _has_desktop() -> bool:
    if "CI" in os.environ or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
