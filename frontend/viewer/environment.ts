// Unpacks environment/studio.bin, the baked light; environment/bake.py describes the format.

import {
  CubeTexture,
  DataTexture,
  DataUtils,
  HalfFloatType,
  LinearFilter,
  LinearMipmapLinearFilter,
  LinearSRGBColorSpace,
  RGBAFormat,
} from "three";

const DARK = 16;
/** +X and −X change places: three reads loaded cube maps mirrored in x. */
const FACE_ORDER = [1, 0, 2, 3, 4, 5];

/** The prefiltered cube map for `scene.environment`. */
export function decodeEnvironment(file: ArrayBuffer): CubeTexture {
  const view = new DataView(file);
  const size = view.getUint16(0, true);
  const count = view.getUint16(2, true);
  const logRange = view.getFloat32(4, true);
  const levels: DataTexture[][] = [];
  let offset = 8;
  for (let level = 0; level < count; level++) {
    const side = size >> level;
    const greatest = view.getUint16(offset, true);
    const low = new Uint8Array(file, offset + 2, 6 * side * side);
    const high = new Uint8Array(file, offset + 2 + low.length, low.length);
    offset += 2 + 2 * low.length;
    const radiance = (code: number): number =>
      DataUtils.toHalfFloat((2 ** ((logRange * code) / greatest) - 1) / DARK);
    const faces = Array.from({ length: 6 }, (_, face) => decodeFace(low, high, face, side, radiance));
    levels.push(FACE_ORDER.map((face) => faces[face]!));
  }

  const [sharpest, ...rougher] = levels;
  const texture = new CubeTexture(sharpest as never[]);
  texture.format = RGBAFormat;
  texture.type = HalfFloatType;
  texture.colorSpace = LinearSRGBColorSpace;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.generateMipmaps = false;
  // three takes the number of a PMREM's levels from `mipmaps`, which for a cube map leaves the
  // first one out: one more, never read, makes the number right.
  texture.mipmaps = [...rougher, padding()].map((faces) => ({ image: faces })) as never[];
  (texture as { isPMREMTexture?: boolean }).isPMREMTexture = true;
  texture.needsUpdate = true;
  return texture;

  function padding(): DataTexture[] {
    const side = size >> count;
    return FACE_ORDER.map(() => halfFloats(new Uint16Array(side * side * 4), side));
  }
}

function decodeFace(
  low: Uint8Array,
  high: Uint8Array,
  face: number,
  side: number,
  radiance: (code: number) => number,
): DataTexture {
  const codes = new Int32Array(side * side);
  const texels = new Uint16Array(side * side * 4);
  const one = DataUtils.toHalfFloat(1);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = y * side + x;
      const zigzag = low[face * side * side + at]! | (high[face * side * side + at]! << 8);
      const residual = (zigzag >> 1) ^ -(zigzag & 1);
      const left = x ? codes[at - 1]! : 0;
      const above = y ? codes[at - side]! : 0;
      const corner = x && y ? codes[at - side - 1]! : 0;
      const code = (codes[at] = residual + left + above - corner);
      const mirrored = (y * side + (side - 1 - x)) * 4;
      texels.fill(radiance(code), mirrored, mirrored + 3);
      texels[mirrored + 3] = one;
    }
  }
  return halfFloats(texels, side);
}

function halfFloats(texels: Uint16Array, side: number): DataTexture {
  return new DataTexture(texels, side, side, RGBAFormat, HalfFloatType);
}
