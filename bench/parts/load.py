"""Sends HTTP requests to a port of 127.0.0.1 over connections that stay open, and counts.

Reads one JSON object from standard input and writes one to standard output:

    {"port": 8000, "connections": 16, "seconds": 3.0, "requests": ["GET / HTTP/1.1\\r\\n…", …]}
    {"requests": 12345, "seconds": 3.0, "statuses": {"200": 12345},
     "median_ms": 3.9, "p99_ms": 8.1}

With ``seconds`` the requests are sent again and again until the time is over; with ``null`` each
is sent once.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import cast

import httptools
import uvloop

CONNECTIONS_MAX = 64
SECONDS_MAX = 30.0
TIMEOUT_S = 60.0


class Tally:
    """What came back, over all connections."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.durations_s: list[float] = []


class Connection(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, deadline_s: float) -> None:
        self._requests = requests
        self._tally = tally
        self._deadline_s = deadline_s
        self._parser = httptools.HttpResponseParser(self)
        self._sent_s = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._tally.statuses[self._parser.get_status_code()] += 1
        self._tally.durations_s.append(time.perf_counter() - self._sent_s)
        self._parser = httptools.HttpResponseParser(self)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        request = next(self._requests, None)
        self._sent_s = time.perf_counter()
        if request is None or self._sent_s > self._deadline_s:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


async def run(task: dict) -> dict:
    """Do what was read from standard input."""
    seconds = task["seconds"]
    texts = [text.encode() for text in task["requests"]]
    requests = iter(texts) if seconds is None else cycle(texts)
    began_s = time.perf_counter()
    deadline_s = began_s + (TIMEOUT_S if seconds is None else min(seconds, SECONDS_MAX))
    tally = Tally()
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(min(task["connections"], CONNECTIONS_MAX)):
        _, connection = await loop.create_connection(
            lambda: Connection(requests, tally, deadline_s), "127.0.0.1", task["port"]
        )
        connections.append(connection.done)
    await asyncio.wait_for(asyncio.gather(*connections), TIMEOUT_S + SECONDS_MAX)
    durations_s = sorted(tally.durations_s)
    return {
        "requests": len(durations_s),
        "seconds": time.perf_counter() - began_s,
        "statuses": {str(status): count for status, count in tally.statuses.items()},
        "median_ms": durations_s[len(durations_s) // 2] * 1000,
        "p99_ms": durations_s[len(durations_s) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    json.dump(uvloop.run(run(json.load(sys.stdin))), sys.stdout)
