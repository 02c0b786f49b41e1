"""S3 in the shop's words: a store of named, typed, immutable or replaceable objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from vitrina.kernel.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

IMMUTABLE = "public, max-age=31536000, immutable"


class NoSuchObject(NotFound):
    """No object has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no object {key!r}.")


class ObjectsUnavailable(Unavailable):
    """S3 did not answer in time."""

    def __init__(self) -> None:
        super().__init__("The shop's file store does not answer just now. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it lies in the bucket: ``data`` is still coded by ``content_encoding``."""

    data: bytes
    content_type: str
    content_encoding: str | None
    cache_control: str | None
    etag: str


class ObjectStore:
    """One bucket. Threads may share it."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str,
        content_encoding: str | None = None,
        cache_control: str | None = None,
    ) -> None:
        """Write an object whole; readers see the old one or the new one, never a part."""
        extra: dict[str, str] = {}
        if content_encoding:
            extra["ContentEncoding"] = content_encoding
        if cache_control:
            extra["CacheControl"] = cache_control
        self._call(
            "put_object",
            Bucket=self.bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            **extra,
        )

    def get(self, key: str) -> StoredObject:
        """Read an object whole.

        Raises:
            NoSuchObject: nothing has this key.
        """
        answer = self._call("get_object", Bucket=self.bucket, Key=key)
        return StoredObject(
            data=answer["Body"].read(),
            content_type=answer.get("ContentType", "application/octet-stream"),
            content_encoding=answer.get("ContentEncoding") or None,
            cache_control=answer.get("CacheControl") or None,
            etag=answer["ETag"],
        )

    def exists(self, key: str) -> bool:
        try:
            self._call("head_object", Bucket=self.bucket, Key=key)
        except NoSuchObject:
            return False
        return True

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with ``prefix``, in order."""
        start: dict[str, str] = {}
        while True:
            answer = self._call("list_objects_v2", Bucket=self.bucket, Prefix=prefix, **start)
            yield from (entry["Key"] for entry in answer.get("Contents", []))
            if not answer.get("IsTruncated"):
                return
            start = {"ContinuationToken": answer["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        """Remove an object. Removing what is absent is no error."""
        self._call("delete_object", Bucket=self.bucket, Key=key)

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise NoSuchObject(request.get("Key", "")) from error
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise ObjectsUnavailable from error
            raise
        except BotoCoreError as error:
            raise ObjectsUnavailable from error
