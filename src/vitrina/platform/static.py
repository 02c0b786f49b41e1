"""The built front end: which file is served under which name.

``frontend/build.py`` writes the files and ``manifest.json``; this module only reads them. A file's
served name carries a fingerprint of its content, so it may be cached for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).with_name("static")
URL_PREFIX = "/static/"


class StaticNotBuilt(RuntimeError):
    """The front end, or the file named, has not been built."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{detail}; run `make build`")


@cache
def manifest() -> Mapping[str, str]:
    """Logical name -> name the file is served under. Read once per process.

    Raises:
        StaticNotBuilt: the front end was never built here.
    """
    try:
        text = (FOLDER / "manifest.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StaticNotBuilt("the front end has not been built") from None
    return MappingProxyType(json.loads(text))


def path(name: str) -> Path:
    """The file behind a logical name, such as ``viewer.js``.

    Raises:
        StaticNotBuilt: there is no such file.
    """
    return FOLDER / _served_name(name)


def url(name: str) -> str:
    """The address of a logical name: ``viewer.js`` -> ``/static/viewer-AB12CD34.js``.

    Raises:
        StaticNotBuilt: there is no such file.
    """
    return URL_PREFIX + _served_name(name)


def _served_name(name: str) -> str:
    try:
        return manifest()[name]
    except KeyError:
        raise StaticNotBuilt(f"the built front end has no {name!r}") from None
