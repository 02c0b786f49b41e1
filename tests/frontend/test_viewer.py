"""The element in a real browser, under the shop's own content security policy."""

from __future__ import annotations

import base64
from math import pi, radians
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright
from skimage.metrics import structural_similarity

from tests.browsing import FLAGS, NO_GPU
from vitrina.models3d import geometry, glb
from vitrina.models3d.pictures import Photographer
from vitrina.platform import static

from .conftest import (
    LISTEN,
    POLICY,
    POSTER_PX,
    VIEW_PX,
    Picture,
    Site,
    Visit,
    box,
    decoded,
    difference,
)

Product = tuple[bytes, dict[str, bytes]]

CENTRE = VIEW_PX // 2
SEEN = 1.0  # mean difference, in steps of 255, above which a picture has changed
SAME = 0.02  # and below which it is the same
COUNT_DRAWS = """
window.draws = 0;
for (const name of ["drawElements", "drawArrays"]) {
  const own = WebGL2RenderingContext.prototype[name];
  WebGL2RenderingContext.prototype[name] = function (...all) {
    window.draws++;
    return own.apply(this, all);
  };
}
"""
VELVETS = ["Mango Velvet", "Peacock Velvet"]
SAVE_DATA = "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
NO_OFFSCREEN_CANVAS = (
    "delete window.OffscreenCanvas;delete HTMLCanvasElement.prototype.transferControlToOffscreen"
)


@pytest.fixture(scope="session")
def wicker(models: Path, photographer: Photographer) -> Product:
    model = (models / "WickerChair.glb").read_bytes()
    return model, photographer.posters(model, size_px=POSTER_PX)


@pytest.fixture(scope="session")
def sheen(models: Path, photographer: Photographer) -> Product:
    model = (models / "SheenChair.glb").read_bytes()
    return model, photographer.posters(model, VELVETS, size_px=POSTER_PX)


@pytest.fixture(scope="session")
def plain(photographer: Photographer) -> Product:
    """A small model, where it does not matter which."""
    model = box(1, 2, 0.5)
    return model, photographer.posters(model, size_px=POSTER_PX)


@pytest.fixture(scope="session")
def compressed(wicker: Product, photographer: Photographer) -> Product:
    small = glb.pack(geometry.compress(glb.unpack(*glb.read(wicker[0]))))
    assert b"meshopt_compression" in small
    return small, photographer.posters(small, size_px=POSTER_PX)


def similarity(a: Picture, b: Picture) -> float:
    return float(structural_similarity(a, b, channel_axis=2))  # type: ignore[no-untyped-call]


def turn_with_the_mouse(visit: Visit, by_px: int) -> dict[str, Any]:
    """Drag to the right; the camera where it came to rest."""
    visit.forget("camera")
    visit.page.mouse.move(CENTRE, CENTRE)
    visit.page.mouse.down()
    visit.page.mouse.move(CENTRE + by_px, CENTRE, steps=6)
    visit.page.mouse.up()
    return visit.camera_at_rest()


def press(visit: Visit, key: str) -> dict[str, Any]:
    """Press a key on the canvas; the camera where it came to rest."""
    visit.forget("camera")
    visit.page.locator("product-3d canvas").press(key)
    return visit.camera_at_rest()


@pytest.mark.parametrize("product", ["wicker", "sheen"])
def test_the_live_view_takes_the_posters_place_without_a_visible_change(
    site: Site, visit: Visit, product: str, request: pytest.FixtureRequest
) -> None:
    address = site.product(*request.getfixturevalue(product))
    model = site.hold("/assets/chair.glb")
    visit.page.goto(address)
    visit.wait_for("loading")
    visit.event("poster")
    poster = visit.picture()
    model.set()
    visit.wait_for("live")
    assert similarity(poster, visit.picture()) >= 0.99
    assert visit.complaints == []


