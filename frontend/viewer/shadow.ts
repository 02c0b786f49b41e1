// The soft shadow a product throws on the floor of the studio.
//
// The floor is lit from everywhere, so its shadow is how much of that light the product hides: dark
// and crisp under a chair's feet, wide and faint under its seat. It is worked out once per model:
//
// 1. An orthographic camera in the floor looks up and notes for each spot of the floor the lowest
//    and the highest thing above it. The product is taken as filled between the two.
// 2. Around each spot, in sixteen directions, rings are walked outwards. What stands between the
//    radii r and s from height h up to height k hides the light from elevations atan(h/s) to
//    atan(k/r); of the light a floor receives that is k²/(k²+r²) − h²/(h²+s²). What is hidden twice
//    counts once. A ring is read at the mip level that matches its width.

import {
  BufferAttribute,
  BufferGeometry,
  CustomBlending,
  DoubleSide,
  HalfFloatType,
  LinearFilter,
  LinearMipmapLinearFilter,
  Matrix3,
  MaxEquation,
  Mesh,
  NoBlending,
  OneFactor,
  OneMinusSrcAlphaFactor,
  OrthographicCamera,
  PlaneGeometry,
  Scene,
  ShaderMaterial,
  Vector2,
  Vector3,
  WebGLRenderTarget,
} from "three";
import type { Material, Object3D, Texture, WebGLRenderer } from "three";

import { within } from "./framing";
import type { Bounds } from "./framing";

const HEIGHTS_PX = 256;
const SHADOW_PX = 160;
/**
 * How far the shadow reaches beyond the product, as a share of its width: as far as the framing
 * leaves room for it, which is more around tall things.
 */
const MARGIN = 0.11;
const MARGIN_TALL = 0.3;
const MARGIN_OF_HEIGHT = 0.1;
/** Room over and under the product, so that nothing of it is clipped; a share of its height. */
const SLACK = 0.01;
/** The floor is never black: light comes in under everything by way of the walls. */
const DARKEST = 0.66;
/** And that light fills the faint outskirts of a shadow more than its heart. */
const FALL_OFF = 1.6;

interface LitMaterial extends Material {
  map?: (Texture & { matrix: Matrix3 }) | null;
  transmission?: number;
}

export class ContactShadow {
  readonly mesh: Mesh;
  private readonly heights: WebGLRenderTarget;
  private readonly shadow: WebGLRenderTarget;
  private readonly heightMaterial = heightMaterial();
  private readonly gatherMaterial = gatherMaterial();
  private readonly floorMaterial = floorMaterial();

  constructor() {
    this.heights = new WebGLRenderTarget(HEIGHTS_PX, HEIGHTS_PX, {
      type: HalfFloatType,
      minFilter: LinearMipmapLinearFilter,
      magFilter: LinearFilter,
      generateMipmaps: true,
    });
    this.shadow = new WebGLRenderTarget(SHADOW_PX, SHADOW_PX, { type: HalfFloatType, depthBuffer: false });
    this.mesh = new Mesh(floorGeometry(), this.floorMaterial);
    this.mesh.renderOrder = -1;
  }

  /** Work the shadow out anew for a product standing in these bounds. */
  cast(renderer: WebGLRenderer, product: Object3D, { min, max }: Bounds): void {
    const width = max[0] - min[0];
    const depth = max[2] - min[2];
    const height = Math.max(max[1] - min[1], 1e-4);
    const wide = Math.max(width, depth, height / 8);
    const margin = within(wide * MARGIN, height * MARGIN_OF_HEIGHT, wide * MARGIN_TALL);
    const [x, z] = [width / 2 + margin, depth / 2 + margin];

    // Looking up with +Z as the picture's top, +X is its right: the floor's own axes.
    const camera = new OrthographicCamera(-x, x, z, -z, -SLACK * height, (1 + SLACK) * height);
    camera.position.set((min[0] + max[0]) / 2, min[1], (min[2] + max[2]) / 2);
    camera.up.set(0, 0, 1);
    camera.lookAt(camera.position.x, max[1] + height, camera.position.z);

    const parent = product.parent;
    const alone = new Scene().add(product);
    alone.overrideMaterial = this.heightMaterial;
    this.gatherMaterial.uniforms.size!.value.set(2 * x, height, 2 * z);
    this.floorMaterial.uniforms.size!.value.set(2 * x, 2 * z);
    this.floorMaterial.uniforms.margin!.value = margin;
    const quad = new Mesh(new PlaneGeometry(2, 2), this.gatherMaterial);
    quad.frustumCulled = false;
    this.gatherMaterial.uniforms.heights!.value = this.heights.texture;
    this.floorMaterial.uniforms.shadow!.value = this.shadow.texture;
    try {
      renderer.setRenderTarget(this.heights);
      renderer.clear();
      renderer.render(alone, camera);
      renderer.setRenderTarget(this.shadow);
      renderer.render(quad, camera);
    } finally {
      renderer.setRenderTarget(null);
      quad.geometry.dispose();
      parent?.add(product);
    }

    this.mesh.scale.set(2 * x, 1, 2 * z);
    this.mesh.position.set(camera.position.x, min[1] - height * 0.001, camera.position.z);
  }

