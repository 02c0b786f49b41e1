"""Where a product is put together: parts with their finishes, each cut from its own piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vitrina.studio.material import Material
from vitrina.studio.mesh import Floats, Mesh, join
from vitrina.studio.noise import random
from vitrina.studio.product import Model, Part, centred

Finish = Material | Mapping[str, Material]


class Bench:
    """Collects the parts of one product.

    Each piece of wood or cloth is shifted over its texture, so that no two legs have the same
    grain; the shifts come from the product's name and are the same every time.
    """

    def __init__(self, name: str, variants: Iterable[str], *, seed: int) -> None:
        self._name = name
        self._variants = tuple(variants)
        self._parts: list[Part] = []
        self._rng = random(seed, "bench", name)

    def add(
        self,
        name: str,
        mesh: Mesh | Iterable[Mesh],
        finish: Finish,
        *,
        shade: float = 1.0,
        occludes: bool = True,
    ) -> None:
        """Add a part, or several alike, each with its own grain."""
        pieces = [mesh] if isinstance(mesh, Mesh) else list(mesh)
        shifted = [
            piece.shifted_uv(round(self._rng.random(), 3), round(self._rng.random(), 3))
            for piece in pieces
        ]
        self._parts.append(Part(name, join(shifted), finish, shade, occludes))

    def add_fitted(
        self,
        name: str,
        mesh: Mesh,
        finish: Finish,
        *,
        shade: float = 1.0,
        occludes: bool = True,
        tone: Floats | None = None,
    ) -> None:
        """Add a part whose texture is laid on in one place, like the glaze of a pot."""
        self._parts.append(Part(name, mesh, finish, shade, occludes, tone))

    def done(self) -> Model:
        return centred(Model(self._name, self._variants, tuple(self._parts)))
