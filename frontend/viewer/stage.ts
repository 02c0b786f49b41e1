// The studio a product stands in: light, lens, shadow and tone. One class draws it wherever it is
// drawn, in the worker of a page, on a page without workers, and where posters are made; so a
// poster and the live view that takes its place are the same picture.

import { Box3, LoadingManager, NeutralToneMapping, PerspectiveCamera, Scene, WebGLRenderer } from "three";
import type { CubeTexture, Group, Material, Mesh, Object3D, Texture } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import type { GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "meshoptimizer/decoder";

import { decodeEnvironment } from "./environment";
import { Framing, HOME, verticalFieldOfView } from "./framing";
import type { Bounds, View } from "./framing";
import { ContactShadow } from "./shadow";

export type Drawable = HTMLCanvasElement | OffscreenCanvas;

export type Reason =
  | "webgl" // no WebGL 2 here
  | "context" // the graphics context was lost
  | "decoder" // WebAssembly is blocked, or broken
  | "model" // not a GLB, or one that cannot be drawn
  | "network" // a file did not arrive
  | "timeout" // nothing moved for too long
  | "script"; // the viewer's own code did not load

/** A failure the page can act on. */
export class StageError extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

const EXTENSION = "KHR_materials_variants";
const SHARPNESS = 4; // texels read along a slanted surface

// A blocked WebAssembly is reported when a model needs it, not by an unhandled rejection before.
MeshoptDecoder.ready?.catch(() => {});

interface VariantMapping {
  material: number;
  variants: number[];
}

export class Stage {
  /** Finishes of the model on stage, in the file's order. */
  variants: string[] = [];
  triangles = 0;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera();
  private readonly shadow = new ContactShadow();
  private framing: Framing | undefined;
  private product: Group | undefined;
  private parser: GLTFParser | undefined;
  private readonly finishes = new Map<string, Map<Mesh, Material>>();

  /** Throws StageError "webgl" where the canvas has no WebGL 2. */
  constructor(canvas: Drawable) {
    const attributes = { alpha: true, antialias: true, powerPreference: "high-performance" } as const;
    const context = canvas.getContext("webgl2", attributes) as WebGL2RenderingContext | null;
    if (!context) throw new StageError("webgl", "WebGL 2 is not available");
    this.renderer = new WebGLRenderer({ canvas: canvas as HTMLCanvasElement, context, ...attributes });
    this.renderer.debug.checkShaderErrors = false;
    this.renderer.toneMapping = NeutralToneMapping;
    this.scene.add(this.shadow.mesh);
  }

  /** The baked light. Nothing can be drawn before it is there. */
  light(file: ArrayBuffer): void {
    (this.scene.environment as CubeTexture | null)?.dispose();
    this.scene.environment = decodeEnvironment(file);
  }

  /** Size of the picture in CSS pixels, and device pixels per CSS pixel. */
  resize(width: number, height: number, pixelRatio: number): void {
    this.renderer.setPixelRatio(pixelRatio);
    this.renderer.setSize(Math.max(1, width), Math.max(1, height), false);
    this.camera.aspect = Math.max(1, width) / Math.max(1, height);
  }

  /**
   * Puts a model on stage in place of the one there, in one of its finishes ("" for its own look).
   * The old one stays until the new one is ready to be drawn.
   */
  async place(glb: ArrayBuffer, finish = "", progress: () => void = () => {}): Promise<void> {
    const { product, parser } = await parse(glb);
    progress();
    const bounds = boundsOf(product);
    this.retire();
    this.product = product;
    this.parser = parser;
    this.variants = variantNames(parser);
    this.finishes.set("", materialsOf(product));
    this.triangles = 0;
    product.traverse((object) => {
      const { geometry, isMesh } = object as Mesh;
      if (isMesh) this.triangles += (geometry.index ?? geometry.getAttribute("position")).count / 3;
    });
    this.framing = new Framing(bounds);
    await this.wear(finish);
    progress();
    this.scene.add(product);
    this.shadow.cast(this.renderer, product, bounds);
  }

  /** Dresses the model in a finish; an unknown one is the file's own look. One at a time. */
  async wear(finish: string): Promise<void> {
    const materials = await this.finish(finish);
    for (const [mesh, material] of materials) mesh.material = material;
    if (!this.product) return;
    // Without this extension there is nothing to wait for: the first drawing compiles.
    const inBackground = this.renderer.getContext().getExtension("KHR_parallel_shader_compile");
    if (inBackground) await this.renderer.compileAsync(this.product, this.camera, this.scene);
  }

  /** Draws one picture. */
  draw(view: View = HOME): void {
    if (!this.framing) return;
    const { position, target, near, far } = this.framing.camera(view);
    this.camera.position.set(...position);
    this.camera.lookAt(...target);
    this.camera.near = near;
    this.camera.far = far;
    this.camera.fov = verticalFieldOfView(this.camera.aspect);
    this.camera.updateProjectionMatrix();
    // The studio turns with the camera: it is the product that stands on a turntable.
    this.scene.environmentRotation.y = view.azimuth;
    this.renderer.render(this.scene, this.camera);
  }

  /** Resolves when the graphics processor has finished the picture drawn last. */
  async drawn(): Promise<void> {
    const gl = this.renderer.getContext() as WebGL2RenderingContext;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!fence) return; // the context was lost, which is reported by its own event
    gl.flush();
    while (gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.UNSIGNALED)
      await new Promise((resolve) => setTimeout(resolve, 4));
    gl.deleteSync(fence);
  }

  dispose(): void {
    this.retire();
    this.shadow.dispose();
    this.scene.environment?.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }

  private retire(): void {
    if (!this.product) return;
    this.scene.remove(this.product);
    const materials = [...this.finishes.values()].flatMap((finish) => [...finish.values()]);
    for (const material of new Set(materials)) {
      for (const texture of texturesOf(material)) texture.dispose();
      material.dispose();
    }
    this.product.traverse((object) => (object as Partial<Mesh>).geometry?.dispose());
    this.finishes.clear();
    this.product = this.parser = undefined;
  }

  private async finish(name: string): Promise<Map<Mesh, Material>> {
    const known = this.finishes.get(name);
    if (known) return known;
    const own = this.finishes.get("") ?? new Map<Mesh, Material>();
    const index = this.variants.indexOf(name);
    if (index < 0 || !this.parser) return own;
    const parser = this.parser;
    const dressed = await Promise.all(
      [...own].map(async ([mesh, material]): Promise<[Mesh, Material]> => {
        const mappings: VariantMapping[] = mesh.userData.gltfExtensions?.[EXTENSION]?.mappings ?? [];
        const mapping = mappings.find(({ variants }) => variants.includes(index));
        if (!mapping) return [mesh, material];
        return [mesh, await materialFor(parser, mesh, mapping.material)];
      }),
    );
    const finish = new Map(dressed);
    for (const material of finish.values()) refine(material);
    this.finishes.set(name, finish);
    return finish;
  }
}