  dispose(): void {
    for (const part of [this.heights, this.shadow, this.heightMaterial, this.gatherMaterial])
      part.dispose();
    this.floorMaterial.dispose();
    this.mesh.geometry.dispose();
  }
}

/** A unit square in the floor whose texture axes are the world's X and Z, seen from above only. */
function floorGeometry(): BufferGeometry {
  const geometry = new BufferGeometry();
  const corners = [-0.5, 0, 0.5, 0.5, 0, 0.5, -0.5, 0, -0.5, 0.5, 0, -0.5];
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(corners), 3));
  geometry.setAttribute("uv", new BufferAttribute(new Float32Array([0, 1, 1, 1, 0, 0, 1, 0]), 2));
  geometry.setIndex([0, 1, 2, 2, 1, 3]);
  return geometry;
}

/**
 * For each spot of the floor, as shares of the product's height: one less the lowest thing above it
 * (red), the highest (green), whether there is one at all (blue), and how much light it holds back.
 */
function heightMaterial(): ShaderMaterial {
  const material = new ShaderMaterial({
    side: DoubleSide,
    depthTest: false,
    depthWrite: false,
    blending: CustomBlending,
    blendEquation: MaxEquation,
    blendSrc: OneFactor,
    blendDst: OneFactor,
    uniforms: {
      cover: { value: 1 },
      picture: { value: null },
      pictureMatrix: { value: new Matrix3() },
      usesPicture: { value: false },
    },
    vertexShader: /* glsl */ `
      #include <common>
      #include <morphtarget_pars_vertex>
      #include <skinning_pars_vertex>
      uniform mat3 pictureMatrix;
      varying vec2 pictureUv;
      varying float heightShare;
      void main() {
        #include <skinbase_vertex>
        #include <begin_vertex>
        #include <morphtarget_vertex>
        #include <skinning_vertex>
        #include <project_vertex>
        pictureUv = (pictureMatrix * vec3(uv, 1.0)).xy;
        heightShare = clamp((gl_Position.z * 0.5 + 0.5) * ${1 + 2 * SLACK} - ${SLACK}, 0.0, 1.0);
      }`,
    fragmentShader: /* glsl */ `
      uniform float cover;
      uniform bool usesPicture;
      uniform sampler2D picture;
      varying vec2 pictureUv;
      varying float heightShare;
      void main() {
        float held = cover * (usesPicture ? texture2D(picture, pictureUv).a : 1.0);
        if (held < 0.02) discard;
        gl_FragColor = vec4(1.0 - heightShare, heightShare, 1.0, held);
      }`,
  });
  // One material draws everything; what differs is how much light each of the product's own lets by.
  material.onBeforeRender = (_renderer, _scene, _camera, _geometry, object) => {
    const own = (object as Mesh).material;
    const lit = (Array.isArray(own) ? own[0] : own) as LitMaterial | undefined;
    const cutOut = lit !== undefined && (lit.transparent || lit.alphaTest > 0);
    const { uniforms } = material;
    uniforms.cover!.value = (cutOut ? lit.opacity : 1) * (1 - 0.8 * (lit?.transmission ?? 0));
    uniforms.usesPicture!.value = cutOut && Boolean(lit.map);
    uniforms.picture!.value = cutOut ? lit.map : null;
    if (lit?.map) {
      // three brings the matrix of a KHR_texture_transform up to date only when it draws the product itself.
      lit.map.updateMatrix();
      uniforms.pictureMatrix!.value = lit.map.matrix;
    }
    material.uniformsNeedUpdate = true;
  };
  return material;
}

