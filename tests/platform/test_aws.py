"""Clients reach the same addresses as plain boto3's, and come into being when they are needed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from vitrina.platform import aws
from vitrina.settings import Settings

MAKERS: dict[str, Any] = {
    "dynamodb": aws.dynamodb_client,
    "s3": aws.s3_client,
    "sqs": aws.sqs_client,
}


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("service", MAKERS)
def test_aws_itself_is_found_where_boto3_finds_it(
    service: Any, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/none")
    monkeypatch.setenv("AWS_REGION", region)
    ours = MAKERS[service](Settings())
    plain = boto3.client(service, region_name=region)

    assert ours.meta.endpoint_url == plain.meta.endpoint_url
    assert ours.meta.partition == plain.meta.partition
    assert ours.meta.config.signature_version == plain.meta.config.signature_version
    assert ours.meta.config.read_timeout <= 30


def test_a_client_is_made_once_and_not_before_its_first_call() -> None:
    made: list[object] = []

    class Client:
        def __init__(self) -> None:
            made.append(self)

        def ask(self) -> object:
            return self

    client = aws.made_when_used(Client)
    assert made == []
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: client.ask(), range(50)))

    assert answers == set(made)
    assert len(made) == 1