async function parse(glb: ArrayBuffer): Promise<{ product: Group; parser: GLTFParser }> {
  checkContainer(glb);
  const needsDecoder = new TextDecoder().decode(glb.slice(0, 1 << 16)).includes("meshopt_compression");
  if (needsDecoder) {
    if (!MeshoptDecoder.supported) throw new StageError("decoder", "WebAssembly is missing");
    await MeshoptDecoder.ready.catch((error: unknown) => {
      throw new StageError("decoder", `the mesh decoder did not start: ${error}`);
    });
  }
  // The loader goes on without a texture it cannot read; a shop must not show such a product.
  let unread = 0;
  const manager = new LoadingManager();
  manager.onError = () => unread++;
  const loader = new GLTFLoader(manager);
  loader.setMeshoptDecoder(MeshoptDecoder);
  const { scene, parser } = await loader.parseAsync(glb, "").catch((error: unknown) => {
    throw new StageError("model", `the model cannot be read: ${error}`);
  });
  if (unread) throw new StageError("model", `${unread} textures of the model cannot be read`);
  scene.updateMatrixWorld(true);
  for (const material of materialsOf(scene).values()) refine(material);
  return { product: scene, parser };
}

function checkContainer(glb: ArrayBuffer): void {
  const header = new DataView(glb);
  const isGlb = glb.byteLength >= 12 && header.getUint32(0) === 0x676c5446; // "glTF"
  if (!isGlb) throw new StageError("model", "the file is not a GLB");
  if (header.getUint32(8, true) > glb.byteLength) throw new StageError("model", "the file is cut short");
}

function boundsOf(product: Object3D): Bounds {
  const box = new Box3().setFromObject(product, true);
  if (box.isEmpty()) throw new StageError("model", "the model has nothing to show");
  return { min: box.min.toArray(), max: box.max.toArray() };
}

function variantNames(parser: GLTFParser): string[] {
  const listed: { name: string }[] = parser.json.extensions?.[EXTENSION]?.variants ?? [];
  return listed.map(({ name }) => name);
}

function materialsOf(product: Object3D): Map<Mesh, Material> {
  const materials = new Map<Mesh, Material>();
  product.traverse((object) => {
    const mesh = object as Mesh;
    if (mesh.material && !Array.isArray(mesh.material)) materials.set(mesh, mesh.material);
  });
  return materials;
}

/** The file's material by its index, fitted to what the mesh has (vertex colours, tangents). */
async function materialFor(parser: GLTFParser, mesh: Mesh, index: number): Promise<Material> {
  const worn = mesh.material;
  const wanted = (await parser.getDependency("material", index)) as Material;
  mesh.material = wanted;
  parser.assignFinalMaterial(mesh);
  const fitted = mesh.material as Material;
  mesh.material = worn;
  return fitted;
}

function texturesOf(material: Material): Texture[] {
  return Object.values(material).filter((value): value is Texture => Boolean(value?.isTexture));
}

function refine(material: Material): void {
  for (const texture of texturesOf(material)) texture.anisotropy = SHARPNESS;
  if (!(material as { transmission?: number }).transmission) return;
  // What shows through glass may be the page itself, where the picture has no colour and no
  // coverage. The light glass reflects has to cover the page all the same, or it cannot be stored
  // in a picture with transparency.
  material.onBeforeCompile = (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace(
      "#include <premultiplied_alpha_fragment>",
      "gl_FragColor.a = max(gl_FragColor.a, max(gl_FragColor.r, max(gl_FragColor.g, gl_FragColor.b)));",
    );
  };
}
