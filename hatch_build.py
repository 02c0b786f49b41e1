"""Builds the front end into the wheel, so that whoever installs it needs no Node."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = ["/src/vitrina/platform/static/**", "/src/vitrina/models3d/gltfpack.wasm"]


class FrontendBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``frontend/build.py`` before a wheel is packed.

    An editable install is built by ``make build``, and a source distribution carries the sources.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        _load(Path(self.root) / "frontend" / "build.py").build()
        build_data["artifacts"] += BUILT


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("vitrina_frontend_build", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
