"""The command ``vitrina``. Each group of commands is read only when it is used."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class _Part(NamedTuple):
    module: str
    help: str
    is_flat: bool = False  # one command of the module's app, not the app as a group of its own


# In the order in which somebody meets them. The help stands here so that listing it is quick.
_PARTS = {
    "up": _Part("vitrina.cli.up", "Open the shop on this machine.", is_flat=True),
    "status": _Part("vitrina.cli.up", "Say whether a shop runs, and where.", is_flat=True),
    "down": _Part("vitrina.cli.up", "Stop the shop that runs.", is_flat=True),
    "product": _Part("vitrina.cli.product", "Add and change products."),
    "catalogue": _Part("vitrina.cli.catalogue", "Import and export the whole catalogue."),
    "model": _Part("vitrina.cli.model", "Check, optimise and publish 3D models."),
    "studio": _Part("vitrina.cli.studio", "Build the demo products."),
    "orders": _Part("vitrina.cli.orders", "List and look up orders."),
    "settings": _Part("vitrina.cli.settings", "Show the settings in force."),
}


class _Commands(TyperGroup):
    """Lists every part by name, and imports the one that is called."""

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(_PARTS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """What the help shows of a part; ``resolve_command`` gives the part itself."""
        part = _PARTS.get(cmd_name)
        return TyperCommand(cmd_name, help=part.help) if part else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        part = _PARTS.get(args[0])
        if part is None:
            return super().resolve_command(ctx, args)
        command: Any = typer.main.get_command(import_module(part.module).app)
        return args[0], command.commands[args[0]] if part.is_flat else command, args[1:]

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = _for_people(error)
            if message is None:
                raise
            typer.echo(message, err=True)
            raise typer.Exit(1) from error


def _for_people(error: Exception) -> str | None:
    """What to say of an error that is nobody's mistake in the code; None for one that is."""
    # Whoever raised one of these has imported them already: this costs the help nothing.
    from pydantic import ValidationError

    from vitrina.kernel.errors import ShopError
    from vitrina.settings import Settings, explain

    if isinstance(error, ShopError):
        return str(error)
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return explain(error)
    return None


app = typer.Typer(
    cls=_Commands,
    help="Vitrina, the open 3D shop: whole on one machine, unchanged on AWS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Without a command of its own: the parts are found by name."""
