"""The programs that run beside the web process on an instance, against the real stores."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import psycopg
import pytest

from vitrina.entrypoints.wiring import Services
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.outbox import Message, Outbox
from vitrina.platform.queue import Received

PATIENCE_S = 60.0  # on a busy machine


@contextmanager
def started(
    log: Path, *command: str | Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of ours for as long as the context lasts."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.1)


def test_the_relay_sends_what_is_due_and_stops_cleanly(
    services: Services, root: Path, tmp_path: Path
) -> None:
    with services.db.begin() as tx:
        Outbox(tx).add(Message("order.paid", "o1", services.now()))
    log = tmp_path / "log"

    with started(
        log,
        root / "infra" / "images" / "web" / "relay.py",
        DATABASE_URL=services.settings.database_url.get_secret_value(),
        VITRINA_PREFIX=services.settings.prefix,
    ) as relay:
        received: list[Received] = []

        def arrived() -> bool:
            received.extend(services.events.receive(wait_s=1))
            return bool(received)

        eventually(arrived)
        relay.send_signal(signal.SIGTERM)
        code = relay.wait(PATIENCE_S)

    assert [json.loads(message.body)["subject"] for message in received] == ["o1"]
    assert code == 0, log.read_text()


@pytest.fixture
def secret(platform: Embedded) -> Iterator[str]:
    """A secret as RDS keeps one; gives its address."""
    secrets = boto3.client("secretsmanager", region_name=platform.settings.aws_region)
    made = secrets.create_secret(
        Name=f"database-{time.monotonic_ns()}",
        SecretString=json.dumps({"username": "shop", "password": "the:first"}),
    )
    yield made["ARN"]
    secrets.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)


def test_a_changed_password_reaches_the_next_connection(
    platform: Embedded, secret: str, root: Path, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    asked = psycopg.conninfo.conninfo_to_dict(f"passfile={passwords}")
    assert asked == {"passfile": str(passwords)}, "libpq knows the parameter"

    with started(
        tmp_path / "log",
        root / "infra" / "images" / "password" / "passfile.py",
        passwords,
        "--every",
        "0.2",
        DATABASE_SECRET=secret,
        AWS_DEFAULT_REGION=platform.settings.aws_region,
    ):
        eventually(lambda: passwords.exists())
        assert passwords.read_text() == "*:*:*:shop:the\\:first\n"

        secrets = boto3.client("secretsmanager", region_name=platform.settings.aws_region)
        changed = json.dumps({"username": "shop", "password": "the second"})
        secrets.put_secret_value(SecretId=secret, SecretString=changed)
        eventually(lambda: passwords.read_text() == "*:*:*:shop:the second\n")
