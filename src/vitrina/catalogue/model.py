"""Products as values: what they are, which variants one can buy, how they look in 3D."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Literal, get_args

from vitrina.kernel.ids import SKU, SLUG
from vitrina.kernel.money import Money
from vitrina.models3d.model import Manifest, Poster

Order = Literal["newest", "price", "price-desc"]
ORDERS: tuple[Order, ...] = get_args(Order)

# A product is written with all its SKUs in one DynamoDB transaction of at most 100 items: itself,
# its listing, a new slug, and, when every SKU is renamed at once, each old and each new one.
MAX_VARIANTS = 48
MAX_OPTIONS = 4
MAX_TAGS = 24
MAX_SLUG_LENGTH = 120
MAX_SKU_LENGTH = 64
MAX_TITLE_LENGTH = 160
MAX_SUMMARY_LENGTH = 400
MAX_NAME_LENGTH = 80  # of an option, its values, a tag, a stock key, a material variant
MAX_PRICE_MINOR = 10**12 - 1  # price keys in the index have twelve digits
# DynamoDB takes items of at most 400 KB; this leaves room for variants and the 3D manifest.
MAX_DESCRIPTION_LENGTH = 50_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Control characters but tab and line ends, and halves of surrogate pairs.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# From this many pieces down, the shopper is told that few are left.
FEW_LEFT = 3


class PublicationState(StrEnum):
    """Only ``PUBLISHED`` products are seen by shoppers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Availability(StrEnum):
    """What a shopper is told about the stock of a variant."""

    IN_STOCK = "in_stock"
    FEW_LEFT = "few_left"
    SOLD_OUT = "sold_out"
    UNKNOWN = "unknown"  # the stock cannot be read just now; the checkout decides

    @classmethod
    def of(cls, available: int) -> "Availability":
        """From the number of pieces that can be sold."""
        if available <= 0:
            return cls.SOLD_OUT
        return cls.FEW_LEFT if available <= FEW_LEFT else cls.IN_STOCK

    @classmethod
    def best(cls, several: Iterable["Availability"]) -> "Availability":
        """Of a product's variants the one that promises most."""
        found = set(several)
        return next(
            (each for each in (cls.IN_STOCK, cls.FEW_LEFT, cls.UNKNOWN) if each in found),
            cls.SOLD_OUT,
        )


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop. Categories are shown by position, then by title."""

    slug: str
    title: str
    position: int = 0
    blurb: str = ""  # one sentence under the title

    def __post_init__(self) -> None:
        check_slug(self.slug, "a category's slug")
        _check_text(self.title, "a category's title", MAX_TITLE_LENGTH)
        _check_text(self.blurb, "a category's blurb", MAX_SUMMARY_LENGTH, may_be_empty=True)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Outer size, metres."""

    width_m: float
    height_m: float
    depth_m: float

    def __post_init__(self) -> None:
        for name in ("width_m", "height_m", "depth_m"):
            value: float = getattr(self, name)
            if not isfinite(value) or not 0.0001 <= value < 1000:
                raise ValueError(f"{name} is {value}: give metres, 0.0001 or more, below 1000")


@dataclass(frozen=True, slots=True)
class Option:
    """A choice such as Finish with its values in the order a shopper sees them."""

    name: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_text(self.name, "an option's name", MAX_NAME_LENGTH)
        for value in self.values:
            _check_text(value, f"a value of option {self.name!r}", MAX_NAME_LENGTH)
        _check_distinct(self.values, f"values of option {self.name!r}")


@dataclass(frozen=True, slots=True)
class Variant:
    """What one buys: a SKU with one value per option."""

    sku: str
    choices: tuple[str, ...]  # one value per option of the product, in its order
    price: Money
    stock_key: str
    material_variant: str = ""  # KHR_materials_variants name the 3D view shows; "" = as modelled

    def __post_init__(self) -> None:
        _check_sku(self.sku)
        _check_text(self.stock_key, f"the stock key of {self.sku}", MAX_NAME_LENGTH)
        if not 0 <= self.price.minor <= MAX_PRICE_MINOR:
            raise ValueError(f"the price of {self.sku} is {self.price}: give 0 or more")


