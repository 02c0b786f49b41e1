"""What the shop keeps in AWS: tables, indexes, queues and buckets, each declared once.

The embedded platform creates them on one machine and the infrastructure code synthesises
them for AWS, both from these values, so the two cannot drift apart. Names here are logical:
``Settings.prefix`` goes before each, so that several shops share an account.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Key:
    """A partition key with an optional sort key. Every key attribute is a string."""

    partition: str
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index."""

    name: str
    key: Key
    projection: Literal["ALL", "KEYS_ONLY"] = "ALL"


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table."""

    name: str
    key: Key
    indexes: tuple[Index, ...] = ()
    ttl_attribute: str | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue; what failed ``attempts`` times goes to ``<name>-failed``."""

    name: str
    visibility_timeout_s: int
    attempts: int

    @property
    def failed_name(self) -> str:
        return f"{self.name}-failed"


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket."""

    name: str


# Access patterns are drawn in docs/data.md. Only what shoppers may see has listing and category
# keys, so the four listing indexes hold published products and nothing else. Every product has a
# change key: the search projection asks "by-change" what is new.
CATALOGUE = Table(
    "catalogue",
    Key("pk", "sk"),
    indexes=(
        Index("by-newest", Key("listing_key", "newest_key")),
        Index("by-price", Key("listing_key", "price_key")),
        Index("by-category-newest", Key("category_key", "newest_key")),
        Index("by-category-price", Key("category_key", "price_key")),
        Index("by-change", Key("change_key", "changed_key"), projection="KEYS_ONLY"),
    ),
    stream=True,
)
CARTS = Table("carts", Key("id"), ttl_attribute="expires_at")

ASSETS = Bucket("assets")  # published models and pictures, content-addressed
UPLOADS = Bucket("uploads")  # raw models as merchants handed them in

EVENTS = Queue("events", visibility_timeout_s=60, attempts=5)

TABLES = (CATALOGUE, CARTS)
BUCKETS = (ASSETS, UPLOADS)
QUEUES = (EVENTS,)
