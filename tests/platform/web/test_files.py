"""Files with immutable names: the built front end and the asset bucket."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
from starlette.responses import PlainTextResponse

from tests.serving import Client, serving
from vitrina.entrypoints.wiring import Services
from vitrina.platform import static
from vitrina.platform.objects import IMMUTABLE, ObjectStore, StoredObject
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.files import Assets

MODEL = b"glTF" + bytes(range(256)) * 40


class Counted(ObjectStore):
    """The asset bucket, and which keys were read from it."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store._client, store.bucket)
        self.reads: list[str] = []

    def get(self, key: str) -> StoredObject:
        self.reads.append(key)
        return super().get(key)


@pytest.fixture
def bucket(services: Services) -> Counted:
    return Counted(services.assets)


@pytest.fixture
def assets(bucket: Counted) -> Iterator[Client]:
    app = Assets(
        PlainTextResponse("through"),
        lambda error, scope: error_response(error, scope, None),
        assets=bucket,
        max_bytes=20_000,
    )
    with serving(app, lifespan="off") as client:
        yield client


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def put_model(bucket: ObjectStore, data: bytes = MODEL) -> str:
    key = f"models/{name_of(data)}.glb"
    bucket.put(
        key,
        brotli.compress(data),
        content_type="model/gltf-binary",
        content_encoding="br",
        cache_control=IMMUTABLE,
    )
    return key


def put_poster(bucket: ObjectStore, data: bytes) -> str:
    key = f"posters/{name_of(data)}.webp"
    bucket.put(key, data, content_type="image/webp", cache_control=IMMUTABLE)
    return key


def test_a_model_goes_out_as_it_lies_to_who_reads_brotli(assets: Client, bucket: Counted) -> None:
    key = put_model(bucket)

    answer = assets.get(f"/assets/{key}", accept_encoding="gzip, br")

    assert answer.status == 200
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"] == "model/gltf-binary"
    assert answer.headers["cache-control"] == IMMUTABLE
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.body == brotli.compress(MODEL)


def test_a_model_is_decoded_for_who_does_not(assets: Client, bucket: Counted) -> None:
    key = put_model(bucket)

    answer = assets.get(f"/assets/{key}", accept_encoding="gzip")

    assert answer.headers["content-encoding"] is None
    assert answer.body == MODEL
    coded = assets.get(f"/assets/{key}", accept_encoding="br")
    assert coded.headers["etag"] != answer.headers["etag"]


def test_a_picture_is_sent_as_it_is(assets: Client, bucket: Counted) -> None:
    key = put_poster(bucket, b"RIFFpicture")

    answer = assets.get(f"/assets/{key}", accept_encoding="br")

    assert (answer.body, answer.headers["content-type"]) == (b"RIFFpicture", "image/webp")
    assert answer.headers["content-encoding"] is None


def test_what_the_client_has_is_not_sent_again(assets: Client, bucket: Counted) -> None:
    key = put_model(bucket)
    held = assets.get(f"/assets/{key}", accept_encoding="br").headers["etag"]

    answer = assets.get(f"/assets/{key}", accept_encoding="br", if_none_match=f"W/{held}")

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == held


def test_a_range_gets_the_whole(assets: Client, bucket: Counted) -> None:
    key = put_poster(bucket, b"0123456789")

    answer = assets.get(f"/assets/{key}", range="bytes=2-3")

    assert (answer.status, answer.body) == (200, b"0123456789")
    assert answer.headers["accept-ranges"] == "none"


def test_head_tells_the_length(assets: Client, bucket: Counted) -> None:
    key = put_poster(bucket, b"0123456789")

    answer = assets.ask("HEAD", f"/assets/{key}")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "10"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "models",
        "../models/0123456789abcdef0123456789abcdef.glb",
        "models/../0123456789abcdef0123456789abcdef.glb",
        "models/%2e%2e/0123456789abcdef0123456789abcdef.glb",
        "models/0123456789ABCDEF0123456789ABCDEF.glb",
        "models/0123456789abcdef.glb",
        "models/0123456789abcdef0123456789abcdef.glb/x",
        "models/0123456789abcdef0123456789abcdef.glb%0a",
        "models/0123456789abcdef0123456789abcdef",
        "uploads/secret.glb",
    ],
)
def test_a_name_that_is_none_of_ours_is_not_even_looked_for(
    assets: Client, bucket: Counted, key: str
) -> None:
    answer = assets.get(f"/assets/{key}")

    assert (answer.status, json.loads(answer.body)["code"]) == (404, "NoSuchPage")
    assert bucket.reads == []


def test_an_asset_that_is_not_there_is_looked_for_once(assets: Client, bucket: Counted) -> None:
    absent = f"models/{'0' * 32}.glb"

    answers = [assets.get(f"/assets/{absent}") for _ in range(3)]

    assert [answer.status for answer in answers] == [404] * 3
    assert bucket.reads == [absent]


def test_many_who_ask_at_once_read_the_bucket_once(assets: Client, bucket: Counted) -> None:
    key = put_poster(bucket, b"p" * 9000)
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda _: assets.get(f"/assets/{key}"), range(12)))

    assert {len(answer.body) for answer in answers} == {9000}
    assert bucket.reads == [key]


def test_memory_is_bounded(assets: Client, bucket: Counted) -> None:
    keys = [put_poster(bucket, bytes([number]) * 9000) for number in range(3)]
    for key in keys:
        assets.get(f"/assets/{key}")
    assets.get(f"/assets/{keys[2]}")
    assert bucket.reads == keys

    assets.get(f"/assets/{keys[0]}")

    assert bucket.reads == [*keys, keys[0]], "the one asked for longest ago made room"


@pytest.mark.parametrize("path", ["/assets/models/x", "/static/viewer.js"])
def test_files_are_only_read(client: Client, path: str) -> None:
    answer = client.ask("PUT", path, b"mine")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("viewer.js", "text/javascript; charset=utf-8"),
        ("viewer-worker.js", "text/javascript; charset=utf-8"),
        ("storefront.css", "text/css; charset=utf-8"),
        ("environment.bin", "application/octet-stream"),
        ("favicon.svg", "image/svg+xml"),
    ],
)
@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_a_built_file_comes_in_every_coding(
    client: Client, name: str, content_type: str, coding: str
) -> None:
    answer = client.get(static.url(name), accept_encoding=coding)

    sent_as = answer.headers["content-encoding"]
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[sent_as]
    assert decode(answer.body) == static.path(name).read_bytes()
    assert sent_as in (coding, None)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == IMMUTABLE
    if len(static.path(name).read_bytes()) > 2000 and coding != "identity":
        assert sent_as == coding

    again = client.get(
        static.url(name), accept_encoding=coding, if_none_match=answer.headers["etag"]
    )
    assert (again.status, again.body) == (304, b"")
    assert client.ask("HEAD", static.url(name)).body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/viewer.js",
        "/static/viewer-00000000.js",
        "/static/manifest.json",
        "/static/../static.py",
        "/static/%2e%2e/static.py",
        "/static/%2e%2e%2fstatic.py",
        "/static//etc/passwd",
    ],
)
def test_only_built_names_are_served(client: Client, path: str) -> None:
    assert client.get(path).status == 404


def test_a_file_with_a_suffix_is_not_served_by_it(client: Client) -> None:
    assert client.get(static.url("storefront.css") + ".br").status == 404