@dataclass(frozen=True, slots=True)
class Product:
    """A product and the variants it is sold in.

    A value of this type always keeps the rules of the shop: building one that breaks them raises
    ``ValueError`` with a sentence that says which.
    """

    id: str
    slug: str
    title: str
    summary: str  # one sentence, for listings and search results
    description: str  # plain text; blank lines separate paragraphs
    category: str  # slug of its category; "" = on no shelf
    tags: tuple[str, ...]
    options: tuple[Option, ...]
    variants: tuple[Variant, ...]  # never empty; the first is the one shown first
    dimensions: Dimensions | None
    model: Manifest | None
    state: PublicationState
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None  # when shoppers could first see it
    revision: str = ""  # changes with every write; empty means never stored

    def __post_init__(self) -> None:
        if not is_product_id(self.id):
            raise ValueError(f"{self.id!r} cannot be a product's id: 1 to 64 of A-Z a-z 0-9 _ -")
        check_slug(self.slug, "a product's slug")
        _check_text(self.title, "a product's title", MAX_TITLE_LENGTH)
        _check_text(self.summary, "a product's summary", MAX_SUMMARY_LENGTH, may_be_empty=True)
        _check_text(self.description, "a description", MAX_DESCRIPTION_LENGTH, may_be_empty=True)
        if self.category:
            check_slug(self.category, "a product's category")
        for tag in self.tags:
            _check_text(tag, "a tag", MAX_NAME_LENGTH)
        _check_distinct(self.tags, "tags")
        _check_distinct([option.name for option in self.options], "option names")
        if len(self.tags) > MAX_TAGS or len(self.options) > MAX_OPTIONS:
            raise ValueError(f"at most {MAX_TAGS} tags and {MAX_OPTIONS} options are possible")
        for moment in (self.created_at, self.updated_at, self.published_at):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"the time {moment} has no time zone")
        self._check_variants()

    def _check_variants(self) -> None:
        if not 1 <= len(self.variants) <= MAX_VARIANTS:
            raise ValueError(
                f"a product has 1 to {MAX_VARIANTS} variants, this has {len(self.variants)}"
            )
        _check_distinct([variant.sku for variant in self.variants], "SKUs")
        _check_distinct(
            [" / ".join(variant.choices) for variant in self.variants],
            "variants (give an option in which they differ)",
        )
        currency = self.variants[0].price.currency
        for variant in self.variants:
            if variant.price.currency != currency:
                raise ValueError(f"{variant.sku} is priced in another currency than {currency}")
            if len(variant.choices) != len(self.options):
                raise ValueError(
                    f"{variant.sku} has {len(variant.choices)} choices "
                    f"for {len(self.options)} options"
                )
            for choice, option in zip(variant.choices, self.options, strict=True):
                if choice not in option.values:
                    raise ValueError(f"{variant.sku}: {choice!r} is no value of {option.name!r}")

    @property
    def is_published(self) -> bool:
        return self.state is PublicationState.PUBLISHED

    @property
    def lowest_price(self) -> Money:
        return min((variant.price for variant in self.variants), key=lambda price: price.minor)

    @property
    def highest_price(self) -> Money:
        return max((variant.price for variant in self.variants), key=lambda price: price.minor)

    @property
    def stock_keys(self) -> tuple[str, ...]:
        """Without repetition: variants may share one stock."""
        return tuple(dict.fromkeys(variant.stock_key for variant in self.variants))

    def variant(self, sku: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.sku == sku), None)

    def poster(self, material_variant: str = "") -> Poster | None:
        """The picture of one look, else that of the model as it comes, else none."""
        posters = {poster.variant: poster for poster in self.model.posters} if self.model else {}
        return posters.get(material_variant) or posters.get("")

    def published(self, now: datetime) -> "Product":
        """On the shelf. The time of the first publication stays, however often it comes back."""
        return replace(
            self,
            state=PublicationState.PUBLISHED,
            published_at=self.published_at or now,
            updated_at=now,
        )

    def archived(self, now: datetime) -> "Product":
        """Off the shelf; orders that name its SKUs stay readable."""
        return replace(self, state=PublicationState.ARCHIVED, updated_at=now)


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """As much of a product as a card in a list shows."""

    id: str
    slug: str
    title: str
    summary: str
    category: str
    tags: tuple[str, ...]
    options: tuple[Option, ...]
    lowest_price: Money
    highest_price: Money
    poster: Poster | None  # of the variant shown first
    stock_keys: tuple[str, ...]
    listed_at: datetime  # what "newest" sorts by

    @classmethod
    def of(cls, product: Product) -> "ListedProduct":
        return cls(
            id=product.id,
            slug=product.slug,
            title=product.title,
            summary=product.summary,
            category=product.category,
            tags=product.tags,
            options=product.options,
            lowest_price=product.lowest_price,
            highest_price=product.highest_price,
            poster=product.poster(product.variants[0].material_variant),
            stock_keys=product.stock_keys,
            listed_at=product.published_at or product.created_at,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a listing."""

    items: tuple[ListedProduct, ...]
    next_cursor: str | None  # None at the end


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """A category with what it holds, for menus and shelves."""

    slug: str
    title: str
    blurb: str
    count: int  # published products
    poster: Poster | None  # of its newest product


@dataclass(frozen=True, slots=True)
class Count:
    """How many results a facet's value would leave."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What the results of a search can be narrowed by.

    Each facet is counted under all filters except its own, so that the counts of the categories
    add up to what one would see without a category chosen. Tags and options narrow further, so
    they are counted under all filters.
    """

    categories: tuple[Count, ...]
    tags: tuple[Count, ...]
    options: tuple[tuple[str, tuple[Count, ...]], ...]  # by option name, such as Finish
    lowest_price: Money | None  # None without results
    highest_price: Money | None


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found."""

    items: tuple[ListedProduct, ...]
    facets: Facets
    total: int
    next_cursor: str | None  # None at the end
    corrected: str | None = None  # the query answered instead, when the one given had typos
    relaxed: bool = False  # nothing had all the words, so these have some of them


def asset_url(key: str) -> str:
    """The address of an object in the assets bucket, on the shop's own origin."""
    return f"/assets/{key}"


def is_product_id(text: str) -> bool:
    """Whether a product could have this id."""
    return _ID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Whether a product or a category could have this slug."""
    return len(text) <= MAX_SLUG_LENGTH and SLUG.fullmatch(text) is not None


def is_sku(text: str) -> bool:
    """Whether a variant could have this SKU."""
    return len(text) <= MAX_SKU_LENGTH and SKU.fullmatch(text) is not None


def _check_sku(sku: str) -> None:
    if not is_sku(sku):
        raise ValueError(
            f"{sku!r} is not a SKU: capitals and digits, joined by single hyphens or dots, at "
            f"most {MAX_SKU_LENGTH} characters, such as OAK-CHAIR-2"
        )


def check_slug(slug: str, what: str) -> None:
    """
    Raises:
        ValueError: not a slug; says what one looks like.
    """
    if not is_slug(slug):
        raise ValueError(
            f"{slug!r} cannot be {what}: lower-case letters and digits, joined by single hyphens, "
            f"at most {MAX_SLUG_LENGTH} characters, such as oak-chair"
        )


def _check_text(text: str, what: str, longest: int, *, may_be_empty: bool = False) -> None:
    if len(text) > longest:
        raise ValueError(f"{what} has {len(text)} characters, at most {longest} are possible")
    if not may_be_empty and not text.strip():
        raise ValueError(f"{what} is empty")
    if found := _UNFIT.search(text):
        raise ValueError(f"{what} holds the character {found[0]!r}, which cannot be shown")


def _check_distinct(values: list[str] | tuple[str, ...], what: str) -> None:
    if len(set(values)) != len(values):
        twice = next(value for value in values if list(values).count(value) > 1)
        raise ValueError(f"{what} repeat: {twice!r}")
