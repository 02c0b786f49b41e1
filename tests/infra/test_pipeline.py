"""Queues, functions, and the password file that both kinds of process read."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.images.password.passfile import line_of, write
from tests.infra.templates import Assembly, Resource, flat
from vitrina.platform.resources import QUEUES, Queue
from vitrina.settings import Settings


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: str(queue.name))
def test_a_queue_is_what_it_is_declared_to_be(standard: Assembly, queue: Queue) -> None:
    jobs = standard.one("AWS::SQS::Queue", QueueName=f"shop-example-{queue.name}")
    failed = standard.one("AWS::SQS::Queue", QueueName=f"shop-example-{queue.failed_name}")

    assert jobs["VisibilityTimeout"] == queue.visibility_timeout_s
    assert jobs["RedrivePolicy"]["maxReceiveCount"] == queue.attempts
    assert failed.id in flat(jobs["RedrivePolicy"]["deadLetterTargetArn"])
    assert failed["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_no_function_outlasts_the_time_its_message_is_hidden(standard: Assembly) -> None:
    queues = {
        q.id: q["VisibilityTimeout"]
        for q in standard.resources("AWS::SQS::Queue")
        if "VisibilityTimeout" in q.properties
    }
    timeouts = {f.id: f["Timeout"] for f in functions(standard)}
    for mapping in standard.resources("AWS::Lambda::EventSourceMapping"):
        hidden_s = queues[flat(mapping["EventSourceArn"]).strip("{}").split(".")[0]]
        assert timeouts[flat(mapping["FunctionName"]).strip("{}")] * 2 <= hidden_s


def test_functions_are_traced_and_logged_for_a_year(standard: Assembly) -> None:
    for function in functions(standard):
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert "LogGroup" in function["LoggingConfig"]
    for group in standard.resources("AWS::Logs::LogGroup", stack="Pipeline"):
        assert group["RetentionInDays"] == 365


def test_strangers_files_are_opened_where_no_road_leads_out(standard: Assembly) -> None:
    (models,) = [
        f
        for f in functions(standard)
        if f["PackageType" if "PackageType" in f.properties else "Timeout"] == "Image"
    ]
    subnets = {flat(subnet) for subnet in models["VpcConfig"]["SubnetIds"]}

    assert all("dataSubnet" in subnet for subnet in subnets)
    for route in standard.resources("AWS::EC2::Route", stack="Network"):
        assert "dataSubnet" not in flat(route["RouteTableId"]), "isolated subnets have no way out"


def test_an_upload_becomes_a_message(standard: Assembly) -> None:
    rule = standard.one("AWS::Events::Rule", stack="Pipeline")

    assert rule["EventPattern"]["detail"] == {"bucket": {"name": ["shop-example-uploads"]}}
    assert "ModelsJobs" in flat(rule["Targets"][0]["Arn"])


def test_processes_get_settings_by_the_names_that_settings_have(standard: Assembly) -> None:
    for function in functions(standard):
        given = function["Environment"]["Variables"]
        ours = {name for name in given if name.startswith("VITRINA_")}

        known = {f"VITRINA_{name}".upper() for name in Settings.model_fields}
        assert ours <= known
        assert "AWS_REGION" not in given, "Lambda sets it, and refuses ours"


def test_a_password_with_every_sign_survives_the_file() -> None:
    secret = json.dumps({"username": "shop", "password": "a:b\\c d"})

    assert line_of(secret) == "*:*:*:shop:a\\:b\\\\c d\n"


def test_the_password_file_is_its_owners_alone_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "passwords"

    for password in ("first", "second"):
        write(path, line_of(json.dumps({"username": "shop", "password": password})))

        assert path.read_text() == f"*:*:*:shop:{password}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_secret_the_process_does_not_start(tmp_path: Path, root: Path) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "DATABASE_SECRET": "secret",
    }
    program = root / "infra" / "images" / "password" / "passfile.py"
    run = subprocess.run(
        [sys.executable, program, tmp_path / "passwords", "--every", "1"],
        env={**os.environ, **nowhere},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert run.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_every_script_is_a_script(root: Path) -> None:
    wrapper = root / "infra/images/password/with-password"

    assert subprocess.run(["sh", "-n", wrapper], check=False).returncode == 0
    assert os.access(wrapper, os.X_OK)


def functions(assembly: Assembly) -> list[Resource]:
    return assembly.resources("AWS::Lambda::Function", stack="Pipeline")
