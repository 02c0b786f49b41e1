"""What a document shows: triangles, variants, extent, and which renderer it needs.

Every function takes a document that has passed ``preflight`` (or came out of the pipeline).
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrina.models3d import glb
from vitrina.models3d.model import Plain, Tier, Vector

Points: TypeAlias = NDArray[np.float64]  # shape (n, 3), metres
Matrix: TypeAlias = NDArray[np.float64]  # shape (4, 4), acts on column vectors

TRIANGLES, STRIP, FAN = 4, 5, 6
INSTANCING = "EXT_mesh_gpu_instancing"
VARIANTS = "KHR_materials_variants"

# What the small renderer draws; anything else that changes the look needs three.js.
CORE_EXTENSIONS = frozenset(
    {
        "EXT_meshopt_compression",
        "EXT_texture_avif",
        "EXT_texture_webp",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_specular",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_mesh_quantization",
        "KHR_meshopt_compression",
        "KHR_texture_transform",
    }
)


def variants(document: Plain) -> tuple[str, ...]:
    """Names of the finishes the model can wear, in the file's order."""
    extension = document.get("extensions", {}).get(VARIANTS, {})
    return tuple(variant["name"] for variant in extension.get("variants", []))


def tier(document: Plain) -> Tier:
    """Whether the small renderer can draw the model faithfully."""
    moves = document.get("animations") or document.get("skins")
    morphs = any(
        "targets" in primitive
        for mesh in document.get("meshes", [])
        for primitive in mesh["primitives"]
    )
    foreign = set(document.get("extensionsUsed", [])) - CORE_EXTENSIONS
    return "full" if moves or morphs or foreign else "core"


def triangles(document: Plain) -> int:
    """Triangles drawn by the default scene, a mesh counted as often as it is used."""
    return _drawn(document, _triangles)


def vertices(document: Plain) -> int:
    """Vertices to work out for the default scene, once more for every morph target."""
    return _drawn(document, _vertices)


def _drawn(document: Plain, count: Callable[[Plain, list[Plain]], int]) -> int:
    accessors = document.get("accessors", [])
    per_mesh = [
        sum(count(primitive, accessors) for primitive in mesh["primitives"])
        for mesh in document.get("meshes", [])
    ]
    return sum(
        per_mesh[node["mesh"]] * instances(document, node)
        for node in shown_nodes(document)
        if "mesh" in node
    )


def instances(document: Plain, node: Plain) -> int:
    """How often a node draws its mesh."""
    attributes = node.get("extensions", {}).get(INSTANCING, {}).get("attributes", {})
    counts = [int(document["accessors"][index]["count"]) for index in attributes.values()]
    return max([1, *counts])


def _triangles(primitive: Plain, accessors: list[Plain]) -> int:
    corners: int = accessors[primitive.get("indices", primitive["attributes"]["POSITION"])]["count"]
    match primitive.get("mode", TRIANGLES):
        case 4:
            return corners // 3
        case 5 | 6:
            return max(0, corners - 2)
    return 0


def _vertices(primitive: Plain, accessors: list[Plain]) -> int:
    count: int = accessors[primitive["attributes"]["POSITION"]]["count"]
    return count * (1 + len(primitive.get("targets", [])))


def shown_nodes(document: Plain) -> list[Plain]:
    """Every node below the default scene."""
    nodes = document.get("nodes", [])
    waiting = list(document["scenes"][document.get("scene", 0)].get("nodes", []))
    shown = []
    while waiting:
        node = nodes[waiting.pop()]
        shown.append(node)
        waiting += node.get("children", [])
    return shown


def bounds_m(document: Plain, binary: bytes) -> tuple[Vector, Vector]:
    """Corners of the smallest box, along the axes, around the default scene in its rest pose.

    Skins pose their vertices as they do on screen; morph targets count with their default
    weights. Positions that meshopt has coded are taken from the accessor's own bounds.

    Returns:
        (least, greatest) x, y, z in metres.
    """
    worlds = _world_matrices(document)
    joints: dict[int, NDArray[np.float64] | None] = {}
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for index in worlds:
        node = document["nodes"][index]
        if "mesh" not in node:
            continue
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            if "skin" in node and node["skin"] not in joints:
                joints[node["skin"]] = _joint_matrices(document, binary, node["skin"], worlds)
            for points in _placed(document, binary, index, primitive, worlds, joints):
                low = np.minimum(low, points.min(axis=0))
                high = np.maximum(high, points.max(axis=0))
    return _vector(low), _vector(high)


