// What the page tells the viewer about a published model: the JSON inside <product-3d>.

export interface Level {
  name: string;
  url: string;
  bytes: number;
  triangles: number;
}

export interface Manifest {
  version: number;
  tier: string;
  levels: Level[];
  /** Names of the finishes, as KHR_materials_variants spells them. */
  variants: string[];
  /** Picture per finish; "" is the look the file has by itself. */
  posters: Record<string, string>;
  bounds: { min: [number, number, number]; max: [number, number, number] };
}

/** Reads the manifest, or says what is wrong with it. */
export function readManifest(text: string): Manifest {
  const manifest = JSON.parse(text) as Partial<Manifest>;
  if (manifest.version !== 1) throw new Error(`manifest version ${manifest.version} is not 1`);
  if (!manifest.levels?.length) throw new Error("the manifest names no model");
  return { tier: "full", variants: [], posters: {}, ...manifest } as Manifest;
}

/** The best level there is; it comes last. */
export function finestLevel(manifest: Manifest): Level {
  return manifest.levels[manifest.levels.length - 1]!;
}
