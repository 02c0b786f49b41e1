"""From geometry to the shop's shelf: models through the real pipeline, posters, one list.

    collection/
        collection.jsonl          what the catalogue imports: categories, then products
        models/<slug>.glb.br      as it lies in the assets bucket: optimised, brotli-coded
        posters/<slug>.<finish>.webp

Models are made in processes of their own in which numpy keeps to the instructions every x86-64
processor has, so that two machines agree on the last bit and with it on every byte.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

from vitrina.models3d import service as pipeline
from vitrina.models3d.model import Manifest, Poster, from_plain, to_plain
from vitrina.models3d.pictures import POSTER_PX, Photographer
from vitrina.studio import product
from vitrina.studio.collection import ITEMS, SHELVES, Item, Sku

COLLECTION = Path(__file__).with_name("collection")
LIST = "collection.jsonl"
CURRENCY = "EUR"
# What numpy's x86-64 wheels use beyond their baseline, when the processor has it.
EXTRA_INSTRUCTIONS = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
# Two runs of the same software renderer differ by rounding only. Mean of all channels, of 255.
POSTER_TOLERANCE = 1.0

Progress = Callable[[str], None]
