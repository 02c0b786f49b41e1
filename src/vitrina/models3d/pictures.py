"""Pictures of a model, drawn by the viewer's own code in a headless Chromium.

A poster and the live view that takes its place are the same picture, because the same scripts
(``frontend/viewer/stage.ts``) draw both. No driver is needed: a server on the loopback address
hands the page its jobs and takes the pictures back.

    with Photographer() as photographer:            # one browser for many models
        posters = photographer.posters(glb, ["oak", "walnut"])
        front, side = photographer.views(glb, [View(0, 0), View(90, 0)])

``render_posters`` and ``render_views`` do the same for a single model.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Self

from vitrina.kernel.errors import Refused, Unavailable
from vitrina.platform import static

POSTER_PX = 1024
POSTER_QUALITY = 0.9
TIMEOUT_S = 180.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
LARGEST_PX = 4096
LARGEST_PICTURE_BYTES = 128 << 20

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Where Playwright keeps the browsers it downloads, relative to its cache.
PLAYWRIGHT_PROGRAMS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium_headless_shell-*/chrome-*/*headless*shell",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
FLAGS = (
    "--headless=new",
    "--use-angle=swiftshader",  # the same software GPU everywhere: the same picture everywhere
    "--enable-unsafe-swiftshader",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--mute-audio",
)
# The viewer's own policy: what draws here also draws in the shop.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' blob:;"
    " img-src 'self' blob: data:; style-src 'self'"
)
PAGE = b"""<!doctype html><meta charset="utf-8"><title>Vitrina pictures</title>
<script type="module" src="static/pictures.js"></script>"""
SCRIPTS = {
    "static/pictures.js": ("pictures.js", "text/javascript"),
    "static/viewer-worker.js": ("viewer-worker.js", "text/javascript"),
    "static/environment.bin": ("environment.bin", "application/octet-stream"),
}
SETUP = {"worker": "static/viewer-worker.js", "environment": "static/environment.bin"}


class ChromiumMissing(Unavailable):
    """Pictures need Chromium, and there is none."""

    title = "Chromium is missing"

    def __init__(self, detail: str = "no Chromium was found") -> None:
        super().__init__(
            f"{detail}. Install it with `apt-get install chromium` (Debian, Ubuntu) or"
            " `python -m playwright install chromium`, or name one in VITRINA_CHROMIUM"
        )


class PicturesUnavailable(Unavailable):
    """Chromium did not start, died, or took too long."""

    title = "Pictures could not be made"


class ModelNotDrawable(Refused):
    """The viewer cannot show this model."""

    title = "The model cannot be drawn"


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera stands: degrees round and above, and its distance.

    Azimuth 0 looks at the front (+Z), 90 at the product's +X side. ``zoom`` is the share of the
    distance at which the product fills the picture. The default is a shop's poster.
    """

    azimuth_deg: float = 30.0
    elevation_deg: float = 15.0
    zoom: float = 1.0


HOME = View()


def render_posters(
    glb: bytes,
    variants: Iterable[str] = (),
    *,
    size_px: int = POSTER_PX,
    chromium: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, bytes]:
    """Posters of one model: see ``Photographer.posters``."""
    with Photographer(chromium) as photographer:
        return photographer.posters(glb, variants, size_px=size_px, timeout_s=timeout_s)


