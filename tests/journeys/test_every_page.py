"""What holds on every page: for every eye, on every screen, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import WIDE, Browse, Visit
from tests.storefront.markup import parse

NARROW = {"width": 320, "height": 640}
PAGES = [
    "/",
    "/c/chairs",
    "/search",
    "/search?q=unicorn",
    "/p/tomo-dining-chair",
    "/cart",
    "/orders",
    "/orders/0000-0000-00",
    "/nothing",
]
WITH_CART = ["/cart", "/checkout"]
AXE = """async () => {
  const { violations } = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${impact} ${id} at ${target}: ${failureSummary}`));
}"""
TOO_WIDE = """() => document.documentElement.scrollWidth > innerWidth &&
  [...document.body.querySelectorAll("*")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".rooms"))
    .map((e) => e.tagName + "." + e.className).slice(0, 5)"""
SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input, select, summary")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.type !== "hidden")
  .filter((e) => !e.closest(".unseen, .skip, p.lead, .facts-body p"))
  .filter((e) => { const box = (e.closest(".card") ?? e).getBoundingClientRect();
    return box.width < 24 || box.height < 24; })
  .map((e) => e.outerHTML.slice(0, 80))"""
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 500);
})"""


def fill_cart(visit: Visit) -> None:
    for sku in ("TOMO-WALNUT", "TOMO-OAK"):
        visit.page.request.post(f"{visit.shop_url}/cart/items", form={"sku": sku, "quantity": "1"})


def forgive_missing_pages(visit: Visit) -> None:
    """The browser itself notes the 404 that we asked for."""
    visit.complaints[:] = [text for text in visit.complaints if "404" not in text]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(theme: str, browse: Browse, axe: str) -> None:
    # The policy is bypassed for axe alone; the other tests run under it.
    visit = browse(color_scheme=theme, reduced_motion="reduce", bypass_csp=True)
    found = [*findings(visit, PAGES, axe)]
    fill_cart(visit)
    found += findings(visit, WITH_CART, axe)
    found += in_the_drawer(visit, axe)
    found += with_problems(visit, axe)
    visit.complaints.clear()  # statuses 404 and 422, seen by the pages' own tests

    assert found == []


def findings(visit: Visit, paths: list[str], axe: str) -> list[str]:
    found = []
    for path in paths:
        visit.open(path)
        found += [f"{path}: {finding}" for finding in run_axe(visit.page, axe)]
    return found


def in_the_drawer(visit: Visit, axe: str) -> list[str]:
    visit.open("/p/tomo-dining-chair")
    visit.page.get_by_role("button", name="Add to cart").click()
    visit.page.get_by_role("dialog").wait_for()
    return [f"drawer: {finding}" for finding in run_axe(visit.page, axe)]


def with_problems(visit: Visit, axe: str) -> list[str]:
    visit.open("/checkout")
    visit.page.locator("[data-pay]").click()
    visit.page.get_by_role("alert").wait_for()
    return [f"refused checkout: {finding}" for finding in run_axe(visit.page, axe)]


def run_axe(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: list[str] = page.evaluate(AXE)
    return found


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_sticks_out_and_everything_can_be_hit(width: int, browse: Browse) -> None:
    visit = browse(viewport={**NARROW, "width": width})
    fill_cart(visit)

    for path in [*PAGES, *WITH_CART]:
        visit.open(path)
        assert not visit.page.evaluate(TOO_WIDE), path
        assert visit.page.evaluate(SMALL_TARGETS) == [], path
    forgive_missing_pages(visit)


def test_twice_as_large_nothing_is_lost(browse: Browse) -> None:
    # 200 % zoom of a 1280 pixel wide window leaves 640 CSS pixels.
    visit = browse(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    fill_cart(visit)

    for path in [*PAGES, *WITH_CART]:
        visit.open(path)
        assert not visit.page.evaluate(TOO_WIDE), path
    forgive_missing_pages(visit)


def test_pages_do_not_jump_while_they_load(browse: Browse) -> None:
    visit = browse(viewport=WIDE)

    for path in ("/", "/c/chairs", "/p/tomo-dining-chair"):
        visit.open(path)
        assert visit.page.evaluate(SHIFTS) < 0.01, path


def test_every_page_as_the_browser_has_it_is_sound(browse: Browse) -> None:
    visit = browse(java_script_enabled=False)
    fill_cart(visit)

    for path in [*PAGES, *WITH_CART]:
        answer = visit.page.goto(visit.shop_url + path)
        assert answer
        assert parse(answer.text()).problems() == [], path
    forgive_missing_pages(visit)
