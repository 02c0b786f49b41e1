"""What crawlers ask for first: robots.txt and the sitemap."""

from xml.sax.saxutils import escape

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.service import MAX_LIMIT
from vitrina.storefront.shop import PUBLIC, Shop, ShopDep, all_rooms

router = APIRouter()

# A sitemap may hold 50,000 addresses (sitemaps.org); what is older is found through its category.
MAX_ADDRESSES = 50_000
_PRIVATE_PATHS = ("/cart", "/checkout", "/orders", "/api/")


@router.get("/robots.txt")
def robots(shop: ShopDep) -> Response:
    """Who may look where."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _PRIVATE_PATHS),
        "",
        f"Sitemap: {shop.settings.public_url}/sitemap.xml",
        "",
    ]
    return PlainTextResponse("\n".join(lines), headers={"Cache-Control": PUBLIC})


@router.get("/sitemap.xml")
def sitemap(shop: ShopDep) -> Response:
    """Every public page; products newest first, with the day they came."""
    addresses = [_entry(shop, "/"), _entry(shop, "/search")]
    addresses += [_entry(shop, f"/c/{room.slug}") for room in all_rooms(shop)]
    cursor: str | None = None
    while len(addresses) < MAX_ADDRESSES:
        page = catalogue_service.list_products(shop.catalogue, limit=MAX_LIMIT, cursor=cursor)
        addresses += [
            _entry(shop, f"/p/{item.slug}", item.listed_at.date().isoformat())
            for item in page.items
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    body = "".join(addresses[:MAX_ADDRESSES])
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{body}</urlset>\n',
        media_type="application/xml",
        headers={"Cache-Control": PUBLIC},
    )


def _entry(shop: Shop, path: str, changed: str = "") -> str:
    address = escape(shop.settings.public_url + path)
    modified = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>{address}</loc>{modified}</url>\n"
