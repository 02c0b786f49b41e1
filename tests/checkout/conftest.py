"""A shop with goods on the shelf and a clock that can be moved."""

from dataclasses import replace

import pytest

from tests.shopping import MovableClock, on_shelf
from vitrina.entrypoints.wiring import Services

STOCKS = {"CHAIR": 10, "LAMP": 10, "MUG": 10}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def shop(services: Services, clock: MovableClock) -> Services:
    """Sells ``CHAIR`` at 129.50, ``LAMP`` at 89 and ``MUG`` at 12.40 euro; ten of each."""
    return stocked(replace(services, now=clock))


def stocked(shop: Services) -> Services:
    on_shelf(shop, "chair", "129.50", STOCKS["CHAIR"])
    on_shelf(shop, "lamp", "89.00", STOCKS["LAMP"])
    on_shelf(shop, "mug", "12.40", STOCKS["MUG"])
    return shop
