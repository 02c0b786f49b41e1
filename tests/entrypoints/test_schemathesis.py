"""Whatever the API document allows, and whatever it does not: no answer is a failure of ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.serving import Client
from tests.shopping import cart_with
from vitrina.entrypoints.wiring import Services

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 30
TIMEOUT_S = 280


def test_schemathesis_finds_nothing(client: Client, services: Services, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{client.port}"
    # Behind an empty cart lies less code than behind a filled one.
    cart_id = cart_with(services, {"OAK-CHAIR-OAK": 2})

    run = subprocess.run(
        [
            *(SCHEMATHESIS, "run", f"{address}/api/v1/openapi.json", "--url", address),
            *("--header", f"Cookie: cart={cart_id}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
            *("--seed", "20260504", "--no-shrink", "--continue-on-failure"),
            # It takes for valid what only the shop can know to be wrong, such as a made-up cursor.
            *("--exclude-checks", "positive_data_acceptance"),
            *("--request-timeout", "30", "--suppress-health-check", "all"),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\b(\d\d+) selected / \1 total", run.stdout), run.stdout
