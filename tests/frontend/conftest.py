"""A real Chromium and a plain server with the shop's own content security policy."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from vitrina.models3d import glb
from vitrina.models3d.pictures import Photographer
from vitrina.platform import static

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self';"
    " connect-src 'self' blob:; img-src 'self' blob: data:; style-src 'self'"
)
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".bin": "application/octet-stream"}
VIEW_PX = 360
POSTER_PX = 360

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def models() -> Path:
    here = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("VITRINA_MODELS", here.parent / "shared" / "models"))
    if not folder.is_dir():
        pytest.skip(f"no real models: {folder} is missing (set VITRINA_MODELS)")
    return folder


@pytest.fixture(scope="session")
def photographer(chromium: Path) -> Iterator[Photographer]:
    with Photographer(chromium) as photographer:
        yield photographer


@dataclass
class Site:
    """Files by address, served under the shop's content security policy."""

    address: str = ""
    policy: str = POLICY
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)  # answered once they are set

    def put(self, path: str, content: bytes | str, media_type: str) -> str:
        body = content.encode() if isinstance(content, str) else content
        self.files[path] = (body, media_type)
        return path

    def hold(self, path: str) -> threading.Event:
        """Do not answer for this address until the event is set."""
        self.held[path] = threading.Event()
        return self.held[path]

    def product(
        self,
        model: bytes,
        posters: dict[str, bytes],
        *,
        name: str = "chair",
        variant: str = "",
        copies: int = 1,
    ) -> str:
        """A product page; returns its address."""
        self.put(f"/assets/{name}.glb", model, "model/gltf-binary")
        pictures = {
            variant: self.put(f"/assets/{name}-{index}.webp", picture, "image/webp")
            for index, (variant, picture) in enumerate(posters.items())
        }
        level = {"name": "full", "url": f"/assets/{name}.glb", "bytes": len(model), "triangles": 1}
        manifest = {
            "version": 1,
            "tier": "full",
            "levels": [level],
            "variants": [variant for variant in posters if variant],
            "posters": pictures,
            "bounds": {"min": [0, 0, 0], "max": [1, 1, 1]},
        }
        element = f"""
<product-3d label="Test chair" variant="{variant}"
  data-worker="{static.url("viewer-worker.js")}"
  data-environment="{static.url("environment.bin")}">
  <img class="product-3d-poster" src="{pictures[variant]}" alt="Test chair"
    width="{POSTER_PX}" height="{POSTER_PX}">
  <button type="button" class="product-3d-start">View in 3D</button>
  <script type="application/json">{json.dumps(manifest)}</script>
</product-3d>"""
        self.put("/page.css", f"body{{margin:0}}product-3d{{width:{VIEW_PX}px}}", "text/css")
        page = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="{static.url("viewer.css")}">
<link rel="stylesheet" href="/page.css">
<script type="module" src="{static.url("viewer.js")}"></script></head>
<body><main><h1>Chair</h1>{element * copies}</main></body></html>"""
        return self.address + self.put(f"/{name}", page, "text/html; charset=utf-8")


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test says itself what went wrong."""

        def do_GET(self) -> None:
            if self.path in site.held:
                site.held[self.path].wait(60)
            found = site.files.get(self.path)
            name = self.path.removeprefix(static.URL_PREFIX)
            if found is None and name in static.manifest().values():
                found = (static.FOLDER / name).read_bytes(), MEDIA_TYPES[Path(name).suffix]
            body, media_type = found or (b"not here", "text/plain")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", site.policy)
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A page that closes while it is being answered is no error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.address = f"http://127.0.0.1:{server.server_port}"
        yield site
        for event in site.held.values():
            event.set()
        server.shutdown()


@dataclass
class Visit:
    """One open page, and everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def state(self) -> str:
        return str(self.page.evaluate("document.querySelector('product-3d').dataset.state"))

    def wait_for(self, state: str, index: int = 0) -> None:
        self.page.wait_for_function(
            "([index, state]) =>"
            " document.querySelectorAll('product-3d')[index].dataset.state === state",
            arg=[index, state],
            timeout=60_000,
        )

    def event(self, name: str) -> dict[str, Any]:
        """The detail of the latest event of this name, once there is one."""
        self.page.wait_for_function("name => window.heard?.[name]", arg=name, timeout=60_000)
        detail: dict[str, Any] = self.page.evaluate("name => window.heard[name]", name)
        return detail

    def camera_at_rest(self) -> dict[str, Any]:
        """Where the camera is once it has stood still for a while after its last move."""
        self.event("camera")
        self.page.wait_for_function(
            "() => { const now = window.heard.camera; const same = now === window.last;"
            " window.last = now; return same }",
            polling=300,
        )
        return self.event("camera")

    def forget(self, name: str) -> None:
        self.page.evaluate("name => { delete window.heard[name] }", name)

    def picture(self) -> Picture:
        """What the element shows, without the buttons that float above it."""
        self.page.evaluate(
            "document.activeElement?.blur();"
            "for (const part of document.querySelectorAll('product-3d > :not(img, canvas)'))"
            " part.style.visibility = 'hidden'"
        )
        shot = self.page.locator("product-3d").first.screenshot()
        self.page.evaluate(
            "for (const part of document.querySelectorAll('product-3d > :not(img, canvas)'))"
            " part.style.visibility = ''"
        )
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


LISTEN = """
window.heard = {};
for (const name of ["poster", "interactive", "full", "error", "camera", "variant"])
  addEventListener("product3d:" + name, (event) => { window.heard[name] = event.detail });
addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": VIEW_PX + 40, "height": 720}, reduced_motion="no-preference"
    )
    page = context.new_page()
    visit = Visit(page)
    page.add_init_script(LISTEN)
    page.on("console", lambda m: visit.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    yield visit
    context.close()


def difference(a: Picture, b: Picture) -> float:
    """Mean difference of two pictures, in steps of 255."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def decoded(png: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def box(width_m: float, height_m: float, depth_m: float) -> bytes:
    """A white box standing on the floor, as a GLB written by hand."""
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (0.0, 1.0) for z in (-0.5, 0.5)]
    faces = [
        ((0, 1, 3, 2), (-1, 0, 0)),
        ((4, 6, 7, 5), (1, 0, 0)),
        ((0, 4, 5, 1), (0, -1, 0)),
        ((2, 3, 7, 6), (0, 1, 0)),
        ((0, 2, 6, 4), (0, 0, -1)),
        ((1, 5, 7, 3), (0, 0, 1)),
    ]
    size = np.array([width_m, height_m, depth_m])
    points = np.array([corners[c] for face, _ in faces for c in face]) * size
    normals = np.array([normal for face, normal in faces for _ in face])
    triangles = np.array([[4 * f + i for i in (0, 1, 2, 0, 2, 3)] for f in range(6)])
    parts = [
        points.astype("<f4").tobytes(),
        normals.astype("<f4").tobytes(),
        triangles.astype("<u2").tobytes(),
    ]
    offsets = np.cumsum([0, *(len(part) for part in parts)]).tolist()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 24,
                "type": "VEC3",
                "min": points.min(0).tolist(),
                "max": points.max(0).tolist(),
            },
            {"bufferView": 1, "componentType": 5126, "count": 24, "type": "VEC3"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": offset, "byteLength": len(part)}
            for offset, part in zip(offsets, parts, strict=False)
        ],
        "buffers": [{"byteLength": offsets[-1]}],
    }
    return glb.write(document, b"".join(parts))
