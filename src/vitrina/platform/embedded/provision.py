"""Creates in an embedded AWS what ``platform.resources`` declares. On AWS, CloudFormation does."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vitrina.platform import aws
from vitrina.platform.resources import BUCKETS, QUEUES, TABLES, Index, Key, Queue, Table
from vitrina.settings import Settings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

FAILED_KEPT_S = 14 * 24 * 3600  # the most SQS keeps a message


def provision(settings: Settings) -> list[str]:
    """Create what is missing, and leave alone what is there.

    An index declared since a table was created is added to it.

    Returns:
        The names of what was created.
    """
    dynamodb, s3, sqs = (
        aws.dynamodb_client(settings),
        aws.s3_client(settings),
        aws.sqs_client(settings),
    )
    return [
        *_tables(dynamodb, settings),
        *_buckets(s3, settings),
        *_queues(sqs, settings),
    ]


def missing(settings: Settings) -> list[str]:
    """The names of what is declared and does not exist, such as ``table vitrina-carts``."""
    found = {
        "table": _table_names(aws.dynamodb_client(settings)),
        "bucket": _bucket_names(aws.s3_client(settings)),
        "queue": _queue_names(aws.sqs_client(settings), settings),
    }
    declared = [
        *(("table", settings.named(table.name)) for table in TABLES),
        *(("bucket", settings.named(bucket.name)) for bucket in BUCKETS),
        *(("queue", settings.named(queue.name)) for queue in QUEUES),
    ]
    return [f"{kind} {name}" for kind, name in declared if name not in found[kind]]


def _tables(client: "DynamoDBClient", settings: Settings) -> Iterator[str]:
    found = _table_names(client)
    for table in TABLES:
        name = settings.named(table.name)
        if name not in found:
            client.create_table(**_table_request(table, name))
            if table.ttl_attribute:
                client.update_time_to_live(
                    TableName=name,
                    TimeToLiveSpecification={
                        "Enabled": True,
                        "AttributeName": table.ttl_attribute,
                    },
                )
            yield name
            continue
        there = client.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes", [])
        known = {index.get("IndexName") for index in there}
        for index in table.indexes:
            if index.name not in known:
                client.update_table(
                    TableName=name,
                    AttributeDefinitions=_attributes(table),
                    GlobalSecondaryIndexUpdates=[{"Create": _index_request(index)}],
                )
                yield f"{name}/{index.name}"


def _buckets(client: "S3Client", settings: Settings) -> Iterator[str]:
    found = _bucket_names(client)
    for bucket in BUCKETS:
        name = settings.named(bucket.name)
        if name not in found:
            region: Any = settings.aws_region
            if region == "us-east-1":  # S3's first region is the one that must not be named
                client.create_bucket(Bucket=name)
            else:
                client.create_bucket(
                    Bucket=name, CreateBucketConfiguration={"LocationConstraint": region}
                )
            yield name


def _queues(client: "SQSClient", settings: Settings) -> Iterator[str]:
    found = _queue_names(client, settings)
    for queue in QUEUES:
        name, failed = settings.named(queue.name), settings.named(queue.failed_name)
        if name in found and failed in found:
            continue
        keep: Any = {"MessageRetentionPeriod": str(FAILED_KEPT_S)}
        failed_url = client.create_queue(QueueName=failed, Attributes=keep)["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=failed_url, AttributeNames=["QueueArn"])
        client.create_queue(
            QueueName=name, Attributes=_queue_attributes(queue, arn["Attributes"]["QueueArn"])
        )
        yield name


def _table_names(client: "DynamoDBClient") -> set[str]:
    pages = client.get_paginator("list_tables").paginate()
    return {name for page in pages for name in page["TableNames"]}


def _bucket_names(client: "S3Client") -> set[str]:
    return {bucket["Name"] for bucket in client.list_buckets()["Buckets"] if "Name" in bucket}


def _queue_names(client: "SQSClient", settings: Settings) -> set[str]:
    pages = client.get_paginator("list_queues").paginate(QueueNamePrefix=settings.prefix)
    return {url.rpartition("/")[2] for page in pages for url in page.get("QueueUrls", [])}


def _table_request(table: Table, name: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _attributes(table),
        "KeySchema": _key_schema(table.key),
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [_index_request(index) for index in table.indexes]
    if table.stream:
        request["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
    return request


def _attributes(table: Table) -> list[Any]:
    """Each key attribute once, in order of first mention."""
    keys = (table.key, *(index.key for index in table.indexes))
    names = dict.fromkeys(name for key in keys for name in (key.partition, key.sort) if name)
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def _key_schema(key: Key) -> list[Any]:
    schema = [{"AttributeName": key.partition, "KeyType": "HASH"}]
    if key.sort:
        schema.append({"AttributeName": key.sort, "KeyType": "RANGE"})
    return schema


def _index_request(index: Index) -> Any:
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.key),
        "Projection": {"ProjectionType": index.projection},
    }


def _queue_attributes(queue: Queue, failed_arn: str) -> Any:
    give_up = {"deadLetterTargetArn": failed_arn, "maxReceiveCount": queue.attempts}
    return {
        "VisibilityTimeout": str(queue.visibility_timeout_s),
        "RedrivePolicy": json.dumps(give_up),
    }
