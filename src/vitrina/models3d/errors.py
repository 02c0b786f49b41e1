"""Why a 3D model is refused, in words for the person who made or bought it.

    ModelRefused
    ├── NotAGlb            not a binary glTF file at all, or cut short
    ├── BrokenModel        a GLB whose parts contradict each other
    ├── ModelTooLarge      more than a shopper's phone, or the shop, can carry
    ├── ExternalFiles      needs files that were not handed in with it
    ├── UnusableImage      a texture nobody can decode, or far too large
    ├── UnsupportedFeature made with something this version cannot show
    │   └── DracoCompressed
    └── NothingToShow      sound, but without a single visible surface

Each carries two sentences: ``problem`` says what is wrong and where, ``remedy`` how to mend it.
"""

from typing import ClassVar

from vitrina.kernel.errors import Refused


class ModelRefused(Refused):
    """A model the shop cannot put on the shelf."""

    title = "This 3D model cannot be used"
    remedy: ClassVar[str] = "Export the model once more as binary glTF (.glb) and try again."

    def __init__(self, problem: str, remedy: str | None = None) -> None:
        self.problem = problem
        self.advice = remedy or self.remedy
        super().__init__(f"{self.problem} {self.advice}")


class NotAGlb(ModelRefused):
    """The bytes are not a whole GLB container."""

    remedy = (
        'Export the model as binary glTF: in Blender, File > Export > glTF 2.0 with format "glTF '
        'Binary (.glb)". Other programs call it GLB.'
    )


class BrokenModel(ModelRefused):
    """The container is sound, what it describes is not."""

    remedy = (
        "The program that wrote the file made a mistake: open the model in another one (Blender "
        "imports and exports glTF), and export it as .glb again."
    )


class ModelTooLarge(ModelRefused):
    """More than a shopper's phone, or the shop, can carry."""

    remedy = "Reduce the model (decimate its meshes, merge its parts) and export it again."


class ExternalFiles(ModelRefused):
    """The model refers to files outside itself."""

    remedy = "Export the model as one .glb with its textures and geometry embedded."


class UnusableImage(ModelRefused):
    """A texture nobody can decode, or one far too large."""

    remedy = (
        "Save the texture as a PNG or JPEG of at most 4096 × 4096 pixels, put it into the "
        "material again, and export the model."
    )


class UnsupportedFeature(ModelRefused):
    """The model depends on an extension that browsers would not show."""

    remedy = "Switch that option off in the exporter, and export the model again."


class DracoCompressed(UnsupportedFeature):
    """The geometry is coded with Draco."""

    remedy = (
        "Export it without Draco compression (in Blender: switch off Data > Compression); the "
        "shop compresses it itself, usually better."
    )

    def __init__(self) -> None:
        super().__init__("The model is Draco-compressed, and this version cannot read that.")


class NothingToShow(ModelRefused):
    """Sound, but without a single visible surface."""

    remedy = "Check that the objects are visible and part of the exported scene, and export again."
