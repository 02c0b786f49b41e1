"""Pages for looking around, over a real socket."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from pydantic import SecretStr

from tests.builders import product
from tests.serving import Client, serving
from tests.storefront.conftest import chair
from tests.storefront.markup import Document, parse
from tests.storefront.visitor import Visitor
from vitrina.catalogue.service import archive, find_product, save_product, set_stock
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build

PUBLIC = [
    "/",
    "/c/chairs",
    "/c/chairs?option=Finish%3AOak&price_from=100&sort=price",
    "/c/empty",
    "/search",
    "/search?q=chair",
    "/search?q=unicorn",
    "/p/tomo-chair",
    "/p/tomo-chair?variant=TOMO-CHAIR-WALNUT",
    "/p/maane-lamp",
]
PRIVATE = ["/cart", "/orders", "/orders/7K3M-9QXD-2V"]
MISSING = ["/nothing", "/c/nothing", "/p/nothing"]


def titles(page: Document) -> list[str]:
    return [card.one("a").text for card in page.all("li", class_="card")]


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE, *MISSING])
def test_every_page_is_sound(path: str, visitor: Visitor) -> None:
    assert visitor.show(path).problems() == []


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_depend_on_nobody_and_may_be_kept(path: str, client: Client) -> None:
    nobody = client.get(path)
    somebody = client.get(path, cookie="cart=AAAAAAAAAAAAAAAAAAAAAA; cart_count=3")

    assert nobody.status == 200
    assert nobody.body == somebody.body
    assert nobody.headers["Cache-Control"] == (
        "public, max-age=0, s-maxage=60, stale-while-revalidate=600, stale-if-error=86400"
    )
    assert "Set-Cookie" not in somebody.headers


@pytest.mark.parametrize("path", PRIVATE)
def test_private_pages_are_kept_by_nobody(path: str, client: Client) -> None:
    assert client.get(path).headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE])
def test_every_file_a_page_names_is_served(path: str, visitor: Visitor) -> None:
    page = visitor.show(path)
    scripts = [element["src"] for element in page.all("script", src="")]
    styles = [element["href"] for element in page.all("link") if element["rel"] != "canonical"]
    viewers = [element["data-worker"] for element in page.all("product-3d")]

    files = [name for name in (*scripts, *styles, *viewers) if name.startswith("/static/")]

    assert len(files) >= 3
    for name in files:
        assert visitor.get(name).status == 200, name


def test_home_puts_the_featured_product_in_front_and_the_others_beside_it(
    own_shop: Services, shopper: Visitor
) -> None:
    old_favourite = replace(
        find_product(own_shop.catalogue, "maane-lamp"), tags=("lamp", "featured")
    )
    save_product(own_shop.catalogue, old_favourite, now=own_shop.now())
    shopper.client.get("/")  # nothing kept from before the change

    page = shopper.show("/")

    assert page.one("p", class_="label").one("a").text == "Måne lamp"
    assert titles(page) == ["Tomo chair"]


def test_an_empty_shop_says_so(services: Services) -> None:
    with serving(create_app(services)) as client:
        page = parse(client.get("/").text)

    assert page.problems() == []
    assert "Nothing is on show yet." in page.text


def test_categories_with_something_in_them_are_in_the_menu(visitor: Visitor) -> None:
    menu = visitor.show("/").one("nav", class_="rooms")

    assert [link.text for link in menu.all("a")] == ["Chairs & benches", "Lamps", "Everything"]


def test_a_category_is_narrowed_by_finish_and_by_price(visitor: Visitor) -> None:
    def found(query: str) -> list[str]:
        return titles(visitor.show(f"/c/chairs?{query}"))

    assert found("option=Finish%3AWalnut&option=") == ["Tomo chair"]
    assert found("option=Finish%3ABirch") == []
    assert found("price_from=500&price_to=600") == ["Tomo chair"]
    assert found("price_from=%E2%82%AC595,00") == ["Tomo chair"]
    assert found("price_from=596") == []
    assert found("price_to=494.99") == []


def test_an_amount_that_cannot_be_read_is_named_and_narrows_nothing(visitor: Visitor) -> None:
    page = visitor.show("/c/chairs?price_from=cheap")

    assert titles(page) == ["Tomo chair"]
    assert "“cheap” cannot be read as an amount" in page.one(class_="notice").text
    assert page.one(id="price-from")["value"] == "cheap"


def test_filters_stay_chosen_and_keep_the_page_out_of_search_engines(visitor: Visitor) -> None:
    page = visitor.show("/c/chairs?option=Finish%3AOak")

    chosen = [option.text for option in page.all("option", selected="")]
    assert chosen == ["Oak (1)", "Newest"]
    assert not page.all("link", rel="canonical")
    assert page.one("meta", name="robots")["content"] == "noindex"


def test_options_that_matter_to_few_are_no_filter_unless_one_is_chosen(
    own_shop: Services, shopper: Visitor
) -> None:
    for number in range(6):
        stool = product(f"stool-{number}", category="chairs")
        save_product(own_shop.catalogue, stool, now=own_shop.now())

    def filters(path: str) -> list[str]:
        form = shopper.show(path).one("form", class_="sieve")
        return [label.text for label in form.all("label")]

    assert "Finish" not in filters("/c/chairs")
    assert "Finish" in filters("/c/chairs?option=Finish%3AOak")


def test_forty_products_are_walked_through_page_by_page(
    own_shop: Services, shopper: Visitor
) -> None:
    for number in range(40):
        many = product(f"stool-{number:02}", f"{100 + number}", category="chairs")
        save_product(own_shop.catalogue, many, now=own_shop.now())

    address = "/c/chairs?sort=price"
    seen: list[str] = []
    for _ in range(3):
        page = shopper.show(address)
        assert page.problems() == []
        seen += titles(page)
        following = page.all("a", rel="next")
        if not following:
            break
        address = following[0]["href"]

    assert seen == [*(f"Stool {number:02}" for number in range(40)), "Tomo chair"]


def test_search_corrects_a_slip_of_the_finger_and_says_so(visitor: Visitor) -> None:
    page = visitor.show("/search?q=chiar")

    assert titles(page) == ["Tomo chair"]
    assert "Nothing here is called “chiar”. These are the results for “chair”." in page.text


def test_search_without_a_match_offers_everything(visitor: Visitor) -> None:
    page = visitor.show("/search?q=unicorn")

    assert titles(page) == []
    assert page.one("div", class_="empty").one("a")["href"] == "/search"


def test_the_chosen_variant_decides_picture_price_and_what_is_bought(visitor: Visitor) -> None:
    page = visitor.show("/p/tomo-chair?variant=TOMO-CHAIR-WALNUT")

    assert page.one(class_="buy-price").text == "€595"
    assert page.one("img", class_="product-3d-poster")["src"] == "/assets/posters/tomowalnut.webp"
    assert page.one("product-3d")["variant"] == "walnut"
    assert page.one("input", checked="")["value"] == "Walnut"
    assert page.one(class_="stock").text == "Only a few left"
    assert page.one("link", rel="canonical")["href"].endswith("/p/tomo-chair")


def test_the_viewer_gets_the_manifest(visitor: Visitor) -> None:
    element = visitor.show("/p/tomo-chair").one("product-3d")

    manifest = json.loads(element.one("script").raw)

    assert manifest["levels"][0]["url"] == "/assets/models/tomo.glb"
    assert manifest["posters"]["walnut"] == "/assets/posters/tomowalnut.webp"
    assert manifest["variants"] == ["oak", "walnut"]


def test_without_scripts_the_form_itself_asks_for_the_picture(visitor: Visitor) -> None:
    button = visitor.show("/p/tomo-chair").one("noscript").one("button")
    assert (button["formaction"], button["formmethod"]) == ("/p/tomo-chair", "get")

    answer = visitor.get("/p/tomo-chair?product=tomo-chair&choice_1=Walnut&quantity=1")

    assert answer.status == 303
    assert answer.headers["Location"] == "/p/tomo-chair?variant=TOMO-CHAIR-WALNUT"


def test_the_page_tells_its_script_what_each_variant_is(visitor: Visitor) -> None:
    oak, walnut = json.loads(visitor.show("/p/tomo-chair").one("script", data_looks="").raw)

    assert oak["stock"] == "in_stock"
    assert walnut == {
        "sku": "TOMO-CHAIR-WALNUT",
        "choices": ["Walnut"],
        "label": "Tomo chair, Walnut",
        "price": "€595",
        "material": "walnut",
        "poster": "/assets/posters/tomowalnut.webp",
        "stock": "few_left",
        "words": "Only a few left",
    }


def test_a_variant_that_does_not_exist_leads_to_the_product(visitor: Visitor) -> None:
    answer = visitor.get("/p/tomo-chair?variant=NO-SUCH")

    assert (answer.status, answer.headers["Location"]) == (303, "/p/tomo-chair")


def test_a_former_address_leads_to_the_product_for_good(
    own_shop: Services, shopper: Visitor
) -> None:
    renamed = replace(find_product(own_shop.catalogue, "tomo-chair"), slug="tomo-dining-chair")
    save_product(own_shop.catalogue, renamed, now=own_shop.now())

    answer = shopper.get("/p/tomo-chair?variant=TOMO-CHAIR-OAK")

    assert answer.status == 308
    assert answer.headers["Location"] == "/p/tomo-dining-chair?variant=TOMO-CHAIR-OAK"


def test_what_a_merchant_writes_is_text_and_never_markup(
    own_shop: Services, shopper: Visitor
) -> None:
    hostile = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'
    trap = replace(
        chair(), id="trap", slug="trap", title=hostile, summary=hostile, description=hostile,
        variants=(replace(chair().variants[0], sku="TRAP-1"), ), tags=(hostile[:70],),
    )  # fmt: skip
    save_product(own_shop.catalogue, trap, now=own_shop.now())
    set_stock(own_shop.catalogue, {"TOMO-CHAIR-OAK": 3})
    bought = shopper.submit("/cart/items", sku="TRAP-1", quantity=1)

    pages = [
        shopper.show(path)
        for path in ("/", "/c/chairs", "/p/trap", "/cart", "/checkout", f"/search?q={'%22%3E%3C'}")
    ]

    for page in (*pages, bought):
        assert page.problems() == []
        assert not page.all("img", src="x")
    assert hostile in pages[2].one("h1").raw


def test_a_product_without_model_size_or_category_has_a_page(
    own_shop: Services, shopper: Visitor
) -> None:
    save_product(own_shop.catalogue, product("bare-thing"), now=own_shop.now())

    page = shopper.show("/p/bare-thing")

    assert page.problems() == []
    assert not page.all("product-3d")
    assert page.one(class_="stock").text == "Sold out in this version"


def test_the_shop_can_be_browsed_while_the_database_is_down(own_shop: Services) -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:9/none")
    blind = build(own_shop.settings.model_copy(update={"database_url": nowhere}))

    with serving(create_app(blind)) as client:
        answers = {path: client.get(path) for path in ("/", "/c/chairs", "/p/tomo-chair")}

    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    page = parse(answers["/p/tomo-chair"].text)
    assert page.one(class_="stock").text == "Availability is checked at checkout"
    assert "disabled" not in page.one("button", data_buy="").attributes


def test_the_sitemap_names_every_page_worth_finding(own_shop: Services, shopper: Visitor) -> None:
    archive(own_shop.catalogue, "maane-lamp", now=own_shop.now())

    tree = ElementTree.fromstring(shopper.get("/sitemap.xml").text)

    address = own_shop.settings.public_url
    assert {element.text for element in tree.iter() if element.tag.endswith("loc")} == {
        f"{address}{path}" for path in ("/", "/search", "/c/chairs", "/p/tomo-chair")
    }


def test_robots_are_kept_from_what_is_private(visitor: Visitor, shop: Services) -> None:
    text = visitor.get("/robots.txt").text

    assert "Disallow: /checkout" in text
    assert f"Sitemap: {shop.settings.public_url}/sitemap.xml" in text


def test_link_previews_show_the_product(visitor: Visitor, shop: Services) -> None:
    page = visitor.show("/p/tomo-chair")
    said = {meta["property"]: meta["content"] for meta in page.all("meta", property="")}

    assert said["og:title"] == "Tomo chair"
    assert said["og:type"] == "product"
    assert said["og:image"] == f"{shop.settings.public_url}/assets/posters/tomooak.webp"
    assert page.one("meta", name="twitter:card")["content"] == "summary_large_image"


def test_the_largest_picture_is_fetched_first_and_small_ones_when_they_are_seen(
    visitor: Visitor,
) -> None:
    page = visitor.show("/p/tomo-chair")
    poster = page.one("img", class_="product-3d-poster")

    assert page.one("link", rel="preload")["href"] == poster["src"]
    assert poster["fetchpriority"] == "high"
    others = [image for image in page.all("img") if image is not poster]
    assert others
    assert all(image["loading"] == "lazy" for image in others)


def test_errors_look_like_the_shop(visitor: Visitor) -> None:
    answer = visitor.get("/p/nothing")
    page = parse(answer.text)

    assert answer.status == 404
    assert page.heading == "This plinth is empty."
    assert page.one("nav", class_="rooms").text == "Everything"


@pytest.mark.parametrize(
    "query",
    ["cursor=broken", "sort=cheapest", "option=" + "x" * 300, "q=" + "x" * 300, "price_from=1e999"],
)
def test_tampered_addresses_are_no_crash(query: str, visitor: Visitor) -> None:
    answer = visitor.get(f"/search?{query}")

    assert answer.status in (200, 422)
    assert parse(answer.text).problems() == []


def test_the_maintenance_page_stands_alone(own_shop: Services) -> None:
    closed = replace(own_shop, settings=own_shop.settings.model_copy(update={"maintenance": True}))

    with serving(create_app(closed)) as client:
        answer = client.get("/", accept="text/html")

    assert answer.status == 503
    assert parse(answer.text).problems() == []
    assert parse(answer.text).heading == "We are rearranging the display."
