"""A shop with three things on the shelf."""

from dataclasses import replace

import pytest

from tests.shopping import MovableClock, on_shelf
from vitrina.entrypoints.wiring import Services


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def shop(services: Services, clock: MovableClock) -> Services:
    """Sells ``CHAIR`` at 129.50, ``LAMP`` at 89 and ``MUG`` at 12.40 euro."""
    return stocked(replace(services, now=clock))


def stocked(shop: Services) -> Services:
    on_shelf(shop, "chair", "129.50")
    on_shelf(shop, "lamp", "89.00")
    on_shelf(shop, "mug", "12.40")
    return shop
