"""The embedded AWS by itself: what it remembers, and whom it refuses."""

import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from vitrina.platform.embedded import aws
from vitrina.platform.embedded.processes import free_port, wait_for_http

from .conftest import plain_environment

SAVE_EVERY_S = 0.4
Serve = Callable[[], "Server"]


class Server:
    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "vitrina.platform.embedded.aws"),
                *("--port", str(self.port), "--data", str(data), "--save-every", str(SAVE_EVERY_S)),
            ],
            env=plain_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> "Server":
        def ended() -> bool:
            return self.process.poll() is not None

        assert wait_for_http(self.port, aws.HEALTH_PATH, timeout_s=30, hopeless=ended)
        return self

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-central-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(s3={"addressing_style": "path"}),
        )

    def end(self, number: signal.Signals) -> str:
        """Its last words."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=15)[1]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start the embedded AWS on one folder, again and again."""
    servers: list[Server] = []

    def start() -> Server:
        servers.append(Server(tmp_path))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def make_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "rank", "AttributeType": "N"},
            {"AttributeName": "kind", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "rank", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-kind",
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "rank", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def item(rank: int, **more: Any) -> Any:
    return {"id": {"S": "chair"}, "rank": {"N": str(rank)}, "kind": {"S": "seat"}, **more}


def test_what_was_written_is_there_again_after_a_kill(serve: Serve) -> None:
    server = serve().ready()
    dynamodb, s3, sqs = (server.client(name) for name in ("dynamodb", "s3", "sqs"))
    make_table(dynamodb, "kept")
    make_table(dynamodb, "dropped")
    rich = {"M": {"finish": {"L": [{"S": "oak — geölt"}, {"NULL": True}]}, "b": {"B": b"\x00\xff"}}}
    for rank in range(30):
        dynamodb.put_item(TableName="kept", Item=item(rank, detail=rich))
    dynamodb.put_item(TableName="dropped", Item=item(1))
    s3.create_bucket(
        Bucket="assets", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    s3.put_object(
        Bucket="assets",
        Key="models/a.glb",
        Body=b"glTF",
        ContentEncoding="br",
        CacheControl="immutable",
    )
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="do it")
    time.sleep(2 * SAVE_EVERY_S)
    # What is on disk by now changes again: an update, a removal, a table less.
    dynamodb.update_item(
        TableName="kept",
        Key={"id": {"S": "chair"}, "rank": {"N": "3"}},
        UpdateExpression="SET stock = :s",
        ExpressionAttributeValues={":s": {"N": "7"}},
    )
    dynamodb.delete_item(TableName="kept", Key={"id": {"S": "chair"}, "rank": {"N": "4"}})
    dynamodb.delete_table(TableName="dropped")
    time.sleep(2 * SAVE_EVERY_S)

    server.end(signal.SIGKILL)
    server = serve().ready()

    dynamodb, s3, sqs = (server.client(name) for name in ("dynamodb", "s3", "sqs"))
    assert dynamodb.list_tables()["TableNames"] == ["kept"]
    found = dynamodb.query(
        TableName="kept",
        IndexName="by-kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "seat"}},
    )["Items"]
    expected = [item(rank, detail=rich) for rank in range(30) if rank != 4]
    expected[3]["stock"] = {"N": "7"}
    assert found == expected
    kept = s3.get_object(Bucket="assets", Key="models/a.glb")
    assert (kept["Body"].read(), kept["ContentEncoding"]) == (b"glTF", "br")
    assert kept["CacheControl"] == "immutable"
    queue = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=queue)["Messages"]] == ["do it"]


def test_reading_writes_nothing_to_the_disk(serve: Serve, tmp_path: Path) -> None:
    server = serve().ready()
    dynamodb = server.client("dynamodb")
    make_table(dynamodb, "quiet")
    time.sleep(2 * SAVE_EVERY_S)
    before = _written_bytes(tmp_path)

    for _ in range(20):
        dynamodb.get_item(TableName="quiet", Key={"id": {"S": "chair"}, "rank": {"N": "1"}})
        dynamodb.list_tables()
    time.sleep(2 * SAVE_EVERY_S)

    assert _written_bytes(tmp_path) == before


def _written_bytes(data: Path) -> bytes:
    return (data / "state.sqlite3").read_bytes() + (data / "state.sqlite3-wal").read_bytes()


def test_a_damaged_state_is_named_and_left_alone(serve: Serve, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    state.write_bytes(b"this is no database, whatever its name says" * 100)

    words = serve().process.communicate(timeout=30)[1]

    assert f"embedded AWS: {state} cannot be read" in words
    assert "move it away to begin with empty tables" in words
    assert "Traceback" not in words
    assert state.read_bytes().startswith(b"this is no database")


def test_a_truncated_state_is_named(serve: Serve, tmp_path: Path) -> None:
    server = serve().ready()
    dynamodb = server.client("dynamodb")
    make_table(dynamodb, "kept")
    for rank in range(200):
        dynamodb.put_item(TableName="kept", Item=item(rank, detail={"S": "x" * 500}))
    server.end(signal.SIGTERM)
    state = tmp_path / "state.sqlite3"
    state.write_bytes(state.read_bytes()[:20_000])

    words = serve().process.communicate(timeout=30)[1]

    assert f"embedded AWS: {state} cannot be read" in words


def test_the_state_of_a_later_version_is_not_touched(serve: Serve, tmp_path: Path) -> None:
    later = sqlite3.connect(tmp_path / "state.sqlite3")
    later.execute(f"PRAGMA user_version = {aws.FORMAT + 1}")
    later.close()

    words = serve().process.communicate(timeout=30)[1]

    assert "was written by a later version of Vitrina" in words


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://example.com", 403),
        ("null", 403),
        ("http://127.0.0.1.example.com", 403),
        ("http://127.0.0.1:8000", 200),
        ("http://localhost:8000", 200),
        (None, 200),
    ],
)
def test_pages_of_other_sites_are_refused(platform: Any, origin: str | None, status: int) -> None:
    request = urllib.request.Request(platform.settings.aws_endpoint_url + aws.HEALTH_PATH)
    if origin:
        request.add_header("Origin", origin)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            found = answer.status
    except urllib.error.HTTPError as refusal:
        found = refusal.code

    assert found == status
