"""What a coded image is, read from its first bytes, before any decoder sees it."""

import re
import struct
from dataclasses import dataclass

SUFFIXES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/ktx2": "ktx2",
}
# A JPEG's size stands after its metadata. Colour profiles and previews fill a few dozen segments
# at most; a file that pretends to have thousands only wants to keep us reading.
MAX_JPEG_SEGMENTS = 500
AVIF_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A coded image's format and size, as its header claims."""

    mime: str
    width_px: int
    height_px: int

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.mime]

    @property
    def pixels(self) -> int:
        return self.width_px * self.height_px


def sniff(data: bytes) -> ImageInfo | None:
    """Format and size, or None for everything that is not PNG, JPEG, WebP, AVIF or KTX2."""
    try:
        return _sniff(data)
    except (struct.error, IndexError):
        return None  # the header is cut short


def _sniff(data: bytes) -> ImageInfo | None:
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        return ImageInfo("image/png", *struct.unpack_from(">II", data, 16))
    if data[:3] == b"\xff\xd8\xff":
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return _avif(data)
    if data[:12] == b"\xabKTX 20\xbb\r\n\x1a\n":
        return ImageInfo("image/ktx2", *struct.unpack_from("<II", data, 20))
    return None


def _jpeg(data: bytes) -> ImageInfo | None:
    """Walk the segments to the frame header: SOF0…15 without DHT, JPG and DAC (ITU T.81, B.1)."""
    at = 2
    for _ in range(MAX_JPEG_SEGMENTS):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker < 0xFF00:
            return None
        if marker == 0xFFFF:  # a filler byte before the marker proper
            at += 1
            continue
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height_px, width_px = struct.unpack_from(">HH", data, at + 5)
            return ImageInfo("image/jpeg", width_px, height_px)
        at += 2 + length
    return None


def _webp(data: bytes) -> ImageInfo | None:
    """The three kinds of first chunk: extended, lossy, lossless (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        sides = (int.from_bytes(data[24:27], "little"), int.from_bytes(data[27:30], "little"))
        return ImageInfo("image/webp", sides[0] + 1, sides[1] + 1)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width_px, height_px = struct.unpack_from("<HH", data, 26)
        return ImageInfo("image/webp", width_px & 0x3FFF, height_px & 0x3FFF)
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        return ImageInfo("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return None


def _avif(data: bytes) -> ImageInfo | None:
    """The largest "ispe" property: tiles and the alpha plane have their own, never larger ones."""
    header = data[:AVIF_HEADER_BYTES]
    sizes = [
        struct.unpack_from(">II", header, found.end() + 4)  # past version and flags
        for found in re.finditer(b"ispe", header)
    ]
    return ImageInfo("image/avif", *max(sizes)) if sizes else None