def test_no_frame_shows_poster_and_canvas_together_or_neither(
    site: Site, visit: Visit, wicker: Product
) -> None:
    visit.page.goto(site.product(*wicker))
    frames: list[bytes] = []
    devtools = visit.page.context.new_cdp_session(visit.page)
    devtools.on("Page.screencastFrame", lambda frame: receive(frame))

    def receive(frame: dict[str, Any]) -> None:
        frames.append(base64.b64decode(frame["data"]))
        devtools.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    visit.event("poster")
    devtools.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    visit.wait_for("live")
    visit.page.wait_for_timeout(500)
    devtools.send("Page.stopScreencast")

    # Buttons come and go around the product; the product itself stays where it was.
    inner = [decoded(frame)[60:290, 20:270] for frame in frames]
    assert len(inner) >= 2
    assert min(similarity(inner[0], frame) for frame in inner) >= 0.99


def test_dragging_turns_the_product(site: Site, visit: Visit, wicker: Product) -> None:
    visit.page.goto(site.product(*wicker))
    visit.wait_for("live")
    before = visit.picture()
    turn_with_the_mouse(visit, 120)
    assert difference(before, visit.picture()) > SEEN
    assert visit.complaints == []


def test_a_drag_that_begins_on_the_poster_turns_the_product_once_it_is_there(
    site: Site, visit: Visit, plain: Product
) -> None:
    address = site.product(*plain)
    model = site.hold("/assets/chair.glb")
    visit.page.goto(address)
    visit.page.mouse.move(CENTRE, CENTRE)
    visit.page.mouse.down()
    visit.page.mouse.move(CENTRE + 100, CENTRE, steps=5)
    visit.wait_for("loading")
    model.set()
    visit.wait_for("live")
    camera = visit.event("camera")
    assert camera["azimuth"] < 0  # it came from 30 degrees on the other side


def test_keys_turn_zoom_and_reset(site: Site, visit: Visit, wicker: Product) -> None:
    visit.page.goto(site.product(*wicker))
    visit.wait_for("live")
    home = visit.picture()
    assert press(visit, "ArrowLeft")["azimuth"] == pytest.approx(radians(30 + 15))
    turned = visit.picture()
    assert difference(home, turned) > SEEN
    assert press(visit, "ArrowUp")["elevation"] == pytest.approx(radians(15 - 7.5))
    assert press(visit, "+")["zoom"] == pytest.approx(0.8)
    assert difference(turned, visit.picture()) > SEEN
    assert press(visit, "Home")["zoom"] == pytest.approx(1)
    assert difference(home, visit.picture()) < SAME


def test_buttons_zoom_and_reset(site: Site, visit: Visit, plain: Product) -> None:
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    visit.page.get_by_role("button", name="Zoom in").click()
    assert visit.event("camera")["zoom"] == pytest.approx(0.8)
    visit.forget("camera")
    visit.page.get_by_role("button", name="Reset view").click()
    assert visit.event("camera")["zoom"] == pytest.approx(1)


def test_the_wheel_scrolls_the_page_until_the_view_has_the_focus(
    site: Site, visit: Visit, plain: Product
) -> None:
    visit.page.goto(site.product(*plain, copies=3))
    visit.wait_for("live")
    visit.page.mouse.move(CENTRE, CENTRE)
    visit.page.mouse.wheel(0, 60)
    visit.page.wait_for_function("() => scrollY === 60")
    visit.page.evaluate("scrollTo(0, 0)")
    visit.page.locator("product-3d canvas").first.focus()
    visit.page.mouse.wheel(0, -60)
    assert visit.event("camera")["zoom"] < 1
    assert visit.page.evaluate("scrollY") == 0


def test_less_motion_means_no_motion_on_its_own(site: Site, visit: Visit, plain: Product) -> None:
    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    # Exactly as far as the finger went; across the whole width it would be once round.
    turned = radians(30) - 2 * pi * 90 / VIEW_PX
    assert turn_with_the_mouse(visit, 90)["azimuth"] == pytest.approx(turned)


