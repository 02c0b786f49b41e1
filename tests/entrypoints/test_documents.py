"""What the documentation says of settings and problems is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from vitrina.settings import Settings, variable_of

# In a process of its own: tests define errors of their own, which nobody has to document.
KINDS = """
import vitrina.entrypoints.http
from vitrina.entrypoints.documentation import problem_kinds
for kind in problem_kinds():
    print(f"| `{kind.code}` | {kind.status} | {kind.meaning} |")
"""


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return f"`{str(field.default).lower() if field.default is False else field.default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_documented(name: str, root: Path) -> None:
    field = Settings.model_fields[name]
    row = f"| `{variable_of(name)}` | {default_of(field)} | {field.description} |"

    assert row in (root / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()


def test_no_setting_is_documented_that_is_none(root: Path) -> None:
    text = (root / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE))

    assert documented == {variable_of(name) for name in Settings.model_fields}


def test_every_problem_is_documented_and_no_other(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", KINDS], capture_output=True, text=True, check=True, timeout=60
    )
    text = (root / "docs" / "api.md").read_text(encoding="utf-8")
    documented = [line for line in text.splitlines() if re.match(r"\| `[A-Z]\w+` \|", line)]

    assert documented == run.stdout.splitlines()
