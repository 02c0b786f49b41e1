"""What the pages show, worked out from the catalogue's values: plain, ready for a template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrina.catalogue.model import (
    Availability,
    CategorySummary,
    ListedProduct,
    Option,
    Product,
    Variant,
    asset_url,
)
from vitrina.kernel.money import Money
from vitrina.models3d.model import Poster
from vitrina.storefront.drawing import Drawing, draw

TINTS = 8  # hues of the grounds in the stylesheet; the last is a quiet one for what has no room
RELATED = 4
INDEX_PICTURES = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A poster as an ``<img>`` needs it."""

    url: str
    width_px: int
    height_px: int

    @classmethod
    def of(cls, poster: Poster | None) -> "Picture | None":
        if poster is None:
            return None
        return cls(asset_url(poster.key), poster.width_px, poster.height_px)


@dataclass(frozen=True, slots=True)
class Room:
    """A category as the menu and the index name it."""

    slug: str
    title: str
    blurb: str
    count: int
    picture: Picture | None
    tint: int


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A category on the home page, with a few pictures of what it holds."""

    room: Room
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """What search engines and link previews read of a page."""

    title: str
    description: str
    canonical: str = ""  # path; empty keeps the page out of search engines
    picture: Picture | None = None
    kind: str = "website"  # og:type
    linked_data: tuple[str, ...] = ()  # JSON-LD, safe inside a <script>


@dataclass(frozen=True, slots=True)
class Card:
    """A product in a list."""

    slug: str
    title: str
    summary: str
    price: Money
    is_from: bool  # other variants cost more
    note: str  # such as "3 finishes"
    picture: Picture | None
    tint: int
    is_sold_out: bool


@dataclass(frozen=True, slots=True)
class Look:
    """A variant as the product page shows it."""

    sku: str
    name: str  # "Oak", "Oak, large"; empty when there is nothing to choose
    choices: tuple[str, ...]
    price: Money
    material: str  # what the 3D view calls it
    picture: Picture | None
    availability: Availability

    @property
    def can_be_bought(self) -> bool:
        return self.availability is not Availability.SOLD_OUT


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an option, as something to choose."""

    name: str
    picture: Picture | None  # where this value alone decides the look
    price: Money | None  # where this value alone decides a price that others do not have
    is_chosen: bool
    is_sold_out: bool  # whatever else is chosen


