"""From the front door to the order: with the mouse, without scripts, with the keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import Browse, Visit, difference, expected, picture

CHAIR = "tomo-dining-chair"
SUCCEEDS = "4242 4242 4242 4242"
SEEN = 1.0  # mean difference, in steps of 255, above which a picture has changed

ADA = {
    "E-mail": "ada@example.com",
    "Name": "Ada Byron",
    "Street and number": "Keizersgracht 1",
    "Postal code": "1015 CJ",
    "Town or city": "Amsterdam",
    "Card number": SUCCEEDS,
}


def fill_in(page: Page) -> None:
    for label, text in ADA.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Country").select_option("NL")


def turn(visit: Visit) -> None:
    """Drag a quarter round, and let the view come to rest."""
    canvas = visit.page.locator("product-3d canvas")
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x + box["width"] / 4, y, steps=8)
    visit.page.mouse.up()
    visit.page.wait_for_timeout(700)


def test_browse_search_turn_choose_buy(browse: Browse) -> None:
    visit = browse()
    page = visit.page

    visit.open("/")
    page.get_by_role("navigation", name="Shop").get_by_role("link", name="Chairs").click()
    expect(page).to_have_url(re.compile(r"/c/chairs$"))

    page.get_by_role("searchbox", name="Search the shop").fill("dinning chair")
    page.get_by_role("searchbox", name="Search the shop").press("Enter")
    page.get_by_role("link", name="Tomo dining chair").click()
    expect(page).to_have_url(re.compile(rf"/p/{CHAIR}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tomo dining chair")

    visit.wait_for_3d()
    stage = page.locator("product-3d canvas")
    page.mouse.move(5, 5)
    before = picture(stage)
    turn(visit)
    turned = picture(stage)
    assert difference(before, turned) > SEEN

    page.get_by_role("radio", name="Walnut").check(force=True)
    page.wait_for_timeout(1500)
    assert difference(turned, picture(stage)) > SEEN
    expect(page).to_have_url(re.compile(r"\?variant=TOMO-WALNUT$"))
    expect(page.locator(".buy-price")).to_have_text("€595")

    page.get_by_role("button", name="Add to cart").click()
    drawer = page.get_by_role("dialog", name="In the cart")
    expect(drawer).to_contain_text("Walnut")
    expect(drawer).to_contain_text("€595")
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    drawer.get_by_role("link", name="See the cart").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cart")

    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Update").click()
    expect(page.locator(".line-total")).to_have_text("€1,190")

    page.get_by_role("link", name="Check out").click()
    fill_in(page)
    expect(page.locator(".summary")).to_contain_text("Delivery to Netherlands")
    page.get_by_role("button", name=re.compile("^Pay")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. It is yours.")
    expect(page.locator(".timeline")).to_contain_text("Paid")
    expect(page.locator(".summary")).to_contain_text("Walnut, 2 × €595")
    expect(page.locator("[data-cart-count]")).to_have_text("")


def test_the_same_purchase_without_scripts(browse: Browse) -> None:
    visit = browse(java_script_enabled=False)
    page = visit.page

    visit.open("/")
    page.get_by_role("searchbox", name="Search the shop").fill("tomo")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Tomo dining chair").click()
    stage = page.locator(".product-3d-poster")
    expect(stage).to_be_visible()
    expect(page.get_by_role("button", name="View in 3D")).to_be_hidden()
    before = picture(stage)

    page.get_by_role("radio", name="Walnut").check(force=True)
    page.get_by_role("button", name="Show the picture in this finish").click()
    expect(page).to_have_url(re.compile(r"\?variant=TOMO-WALNUT$"))
    expect(page.get_by_role("radio", name="Walnut")).to_be_checked()
    assert difference(before, picture(stage)) > SEEN

    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator(".line")).to_contain_text("Walnut, €595 each")
    page.get_by_role("link", name="Check out").click()
    fill_in(page)
    page.get_by_role("button", name="Work out delivery and taxes for this country").click()
    expect(page.locator(".summary")).to_contain_text("of which VAT 21 %")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Byron")
    page.get_by_label("Card number").fill(SUCCEEDS)
    page.get_by_role("button", name=re.compile("^Pay")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. It is yours.")
    number = visit.path.removeprefix("/orders/")
    page.context.clear_cookies()
    visit.open("/orders")
    page.get_by_label("Order number").fill(number)
    page.get_by_label("E-mail").fill(ADA["E-mail"])
    page.get_by_role("button", name="Show the order").click()
    expect(page.locator(".timeline")).to_contain_text("Paid")


def test_the_same_purchase_with_the_keyboard_alone(browse: Browse) -> None:
    visit = browse(reduced_motion="reduce")
    page = visit.page
    press = page.keyboard.press

    visit.open("/c/chairs")
    press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, "Tomo dining chair")
    press("Enter")
    page.wait_for_url(f"**/p/{CHAIR}")

    visit.wait_for_3d()
    tab_to(page, "3D view. Arrow keys turn it")
    canvas = page.locator("product-3d canvas")
    before = picture(canvas)
    for _ in range(3):
        press("ArrowRight")
    page.wait_for_timeout(700)
    assert difference(before, picture(canvas)) > SEEN

    tab_to(page, "Oak")
    press("ArrowRight")
    expect(page.get_by_role("radio", name="Walnut")).to_be_checked()
    expect(page.locator(".buy-price")).to_have_text("€595")
    tab_to(page, "Add to cart")
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("button", name="Add to cart")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, "Check out")
    press("Enter")
    page.wait_for_url("**/checkout")

    tab_to(page, "E-mail")
    with expected(visit, "422"):
        press("Enter")
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
    expect(summary).to_contain_text("things need another look")
    for label, text in ADA.items():
        tab_to(page, label)
        page.keyboard.type(text)
    press("Enter")
    page.wait_for_url("**/orders/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. It is yours.")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something whose name holds this one has the focus, always to be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found, seen = page.evaluate(WHERE)
        assert seen, f"the focus on {found!r} cannot be seen"
        if name in found:
            return
    raise AssertionError(f"no Tab leads to {name!r}")


# What has the focus, and whether it lies inside the window and nothing covers it.
WHERE = """() => {
  const element = document.activeElement;
  const named = element.getAttribute("aria-label") ||
    element.labels?.[0]?.innerText || element.innerText || "";
  const box = (element.labels?.[0]?.closest(".look") ?? element).getBoundingClientRect();
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const at = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1),
    Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1),
  );
  const covered = at?.closest(".masthead") && !element.closest(".masthead");
  return [named.trim(), element === document.body || (inside && !covered)];
}"""


def test_the_bank_asks(browse: Browse) -> None:
    visit = browse()
    page = visit.page
    visit.open(f"/p/{CHAIR}")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("dialog").get_by_role("link", name="Check out").click()
    fill_in(page)
    page.get_by_label("Card number").fill("4000 0000 0000 3220")
    page.get_by_role("button", name=re.compile("^Pay")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Pay €495?")
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. It is yours.")


def test_another_country_changes_the_total_while_one_looks(browse: Browse) -> None:
    visit = browse()
    page = visit.page
    visit.open("/p/morgen-mug")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("dialog").get_by_role("link", name="Check out").click()
    page.get_by_label("Name", exact=True).fill("Ada Byron")

    page.get_by_label("Country").select_option("CH")

    expect(page.locator(".summary")).to_contain_text("Delivery to Switzerland")
    expect(page.locator(".summary")).to_contain_text("€39")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Byron")
    expect(page.get_by_label("Postal code")).to_have_attribute("placeholder", "8001")


def test_what_was_chosen_is_still_chosen_on_the_way_back(browse: Browse) -> None:
    visit = browse()
    page = visit.page
    visit.open(f"/p/{CHAIR}")
    page.get_by_role("radio", name="Walnut").check(force=True)
    expect(page.locator(".buy-price")).to_have_text("€595")
    visit.open("/cart")

    page.go_back()

    expect(page.get_by_role("radio", name="Walnut")).to_be_checked()
    expect(page.locator(".buy-price")).to_have_text("€595")
