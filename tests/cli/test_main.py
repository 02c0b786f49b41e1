"""The command line answers quickly, in words, and says what to do."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from vitrina.cli.main import _PARTS, app
from vitrina.settings import Settings, variable_of


def vitrina(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vitrina", *arguments],
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_lists_every_part_and_reads_none_of_them() -> None:
    run = vitrina("--help")

    assert run.returncode == 0
    for name, part in _PARTS.items():
        assert name in run.stdout
        assert part.help in run.stdout
    heavy = "import sys, vitrina.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True)
    assert not {"fastapi", "sqlalchemy", "boto3", "pydantic", "numpy"} & set(loaded.stdout.split())


@pytest.mark.parametrize("name", _PARTS)
def test_every_part_can_be_asked_for_help(name: str) -> None:
    part = _PARTS[name]
    assert import_module(part.module).app is not None

    shown = CliRunner().invoke(app, [name, "--help"])

    assert shown.exit_code == 0, shown.output
    assert f"{name} [OPTIONS]" in shown.output


@pytest.mark.parametrize("name", _PARTS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    group = typer.main.get_command(import_module(_PARTS[name].module).app)
    commands = getattr(group, "commands", {name: group})

    for word, command in commands.items():
        example = (command.epilog or "").split()
        assert example[:2] == ["Example:", "vitrina"], f"{name} {word}"
        assert word in example or name in example


def test_a_part_that_there_is_not_is_wrong_usage() -> None:
    run = vitrina("opne")

    assert run.returncode == 2
    assert "No such command 'opne'" in run.stderr


def test_the_settings_in_force_are_shown_without_passwords() -> None:
    run = vitrina(
        "settings",
        "--json",
        DATABASE_URL="postgresql://ada:secret@db.example:5433/shop",
        VITRINA_SHOP_NAME="Ada's",
    )

    shown = {setting["variable"]: setting for setting in json.loads(run.stdout)}
    assert list(shown) == [variable_of(name) for name in Settings.model_fields]
    assert shown["DATABASE_URL"]["value"] == "postgresql://ada:***@db.example:5433/shop"
    assert shown["VITRINA_SHOP_NAME"] == {
        "variable": "VITRINA_SHOP_NAME",
        "value": "Ada's",
        "is_default": False,
        "description": "The shop's name in titles and page heads",
    }
    assert shown["VITRINA_CURRENCY"]["is_default"] is True
    assert "secret" not in run.stdout + vitrina("settings", DATABASE_URL="://secret").stdout


def test_settings_can_be_shown_before_there_is_a_shop() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    run = subprocess.run(
        [sys.executable, "-m", "vitrina", "settings"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0
    assert "DATABASE_URL=(not set)" in run.stdout


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("VITRINA_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("VITRINA_PAGE_MAX_AGE_S", "-1", "greater than or equal to 0"),
        ("VITRINA_CURRENCY", "EURO", "none of AUD, BRL"),
        ("VITRINA_PUBLIC_URL", "https://shop.example/", "pattern"),
        ("VITRINA_PREFIX", "My Shop", "pattern"),
        ("VITRINA_MAINTENANCE", "perhaps", "boolean"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    run = vitrina("settings", **{variable: value})

    assert run.returncode == 1
    (wrong,) = run.stderr.splitlines()[1:]
    assert wrong.strip().startswith(f"{variable}={value!r}: ")
    assert allowed in wrong
    assert "Traceback" not in run.stderr
