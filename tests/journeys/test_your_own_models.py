"""A merchant's own file becomes a product page whose 3D view works, as typed in the README."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Browse, difference, picture
from tests.journeys.test_purchase import SEEN, turn
from tests.models3d.conftest import DRACO, models_folder
from vitrina.settings import Settings

NAMES = sorted(path.stem for path in models_folder().glob("*.glb") if path.stem not in DRACO)


@pytest.mark.parametrize("name", NAMES or [pytest.param("", marks=pytest.mark.skip("no models"))])
def test_any_model_is_sold_with_a_view_that_turns(
    name: str, shop_settings: Settings, browse: Browse
) -> None:
    added = add(models_folder() / f"{name}.glb", shop_settings)

    visit = browse()
    visit.open(f"/p/{added['slug']}")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text(name)
    visit.wait_for_3d()
    before = picture(visit.page.locator("product-3d canvas"))
    turn(visit)
    assert difference(before, picture(visit.page.locator("product-3d canvas"))) > SEEN
    assert len(added["variants"]) == max(1, visit.page.get_by_role("radio").count())


def add(model: Path, shop: Settings) -> dict[str, str]:
    """``vitrina product add``, without the pictures: the other journeys have seen posters."""
    command = [
        *(str(Path(sys.executable).with_name("vitrina")), "product", "add"),
        *("--model", str(model), "--title", model.stem, "--price", "129.50"),
        *("--no-poster", "--no-embedded", "--json"),
    ]
    environment = {
        **os.environ,
        "DATABASE_URL": shop.database_url.get_secret_value(),
        "VITRINA_PREFIX": shop.prefix,
    }
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    added: dict[str, str] = json.loads(run.stdout)
    return added
