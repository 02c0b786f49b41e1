"""The web stack: what stands between a request and the process, and what the process may do."""

import re
import subprocess

import pytest

from tests.infra.templates import Assembly, Resource, flat, statements
from vitrina.platform.resources import CATALOGUE

USER_DATA_MAX_BYTES = 16 * 1024


@pytest.fixture(scope="module")
def launch(standard: Assembly) -> Resource:
    return standard.one("AWS::EC2::LaunchTemplate", stack="Web")


@pytest.fixture(scope="module")
def boot(launch: Resource) -> str:
    """The script of a new instance; what CloudFormation fills in stands in braces."""
    return flat(launch["LaunchTemplateData"]["UserData"])


def test_instances_demand_tokens_and_answer_no_container(launch: Resource) -> None:
    options = launch["LaunchTemplateData"]["MetadataOptions"]

    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)


def test_volumes_are_encrypted_and_instances_watched_by_the_minute(launch: Resource) -> None:
    data = launch["LaunchTemplateData"]

    assert [v["Ebs"]["Encrypted"] for v in data["BlockDeviceMappings"]] == [True]
    assert data["Monitoring"] == {"Enabled": True}
    assert "KeyName" not in data


def test_the_boot_script_is_a_script_and_fits(boot: str) -> None:
    check = subprocess.run(
        ["bash", "-n"], input=boot, capture_output=True, text=True, timeout=20, check=False
    )

    assert (check.returncode, check.stderr) == (0, "")
    assert len(boot.encode()) < USER_DATA_MAX_BYTES
    assert re.findall(r"@[a-z_]+@", boot) == []


def test_the_scripts_inside_the_boot_script_are_scripts(boot: str) -> None:
    files = dict(re.findall(r"^cat >(\S+) <<'END'\n(.*?)\nEND$", boot, re.M | re.S))

    for name in ("/etc/vitrina/passfile.py", "/etc/vitrina/relay.py"):
        compile(files[name], name, "exec")
    drain = files["/etc/vitrina/drain.sh"]
    assert subprocess.run(["bash", "-n"], input=drain, text=True, check=False).returncode == 0
    assert "DATABASE_URL=postgresql://shop@" in files["/etc/vitrina/environment"]


def test_the_database_is_spoken_to_by_tls_that_is_checked_and_no_password_is_written(
    boot: str,
) -> None:
    (url,) = re.findall(r"^DATABASE_URL=(.*)$", boot, re.M)

    assert "sslmode=verify-full" in url
    assert re.match(r"postgresql://shop@\{.*\}:15432/shop\?", url)


def test_the_group_refreshes_instance_by_instance(standard: Assembly) -> None:
    group = standard.one("AWS::AutoScaling::AutoScalingGroup")

    refresh = group.body["UpdatePolicy"]["AutoScalingInstanceRefresh"]
    assert refresh["Preferences"]["MinHealthyPercentage"] == 100


def test_an_instance_is_let_go_only_when_it_is_done(standard: Assembly) -> None:
    hook = standard.one("AWS::AutoScaling::LifecycleHook")

    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert 60 <= hook["HeartbeatTimeout"] <= 120


def test_the_ten_second_metric_drives_the_group(standard: Assembly) -> None:
    policies = standard.resources("AWS::AutoScaling::ScalingPolicy")
    tracked = [
        query["MetricStat"]
        for policy in policies
        for query in policy.properties.get("TargetTrackingConfiguration", {})
        .get("CustomizedMetricSpecification", {})
        .get("Metrics", [])
    ]

    assert [(t["Period"], t["Metric"]["MetricName"]) for t in tracked] == [
        (10, "RequestsPerInstance")
    ]


def test_the_role_does_what_the_code_calls_and_nothing_else(standard: Assembly) -> None:
    policy = next(
        p
        for p in standard.resources("AWS::IAM::Policy", stack="Web")
        if "Role" in p.id and "catalogue" not in p.id
    )
    actions = {
        action
        for statement in statements(policy["PolicyDocument"])
        for action in statement["Action"]
    }

    assert actions == {
        "autoscaling:CompleteLifecycleAction",
        "cloudwatch:PutMetricData",
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "secretsmanager:GetSecretValue",
        "sqs:GetQueueUrl",
        "sqs:SendMessage",
    }


def test_every_declared_index_may_be_asked(standard: Assembly) -> None:
    asked = {
        flat(resource).rpartition("/index/")[2]
        for policy in standard.resources("AWS::IAM::Policy", stack="Web")
        for statement in statements(policy["PolicyDocument"])
        for resource in statement["Resource"]
        if "/index/" in flat(resource)
    }

    assert asked == {index.name for index in CATALOGUE.indexes}
