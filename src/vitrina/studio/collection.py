"""The collection of Sten & Kiri, the studio's own design house: what is said and what it costs.

Two names for one idea: *sten*, Swedish for stone, and *kiri*, the light wood of Japanese chests.
Shapes live in `products`; sizes are taken from the geometry when the collection is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vitrina.studio.product import Model
from vitrina.studio.products import furniture, lighting, seating, tableware, textiles


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category of the shop."""

    slug: str
    title: str
    blurb: str


@dataclass(frozen=True, slots=True)
class Sku:
    """One thing to buy."""

    sku: str
    choices: tuple[str, ...]  # one value per option
    finish: str  # the KHR_materials_variants name that shows it
    euros: int
    stock: int


@dataclass(frozen=True, slots=True)
class Item:
    """A product: how it is made, and how it is sold. Paragraphs are separated by blank lines."""

    slug: str
    title: str
    category: str
    summary: str
    description: str
    tags: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    skus: tuple[Sku, ...]
    published_at: str  # ISO 8601; newest first in the shop
    make: Callable[[], Model]


SHELVES = (
    Shelf("chairs", "Chairs & benches", "Turned, bent and wound by hand, for sitting a long time."),
    Shelf("tables", "Tables", "Places to meet, to work and to put a cup down."),
    Shelf("lighting", "Lighting", "Lamps that keep the glare to themselves."),
    Shelf("ceramics-and-glass", "Ceramics & glass", "Thrown, glazed and blown in small batches."),
    Shelf("storage", "Storage & mirrors", "Order, without walls of it."),
    Shelf("accessories", "Textiles & accessories", "The small things a room is made of."),
)


def _woods(
    prefix: str, prices: tuple[int, int, int], stock: tuple[int, int, int]
) -> tuple[Sku, ...]:
    names = (
        ("OAK", "Oak", "oak"),
        ("WALNUT", "Walnut", "walnut"),
        ("BLACK", "Black ash", "black-ash"),
    )
    return tuple(
        Sku(f"{prefix}-{code}", (label,), finish, euros, pieces)
        for (code, label, finish), euros, pieces in zip(names, prices, stock, strict=True)
    )


_WOOD_FINISH = ("Finish", ("Oak", "Walnut", "Black ash"))