function gatherMaterial(): ShaderMaterial {
  return new ShaderMaterial({
    blending: NoBlending,
    depthTest: false,
    depthWrite: false,
    uniforms: { heights: { value: null }, size: { value: new Vector3() } },
    vertexShader: /* glsl */ `
      varying vec2 spot;
      void main() {
        spot = uv;
        gl_Position = vec4(position.xy, 0.0, 1.0);
      }`,
    fragmentShader: /* glsl */ `
      uniform sampler2D heights;
      uniform vec3 size; // of the floor's x, the product's height, the floor's z
      varying vec2 spot;

      const float GROWTH = 1.5;
      const int RINGS = 13;
      const int SECTORS = 16;

      // Share of the floor's light that comes from below the elevation atan(height / radius).
      float lightBelow(float height, float radius) {
        return height * height / (height * height + radius * radius + 1e-12);
      }

      // How much of each of four bands of light, the first one starting here, lies in between.
      vec4 within(float start, float from, float to) {
        vec4 bottom = start + vec4(0.0, 0.125, 0.25, 0.375);
        return clamp((min(vec4(to), bottom + 0.125) - max(vec4(from), bottom)) * 8.0, 0.0, 1.0);
      }

      void main() {
        float texel = max(size.x, size.z) / ${HEIGHTS_PX}.0;
        float open = 0.0;
        for (int sector = 0; sector < SECTORS; sector++) {
          float turn = (float(sector) + 0.5) * 6.2832 / float(SECTORS);
          vec2 way = vec2(cos(turn), sin(turn));
          float inner = 0.0;
          float outer = 0.7 * texel;
          // What of the light still comes through, from the floor's horizon up to straight above.
          vec4 low = vec4(1.0);
          vec4 high = vec4(1.0);
          for (int ring = 0; ring < RINGS; ring++) {
            float lod = max(0.0, log2(5.0 * outer / float(SECTORS) / texel));
            vec4 above = textureLod(heights, spot + 0.5 * (inner + outer) * way / size.xz, lod);
            if (above.b > 0.004) {
              float from = lightBelow((1.0 - above.r / above.b) * size.y, outer);
              float to = lightBelow(above.g / above.b * size.y, inner);
              low *= 1.0 - above.a * within(0.0, from, to);
              high *= 1.0 - above.a * within(0.5, from, to);
            }
            inner = outer;
            outer *= GROWTH;
          }
          open += dot(low + high, vec4(0.125));
        }
        gl_FragColor = vec4(1.0 - open / float(SECTORS), 0.0, 0.0, 1.0);
      }`,
  });
}

/** Drawn first and as if opaque, so that glass in front of it shows it, yet it only darkens. */
function floorMaterial(): ShaderMaterial {
  return new ShaderMaterial({
    blending: CustomBlending,
    blendSrc: OneFactor,
    blendDst: OneMinusSrcAlphaFactor,
    depthWrite: false,
    uniforms: { shadow: { value: null }, size: { value: new Vector2() }, margin: { value: 0 } },
    vertexShader: /* glsl */ `
      varying vec2 spot;
      void main() {
        spot = uv;
        gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
      }`,
    fragmentShader: /* glsl */ `
      uniform sampler2D shadow;
      uniform vec2 size;
      uniform float margin;
      varying vec2 spot;
      void main() {
        // Gone before the floor ends, whose edge nobody may see; round about the corners.
        vec2 beyond = max(abs(spot - 0.5) * size - 0.5 * size + 1.5 * margin, 0.0);
        float fade = 1.0 - smoothstep(0.0, 1.0, length(beyond) / (1.5 * margin));
        float hidden = clamp(texture2D(shadow, spot).r, 0.0, 1.0);
        float dark = ${DARKEST} * pow(hidden, ${FALL_OFF}) * fade;
        gl_FragColor = vec4(0.0, 0.0, 0.0, dark);
      }`,
  });
}