def test_less_motion_means_one_step_per_key(site: Site, visit: Visit, plain: Product) -> None:
    visit.page.add_init_script(NO_OFFSCREEN_CANVAS)
    visit.page.add_init_script(COUNT_DRAWS)
    drawn = []
    for motion in ("reduce", "no-preference"):
        visit.page.emulate_media(reduced_motion=motion)
        visit.page.goto(site.product(*plain))
        visit.wait_for("live")
        before = visit.page.evaluate("draws")
        press(visit, "ArrowLeft")
        drawn.append(visit.page.evaluate("draws") - before)
    assert 0 < drawn[0] <= 2  # the floor's shadow and the box
    assert drawn[1] > 2 * drawn[0]


def test_choosing_a_finish_changes_the_picture_without_loading_anything(
    site: Site, visit: Visit, sheen: Product
) -> None:
    visit.page.goto(site.product(*sheen, variant=VELVETS[0]))
    visit.wait_for("live")
    mango = visit.picture()
    loaded: list[str] = []
    visit.page.on("request", lambda request: loaded.append(request.url))
    visit.page.evaluate("name => document.querySelector('product-3d').variant = name", VELVETS[1])
    assert visit.event("variant")["variant"] == VELVETS[1]
    peacock = visit.picture()
    assert difference(mango, peacock) > 3 * SEEN
    assert not [url for url in loaded if url.endswith(".glb")]
    assert VELVETS[1] in visit.page.get_by_role("status").inner_text()

    visit.forget("variant")
    visit.page.evaluate("name => document.querySelector('product-3d').variant = name", VELVETS[0])
    visit.event("variant")
    assert difference(mango, visit.picture()) < SAME
    assert visit.complaints == []


def test_of_finishes_chosen_in_a_hurry_the_last_one_stays(
    site: Site, visit: Visit, sheen: Product
) -> None:
    visit.page.goto(site.product(*sheen, variant=VELVETS[1]))
    visit.wait_for("live")
    peacock = visit.picture()
    visit.page.evaluate(
        "([a, b]) => { const view = document.querySelector('product-3d');"
        " for (const name of [a, b, a, b, a, b]) view.variant = name }",
        VELVETS,
    )
    assert visit.event("variant")["variant"] == VELVETS[1]
    visit.page.wait_for_timeout(1000)
    assert difference(peacock, visit.picture()) < SAME


def test_a_finish_chosen_before_the_view_is_live_changes_the_poster_and_then_the_view(
    site: Site, visit: Visit, sheen: Product
) -> None:
    address = site.product(*sheen, variant=VELVETS[0])
    model = site.hold("/assets/chair.glb")
    visit.page.goto(address)
    visit.event("poster")
    mango = visit.picture()
    visit.page.evaluate("name => document.querySelector('product-3d').variant = name", VELVETS[1])
    visit.event("variant")
    poster = visit.picture()
    assert difference(mango, poster) > 3 * SEEN
    model.set()
    visit.wait_for("live")
    assert similarity(poster, visit.picture()) >= 0.99


def test_nothing_is_drawn_when_nothing_changes(site: Site, visit: Visit, plain: Product) -> None:
    # On the page itself, where the draw calls can be counted.
    visit.page.add_init_script(NO_OFFSCREEN_CANVAS)
    visit.page.add_init_script(COUNT_DRAWS)
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    visit.page.wait_for_timeout(300)
    at_rest = visit.page.evaluate("draws")
    assert at_rest > 0
    visit.page.wait_for_timeout(700)
    assert visit.page.evaluate("draws") == at_rest
    turn_with_the_mouse(visit, 60)
    after_turn = visit.page.evaluate("draws")
    assert after_turn > at_rest
    visit.page.wait_for_timeout(700)
    assert visit.page.evaluate("draws") == after_turn


