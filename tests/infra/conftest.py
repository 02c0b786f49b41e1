"""One synthesis of each shop per session: offline, in a process of its own, without an account."""

import fcntl
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


TIMEOUT_S = 540  # the first synthesis after an installation compiles the whole CDK


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the synthesis."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S + 60))


@pytest.fixture(scope="session")
def assemblies(
    root: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> dict[str, Assembly]:
    """Every shop, synthesised once, also when several processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "assemblies"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            synthesise(root, folder)
            (folder / "done").touch()
    return {name: Assembly(folder / name) for name in SHOPS}


def synthesise(root: Path, folder: Path) -> None:
    """All shops in one process: loading the CDK takes longer than using it."""
    # -O leaves out the CDK's checks of every argument's type, which mypy has made already.
    command = [sys.executable, "-O", "-m", "tests.infra.synthesise", str(folder)]
    without_aws = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))}
    run = subprocess.run(
        [*command, *(f"{name}={arguments}" for name, arguments in SHOPS.items())],
        cwd=root,
        env={**without_aws, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert run.returncode == 0, run.stderr[-5000:]


@pytest.fixture(scope="session")
def standard(assemblies: dict[str, Assembly]) -> Assembly:
    """The shop that properties are tested on."""
    return assemblies["standard"]
