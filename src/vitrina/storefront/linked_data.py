"""What search engines read: schema.org documents as JSON-LD, one function per kind of page."""

import json
from collections.abc import Sequence
from typing import Any

from vitrina.catalogue.model import Availability, asset_url
from vitrina.storefront.views import Look, ProductView

_CONTEXT = "https://schema.org"
_AVAILABILITY = {
    Availability.IN_STOCK: "https://schema.org/InStock",
    Availability.FEW_LEFT: "https://schema.org/LimitedAvailability",
    Availability.SOLD_OUT: "https://schema.org/SoldOut",
}


def script(document: dict[str, Any] | list[dict[str, Any]]) -> str:
    """A document as the text of a ``<script>`` element: nothing in it can close the element."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def product(view: ProductView, public_url: str, shop_name: str) -> dict[str, Any]:
    """A product with an offer per variant and its 3D model."""
    item = view.product
    address = f"{public_url}/p/{item.slug}"
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Product",
        "@id": address,
        "url": address,
        "name": item.title,
        "sku": view.chosen.sku,
        "description": item.summary or item.description[:300],
        "brand": {"@type": "Brand", "name": shop_name},
        "image": [
            public_url + url
            for url in dict.fromkeys(look.picture.url for look in view.looks if look.picture)
        ],
        "offers": [_offer(address, look, shop_name) for look in view.looks],
    }
    if view.room:
        document["category"] = view.room.title
    if size := item.dimensions:
        document["width"] = _metres(size.width_m)
        document["height"] = _metres(size.height_m)
        document["depth"] = _metres(size.depth_m)
    if item.model:
        level = item.model.levels[0]
        document["subjectOf"] = {
            "@type": "3DModel",
            "name": item.title,
            "encoding": {
                "@type": "MediaObject",
                "contentUrl": public_url + asset_url(level.key),
                "encodingFormat": "model/gltf-binary",
                "contentSize": str(level.stored_bytes),
            },
        }
    return document


def breadcrumbs(public_url: str, links: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The way from home to a page.

    Args:
        links: path and title of each step after home.
    """
    return {
        "@context": _CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": title,
                "item": public_url + path,
            }
            for position, (path, title) in enumerate((("/", "Home"), *links), start=1)
        ],
    }


def website(public_url: str, shop_name: str) -> dict[str, Any]:
    """The shop itself, and where it is searched."""
    return {
        "@context": _CONTEXT,
        "@type": "WebSite",
        "name": shop_name,
        "url": f"{public_url}/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{public_url}/search?q={{words}}",
            "query-input": "required name=words",
        },
    }


def _offer(address: str, look: Look, shop_name: str) -> dict[str, Any]:
    offer = {
        "@type": "Offer",
        "sku": look.sku,
        "url": f"{address}?variant={look.sku}",
        "price": look.price.decimal,
        "priceCurrency": look.price.currency,
        "itemCondition": "https://schema.org/NewCondition",
        "seller": {"@type": "Organization", "name": shop_name},
    }
    if look.name:
        offer["name"] = look.name
    if state := _AVAILABILITY.get(look.availability):
        offer["availability"] = state
    return offer


def _metres(value: float) -> dict[str, Any]:
    return {"@type": "QuantitativeValue", "value": round(value, 4), "unitCode": "MTR"}
