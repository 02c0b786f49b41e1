"""The rule packs and cfn-lint find nothing that has not been answered for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.nag import ACKNOWLEDGED
from tests.infra.templates import Assembly

MOST_RULES = 25


@pytest.mark.parametrize("name", ["starter", "standard", "scale", "standby"])
def test_the_rule_packs_find_nothing(assemblies: dict[str, Assembly], name: str) -> None:
    found = [
        f"{violation['ruleName']}: {place.get('constructPath')}"
        for plugin in assemblies[name].report["pluginReports"]
        for violation in plugin["violations"]
        for place in violation.get("violatingConstructs", [{}])
    ]

    assert found == []


def test_the_packs_see_what_a_shop_for_trying_things_does_without(
    assemblies: dict[str, Assembly],
) -> None:
    found = {
        violation["ruleName"]
        for plugin in assemblies["dev"].report["pluginReports"]
        for violation in plugin["violations"]
    }

    assert found >= {
        "AwsSolutions-RDS3",  # Multi-AZ
        "AwsSolutions-RDS10",  # deletion protection
        "NIST.800.53.R5-RDSMultiAZSupport",
        "NIST.800.53.R5-ELBDeletionProtectionEnabled",
    }


def test_few_rules_are_acknowledged() -> None:
    assert len({entry.rule for entry in ACKNOWLEDGED}) <= MOST_RULES


@pytest.mark.parametrize("entry", ACKNOWLEDGED, ids=lambda entry: f"{entry.rule}-{entry.at[0]}")
def test_a_reason_says_what_makes_up_for_the_rule(entry: object) -> None:
    reason = str(getattr(entry, "reason", ""))

    assert len(reason) > 80
    assert reason.endswith(".")
    for named in re.findall(r"tests/\S+\.py", reason):
        assert Path(named).exists()


def test_cfn_lint_finds_nothing(standard: Assembly, assemblies: dict[str, Assembly]) -> None:
    templates = [
        *sorted(standard.folder.glob("*.template.json")),
        *sorted(assemblies["standby"].folder.glob("Standby*.template.json")),
        assemblies["scale"].folder / "Data.template.json",
    ]
    run = subprocess.run(
        [
            str(Path(sys.executable).parent / "cfn-lint"),
            "--regions",
            "eu-central-1",
            # W3005: the CDK writes dependencies that references already make.
            "--ignore-checks",
            "W3005",
            "--format",
            "parseable",
            "--",
            *map(str, templates),
        ],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "AWS_DEFAULT_REGION": "eu-central-1"},
    )

    assert run.returncode == 0, run.stdout + run.stderr
