"""Every product of the studio, modelled once for all tests that look at geometry."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from vitrina.models3d import preflight
from vitrina.models3d.model import Plain
from vitrina.studio import product
from vitrina.studio.collection import ITEMS, Item
from vitrina.studio.product import Model


@dataclass(frozen=True)
class Sample:
    """A product as modelled, and as the file a pre-flight has let pass."""

    item: Item
    model: Model
    data: bytes
    document: Plain
    binary: bytes


@cache
def _sample(slug: str) -> Sample:
    item = next(item for item in ITEMS if item.slug == slug)
    model = item.make()
    data = product.write(model)
    return Sample(item, model, data, *preflight.check(data))


@pytest.fixture(scope="session")
def samples() -> Callable[[str], Sample]:
    return _sample


@pytest.fixture(params=[item.slug for item in ITEMS])
def sample(request: pytest.FixtureRequest, samples: Callable[[str], Sample]) -> Sample:
    return samples(request.param)
