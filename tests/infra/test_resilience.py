"""Experiments stop when the shop is down, touch this shop only, and restores are tested."""

import json
import re
from typing import Any

import pytest

from tests.infra.templates import Assembly, Resource, flat, statements

EXPERIMENT = "AWS::FIS::ExperimentTemplate"


def experiments(shop: Assembly) -> dict[str, Resource]:
    return {e["Tags"]["Name"].removeprefix("shop-example-"): e for e in shop.resources(EXPERIMENT)}


def action_ids(experiment: Resource) -> set[str]:
    return {action["ActionId"] for action in experiment["Actions"].values()}


def granted(shop: Assembly) -> list[dict[str, Any]]:
    return [
        statement
        for policy in shop.resources("AWS::IAM::Policy", stack="Resilience")
        if "Experimenter" in policy.id
        for statement in statements(policy["PolicyDocument"])
    ]


@pytest.mark.parametrize("profile", ["dev", "starter", "standard", "scale"])
def test_every_experiment_stops_when_the_shop_is_down(
    assemblies: dict[str, Assembly], profile: str
) -> None:
    for experiment in assemblies[profile].resources(EXPERIMENT):
        (stop,) = experiment["StopConditions"]
        assert stop["Source"] == "aws:cloudwatch:alarm"
        assert "ShopIsDown" in flat(stop["Value"])
        assert "LogGroupArn" in experiment["LogConfiguration"]["CloudWatchLogsConfiguration"]


def test_what_is_practised(standard: Assembly) -> None:
    assert set(experiments(standard)) == {
        "instance-kill",
        "zone-loss",
        "latency",
        "database-failover",
    }


def test_dev_loses_an_instance_and_nothing_else(assemblies: dict[str, Assembly]) -> None:
    assert set(experiments(assemblies["dev"])) == {"instance-kill"}
    assert assemblies["dev"].resources("AWS::Backup::RestoreTestingPlan") == []


def test_a_lost_zone_loses_network_instances_capacity_and_the_database(standard: Assembly) -> None:
    lost = experiments(standard)["zone-loss"]

    assert action_ids(lost) == {
        "aws:network:disrupt-connectivity",
        "aws:ec2:asg-insufficient-instance-capacity-error",
        "aws:ec2:terminate-instances",
        "aws:rds:reboot-db-instances",
    }
    zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    assert lost["Actions"]["capacity"]["Parameters"]["availabilityZoneIdentifiers"] == zone
    zones = [
        f["Values"]
        for f in lost["Targets"]["instances"]["Filters"]
        if f["Path"] == "Placement.AvailabilityZone"
    ]
    assert zones == [[zone]]


def test_a_cluster_fails_over_as_a_cluster(assemblies: dict[str, Assembly]) -> None:
    experiment = experiments(assemblies["scale"])["database-failover"]

    assert action_ids(experiment) == {"aws:rds:failover-db-cluster"}


def test_one_instance_dies_not_all(standard: Assembly) -> None:
    target = experiments(standard)["instance-kill"]["Targets"]["instances"]

    assert target["SelectionMode"] == "COUNT(1)"
    assert "aws:autoscaling:groupName" in target["ResourceTags"]


def test_latency_reaches_half_of_the_instances_and_ends(standard: Assembly) -> None:
    experiment = experiments(standard)["latency"]
    parameters = experiment["Actions"]["delay"]["Parameters"]

    assert experiment["Targets"]["instances"]["SelectionMode"] == "PERCENT(50)"
    assert parameters["duration"] == "PT5M"
    assert json.loads(flat(parameters["documentParameters"]))["DurationSeconds"] == "300"


def test_every_target_exists_and_every_action_has_one(standard: Assembly) -> None:
    for experiment in standard.resources(EXPERIMENT):
        aimed = {t for action in experiment["Actions"].values() for t in action["Targets"].values()}
        assert aimed == set(experiment["Targets"])


def test_what_experiments_break_carries_our_tag(standard: Assembly) -> None:
    breaking = {"ec2:TerminateInstances": "aws:ResourceTag/shop", "ssm:SendCommand": None}
    for statement in granted(standard):
        for action in set(statement["Action"]) & breaking.keys():
            if any("instance/*" in flat(resource) for resource in statement["Resource"]):
                condition = statement["Condition"]["StringEquals"]
                assert condition in (
                    {"aws:ResourceTag/shop": "shop.example"},
                    {"ssm:resourceTag/shop": "shop.example"},
                ), action


def test_a_star_is_for_looking_logging_or_bound_by_a_condition(standard: Assembly) -> None:
    harmless = re.compile(r"^(\w+:(Describe|List)\w*|logs:\w+|tag:GetResources|ssm:CancelCommand)$")
    for statement in granted(standard):
        if statement["Resource"] == ["*"] and "Condition" not in statement:
            assert [a for a in statement["Action"] if not harmless.match(a)] == []


def test_zone_shifts_are_practised_and_end_when_the_shop_is_down(standard: Assembly) -> None:
    shift = standard.one("AWS::ARCZonalShift::ZonalAutoshiftConfiguration")
    practice = shift["PracticeRunConfiguration"]

    assert shift["ZonalAutoshiftStatus"] == "ENABLED"
    for alarms in (practice["OutcomeAlarms"], practice["BlockingAlarms"]):
        assert ["ShopIsDown" in flat(alarm["AlarmIdentifier"]) for alarm in alarms] == [True]
    assert len(practice["BlockedWindows"]) <= 15
    for window in practice["BlockedWindows"]:
        assert re.fullmatch(r"([A-Z][a-z]{2}):\d\d:\d\d-([A-Z][a-z]{2}):\d\d:\d\d", window)


@pytest.mark.parametrize("profile", ["starter", "standard", "scale"])
def test_backups_of_everything_are_restored_every_week(
    assemblies: dict[str, Assembly], profile: str
) -> None:
    shop = assemblies[profile]
    plan = shop.one("AWS::Backup::RestoreTestingPlan")
    selections = shop.resources("AWS::Backup::RestoreTestingSelection")

    assert plan["ScheduleExpression"] == "cron(0 6 ? * TUE *)"
    assert {s["ProtectedResourceType"] for s in selections} == {"RDS", "DynamoDB"}
    assert all(s["RestoreTestingPlanName"] == plan["RestoreTestingPlanName"] for s in selections)
    tables = next(s for s in selections if s["ProtectedResourceType"] == "DynamoDB")
    assert len(tables["ProtectedResourceArns"]) == 2
