"""The steps a model goes through, in order, each measured.

A step is a function ``Bundle -> Bundle`` in a file of its own that never changes what it is given.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vitrina.models3d import geometry, glb, textures
from vitrina.models3d.model import Bundle

Step: TypeAlias = Callable[[Bundle], Bundle]

# Raised by hand whenever the same file would come out of the steps with other bytes.
PIPELINE = "1"
# Textures first: gltfpack drops materials that nothing wears, and with them what they were for.
STEPS: tuple[Step, ...] = (textures.compress, geometry.compress)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did to the size, and how long it took."""

    step: str
    size_bytes: int  # of the whole model after the step, as GLB
    took_s: float  # by the clock on the wall
    cpu_s: float  # of the whole process


def run(steps: Sequence[Step], bundle: Bundle) -> tuple[Bundle, tuple[StepReport, ...]]:
    """Send a model through the steps.

    Raises:
        ModelRefused: a step cannot work with it; the message says how to mend it.
    """
    reports = []
    for step in steps:
        began_s, cpu_before_s = time.perf_counter(), time.process_time()
        bundle = step(bundle)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_before_s
        name = step.__module__.rpartition(".")[2]
        reports.append(StepReport(name, len(glb.pack(bundle)), took_s, cpu_s))
    return bundle, tuple(reports)