def render_views(
    glb: bytes,
    views: Sequence[View],
    *,
    variant: str = "",
    size_px: int = POSTER_PX,
    chromium: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> list[bytes]:
    """One model from several sides: see ``Photographer.views``."""
    with Photographer(chromium) as photographer:
        return photographer.views(glb, views, variant=variant, size_px=size_px, timeout_s=timeout_s)


def find_chromium() -> Path:
    """The Chromium to draw with: VITRINA_CHROMIUM, else one on the PATH, else Playwright's.

    Raises:
        ChromiumMissing: there is none, or VITRINA_CHROMIUM names no file.
    """
    if named := os.environ.get("VITRINA_CHROMIUM"):
        if not Path(named).is_file():
            raise ChromiumMissing(f"VITRINA_CHROMIUM names {named}, which is no file")
        return Path(named)
    for program in PROGRAMS:
        if found := shutil.which(program):
            return Path(found)
    for pattern in PLAYWRIGHT_PROGRAMS:
        if programs := sorted(_playwright_cache().glob(pattern)):
            return programs[-1]
    raise ChromiumMissing()


def _playwright_cache() -> Path:
    if folder := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(folder)
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "ms-playwright"


@dataclass(slots=True)
class _Job:
    """One model to draw, and the pictures as they arrive."""

    glb: bytes
    size_px: int
    shots: list[dict[str, Any]]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    pictures: dict[int, bytes] = field(default_factory=dict)
    failure: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Photographer:
    """A headless Chromium that draws models, one after the other.

    It starts with the first picture and lives until ``close``; if it dies or hangs, the picture
    fails and the next one starts it anew. Threads may share it: they wait for each other.

    Raises (on use):
        ChromiumMissing: there is no Chromium here.
        PicturesUnavailable: it did not start, died, or did not finish in time.
        ModelNotDrawable: the viewer cannot show the model.
        StaticNotBuilt: the front end was not built.
    """

    def __init__(self, chromium: Path | None = None) -> None:
        self._chromium = chromium
        self._turn = threading.Lock()
        self._session: _Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def posters(
        self,
        glb: bytes,
        variants: Iterable[str] = (),
        *,
        size_px: int = POSTER_PX,
        timeout_s: float = TIMEOUT_S,
    ) -> dict[str, bytes]:
        """Square WebP pictures with a transparent background, as the viewer first shows them.

        Args:
            glb: the model as it will be delivered.
            variants: names of its finishes (KHR_materials_variants).
            size_px: side of a picture, 1 to 4096.
            timeout_s: for all pictures of this model together.

        Returns:
            Picture by finish; ``""`` is the look the file has by itself.
        """
        names = list(dict.fromkeys(["", *variants]))
        shots = [_shot(name, HOME, "image/webp", POSTER_QUALITY) for name in names]
        pictures = self._draw(_Job(glb, _checked(size_px), shots), timeout_s)
        return dict(zip(names, pictures, strict=True))

    def views(
        self,
        glb: bytes,
        views: Sequence[View],
        *,
        variant: str = "",
        size_px: int = POSTER_PX,
        timeout_s: float = TIMEOUT_S,
    ) -> list[bytes]:
        """Square PNG pictures with a transparent background, in the order of ``views``."""
        shots = [_shot(variant, view, "image/png", 1.0) for view in views]
        return self._draw(_Job(glb, _checked(size_px), shots), timeout_s)

    def close(self) -> None:
        """Stop the browser and remove what it wrote. It may be used again."""
        with self._turn:
            self._stop()

    def _draw(self, job: _Job, timeout_s: float) -> list[bytes]:
        with self._turn:
            if self._session is None:
                self._session = _start(self._chromium or find_chromium())
            try:
                self._session.draw(job, timeout_s)
            except PicturesUnavailable:
                self._stop()
                raise
        if job.failure is not None:
            raise ModelNotDrawable(job.failure)
        return [job.pictures[index] for index in range(len(job.shots))]

    def _stop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _checked(size_px: int) -> int:
    if not 1 <= size_px <= LARGEST_PX:
        raise ValueError(f"{size_px=} is not between 1 and {LARGEST_PX}")
    return size_px


def _shot(variant: str, view: View, media_type: str, quality: float) -> dict[str, Any]:
    angles = {
        "azimuth": math.radians(view.azimuth_deg),
        "elevation": math.radians(view.elevation_deg),
        "zoom": view.zoom,
    }
    return {"variant": variant, "view": angles, "type": media_type, "quality": quality}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a browser that goes away in mid-sentence is noticed by who waits for it."""


class _NoSandbox(Exception):
    """The system does not let Chromium build its sandbox."""


def _start(chromium: Path) -> _Session:
    """Start Chromium, inside its sandbox where the system lets it build one."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        return _Session(chromium, ["--no-sandbox"] if is_root else [])
    except _NoSandbox:
        return _Session(chromium, ["--no-sandbox"])


class _Session:
    """One run of Chromium with the server it talks to."""

    def __init__(self, chromium: Path, flags: Sequence[str]) -> None:
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._job: _Job | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._secret = secrets.token_urlsafe(16)
        self._scripts = {
            address: (static.path(name).read_bytes(), media_type)
            for address, (name, media_type) in SCRIPTS.items()
        }
        # A short name: Chromium puts a socket into it, whose path may not exceed 104 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="v"))
        self._log: IO[bytes] = (self._folder / "chromium.log").open("w+b")
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            self._process = subprocess.Popen(
                [
                    chromium,
                    *FLAGS,
                    *flags,
                    f"--user-data-dir={self._folder / 'profile'}",
                    f"http://127.0.0.1:{self._server.server_port}/{self._secret}/",
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                # It leaves folders behind in there.
                env={**os.environ, "TMPDIR": str(self._folder)},
                start_new_session=True,
            )
        except OSError as error:
            self._remove()
            raise PicturesUnavailable(f"cannot start {chromium}: {error}") from error
        try:
            self._wait(self._ready, START_TIMEOUT_S, "Chromium did not open the page")
        except PicturesUnavailable as failure:
            no_sandbox = "--no-sandbox" not in flags and "sandbox" in str(failure)
            self.close()
            if no_sandbox:
                raise _NoSandbox from failure
            raise

    def draw(self, job: _Job, timeout_s: float) -> None:
        """Have one job drawn.

        Raises:
            PicturesUnavailable: Chromium died, or did not finish in time.
        """
        self._job = job
        self._jobs.put(job)
        self._wait(job.ended, timeout_s, "the pictures were not finished")

    def close(self) -> None:
        self._ended.set()
        self._jobs.put(None)
        self._process.terminate()  # the browser alone, which then clears up after itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._remove()

    def _remove(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._log.close()
        # A child of Chromium may write into its profile for a moment longer.
        for _ in range(5):
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._folder.exists():
                return
            time.sleep(0.1)

    def _wait(self, event: threading.Event, timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not event.wait(0.1):
            if (status := self._process.poll()) is not None:
                raise PicturesUnavailable(
                    f"{what}: it ended with status {status}{self._last_words()}"
                )
            if time.monotonic() > deadline:
                raise PicturesUnavailable(f"{what} within {timeout_s:.0f} s{self._last_words()}")

    def _last_words(self) -> str:
        self._log.flush()
        text = Path(self._log.name).read_text(errors="replace").strip()
        return f"\n{text[-2000:]}" if text else ""

    def _next_job(self) -> _Job | None:
        """The next job, as soon as there is one; None when the session is over."""
        self._ready.set()
        return self._jobs.get()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        session = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the pictures, or the failure, are the record."""

            def do_GET(self) -> None:
                address = self._address()
                if address == "":
                    self._answer(PAGE, "text/html; charset=utf-8")
                elif address == "setup":
                    self._answer(json.dumps(SETUP).encode(), "application/json")
                elif address in session._scripts:
                    self._answer(*session._scripts[address])
                elif (job := session._job) and address == f"models/{job.id}":
                    self._answer(job.glb, "model/gltf-binary")
                else:
                    self._refuse()

            def do_POST(self) -> None:
                address = self._address()
                length = int(self.headers.get("Content-Length") or 0)
                if address is None or length > LARGEST_PICTURE_BYTES:
                    self._refuse()
                    return
                body = self.rfile.read(length)
                if address == "jobs":
                    self._hand_out(session._next_job())
                    return
                what, _, rest = address.partition("/")
                job_id, _, index = rest.partition("/")
                job = session._job
                if job is None or job.id != job_id:
                    self._refuse()
                    return
                if what == "failed":
                    job.failure = body.decode(errors="replace")
                    job.ended.set()
                elif what == "pictures" and index.isdecimal():
                    job.pictures[int(index)] = body
                    if len(job.pictures) == len(job.shots):
                        job.ended.set()
                self._answer(b"", "text/plain")

            def _hand_out(self, job: _Job | None) -> None:
                if job is None:
                    self.send_response(HTTPStatus.NO_CONTENT)
                    self.end_headers()
                    return
                work = {
                    "id": job.id,
                    "model": f"models/{job.id}",
                    "size": job.size_px,
                    "shots": job.shots,
                }
                self._answer(json.dumps(work).encode(), "application/json")

            def _address(self) -> str | None:
                """The path below the secret folder only our own page knows."""
                prefix = f"/{session._secret}/"
                return self.path.removeprefix(prefix) if self.path.startswith(prefix) else None

            def _answer(self, body: bytes, media_type: str) -> None:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def _refuse(self) -> None:
                self.close_connection = True
                self.send_error(HTTPStatus.NOT_FOUND)

        return Handler
