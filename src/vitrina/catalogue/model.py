"""Products as values: what they are, which variants one can buy, how they look in 3D."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from vitrina.kernel.money import Money
from vitrina.models3d.model import Manifest


class PublicationState(StrEnum):
    """Only ``PUBLISHED`` products are seen by shoppers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Outer size, metres."""

    width_m: float
    height_m: float
    depth_m: float


@dataclass(frozen=True, slots=True)
class Option:
    """A choice such as Finish with its values in the order a shopper sees them."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """What one buys: a SKU with one value per option."""

    sku: str
    choices: tuple[str, ...]  # one value per option of the product, in its order
    price: Money
    stock_key: str
    material_variant: str = ""  # KHR_materials_variants name the 3D view shows; "" = as modelled


@dataclass(frozen=True, slots=True)
class Product:
    """A product and the variants it is sold in."""

    id: str
    slug: str
    title: str
    summary: str  # one sentence, for listings and search results
    description: str  # plain text; blank lines separate paragraphs
    category: str  # slug of its category
    tags: tuple[str, ...]
    options: tuple[Option, ...]
    variants: tuple[Variant, ...]  # never empty; the first is the one shown first
    dimensions: Dimensions | None
    model: Manifest | None
    state: PublicationState
    created_at: datetime
    updated_at: datetime
    revision: str = ""  # changes with every write; empty means never stored
