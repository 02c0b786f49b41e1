"""The embedded AWS: ministack served by uvicorn, with a memory that survives ``kill -9``.

Run as ``python -m vitrina.platform.embedded.aws --port 20001 --data ./var/aws``. Objects of S3
are files below ``s3/`` at once. Everything else lives in memory and is written to
``state.sqlite3`` every two seconds, in one transaction, and only what changed: each DynamoDB
item is a row, each other service one row. ministack's own way, a file per service at a clean
stop, forgets everything when killed, and would stand still for seconds to copy 10,000 products.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH_PATH = "/_ministack/health"
SAVE_EVERY_S = 2.0
FORMAT = 1

# Account, region, table, partition key, sort key.
ItemKey = tuple[str, str, str, str, str]

# What only reads. ReceiveMessage hides messages for a while; to forget that is to deliver twice,
# which SQS may always do, and an idle shop polls its queues all day.
_READING = (
    *("BatchGet", "Describe", "Get", "List", "Query", "ReceiveMessage", "Scan", "TransactGet"),
)

log = logging.getLogger("vitrina.embedded.aws")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vitrina.platform.embedded.aws")
    parser.add_argument("--port", type=int, required=True, help="TCP port of 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument(
        "--save-every",
        type=float,
        default=SAVE_EVERY_S,
        help="seconds a kill may lose (%(default)s)",
    )
    arguments = parser.parse_args()
    serve(arguments.port, arguments.data, save_every_s=arguments.save_every)


def serve(port: int, data: Path, *, save_every_s: float = SAVE_EVERY_S) -> None:
    """Serve until SIGTERM. One line on stderr and exit status 1 when the state is unreadable."""
    os.environ.update(
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        MINISTACK_REGION=os.environ.get("AWS_REGION", "eu-central-1"),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="WARNING",
        PERSIST_STATE="0",  # `Memory` does that
        S3_PERSIST="1",
        S3_DATA_DIR=str(data / "s3"),
    )
    # ministack reads its environment when it is imported.
    import uvicorn
    from ministack import app as ministack

    data.mkdir(parents=True, exist_ok=True)
    try:
        memory = Memory(data / "state.sqlite3", ministack)
    except StateUnreadable as error:
        sys.exit(f"embedded AWS: {error}")
    uvicorn.run(
        EmbeddedAws(ministack.app, memory, save_every_s),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        date_header=False,  # ministack sends its own, and AWS's JavaScript SDK dies of two
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,  # somebody always waits in a long poll of SQS
    )


class StateUnreadable(Exception):
    """The saved state cannot be used. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the services know at one moment, and how it differs from what is on disk."""

    items: dict[ItemKey, Any]
    services: dict[str, str]
    written: list[tuple[str, str, str, str, str, str]]
    removed: list[ItemKey]


class Memory:
    """What ministack knows, on disk. Restored when made.

    ``look`` must run where ministack handles requests, its event loop, so that no table changes
    under it; ``write`` may run in a thread. One at a time.

    Raises:
        StateUnreadable: the file is damaged, or a later version wrote it.
    """

    def __init__(self, file: Path, ministack: ModuleType) -> None:
        from ministack.core import persistence

        self._file = file
        self._ministack = ministack
        self._to_json = persistence._json_default
        self._from_json = persistence._json_object_hook
        self._items: dict[ItemKey, Any] = {}
        self._services: dict[str, str] = {}
        try:
            self._database = self._open()
            self._restore()
        except (sqlite3.DatabaseError, ValueError) as error:
            raise StateUnreadable(
                f"{file} cannot be read: {error}. It holds this shop's tables and queues. Put a"
                " good copy of it back, or move it away to begin with empty tables."
            ) from error

    def look(self) -> Snapshot:
        """Compare what the services know now with what is on disk."""
        services: dict[str, str] = {}
        with self._tables_without_items():
            for name, get_state in self._ministack._build_persistence_save_dict().items():
                state = get_state()
                if state is not None:
                    services[name] = json.dumps(state, default=self._to_json)
        items = dict(self._all_items())
        # An item that changes is replaced by a new object, so identity tells.
        written = [
            (*key, json.dumps(item))
            for key, item in items.items()
            if self._items.get(key) is not item
        ]
        return Snapshot(items, services, written, list(self._items.keys() - items.keys()))

    def write(self, now: Snapshot) -> None:
        """Make the disk say the same, in one transaction."""
        services = [pair for pair in now.services.items() if self._services.get(pair[0]) != pair[1]]
        with self._database as transaction:
            transaction.executemany(
                "DELETE FROM items WHERE (account, region, name, partition, sort)"
                " = (?, ?, ?, ?, ?)",
                now.removed,
            )
            transaction.executemany("REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)", now.written)
            transaction.executemany("REPLACE INTO services VALUES (?, ?)", services)
        self._items, self._services = now.items, now.services

    def close(self) -> None:
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=5, check_same_thread=False)
        # In this mode a transaction survives the death of the process without waiting for the
        # disk, and the file stays whole even when the power fails.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found > FORMAT:
            raise StateUnreadable(
                f"{self._file} was written by a later version of Vitrina (format {found}; this"
                f" one reads up to {FORMAT}). Update, or choose another folder with --data."
            )
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS items (account TEXT, region TEXT, name TEXT,"
                " partition TEXT, sort TEXT, item TEXT NOT NULL,"
                " PRIMARY KEY (account, region, name, partition, sort)) WITHOUT ROWID"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, state TEXT NOT NULL)"
            )
            database.execute(f"PRAGMA user_version = {FORMAT}")
        return database

    def _restore(self) -> None:
        self._services = dict(self._database.execute("SELECT name, state FROM services"))
        tables: dict[tuple[str, str, str], Any] = defaultdict(lambda: defaultdict(dict))
        for account, region, name, partition, sort, item in self._database.execute(
            "SELECT account, region, name, partition, sort, item FROM items"
        ):
            tables[account, region, name][partition][sort] = json.loads(item)
        for name, text in self._services.items():
            state = json.loads(text, object_hook=self._from_json)
            if name == "dynamodb":
                for key, table in state["tables"]._data.items():
                    table["items"] = tables[key]
            module = self._ministack._get_module(self._ministack._state_map[name])
            module.load_persisted_state(state)
        self._items = dict(self._all_items())

    def _all_items(self) -> Iterator[tuple[ItemKey, Any]]:
        for (account, region, name), table in self._tables():
            for partition, items in table["items"].items():
                for sort, item in items.items():
                    yield (account, region, name, partition, sort), item

    @contextlib.contextmanager
    def _tables_without_items(self) -> Iterator[None]:
        """Items are written one by one: nobody should copy them all as part of their table."""
        dynamodb = self._ministack._loaded_modules.get("dynamodb")
        if dynamodb is None:
            yield
            return
        tables = [table for _, table in self._tables()]
        items = [table["items"] for table in tables]
        with dynamodb._lock:  # the thread that removes expired items
            for table in tables:
                table["items"] = {}
            try:
                yield
            finally:
                for table, its_items in zip(tables, items, strict=True):
                    table["items"] = its_items

    def _tables(self) -> list[tuple[tuple[str, str, str], Any]]:
        dynamodb = self._ministack._loaded_modules.get("dynamodb")
        return list(dynamodb._tables._data.items()) if dynamodb else []


class EmbeddedAws:
    """The ASGI application: ministack, saved while it runs, closed to other people's pages."""

    def __init__(self, app: Application, memory: Memory, save_every_s: float) -> None:
        self._app = app
        self._memory = memory
        self._save_every_s = save_every_s
        self._is_changed = False
        self._disk = asyncio.Lock()
        self._saving: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._with_saving(send))
            return
        if _from_another_site(scope):
            await _refuse(scope, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if not _only_reads(scope):
                self._is_changed = True

    def _with_saving(self, send: Send) -> Send:
        async def watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._saving = asyncio.create_task(self._save_now_and_then())
            if message["type"] == "lifespan.shutdown.complete":
                await self._save_finally()
            await send(message)

        return watch

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._save_every_s)
            if not self._is_changed:
                continue
            async with self._disk:
                self._is_changed = False
                try:
                    await asyncio.to_thread(self._memory.write, self._memory.look())
                # RuntimeError: a thread of some service changed what we were walking through.
                except (RuntimeError, sqlite3.Error) as error:
                    self._is_changed = True
                    log.warning("state not saved, next try in %s s: %s", self._save_every_s, error)

    async def _save_finally(self) -> None:
        async with self._disk:
            if self._saving:
                self._saving.cancel()
            self._memory.write(self._memory.look())
            self._memory.close()


def _only_reads(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return True
    target = _header(scope, b"x-amz-target").rpartition(".")[2]
    return target.startswith(_READING)


def _from_another_site(scope: Scope) -> bool:
    """A page from the internet must not write here through its visitor's browser."""
    origin = _header(scope, b"origin")
    return bool(origin) and urlsplit(origin).hostname not in ("127.0.0.1", "localhost", "::1")


def _header(scope: Scope, name: bytes) -> str:
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found.decode("latin-1")


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": []})
    await send({"type": "http.response.body", "body": b"pages of this machine only\n"})


if __name__ == "__main__":
    main()
