"""A real shop with the studio's collection, and people with browsers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from tests.conftest import new_shop
from tests.running import running_shop
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.settings import Settings
from vitrina.studio.service import install

Picture = NDArray[np.uint8]

WIDE = {"width": 1120, "height": 720}
# Everything a page complains about ends up in the console, violations of its policy included.
LISTEN = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture(scope="package")
def shop_settings(platform: Embedded) -> Iterator[Settings]:
    """Where the shop of the journeys keeps its things; the collection is on its shelves."""
    with new_shop(platform) as settings:
        install(settings)
        yield settings


@pytest.fixture(scope="package")
def shop_url(shop_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running shop."""
    with running_shop(shop_settings, tmp_path_factory.mktemp("shop") / "web.log") as address:
        yield address


@dataclass
class Visit:
    """One person's browser window, and everything its pages complained about."""

    page: Page
    shop_url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.shop_url + path)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.shop_url)

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def wait_for_3d(self) -> None:
        self.page.locator("product-3d[data-state=live]").wait_for(timeout=60_000)


class Browse(Protocol):
    """Opens a window; keyword arguments are those of a Playwright context."""

    def __call__(self, **options: Any) -> Visit: ...


@pytest.fixture
def browse(browser: Browser, shop_url: str) -> Iterator[Browse]:
    """Opens browser windows; none of their pages may have complained when the test ends."""
    visits: list[Visit] = []

    def start(**options: Any) -> Visit:
        context = browser.new_context(**{"viewport": WIDE, "locale": "en-NL", **options})
        context.add_init_script(LISTEN)
        visit = Visit(context.new_page(), shop_url)
        visit.page.on("console", _noting(visit))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visits.append(visit)
        return visit

    yield start
    for visit in visits:
        visit.page.context.close()
    assert [visit.complaints for visit in visits if visit.complaints] == []


def _noting(visit: Visit) -> Callable[[Any], None]:
    def note(message: Any) -> None:
        if message.type == "error":
            visit.complaints.append(message.text)

    return note


@contextmanager
def expected(visit: Visit, complaint: str) -> Iterator[None]:
    """A form that is refused is answered with an error status, which the console mentions."""
    before = len(visit.complaints)
    yield
    new = visit.complaints[before:]
    assert all(complaint in text for text in new), new
    del visit.complaints[before:]


def picture(part: Locator) -> Picture:
    """What a part of the page shows."""
    return np.asarray(Image.open(io.BytesIO(part.screenshot())).convert("RGB"))


def difference(one: Picture, other: Picture) -> float:
    """Mean difference of two pictures of the same size, in steps of 255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.fixture(scope="session")
def axe(root: Path) -> str:
    """The source of axe-core."""
    return (root / "frontend/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
