"""The stores as a whole: what survives, what ends, who is let in."""

import os
import time
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import pytest

from vitrina.platform.embedded.lock import DataInUse, holder_of
from vitrina.platform.embedded.provision import missing, provision
from vitrina.platform.embedded.supervisor import Embedded, connected

from .conftest import Launch, Launcher, gone


def table_of(launcher: Launcher) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=launcher.holder.environment["AWS_ENDPOINT_URL"],
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def sql(launcher: Launcher) -> psycopg.Connection[Any]:
    url = launcher.holder.environment["DATABASE_URL"]
    return psycopg.connect(url, autocommit=True, connect_timeout=5)


def test_killing_everything_loses_no_commit_and_at_most_five_seconds_of_items(
    data: Path, hold: Launch
) -> None:
    launcher = hold(data)
    items = table_of(launcher)
    written_s: list[float] = []
    began = time.monotonic()
    with sql(launcher) as connection:
        connection.execute("CREATE TABLE tally (n int PRIMARY KEY)")
        while time.monotonic() < began + 6.5:
            number = len(written_s)
            connection.execute("INSERT INTO tally VALUES (%s)", [number])
            items.put_item(TableName="vitrina-carts", Item={"id": {"S": str(number)}})
            written_s.append(time.monotonic())
        tree = launcher.tree()
        for process in tree:
            process.kill()
        killed_s = time.monotonic()
    assert gone(tree, 5) == []

    launcher = hold(data)
    with sql(launcher) as connection:
        commits = [n for (n,) in connection.execute("SELECT n FROM tally ORDER BY n")]
    pages = table_of(launcher).get_paginator("scan").paginate(TableName="vitrina-carts")
    kept = {int(item["id"]["S"]) for page in pages for item in page["Items"]}

    assert commits == list(range(len(written_s)))
    old_enough = {n for n, at_s in enumerate(written_s) if at_s < killed_s - 5}
    assert old_enough, "nothing was written early enough to tell"
    assert old_enough <= kept


def test_everything_is_there_after_a_clean_stop_and_no_process_is(data: Path, hold: Launch) -> None:
    launcher = hold(data)
    tree = launcher.tree()
    names = {Path(process.exe()).name for process in tree}
    table_of(launcher).put_item(TableName="vitrina-carts", Item={"id": {"S": "last"}})
    with sql(launcher) as connection:
        connection.execute("CREATE TABLE kept ()")

    took_s = launcher.stop()

    assert "postgres" in names
    assert len(tree) >= 3  # the launcher, ministack, PostgreSQL and its helpers
    assert gone(tree, 1) == []
    assert took_s < 5
    launcher = hold(data)
    key = {"id": {"S": "last"}}
    assert "Item" in table_of(launcher).get_item(TableName="vitrina-carts", Key=key)
    with sql(launcher) as connection:
        connection.execute("SELECT FROM kept")


def test_children_do_not_outlive_a_killed_launcher_and_the_next_start_works(
    data: Path, hold: Launch
) -> None:
    launcher = hold(data)
    _, *children = launcher.tree()
    table_of(launcher).put_item(TableName="vitrina-carts", Item={"id": {"S": "just now"}})

    launcher.process.kill()

    # At once, so it meets what is still ending, and has to wait for the state they save.
    launcher = hold(data)
    assert gone(children, 0) == []
    key = {"id": {"S": "just now"}}
    assert "Item" in table_of(launcher).get_item(TableName="vitrina-carts", Key=key)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, hold: Launch) -> Launcher:
    return hold(tmp_path_factory.mktemp("held"))


def test_a_second_launcher_is_told_who_runs_on_the_data(held: Launcher) -> None:
    with pytest.raises(DataInUse, match=rf"Process {held.process.pid} runs on the data"):
        Embedded(held.data).start()

    assert holder_of(held.data) == held.holder
    assert held.process.poll() is None


def test_a_command_joins_the_stores_that_run(held: Launcher) -> None:
    before = dict(os.environ)

    with connected(held.data) as settings:
        assert settings.database_url.get_secret_value() == os.environ["DATABASE_URL"]
        assert os.environ["DATABASE_URL"] == held.holder.environment["DATABASE_URL"]
        assert missing(settings) == []

    assert dict(os.environ) == before
    assert held.process.poll() is None


def test_a_command_starts_stores_of_its_own_when_none_run(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    before = dict(os.environ)

    with connected(data) as settings:
        assert missing(settings) == []
        assert holder_of(data) is not None
        ours = psutil.Process().children(recursive=True)

    assert holder_of(data) is None
    assert [child for child in ours if child.is_running() and str(data) in _line(child)] == []
    assert dict(os.environ) == before


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_the_server_that_database_url_names_is_used(
    tmp_path: Path, platform: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = platform.settings.database_url.get_secret_value()
    monkeypatch.setenv("DATABASE_URL", theirs)

    with Embedded(tmp_path) as embedded:
        assert embedded.settings.database_url.get_secret_value() == theirs
        assert [child.name for child in embedded.children] == ["the embedded AWS"]

    assert not (tmp_path / "postgres").exists()


def test_creating_what_is_declared_twice_creates_nothing(platform: Embedded) -> None:
    settings = platform.settings.model_copy(update={"prefix": "twice"})

    assert missing(settings) == [
        *("table twice-catalogue", "table twice-carts"),
        *("bucket twice-assets", "bucket twice-uploads", "queue twice-events"),
    ]
    assert len(provision(settings)) == 5
    assert missing(settings) == []
    assert provision(settings) == []


def test_an_index_declared_later_is_added_to_a_table(platform: Embedded) -> None:
    settings = platform.settings.model_copy(update={"prefix": "older"})
    client = boto3.client("dynamodb", region_name=settings.aws_region)
    client.create_table(
        TableName="older-catalogue",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )

    created = provision(settings)

    assert "older-catalogue/by-price" in created
    answer = client.query(
        TableName="older-catalogue",
        IndexName="by-price",
        KeyConditionExpression="listing_key = :k",
        ExpressionAttributeValues={":k": {"S": "all"}},
    )
    assert answer["Count"] == 0
    assert provision(settings) == []


def test_a_message_that_fails_too_often_goes_to_the_failed_queue(platform: Embedded) -> None:
    settings = platform.settings.model_copy(update={"prefix": "failing"})
    provision(settings)
    sqs = boto3.client("sqs", region_name=settings.aws_region)
    url = sqs.get_queue_url(QueueName="failing-events")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")

    for _ in range(5):
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    failed = sqs.get_queue_url(QueueName="failing-events-failed")["QueueUrl"]
    assert sqs.receive_message(QueueUrl=failed)["Messages"][0]["Body"] == "{}"
