"""One synthesis of each shop per session: offline, in a process of its own, without an account."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.templates import Assembly

DOMAIN = "shop.example"
SHOPS = {
    "standard": "--profile standard --check",
    "again": "--profile standard",
    "dev": "--profile dev --check",
    "starter": "--profile starter --check",
    "scale": "--profile scale --check",
    "standby": "--profile standard --region-mode warm-standby --check",
}


@pytest.fixture(scope="session")
def assemblies(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """Every shop, synthesised."""
    folder = tmp_path_factory.mktemp("assemblies")
    # -O leaves out the CDK's checks of every argument's type, which mypy has made already.
    command = [sys.executable, "-O", "-m", "tests.infra.synthesise", str(folder)]
    without_aws = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))}
    run = subprocess.run(
        [*command, *(f"{name}={arguments}" for name, arguments in SHOPS.items())],
        cwd=root,
        env={**without_aws, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-5000:]
    return {name: Assembly(folder / name) for name in SHOPS}


@pytest.fixture(scope="session")
def standard(assemblies: dict[str, Assembly]) -> Assembly:
    """The shop that properties are tested on."""
    return assemblies["standard"]