def _placed(
    document: Plain,
    binary: bytes,
    index: int,
    primitive: Plain,
    worlds: dict[int, Matrix],
    joints: dict[int, NDArray[np.float64] | None],
) -> list[Points]:
    """A primitive's vertices in the world, once per instance."""
    node = document["nodes"][index]
    points = _rest_positions(document, binary, node, primitive)
    names = ("POSITION", "JOINTS_0", "WEIGHTS_0")
    influences = [primitive["attributes"].get(name) for name in names]
    if "skin" in node and None not in influences:
        moves = joints[node["skin"]]
        if moves is None or any(glb.is_coded(document, accessor) for accessor in influences):
            return [_transformed(worlds[index], points)]
        which = glb.numbers(document, binary, influences[1]).astype(np.int64)
        weights = glb.floats(document, binary, influences[2])
        return [_skinned(moves, points, which, weights)]
    return [
        _transformed(worlds[index] @ placement, points)
        for placement in _instance_matrices(document, binary, node)
    ]


def _rest_positions(document: Plain, binary: bytes, node: Plain, primitive: Plain) -> Points:
    accessor = primitive["attributes"]["POSITION"]
    if glb.is_coded(document, accessor):
        it = document["accessors"][accessor]
        scale = 1.0
        if it.get("normalized"):
            scale = float(np.iinfo(glb.COMPONENTS[it["componentType"]]).max)
        sides = np.array([it.get("min", [0, 0, 0]), it.get("max", [0, 0, 0])]) / scale
        grid = np.meshgrid(*sides.T, indexing="ij")
        return np.stack(grid, axis=-1).reshape(-1, 3)
    points = glb.floats(document, binary, accessor)
    mesh = document["meshes"][node["mesh"]]
    weights = node.get("weights", mesh.get("weights", []))
    for weight, target in zip(weights, primitive.get("targets", []), strict=False):
        if weight and "POSITION" in target:
            points = points + weight * glb.floats(document, binary, target["POSITION"])
    return points


def _joint_matrices(
    document: Plain, binary: bytes, skin: int, worlds: dict[int, Matrix]
) -> NDArray[np.float64] | None:
    """Where each joint of a skin moves a vertex, shape (joints, 4, 4); None if that is coded."""
    it = document["skins"][skin]
    joints = np.stack([worlds.get(joint, np.eye(4)) for joint in it["joints"]])
    if "inverseBindMatrices" not in it:
        return joints
    if glb.is_coded(document, it["inverseBindMatrices"]):
        return None
    # Stored column by column.
    bind = glb.floats(document, binary, it["inverseBindMatrices"])[: len(joints)]
    return np.asarray(joints @ bind.reshape(-1, 4, 4).transpose(0, 2, 1))


def _skinned(
    joints: NDArray[np.float64],
    points: Points,
    which: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Points:
    """Linear blend skinning (glTF 2.0 specification, section 3.7.3.3)."""
    posed = np.zeros_like(points)
    for slot in range(which.shape[1]):
        moved = joints[np.minimum(which[:, slot], len(joints) - 1)]
        at = np.einsum("nij,nj->ni", moved[:, :3, :3], points) + moved[:, :3, 3]
        posed += weights[:, slot, None] * at
    return posed


def _world_matrices(document: Plain) -> dict[int, Matrix]:
    """Node index to world matrix, for every node of the default scene."""
    nodes = document.get("nodes", [])
    worlds: dict[int, Matrix] = {}
    roots = document["scenes"][document.get("scene", 0)].get("nodes", [])
    waiting = [(root, np.eye(4)) for root in roots]
    while waiting:
        index, parent = waiting.pop()
        worlds[index] = parent @ local_matrix(nodes[index])
        waiting += [(child, worlds[index]) for child in nodes[index].get("children", [])]
    return worlds


def local_matrix(node: Plain) -> Matrix:
    """A node's own transform: its matrix, or translation · rotation · scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    return _trs(
        np.array(node.get("translation", [0, 0, 0]), np.float64),
        np.array(node.get("rotation", [0, 0, 0, 1]), np.float64),
        np.array(node.get("scale", [1, 1, 1]), np.float64),
    )


def _trs(
    translation: NDArray[np.float64], rotation: NDArray[np.float64], scale: NDArray[np.float64]
) -> Matrix:
    x, y, z, w = rotation
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix[:3, :3] *= scale
    matrix[:3, 3] = translation
    return matrix


def _instance_matrices(document: Plain, binary: bytes, node: Plain) -> list[Matrix]:
    attributes = node.get("extensions", {}).get(INSTANCING, {}).get("attributes", {})
    if not attributes or any(glb.is_coded(document, index) for index in attributes.values()):
        return [np.eye(4)]
    count = instances(document, node)
    rows = {"TRANSLATION": (0, 0, 0), "ROTATION": (0, 0, 0, 1), "SCALE": (1, 1, 1)}
    values = {
        name: glb.floats(document, binary, attributes[name])
        if name in attributes
        else np.tile(np.array(neutral, np.float64), (count, 1))
        for name, neutral in rows.items()
    }
    return [_trs(*row) for row in zip(*values.values(), strict=True)]


def _transformed(matrix: Matrix, points: Points) -> Points:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _vector(values: NDArray[np.float64]) -> Vector:
    # A hundredth of a millimetre is finer than any page shows, and keeps the manifest short.
    x, y, z = (round(float(value), 5) + 0.0 for value in values)
    return (x, y, z)
