"""The app synthesises every profile offline, and the same each time."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.templates import Assembly, everything_in

OURS = {"Data", "Domain", "Network", "Pipeline", "Storage", "Web"}
COPIES = {"StandbyDatabase", "StandbyKeys", "StandbyNetwork", "StandbyStorage"}


@pytest.mark.parametrize("name", ["dev", "starter", "standard", "scale"])
def test_every_profile_has_every_stack(assemblies: dict[str, Assembly], name: str) -> None:
    assert assemblies[name].templates.keys() >= OURS
    assert not assemblies[name].templates.keys() & COPIES


def test_a_warm_standby_adds_its_stacks(assemblies: dict[str, Assembly]) -> None:
    assert assemblies["standby"].templates.keys() >= OURS | COPIES


def test_two_syntheses_are_the_same(assemblies: dict[str, Assembly]) -> None:
    if sources(assemblies["standard"]) != sources(assemblies["again"]):
        pytest.skip("the sources were edited between the two")

    assert assemblies["standard"].templates == assemblies["again"].templates


def test_nothing_is_looked_up_in_an_account(standard: Assembly) -> None:
    manifest = (standard.folder / "manifest.json").read_text()

    assert '"missing"' not in manifest


@pytest.mark.parametrize("name", ["dev", "starter", "standard", "scale", "standby"])
def test_no_template_is_too_big_for_cloudformation(
    assemblies: dict[str, Assembly], name: str
) -> None:
    for stack in assemblies[name].templates:
        assert (assemblies[name].folder / f"{stack}.template.json").stat().st_size < 1_000_000
    for stack, template in assemblies[name].templates.items():
        assert len(template["Resources"]) <= 500, stack


def test_no_template_carries_a_secret(standard: Assembly) -> None:
    for value in everything_in(standard.templates):
        assert not (isinstance(value, str) and "{{resolve:secretsmanager" in value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "huge"], "there is no profile 'huge'; there are dev, starter"),
        (["--domain", "nothing"], "'nothing' is no domain name"),
        (["--profile", "dev", "--region-mode", "warm-standby"], "data that may be deleted"),
    ],
)
def test_wrong_usage_is_explained(root: Path, arguments: list[str], says: str) -> None:
    run = subprocess.run(
        [sys.executable, "-O", root / "infra" / "app.py", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (run.returncode, says in run.stderr) == (2, True), run.stderr[-2000:]


def sources(assembly: Assembly) -> dict[Path, bytes]:
    """What the pipeline's image is built from, file by file."""
    (context,) = (path.parent for path in assembly.folder.glob("asset.*/uv.lock"))
    return {
        path.relative_to(context): path.read_bytes()
        for path in sorted(context.rglob("*"))
        if path.is_file()
    }
