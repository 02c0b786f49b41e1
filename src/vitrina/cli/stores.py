"""The stores a command works on: those of the shop on this machine, or AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from vitrina.entrypoints.wiring import Services, build
from vitrina.platform.embedded.lock import holder_of
from vitrina.platform.embedded.supervisor import connected
from vitrina.settings import Settings

HERE = Path("var")

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="VITRINA_DATA", file_okay=False, help="Folder of the shop's data."
    ),
]
Embedded = Annotated[
    bool,
    typer.Option(
        help="Work on the shop in --data. Without: on DATABASE_URL, and AWS_ENDPOINT_URL or AWS"
        " itself."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@contextmanager
def opened(data: Path, *, embedded: bool) -> Iterator[Services]:
    """The shop's services for the length of a command.

    A shop that runs on ``data`` is used as it runs; else its stores are started, and stopped
    again.

    Raises:
        CannotStart: the stores did not come up.
    """
    if not embedded:
        yield from _services(Settings())
        return
    with connected(data) as settings:
        yield from _services(settings)


def address_of(services: Services, data: Path, *, embedded: bool) -> str:
    """Where shoppers reach the shop: as it runs on this machine, else as it is configured."""
    holder = holder_of(data) if embedded else None
    return holder.address if holder and holder.address else services.settings.public_url


def _services(settings: Settings) -> Iterator[Services]:
    services = build(settings)
    try:
        yield services
    finally:
        services.db.dispose()