@dataclass(frozen=True, slots=True)
class Choice:
    """An option with its values; chosen by one group of radio buttons."""

    field: str  # name of the form field
    name: str  # "Finish"
    values: tuple[Value, ...]
    has_pictures: bool


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product page."""

    product: Product
    looks: tuple[Look, ...]
    chosen: Look
    choices: tuple[Choice, ...]  # empty when there is nothing to choose
    choice_names: str  # "finish", "finish and plug"
    prices_differ: bool
    tint: int
    room: Room | None
    paragraphs: tuple[str, ...]
    drawing: Drawing | None


def rooms(categories: Sequence[CategorySummary]) -> tuple[Room, ...]:
    """The categories that hold something, each with a hue of its own as far as hues go."""
    return tuple(
        Room(
            slug=category.slug,
            title=category.title,
            blurb=category.blurb,
            count=category.count,
            picture=Picture.of(category.poster),
            tint=position % (TINTS - 1) + 1,
        )
        for position, category in enumerate(categories)
        if category.count
    )


def tint_of(slug: str, rooms: Iterable[Room]) -> int:
    """The hue of a category; the quiet one for what is in no room."""
    return next((room.tint for room in rooms if room.slug == slug), TINTS)


def index_rows(rooms: Sequence[Room], listed: Iterable[ListedProduct]) -> tuple[IndexRow, ...]:
    """Each category with a few pictures of what it holds."""
    pictures: dict[str, list[Picture]] = {room.slug: [] for room in rooms}
    for item in listed:
        picture = Picture.of(item.poster)
        held = pictures.get(item.category)
        if picture and held is not None and len(held) < INDEX_PICTURES:
            held.append(picture)
    return tuple(
        IndexRow(room, tuple(pictures[room.slug]) or ((room.picture,) if room.picture else ()))
        for room in rooms
    )


def card(
    listed: ListedProduct, rooms: Sequence[Room], availability: Mapping[str, Availability]
) -> Card:
    """A product in a list.

    Args:
        availability: by stock key.
    """
    return Card(
        slug=listed.slug,
        title=listed.title,
        summary=listed.summary,
        price=listed.lowest_price,
        is_from=listed.lowest_price < listed.highest_price,
        note=_choices(listed),
        picture=Picture.of(listed.poster),
        tint=tint_of(listed.category, rooms),
        is_sold_out=all(
            availability.get(key) is Availability.SOLD_OUT for key in listed.stock_keys
        ),
    )


def product_view(
    product: Product,
    sku: str | None,
    availability: Mapping[str, Availability],
    rooms: Sequence[Room],
) -> ProductView:
    """A product page that shows one variant.

    Args:
        sku: the variant asked for; the first that can be bought when it is None or unknown.
        availability: by stock key; what is missing counts as not known.
    """

    def state(variant: Variant) -> Availability:
        return availability.get(variant.stock_key, Availability.UNKNOWN)

    asked = product.variant(sku) if sku else None
    for_sale = (v for v in product.variants if state(v) is not Availability.SOLD_OUT)
    shown = asked or next(for_sale, product.variants[0])
    looks = tuple(
        Look(
            sku=variant.sku,
            name=", ".join(variant.choices),
            choices=variant.choices,
            price=variant.price,
            material=variant.material_variant,
            picture=Picture.of(product.poster(variant.material_variant)),
            availability=state(variant),
        )
        for variant in product.variants
    )
    chosen = looks[product.variants.index(shown)]
    return ProductView(
        product=product,
        looks=looks,
        chosen=chosen,
        choices=tuple(
            _choice(position, option, looks, chosen)
            for position, option in enumerate(product.options)
        )
        if len(looks) > 1
        else (),
        choice_names=_joined([option.name.lower() for option in product.options]),
        prices_differ=product.lowest_price < product.highest_price,
        tint=tint_of(product.category, rooms),
        room=next((room for room in rooms if room.slug == product.category), None),
        paragraphs=tuple(filter(None, map(str.strip, product.description.split("\n\n")))),
        drawing=draw(product.dimensions) if product.dimensions else None,
    )


def nearest_variant(product: Product, choices: Sequence[str]) -> Variant:
    """The variant that agrees with the most important of the choices; options come in order."""
    return max(
        product.variants,
        key=lambda variant: [
            mine == wanted for mine, wanted in zip(variant.choices, choices, strict=False)
        ],
    )


def _choice(position: int, option: Option, looks: Sequence[Look], chosen: Look) -> Choice:
    having = {
        value: [look for look in looks if look.choices[position] == value]
        for value in option.values
    }
    pictures = {value: {look.picture for look in held} for value, held in having.items() if held}
    prices = {value: {look.price for look in held} for value, held in having.items() if held}
    decides_look = _tells_apart(pictures.values()) and {None} not in pictures.values()
    decides_price = _tells_apart(prices.values(), all_differ=False)
    return Choice(
        field=f"choice_{position + 1}",
        name=option.name,
        values=tuple(
            Value(
                name=value,
                picture=next(iter(pictures[value])) if decides_look else None,
                price=next(iter(prices[value])) if decides_price else None,
                is_chosen=value == chosen.choices[position],
                is_sold_out=not any(look.can_be_bought for look in held),
            )
            for value, held in having.items()
            if held
        ),
        has_pictures=decides_look,
    )


def _tells_apart(found: Iterable[set[Any]], *, all_differ: bool = True) -> bool:
    """Whether each value goes with one thing, and these differ: all of them, or at least two."""
    each = list(found)
    if any(len(things) != 1 for things in each):
        return False
    different = len({next(iter(things)) for things in each})
    return different == len(each) if all_differ else different > 1


def _choices(listed: ListedProduct) -> str:
    """``3 finishes``: the first option with more than one value, in numbers."""
    for option in listed.options:
        if len(option.values) > 1:
            return f"{len(option.values)} {_plural(option.name.lower())}"
    return ""


def _plural(noun: str) -> str:
    if noun.endswith(("s", "sh", "ch", "x", "z")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def _joined(words: Sequence[str]) -> str:
    """``finish``, ``finish and size``, ``finish, size and legs``."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
