"""boto3 clients: one per service and process, with time limits and few retries."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from vitrina.settings import Settings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

# Three attempts in all; adaptive mode slows down by itself when AWS throttles.
_CONFIG = Config(
    connect_timeout=1.0,
    read_timeout=5.0,
    retries={"total_max_attempts": 3, "mode": "adaptive"},
    max_pool_connections=64,
)
# A stand-in on 127.0.0.1 has no host name per bucket.
_PATH_STYLE = _CONFIG.merge(Config(s3={"addressing_style": "path"}))
# A long poll of 20 s must outlast the ordinary read limit.
_QUEUE_CONFIG = _CONFIG.merge(Config(read_timeout=30.0))


def dynamodb_client(settings: Settings) -> "DynamoDBClient":
    return boto3.client(
        "dynamodb",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_CONFIG,
    )


def s3_client(settings: Settings) -> "S3Client":
    return boto3.client(
        "s3",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_PATH_STYLE if settings.aws_endpoint_url else _CONFIG,
    )


def sqs_client(settings: Settings) -> "SQSClient":
    return boto3.client(
        "sqs",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_QUEUE_CONFIG,
    )