def test_without_offscreen_canvas_the_page_itself_draws_the_same(
    site: Site, visit: Visit, wicker: Product
) -> None:
    address = site.product(*wicker)
    visit.page.goto(address)
    visit.wait_for("live")
    in_worker = visit.picture()
    visit.page.add_init_script(NO_OFFSCREEN_CANVAS)
    visit.page.goto(address)
    visit.wait_for("live")
    assert visit.page.workers == []
    assert difference(in_worker, visit.picture()) < SAME
    turn_with_the_mouse(visit, 120)
    assert difference(in_worker, visit.picture()) > SEEN
    assert visit.complaints == []


def test_several_views_on_one_page_live_side_by_side(
    site: Site, visit: Visit, wicker: Product
) -> None:
    visit.page.set_viewport_size({"width": VIEW_PX + 40, "height": 3 * VIEW_PX})
    visit.page.goto(site.product(*wicker, copies=6))
    for index in range(6):
        visit.page.evaluate("i => document.querySelectorAll('product-3d')[i].activate()", index)
    visit.wait_for("live", 5)
    states = visit.page.evaluate(
        "[...document.querySelectorAll('product-3d')].map((view) => view.dataset.state)"
    )
    assert states.count("live") + states.count("loading") == 4
    assert states.count("poster") == 2
    assert visit.complaints == []


def test_leaving_and_returning_to_the_page_starts_anew(
    site: Site, visit: Visit, plain: Product
) -> None:
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    visit.page.evaluate("window.view = document.querySelector('product-3d'); view.remove()")
    visit.page.wait_for_function("() => view.dataset.state === 'poster'")
    assert visit.page.evaluate("view.querySelectorAll('canvas').length") == 0
    visit.page.evaluate("document.querySelector('main').append(view)")
    visit.wait_for("live")
    assert visit.complaints == []


def test_whoever_saves_data_gets_3d_only_on_request(
    site: Site, visit: Visit, plain: Product
) -> None:
    visit.page.add_init_script(SAVE_DATA)
    visit.page.goto(site.product(*plain))
    visit.page.wait_for_timeout(3000)
    assert visit.state() == "poster"
    visit.page.get_by_role("button", name="View in 3D").click()
    visit.wait_for("live")


def test_without_scripts_there_is_a_poster_and_no_button(
    browser: Browser, site: Site, plain: Product
) -> None:
    address = site.product(*plain)
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(address)
        assert page.get_by_role("img", name="Test chair").is_visible()
        assert page.get_by_role("button", include_hidden=False).count() == 0
    finally:
        context.close()


def assert_the_poster_stays(visit: Visit, reason: str) -> dict[str, Any]:
    detail = visit.event("error")
    assert detail["reason"] == reason, detail
    assert visit.state() == "failed"
    assert visit.page.locator(".product-3d-poster").is_visible()
    assert visit.page.locator("product-3d canvas").count() == 0
    assert "the picture stays" in visit.page.get_by_role("status").inner_text()
    return detail


def test_a_model_that_is_not_there_leaves_the_poster_and_may_be_tried_again(
    site: Site, visit: Visit, plain: Product
) -> None:
    address = site.product(*plain)
    model = site.files.pop("/assets/chair.glb")
    visit.page.goto(address)
    assert_the_poster_stays(visit, "network")
    site.files["/assets/chair.glb"] = model
    visit.page.get_by_role("button", name="View in 3D").click()
    visit.wait_for("live")