ITEMS = (
    Item(
        slug="tomo-dining-chair",
        title="Tomo dining chair",
        category="chairs",
        summary="A turned frame, a bent crest rail and a seat wound from paper cord.",
        description=(
            "Tomo means friend, and the chair was drawn as one: light enough to pull up with two"
            " fingers, broad enough to stay in after the plates are gone. The crest rail is bent"
            " from a single strip and reaches around the back, so that it can be leaned on"
            " sideways, too.\n\n"
            "Legs and stretchers are turned from solid wood and oiled. The seat is wound by hand"
            " over its four rails; it gives a little, and tightens again overnight."
        ),
        tags=("dining", "solid wood", "paper cord"),
        options=(_WOOD_FINISH,),
        skus=_woods("TOMO", (495, 595, 525), (24, 11, 18)),
        published_at="2026-03-02T09:00:00+00:00",
        make=seating.dining_chair,
    ),
    Item(
        slug="hvile-lounge-chair",
        title="Hvile lounge chair",
        category="chairs",
        summary="Low, deep and open at the back, with paddle arms and two bouclé cushions.",
        description=(
            "A chair for the second half of the evening. The seat tips back by seven degrees and"
            " the back by twenty-three, which is where most people stop fidgeting. The arms are"
            " wide where a hand or a cup wants to rest and slim where they meet the back.\n\n"
            "Seen from behind it is a drawing in wood, so it may stand in the middle of a room."
            " Cushions have a core of natural latex, wrapped in wool; covers come off for cleaning."
        ),
        tags=("featured", "lounge", "solid wood", "bouclé", "upholstered"),
        options=(
            ("Finish", ("Oak, ivory bouclé", "Walnut, moss bouclé", "Black ash, rust bouclé")),
        ),
        skus=(
            Sku("HVILE-OAK-IVORY", ("Oak, ivory bouclé",), "oak", 1690, 6),
            Sku("HVILE-WALNUT-MOSS", ("Walnut, moss bouclé",), "walnut", 1950, 4),
            Sku("HVILE-BLACK-RUST", ("Black ash, rust bouclé",), "black-ash", 1750, 3),
        ),
        published_at="2026-05-11T09:00:00+00:00",
        make=seating.lounge_chair,
    ),
    Item(
        slug="tre-stool",
        title="Tre stool",
        category="chairs",
        summary="Three legs never wobble. A dished seat, wedged joints and a ring for the feet.",
        description=(
            "Tre is Norwegian for three, and for wood. The seat is turned with a shallow dish and"
            " a rim as soft as a river stone; the legs go right through it and are held by wedges"
            " of the same tree, which you can feel with a fingertip.\n\n"
            "A stool at the table, a table beside the bath, a step for the top shelf."
        ),
        tags=("stool", "solid wood"),
        options=(_WOOD_FINISH,),
        skus=_woods("TRE", (265, 315, 280), (30, 16, 0)),
        published_at="2026-01-19T09:00:00+00:00",
        make=seating.stool,
    ),
    Item(
        slug="engawa-bench",
        title="Engawa bench",
        category="chairs",
        summary="Five slats, a trestle and a leather pad: the veranda, brought into the hall.",
        description=(
            "The engawa is the wooden step between a Japanese house and its garden, where shoes"
            " come off and neighbours sit down. This bench does the same work in a hallway, along"
            " a dining table or at the foot of a bed.\n\n"
            "The pad is one piece of vegetable-tanned leather over wool felt, piped at its edges"
            " and held by two straps. It darkens where people sit. Let it."
        ),
        tags=("bench", "hallway", "solid wood", "leather"),
        options=(
            ("Finish", ("Oak, cognac leather", "Walnut, black leather", "Black ash, sand leather")),
        ),
        skus=(
            Sku("ENGAWA-OAK-COGNAC", ("Oak, cognac leather",), "oak", 890, 9),
            Sku("ENGAWA-WALNUT-BLACK", ("Walnut, black leather",), "walnut", 1040, 5),
            Sku("ENGAWA-BLACK-SAND", ("Black ash, sand leather",), "black-ash", 920, 7),
        ),
        published_at="2026-04-20T09:00:00+00:00",
        make=seating.bench_seat,
    ),
    Item(
        slug="naust-dining-table",
        title="Naust dining table",
        category="tables",
        summary="A boat-shaped top, its edge drawn in below, on four splayed legs. Seats eight.",
        description=(
            "Naust is the boathouse on the shore. The sides of the top swell gently towards the"
            " middle, so that nobody at the table is hidden from anybody else, and its edge is"
            " planed away underneath: a thick board that looks like a thin one.\n\n"
            "The apron is set back and leaves the knees alone. Legs come off with one key for"
            " narrow stairs."
        ),
        tags=("dining", "solid wood"),
        options=(_WOOD_FINISH,),
        skus=_woods("NAUST", (2290, 2790, 2390), (5, 3, 4)),
        published_at="2026-02-16T09:00:00+00:00",
        make=furniture.dining_table,
    ),
    Item(
        slug="ishi-side-table",
        title="Ishi side table",
        category="tables",
        summary="A disc of stone, a pebble of the same block, and little between them.",
        description=(
            "Ishi is stone. The foot is turned until it looks as if water had done it; its weight"
            " keeps the slender stem upright and the cup where it was put. Top and foot are cut"
            " from one block, so their pattern belongs together.\n\n"
            "Sealed against wine and coffee. No two are alike."
        ),
        tags=("side table", "stone"),
        options=(("Stone", ("Travertine", "Chalk terrazzo", "Ink terrazzo")),),
        skus=(
            Sku("ISHI-TRAVERTINE", ("Travertine",), "travertine", 640, 8),
            Sku("ISHI-CHALK", ("Chalk terrazzo",), "chalk-terrazzo", 560, 12),
            Sku("ISHI-INK", ("Ink terrazzo",), "ink-terrazzo", 560, 10),
        ),
        published_at="2026-05-04T09:00:00+00:00",
        make=furniture.side_table,
    ),
    Item(
        slug="klokke-pendant-lamp",
        title="Klokke pendant lamp",
        category="lighting",
        summary="A spun bell with a rolled lip. An opal globe hides the bulb from those below.",
        description=(
            "One disc of metal, pressed over a wooden form while it turns, becomes a bell in"
            " eleven passes. The inside is painted white and gives the light away softly; the"
            " lip is rolled outwards, so there is no sharp edge to see or to feel.\n\n"
            "Hang it sixty centimetres above the table. Two metres of cotton flex, E27,"
            " dimmable."
        ),
        tags=("pendant", "metal", "opal glass"),
        options=(("Finish", ("Brass", "Chalk", "Black", "Clay")),),
        skus=(
            Sku("KLOKKE-BRASS", ("Brass",), "brass", 420, 9),
            Sku("KLOKKE-CHALK", ("Chalk",), "chalk", 320, 15),
            Sku("KLOKKE-BLACK", ("Black",), "black", 320, 21),
            Sku("KLOKKE-CLAY", ("Clay",), "clay", 320, 2),
        ),
        published_at="2026-04-06T09:00:00+00:00",
        make=lighting.pendant_lamp,
    ),
    Item(
        slug="kinoko-table-lamp",
        title="Kinoko table lamp",
        category="lighting",
        summary="A dome of blown opal glass on a turned foot too heavy to be knocked over.",
        description=(
            "Kinoko, the mushroom. The glass is blown in three layers, clear, white and clear"
            " again, and glows evenly from rim to crown. Below it stands a foot turned from one"
            " bar of metal.\n\n"
            "A touch of the small stud at the base dims it in three steps. Choose the plug of"
            " your country."
        ),
        tags=("table lamp", "metal", "opal glass"),
        options=(("Finish", ("Brass", "Steel", "Black")), ("Plug", ("EU", "UK"))),
        skus=(
            Sku("KINOKO-BRASS-EU", ("Brass", "EU"), "brass", 345, 12),
            Sku("KINOKO-BRASS-UK", ("Brass", "UK"), "brass", 345, 4),
            Sku("KINOKO-STEEL-EU", ("Steel", "EU"), "steel", 315, 14),
            Sku("KINOKO-STEEL-UK", ("Steel", "UK"), "steel", 315, 6),
            Sku("KINOKO-BLACK-EU", ("Black", "EU"), "black", 315, 17),
            Sku("KINOKO-BLACK-UK", ("Black", "UK"), "black", 315, 3),
        ),
        published_at="2026-05-18T09:00:00+00:00",
        make=lighting.table_lamp,
    ),
    Item(
        slug="andon-floor-lamp",
        title="Andon floor lamp",
        category="lighting",
        summary="A lantern of mulberry paper on a slender stem. Light like a late afternoon.",
        description=(
            "Andon were the paper lanterns of old Japanese rooms. Ours is shaped over a wooden"
            " mould: eighteen turns of bamboo, and one sheet of washi whose fibres show as soon"
            " as the lamp is lit.\n\n"
            "The foot and the stem are turned from solid wood. The shade folds flat, and can be"
            " replaced for the price of a good dinner."
        ),
        tags=("floor lamp", "paper", "solid wood"),
        options=(_WOOD_FINISH,),
        skus=_woods("ANDON", (480, 540, 490), (10, 6, 8)),
        published_at="2026-03-23T09:00:00+00:00",
        make=lighting.floor_lamp,
    ),
    Item(
        slug="kata-vase",
        title="Kata vase",
        category="ceramics-and-glass",
        summary="A full shoulder, a narrow neck: one branch is enough.",
        description=(
            "Kata is the shoulder, and the pot is all about it: the line that runs out from the"
            " foot, holds its breath and goes up into the neck. Thrown in one piece in stoneware"
            " and dipped by hand; the foot stays bare.\n\n"
            "The glaze runs thin at the lip and breaks to the colour of the clay. Watertight."
        ),
        tags=("vase", "stoneware"),
        options=(("Glaze", ("Celadon", "Tenmoku", "Chalk", "Indigo")),),
        skus=(
            Sku("KATA-CELADON", ("Celadon",), "celadon", 128, 14),
            Sku("KATA-TENMOKU", ("Tenmoku",), "tenmoku", 142, 9),
            Sku("KATA-CHALK", ("Chalk",), "chalk", 118, 20),
            Sku("KATA-INDIGO", ("Indigo",), "indigo", 128, 11),
        ),
        published_at="2026-02-02T09:00:00+00:00",
        make=tableware.vase,
    ),
    Item(
        slug="morgen-mug",
        title="Morgen mug",
        category="ceramics-and-glass",
        summary="A quarter of a litre, a soft belly and a handle for three fingers.",
        description=(
            "The one that is always in the dishwasher because everybody takes it first. Its wall"
            " swells a little to keep the coffee warm; the handle is pulled from the same clay"
            " and grows out of the body without a seam.\n\n"
            "Stoneware. Dishwasher, oven and everyday safe. 250 ml."
        ),
        tags=("mug", "stoneware", "kitchen"),
        options=(("Glaze", ("Chalk", "Celadon", "Indigo", "Rust")),),
        skus=(
            Sku("MORGEN-CHALK", ("Chalk",), "chalk", 29, 80),
            Sku("MORGEN-CELADON", ("Celadon",), "celadon", 32, 64),
            Sku("MORGEN-INDIGO", ("Indigo",), "indigo", 32, 58),
            Sku("MORGEN-RUST", ("Rust",), "rust", 32, 41),
        ),
        published_at="2026-01-12T09:00:00+00:00",
        make=tableware.mug,
    ),
    Item(
        slug="nami-bowls",
        title="Nami bowls, set of three",
        category="ceramics-and-glass",
        summary="Three bowls from one curve: for salad, for soup, for salt almonds.",
        description=(
            "Nami is the wave. One line, drawn once, thrown in three sizes that rest in each"
            " other and take up the room of one. The glazes of a set are chosen to look well"
            " together, and with everything you own already.\n\n"
            "Stoneware, 19, 15 and 12 centimetres across. Dishwasher and oven safe."
        ),
        tags=("bowl", "stoneware", "kitchen", "set"),
        options=(("Set", ("Tide", "Ember", "Chalk")),),
        skus=(
            Sku("NAMI-TIDE", ("Tide",), "tide", 96, 22),
            Sku("NAMI-EMBER", ("Ember",), "ember", 98, 17),
            Sku("NAMI-CHALK", ("Chalk",), "chalk", 88, 26),
        ),
        published_at="2026-03-30T09:00:00+00:00",
        make=tableware.bowls,
    ),
    Item(
        slug="dobin-teapot",
        title="Dobin teapot",
        category="ceramics-and-glass",
        summary="A round pot for green tea under a bail of bent wood that never gets hot.",
        description=(
            "A dobin is the teapot with its handle overhead, the way it was made for centuries"
            " to hang above the hearth. It pours from the wrist, and the thin lip of the spout"
            " closes without a drop.\n\n"
            "The bail is steamed from one strip and folds to the side for filling. 0.7 litres,"
            " with a steel sieve."
        ),
        tags=("teapot", "stoneware", "kitchen"),
        options=(("Glaze", ("Charcoal", "Celadon", "Rust")),),
        skus=(
            Sku("DOBIN-CHARCOAL", ("Charcoal",), "charcoal", 135, 12),
            Sku("DOBIN-CELADON", ("Celadon",), "celadon", 145, 7),
            Sku("DOBIN-RUST", ("Rust",), "rust", 135, 9),
        ),
        published_at="2026-05-25T09:00:00+00:00",
        make=tableware.teapot,
    ),
    Item(
        slug="yoru-carafe",
        title="Yoru carafe and tumbler",
        category="ceramics-and-glass",
        summary="Water for the night. The tumbler, turned over, is the stopper.",
        description=(
            "Yoru is the night. A carafe for the bedside, with a tumbler that sits on its neck"
            " like a cap: nothing falls in, nothing gets lost, and only one thing needs"
            " carrying upstairs.\n\n"
            "Mouth-blown and tinted in the mass. 0.6 litres. Small bubbles are the signature of"
            " the hand, and no reason to worry."
        ),
        tags=("carafe", "glass", "kitchen"),
        options=(("Glass", ("Smoke", "Sea", "Amber")),),
        skus=(
            Sku("YORU-SMOKE", ("Smoke",), "smoke", 68, 25),
            Sku("YORU-SEA", ("Sea",), "sea", 68, 19),
            Sku("YORU-AMBER", ("Amber",), "amber", 72, 13),
        ),
        published_at="2026-04-27T09:00:00+00:00",
        make=tableware.carafe,
    ),
    Item(
        slug="stige-bookcase",
        title="Stige bookcase",
        category="storage",
        summary="Five shelves threaded on four turned posts. Light passes through, books stay put.",
        description=(
            "Stige means ladder, and like one it has as few parts as will do. The shelves slide"
            " down the posts and rest on small metal collars; a rail at the back and one at each"
            " side keep the last book from leaving.\n\n"
            "Goes up in twenty minutes without a tool. Fix it to the wall with the fitting"
            " supplied."
        ),
        tags=("bookcase", "solid wood"),
        options=(_WOOD_FINISH,),
        skus=_woods("STIGE", (1180, 1390, 1240), (7, 4, 5)),
        published_at="2026-02-23T09:00:00+00:00",
        make=furniture.bookcase,
    ),
    Item(
        slug="mane-wall-mirror",
        title="Måne wall mirror",
        category="storage",
        summary="A full moon in a turned ring of wood, hung from one strap.",
        description=(
            "Måne is the moon. The ring is turned from solid segments and rounded to the touch;"
            " the glass sits deep in it and has a fine bevel that catches the light at its"
            " edge.\n\n"
            "A strap of vegetable-tanned leather goes over a peg of solid metal. One screw in"
            " the wall, one look to see that it is straight."
        ),
        tags=("mirror", "hallway", "solid wood", "leather"),
        options=(_WOOD_FINISH,),
        skus=_woods("MANE", (310, 360, 325), (13, 8, 9)),
        published_at="2026-03-09T09:00:00+00:00",
        make=furniture.wall_mirror,
    ),
    Item(
        slug="hage-planter",
        title="Hage planter",
        category="accessories",
        summary="A fluted stoneware pot held in the crook of three wooden legs.",
        description=(
            "Hage is the garden; this is a small one. Thirty-six flutes are cut into the wet clay"
            " with a loop of wire and give the glaze edges to break on. The stand lifts the"
            " leaves into the light and goes together without screws.\n\n"
            "Inside 31 centimetres across, sealed, for pots or for planting."
        ),
        tags=("planter", "stoneware", "solid wood"),
        options=(("Finish", ("Chalk, oak stand", "Clay, oak stand", "Charcoal, walnut stand")),),
        skus=(
            Sku("HAGE-CHALK", ("Chalk, oak stand",), "chalk", 245, 10),
            Sku("HAGE-CLAY", ("Clay, oak stand",), "clay", 235, 12),
            Sku("HAGE-CHARCOAL", ("Charcoal, walnut stand",), "charcoal", 265, 6),
        ),
        published_at="2026-04-13T09:00:00+00:00",
        make=tableware.planter,
    ),
    Item(
        slug="asa-tray",
        title="Asa tray",
        category="accessories",
        summary="Breakfast for two, carved from one board.",
        description=(
            "Asa is the morning. The rim rises out of the board in one curve, without a joint,"
            " and is undercut just enough for the fingers. Two runners keep it off the"
            " bedspread.\n\n"
            "Solid wood, oiled for food. Wipe with a damp cloth, and oil it again when it looks"
            " thirsty."
        ),
        tags=("tray", "solid wood", "kitchen"),
        options=(_WOOD_FINISH,),
        skus=_woods("ASA", (98, 118, 104), (28, 19, 3)),
        published_at="2026-01-26T09:00:00+00:00",
        make=furniture.tray,
    ),
    Item(
        slug="dun-cushion",
        title="Dun cushion",
        category="accessories",
        summary="Heavy washed linen, piped by hand, over down or over kapok.",
        description=(
            "Dun is down. The linen is woven in a small mill in the north of Portugal, washed"
            " until it drapes, and sewn with a fine piping that keeps the edge in line for"
            " years.\n\n"
            "Fifty by fifty centimetres. Filled with new down, or with kapok for those who would"
            " rather leave the geese alone. The cover comes off and washes at forty degrees."
        ),
        tags=("cushion", "linen"),
        options=(("Colour", ("Flax", "Moss", "Ink", "Clay")), ("Filling", ("Down", "Kapok"))),
        skus=tuple(
            Sku(
                f"DUN-{colour.upper()}-{filling.upper()}",
                (colour, filling),
                colour.lower(),
                euros,
                pieces,
            )
            for colour, counts in (
                ("Flax", (34, 12)),
                ("Moss", (18, 9)),
                ("Ink", (22, 7)),
                ("Clay", (15, 2)),
            )
            for (filling, euros), pieces in zip((("Down", 89), ("Kapok", 79)), counts, strict=True)
        ),
        published_at="2026-02-09T09:00:00+00:00",
        make=textiles.cushion,
    ),
)
