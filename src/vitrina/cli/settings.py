"""``vitrina settings``: what is in force, where it comes from and what it is for."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from vitrina.settings import Settings, variable_of

app = typer.Typer()

_NOT_SET = "(not set)"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it stands."""

    variable: str
    value: Any
    is_default: bool
    description: str


@app.command(epilog="Example: vitrina settings --json")
def settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of JSON objects.")] = False,
) -> None:
    """Show every setting in force, and what it is for. Passwords are left out.

    Exit status: 0 shown, 1 a setting is wrong.
    """
    shown = effective_settings()
    if as_json:
        typer.echo(json.dumps([asdict(setting) for setting in shown], indent=2))
        return
    for setting in shown:
        origin = "" if setting.is_default else "  (from the environment)"
        typer.echo(f"{setting.variable}={_plain(setting.value)}{origin}")
        typer.echo(f"    {setting.description}")


def effective_settings() -> list[Effective]:
    """Every setting, in the order of the class.

    Raises:
        ValidationError: a setting is wrong. One that is only missing is shown as not set.
    """
    fields = Settings.model_fields
    missing: dict[str, Any] = {
        variable: _NOT_SET
        for name, field in fields.items()
        if field.is_required() and (variable := variable_of(name)) not in os.environ
    }
    values = Settings(**missing)
    return [_effective(name, field, getattr(values, name)) for name, field in fields.items()]


def _effective(name: str, field: FieldInfo, value: Any) -> Effective:
    variable = variable_of(name)
    return Effective(
        variable,
        _masked(value),
        is_default=variable not in os.environ,
        description=field.description or "",
    )


def _masked(value: Any) -> Any:
    """The value, without a password it may hold."""
    if not isinstance(value, SecretStr):
        return value
    secret = value.get_secret_value()
    if secret == _NOT_SET:
        return None
    address = urlsplit(secret)
    if not address.hostname:
        return "***"
    place = address.hostname if address.port is None else f"{address.hostname}:{address.port}"
    user = f"{address.username}:***@" if address.username else ""
    return f"{address.scheme}://{user}{place}{address.path}"


def _plain(value: Any) -> str:
    if value is None:
        return _NOT_SET
    return str(value).lower() if isinstance(value, bool) else str(value)
