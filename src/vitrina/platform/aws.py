"""boto3 clients: one per service and process, with time limits and few retries."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from vitrina.settings import Settings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

Client = TypeVar("Client")

_SERVICES = ("dynamodb", "s3", "sqs")

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
    return _session().client(
        "dynamodb",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_CONFIG,
    )


def s3_client(settings: Settings) -> "S3Client":
    return _session().client(
        "s3",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_PATH_STYLE if settings.aws_endpoint_url else _CONFIG,
    )


def sqs_client(settings: Settings) -> "SQSClient":
    return _session().client(
        "sqs",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=_QUEUE_CONFIG,
    )


def made_when_used(make: Callable[[], Client]) -> Client:
    """A client that comes into being with its first call.

    A client costs tens of milliseconds and megabytes, and many a process never uses each of them:
    on AWS the web process neither reads objects nor sends messages. Threads may share it.
    """
    return cast("Client", _MadeWhenUsed(make))


@cache
def _session() -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", _OwnServicesOnly())
    return boto3.Session(botocore_session=core)


class _OwnServicesOnly(Loader):
    """Keeps of botocore's list of endpoints what concerns the services used here.

    The whole list is of 400 services, and every process would hold 7 MB of it for good.
    """

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if name != "endpoints":
            loaded: tuple[Any, str] = super().load_data_with_path(name)
            return loaded
        path = str(Path(self.BUILTIN_DATA_PATH, name))
        listed = self.file_loader.load_file(path)
        for partition in listed["partitions"]:
            services = partition["services"]
            partition["services"] = {one: services[one] for one in _SERVICES if one in services}
        return listed, path


class _MadeWhenUsed:
    _making = Lock()  # of the class: boto3's session must not make two clients at once

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object = None

    def __getattr__(self, operation: str) -> Any:
        if self._made is None:
            with self._making:
                if self._made is None:
                    self._made = self._make()
        return getattr(self._made, operation)
