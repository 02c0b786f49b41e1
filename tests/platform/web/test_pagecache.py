"""Public pages are rendered once for everybody; everything else goes by untouched."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from tests.serving import Answer, Client, serving
from vitrina.platform.web.pagecache import STALE_IF_ERROR_S, PageCache

PUBLIC = {"Cache-Control": "public, max-age=0, s-maxage=60"}
MAX_AGE_S = 10.0


class Shop:
    """Renders what it is told to, and counts."""

    def __init__(self) -> None:
        self.text = "roses " * 1000
        self.status = 200
        self.headers = dict(PUBLIC)
        self.renders: list[str] = []
        self.takes_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode()
        self.renders.append(f"{scope['method']} {scope['path']}{query and '?' + query}")
        await asyncio.sleep(self.takes_s)
        response = Response(self.text, self.status, self.headers, media_type="text/html")
        await response(scope, receive, send)


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def cache(shop: Shop, watch: Watch) -> PageCache:
    return PageCache(shop, max_age_s=MAX_AGE_S, clock=watch)


@pytest.fixture
def client(cache: PageCache) -> Iterator[Client]:
    with serving(cache, lifespan="off") as client:
        yield client


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def test_a_page_is_rendered_once_and_served_from_memory(client: Client, shop: Shop) -> None:
    answers = [client.get("/roses") for _ in range(3)]

    assert shop.renders == ["GET /roses"]
    assert {answer.text for answer in answers} == {shop.text}
    assert {answer.headers["etag"] for answer in answers} == {answers[0].headers["etag"]}
    assert answers[2].headers["cache-control"] == PUBLIC["Cache-Control"]
    assert answers[2].headers["content-type"] == "text/html; charset=utf-8"


def test_a_stampede_renders_once(client: Client, shop: Shop) -> None:
    shop.takes_s = 0.3
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: client.get("/roses"), range(20)))

    assert shop.renders == ["GET /roses"]
    assert {(answer.status, answer.text) for answer in answers} == {(200, shop.text)}


def test_a_client_that_leaves_takes_the_page_from_nobody(client: Client, shop: Shop) -> None:
    shop.takes_s = 0.3
    with socket.create_connection(("127.0.0.1", client.port)) as first:
        first.sendall(b"GET /roses HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert eventually(lambda: shop.renders == ["GET /roses"])
        second: list[Answer] = []
        waiting = threading.Thread(target=lambda: second.append(client.get("/roses")))
        waiting.start()
        time.sleep(0.05)
    waiting.join()

    assert [answer.text for answer in second] == [shop.text]
    assert shop.renders == ["GET /roses"]


def test_one_who_stops_waiting_leaves_the_others_waiting(shop: Shop) -> None:
    shop.takes_s = 0.1
    cache = PageCache(shop, max_age_s=MAX_AGE_S)

    async def ask() -> int:
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": []}
        await cache({**scope, "query_string": b""}, receive, send)
        return statuses[0]

    async def crowd() -> list[int | BaseException]:
        asking = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0.05)
        asking[1].cancel()
        return await asyncio.gather(*asking, return_exceptions=True)

    first, second, third = asyncio.run(crowd())

    assert (first, third) == (200, 200)
    assert isinstance(second, asyncio.CancelledError)
    assert len(shop.renders) == 1


def test_shoppers_who_ask_for_their_own_page_do_not_wait_for_each_other(
    client: Client, shop: Shop
) -> None:
    shop.headers = {"Cache-Control": "private, no-store"}
    client.get("/cart")
    shop.takes_s = 1.0
    began = time.monotonic()
    with ThreadPoolExecutor(5) as crowd:
        list(crowd.map(lambda _: client.get("/cart"), range(5)))

    assert len(shop.renders) == 6
    assert time.monotonic() - began < 1.9  # if they waited for the first it would be 2.0


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q=0.000, *", "gzip"),
        ("*", "br"),
        ("identity", None),
        ("", None),
        ("gzip;q=0", None),
        ("deflate", None),
    ],
)
def test_a_page_comes_in_the_best_coding_the_client_takes(
    client: Client, shop: Shop, accepted: str, coding: str | None
) -> None:
    answer = client.get("/roses", accept_encoding=accepted)

    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert answer.headers["content-encoding"] == coding
    assert decode(answer.body).decode() == shop.text
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_each_coding_has_a_strong_tag_of_its_own(client: Client) -> None:
    tags = {
        client.get("/roses", accept_encoding=coding).headers["etag"]
        for coding in ("br", "gzip", "identity")
    }

    assert len(tags) == 3
    assert all(tag.startswith('"') for tag in tags)


@pytest.mark.parametrize("tag", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_what_the_client_has_is_not_sent_again(client: Client, tag: str, coding: str) -> None:
    held = client.get("/roses", accept_encoding=coding).headers["etag"]

    answer = client.get("/roses", accept_encoding=coding, if_none_match=tag.format(tag=held))

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == held
    assert answer.headers["cache-control"] == PUBLIC["Cache-Control"]
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("tag", ['"other"', "nonsense", '""', '"'])
def test_another_tag_gets_the_page(client: Client, tag: str) -> None:
    assert client.get("/roses", if_none_match=tag).status == 200


def test_a_page_that_changed_has_another_tag(client: Client, shop: Shop, cache: PageCache) -> None:
    held = client.get("/roses").headers["etag"]
    shop.text = "tulips " * 1000
    cache.invalidate()

    answer = client.get("/roses", if_none_match=held)

    assert (answer.status, answer.text) == (200, shop.text)


def test_small_answers_are_not_coded(client: Client, shop: Shop) -> None:
    shop.text = "rose"

    answer = client.get("/roses", accept_encoding="br")

    assert answer.body == b"rose"
    assert answer.headers["content-encoding"] is None


@pytest.mark.parametrize("text", ["rose", "roses " * 1000])
@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_page_that_comes_out_the_same_again_is_coded_the_same(
    client: Client, shop: Shop, cache: PageCache, text: str, coding: str
) -> None:
    shop.text = text
    first = client.get("/roses", accept_encoding=coding)
    cache.invalidate()

    second = client.get("/roses", accept_encoding=coding)

    assert len(shop.renders) == 2
    assert (second.body, second.headers["content-encoding"], second.headers["etag"]) == (
        first.body,
        first.headers["content-encoding"],
        first.headers["etag"],
    )


def test_half_way_to_its_age_one_request_renews_a_page_unseen(
    client: Client, shop: Shop, watch: Watch
) -> None:
    old = shop.text
    client.get("/roses")
    shop.text = "tulips " * 1000
    watch.now_s += MAX_AGE_S / 2

    first = client.get("/roses", cookie="cart=secret", user_agent="spy")

    assert first.text == old
    assert eventually(lambda: len(shop.renders) == 2)
    assert eventually(lambda: client.get("/roses").text == shop.text)
    assert len(shop.renders) == 2


def test_beyond_its_age_no_page_is_served_unchecked(
    client: Client, shop: Shop, watch: Watch
) -> None:
    client.get("/roses")
    shop.text = "tulips " * 1000
    watch.now_s += MAX_AGE_S

    assert client.get("/roses").text == shop.text


def test_the_answer_itself_may_ask_for_a_shorter_age(
    client: Client, shop: Shop, watch: Watch
) -> None:
    shop.headers = {"Cache-Control": "public, s-maxage=2"}
    client.get("/roses")
    watch.now_s += 2
    client.get("/roses")

    assert len(shop.renders) == 2


def test_when_the_shop_cannot_the_last_good_page_stands_in(
    client: Client, shop: Shop, watch: Watch
) -> None:
    client.get("/roses")
    shop.status = 503
    watch.now_s += MAX_AGE_S

    answers = [client.get("/roses") for _ in range(3)]

    assert [(answer.status, answer.text) for answer in answers] == [(200, shop.text)] * 3
    assert len(shop.renders) == 2, "a shop that is down is asked once a second, not by everybody"
    watch.now_s += 1.0
    assert client.get("/roses").status == 200
    assert len(shop.renders) == 3
    watch.now_s += STALE_IF_ERROR_S
    assert client.get("/roses").status == 503


def test_an_error_is_not_kept(client: Client, shop: Shop) -> None:
    shop.status = 404
    client.get("/roses")
    shop.status = 200

    assert [client.get("/roses").status for _ in range(2)] == [200, 200]
    assert len(shop.renders) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "private, no-store"},
        {"Cache-Control": "public, max-age=60"},
        {"Cache-Control": "public, s-maxage=0"},
        {"Cache-Control": "s-maxage=60"},
        {},
        {**PUBLIC, "Set-Cookie": "cart=1"},
        {**PUBLIC, "Vary": "Cookie"},
        {**PUBLIC, "Content-Encoding": "x-own"},
    ],
    ids=str,
)
def test_what_is_not_for_everybody_is_rendered_for_each(
    client: Client, shop: Shop, headers: dict[str, str]
) -> None:
    shop.headers = headers

    answers = [client.get("/roses", accept_encoding="br") for _ in range(3)]

    assert len(shop.renders) == 3
    assert all(answer.text == shop.text for answer in answers)
    assert all("etag" not in answer.headers for answer in answers)
    assert {answer.headers["set-cookie"] for answer in answers} == {headers.get("Set-Cookie")}


def test_an_answer_to_somebody_with_a_name_is_theirs(client: Client, shop: Shop) -> None:
    client.get("/roses", authorization="Bearer me")
    client.get("/roses", authorization="Bearer you")

    assert len(shop.renders) == 2


def test_writing_goes_through(client: Client, shop: Shop) -> None:
    client.get("/roses")
    client.ask("POST", "/roses", b"")
    client.ask("OPTIONS", "/roses")

    assert shop.renders == ["GET /roses", "POST /roses", "OPTIONS /roses"]


@pytest.mark.parametrize("headers", [PUBLIC, {"Cache-Control": "no-store"}], ids=["public", "own"])
def test_head_is_get_without_the_body(client: Client, shop: Shop, headers: dict[str, str]) -> None:
    shop.headers = headers

    whole, short = client.get("/roses"), client.ask("HEAD", "/roses")

    assert short.body == b""
    assert set(shop.renders) == {"GET /roses"}
    for name in ("content-length", "content-type", "cache-control", "etag"):
        assert short.headers[name] == whole.headers[name]


def test_the_order_of_parameters_and_campaign_tags_make_no_other_page(
    client: Client, shop: Shop
) -> None:
    client.get("/search?q=oak&tag=b&tag=a&utm_source=mail")
    client.get("/search?gclid=1&tag=b&q=oak&tag=a&")

    assert shop.renders == ["GET /search?q=oak&tag=b&tag=a"]
    client.get("/search?q=oak&tag=a&tag=b")
    assert len(shop.renders) == 2, "the order of values of one parameter may mean something"


def test_memory_is_bounded(shop: Shop, watch: Watch) -> None:
    cache = PageCache(shop, max_age_s=MAX_AGE_S, max_bytes=50_000, clock=watch)
    with serving(cache, lifespan="off") as client:
        for number in range(10):
            client.get(f"/roses/{number}")
        client.get("/roses/9")
        assert len(shop.renders) == 10
        client.get("/roses/0")
        assert len(shop.renders) == 11, "the page asked for longest ago made room"


def test_an_answer_too_large_to_keep_goes_by_whole(client: Client, shop: Shop) -> None:
    shop.text = "r" * (3 << 20)

    answers = [client.get("/roses") for _ in range(2)]

    assert [len(answer.body) for answer in answers] == [3 << 20] * 2
    assert len(shop.renders) == 2


def test_an_age_of_zero_keeps_nothing(shop: Shop, watch: Watch) -> None:
    with serving(PageCache(shop, max_age_s=0, clock=watch), lifespan="off") as client:
        held = client.get("/roses").headers["etag"]
        answer = client.get("/roses", if_none_match=held)

    assert len(shop.renders) == 2
    assert answer.status == 304


def test_a_page_that_fails_while_it_is_rendered_fails_for_all_who_wait() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/broken":
            raise RuntimeError("out of roses")
        await PlainTextResponse("fine", headers=PUBLIC)(scope, receive, send)

    with serving(PageCache(broken, max_age_s=MAX_AGE_S), lifespan="off") as client:
        assert [client.get("/broken").status for _ in range(2)] == [500, 500]
        assert client.get("/fine").status == 200