@pytest.mark.parametrize("damage", ["text", "cut", "empty"])
def test_a_broken_model_leaves_the_poster(
    site: Site, visit: Visit, plain: Product, damage: str
) -> None:
    model, posters = plain
    broken = {"text": b"not a model at all", "cut": model[: len(model) // 3], "empty": b""}[damage]
    visit.page.goto(site.product(broken, posters))
    assert_the_poster_stays(visit, "model")
    assert visit.page.get_by_role("button", name="View in 3D").is_hidden()


def test_a_blocked_decoder_leaves_the_poster(site: Site, visit: Visit, compressed: Product) -> None:
    site.policy = POLICY.replace(" 'wasm-unsafe-eval'", "")
    visit.page.goto(site.product(*compressed))
    assert_the_poster_stays(visit, "decoder")


def test_a_compressed_model_looks_like_its_poster(
    site: Site, visit: Visit, compressed: Product
) -> None:
    address = site.product(*compressed)
    model = site.hold("/assets/chair.glb")
    visit.page.goto(address)
    visit.event("poster")
    poster = visit.picture()
    model.set()
    visit.wait_for("live")
    assert similarity(poster, visit.picture()) >= 0.99
    assert visit.complaints == []


def test_a_missing_viewer_script_leaves_the_poster(
    site: Site, visit: Visit, plain: Product
) -> None:
    address = site.product(*plain)
    page, media_type = site.files["/chair"]
    site.put(
        "/chair", page.replace(static.url("viewer-worker.js").encode(), b"/gone.js"), media_type
    )
    visit.page.goto(address)
    assert_the_poster_stays(visit, "script")


def test_a_model_that_never_arrives_is_given_up(site: Site, visit: Visit, plain: Product) -> None:
    address = site.product(*plain)
    site.hold("/assets/chair.glb")
    visit.page.clock.install()
    visit.page.goto(address)
    visit.page.clock.run_for(3000)
    visit.page.wait_for_function("() => document.querySelector('product-3d canvas')")
    visit.page.wait_for_timeout(1500)  # for the worker, whose clock is not ours
    assert visit.state() == "loading"
    visit.page.clock.run_for(21_000)
    assert_the_poster_stays(visit, "timeout")


def test_a_browser_without_webgl_leaves_the_poster(
    playwright: Playwright, chromium: Path, site: Site, plain: Product
) -> None:
    browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *NO_GPU])
    try:
        page = browser.new_page(viewport={"width": VIEW_PX + 40, "height": 720})
        page.add_init_script(LISTEN)
        page.goto(site.product(*plain))
        assert_the_poster_stays(Visit(page), "webgl")
    finally:
        browser.close()


def test_a_lost_context_brings_the_poster_back(site: Site, visit: Visit, plain: Product) -> None:
    # On the page itself: a worker's context cannot be reached from a test.
    visit.page.add_init_script(NO_OFFSCREEN_CANVAS)
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    visit.page.evaluate(
        "document.querySelector('product-3d canvas').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context').loseContext()"
    )
    assert_the_poster_stays(visit, "context")
    visit.page.get_by_role("button", name="View in 3D").click()
    visit.wait_for("live")


def test_the_view_is_named_and_its_controls_can_be_reached(
    site: Site, visit: Visit, plain: Product
) -> None:
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    view = visit.page.get_by_role("application")
    assert "Test chair" in (view.get_attribute("aria-label") or "")
    visit.page.keyboard.press("Tab")
    reached = []
    for _ in range(4):
        reached.append(visit.page.evaluate("document.activeElement.ariaLabel"))
        visit.page.keyboard.press("Tab")
    assert reached[0].startswith("Test chair")
    assert reached[1:] == ["Zoom in", "Zoom out", "Reset view"]


def test_the_focus_goes_from_the_start_button_to_the_view(
    site: Site, visit: Visit, plain: Product
) -> None:
    visit.page.add_init_script(SAVE_DATA)
    visit.page.goto(site.product(*plain))
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    visit.wait_for("live")
    assert visit.page.evaluate("document.activeElement.tagName") == "CANVAS"
    visit.page.keyboard.press("ArrowRight")
    assert visit.camera_at_rest()["azimuth"] == pytest.approx(radians(30 - 15))


def test_axe_finds_nothing_to_say(site: Site, visit: Visit, plain: Product) -> None:
    visit.page.goto(site.product(*plain))
    visit.wait_for("live")
    axe = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    visit.page.evaluate(axe.read_text(encoding="utf-8"))
    found = visit.page.evaluate("axe.run('product-3d').then((result) => result.violations)")
    assert [(rule["id"], rule["help"]) for rule in found] == []
