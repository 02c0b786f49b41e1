"""DynamoDB in the shop's words: a table one can get, put, query and write many to.

A thin layer over the boto3 *client*, which threads may share (the resource may not). It packs
plain Python values, names the condition on a write, and turns error codes into errors of ours.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.conditions import ConditionBase, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from vitrina.kernel.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
Item = dict[str, Any]
Position = dict[str, str]  # where a query stopped: the key attributes of its last item

WRITE_BATCH = 25  # BatchWriteItem's limit
READ_BATCH = 100  # BatchGetItem's limit
_BATCH_ATTEMPTS = 6

_pack = TypeSerializer().serialize
_unpack = TypeDeserializer().deserialize


class Collision(Exception):
    """A conditional write met an item it did not expect.

    Attributes:
        found: the item that stands there; empty when there is none.
    """

    def __init__(self, found: Item) -> None:
        super().__init__("the condition on a write did not hold")
        self.found = found


class StoreUnavailable(Unavailable):
    """DynamoDB did not answer in time, or asked us to slow down."""

    def __init__(self) -> None:
        super().__init__("The shop's data store does not answer just now. Try again in a moment.")


class DynamoTable:
    """One table. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: Mapping[str, str], *, consistent: bool = True) -> Item | None:
        """Read one item by its whole key; ``None`` when there is none."""
        answer = self._call(
            "get_item", TableName=self.name, Key=_packed(key), ConsistentRead=consistent
        )
        return _unpacked(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Mapping[str, str]]) -> list[Item]:
        """Read many items by key, in no particular order; absent ones are left out."""
        items: list[Item] = []
        for batch in _batches(keys, READ_BATCH):
            pending: Any = {self.name: {"Keys": [_packed(key) for key in batch]}}
            for attempt in range(_BATCH_ATTEMPTS):
                answer = self._call("batch_get_item", RequestItems=pending)
                items += [_unpacked(raw) for raw in answer["Responses"].get(self.name, [])]
                pending = answer.get("UnprocessedKeys")
                if not pending:
                    break
                _pause(attempt)
            if pending:
                raise StoreUnavailable
        return items

    def put(self, item: Item, *, when: ConditionBase | None = None) -> None:
        """Write an item whole, if ``when`` holds for the one that stands there.

        Raises:
            Collision: the condition did not hold; carries the item found.
        """
        self._call("put_item", TableName=self.name, Item=_packed(item), **_condition(when))

    def delete(self, key: Mapping[str, str], *, when: ConditionBase | None = None) -> None:
        """Remove an item, if ``when`` holds. Removing what is absent is no error.

        Raises:
            Collision: the condition did not hold.
        """
        self._call("delete_item", TableName=self.name, Key=_packed(key), **_condition(when))

    def query(
        self,
        where: ConditionBase,
        *,
        index: str | None = None,
        limit: int,
        after: Position | None = None,
        descending: bool = False,
    ) -> tuple[list[Item], Position | None]:
        """Items under one partition key in order of the sort key, at most ``limit``.

        Returns:
            The items, and where to go on; ``None`` at the end.
        """
        expression = ConditionExpressionBuilder().build_expression(where, is_key_condition=True)
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": expression.condition_expression,
            "ExpressionAttributeNames": expression.attribute_name_placeholders,
            "ExpressionAttributeValues": _packed(expression.attribute_value_placeholders),
            "Limit": limit,
            "ScanIndexForward": not descending,
        }
        if index:
            request["IndexName"] = index
        if after:
            request["ExclusiveStartKey"] = _packed(after)
        answer = self._call("query", **request)
        last = answer.get("LastEvaluatedKey")
        return [_unpacked(raw) for raw in answer["Items"]], _unpacked(last) if last else None

    def scan(self) -> Iterator[Item]:
        """Every item, page by page. For exports and projections, never for a shopper's request."""
        start: dict[str, Any] = {}
        while True:
            answer = self._call("scan", TableName=self.name, **start)
            yield from (_unpacked(raw) for raw in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def write_all_or_nothing(
        self,
        puts: Sequence[tuple[Item, ConditionBase | None]],
        deletes: Sequence[Position] = (),
    ) -> None:
        """Write up to 100 items in one transaction.

        Raises:
            Collision: one of the conditions did not hold; nothing was written.
        """
        actions: list[Any] = [
            {"Put": {"TableName": self.name, "Item": _packed(item), **_condition(when)}}
            for item, when in puts
        ]
        actions += [{"Delete": {"TableName": self.name, "Key": _packed(key)}} for key in deletes]
        self._call("transact_write_items", TransactItems=actions)

    def write_many(self, items: Iterable[Item]) -> None:
        """Write items whole and unconditionally, 25 a call; repeats what DynamoDB put off."""
        for batch in _batches(items, WRITE_BATCH):
            pending: Any = {self.name: [{"PutRequest": {"Item": _packed(item)}} for item in batch]}
            for attempt in range(_BATCH_ATTEMPTS):
                pending = self._call("batch_write_item", RequestItems=pending)["UnprocessedItems"]
                if not pending:
                    break
                _pause(attempt)
            if pending:
                raise StoreUnavailable

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                raise Collision(_item_found(error)) from error
            if code == "TransactionCanceledException":
                reasons: list[Any] = error.response.get("CancellationReasons") or []
                failed = [r for r in reasons if r.get("Code") == "ConditionalCheckFailed"]
                if failed:
                    raise Collision(_unpacked(failed[0].get("Item") or {})) from error
                raise StoreUnavailable from error  # a conflict with another transaction
            if code in _BUSY or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise StoreUnavailable from error
            raise
        except BotoCoreError as error:
            raise StoreUnavailable from error


_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
}


def _item_found(error: ClientError) -> Item:
    answer: dict[str, Any] = dict(error.response)
    return _unpacked(answer.get("Item") or {})


def _condition(when: ConditionBase | None) -> dict[str, Any]:
    if when is None:
        return {}
    expression = ConditionExpressionBuilder().build_expression(when)
    built: dict[str, Any] = {
        "ConditionExpression": expression.condition_expression,
        "ExpressionAttributeNames": expression.attribute_name_placeholders,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if expression.attribute_value_placeholders:
        built["ExpressionAttributeValues"] = _packed(expression.attribute_value_placeholders)
    return built


def _packed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _pack(_storable(value)) for name, value in item.items()}


def _storable(value: Any) -> Any:
    """Floats become decimals by their shortest form: DynamoDB's numbers are decimal."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value


def _unpacked(raw: Mapping[str, Any]) -> Item:
    return {name: _plain(_unpack(value)) for name, value in raw.items()}


def _plain(value: Any) -> Any:
    """Decimals come back as int where whole, else as float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(values)
    while batch := list(islice(source, size)):
        yield batch


def _pause(attempt: int) -> None:
    time.sleep(0.05 * 2**attempt)
