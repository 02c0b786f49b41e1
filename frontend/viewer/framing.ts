// Where the camera stands: the one rule that posters and the live view share.
//
// - The lens is FIELD_OF_VIEW wide over the shorter side of the picture, so a square poster and a
//   view of any shape show the product at the same size.
// - Home is a three-quarter view from the right, a little from above.
// - The camera turns about a point on the vertical axis through the middle of the bounds, at the
//   height that centres the product in the home view.
// - At home the product's bounds fill FILL of the square. From every other side the camera keeps
//   that distance and steps back only where the bounds would pass FILL_AT_MOST.
//
// The corners of the bounding box decide, not a sphere around it: a sphere wastes most of the
// picture on anything long, flat or tall.

export type Vector = readonly [number, number, number];

/** Corners of a product's bounds in metres, +Y up, its front towards +Z. */
export interface Bounds {
  min: Vector;
  max: Vector;
}

/** Angles in radians. Azimuth 0 looks at the front, positive from the product's left side (+X). */
export interface View {
  azimuth: number;
  elevation: number;
  /** Distance as a share of the framing distance: 1 fills the picture, less is closer. */
  zoom: number;
}

const DEGREE = Math.PI / 180;

export const FIELD_OF_VIEW = 30 * DEGREE;
export const HOME: View = { azimuth: 30 * DEGREE, elevation: 15 * DEGREE, zoom: 1 };
export const LOWEST = -12 * DEGREE;
export const HIGHEST = 88 * DEGREE;
export const NEAREST = 0.35;
export const FARTHEST = 1.4;

const FILL = 0.85;
const FILL_AT_MOST = 0.96;
const TANGENT = Math.tan(FIELD_OF_VIEW / 2);

export interface Camera {
  position: Vector;
  target: Vector;
  near: number;
  far: number;
}

export class Framing {
  /** The point the camera turns about. */
  readonly pivot: Vector;
  private readonly corners: Vector[];
  private readonly radius: number;
  private readonly homeDistance: number;

  constructor(bounds: Bounds) {
    const { min, max } = bounds;
    const middle = [0, 1, 2].map((axis) => (min[axis]! + max[axis]!) / 2) as [number, number, number];
    const half = middle.map((value, axis) => max[axis]! - value);
    const corners: [number, number, number][] = [];
    for (const x of [-1, 1])
      for (const y of [-1, 1])
        for (const z of [-1, 1]) corners.push([x * half[0]!, y * half[1]!, z * half[2]!]);
    this.corners = corners;

    // Perspective makes the near lower edge look bigger than the far upper one: lift or lower the
    // pivot until both margins are the same. Three rounds are enough for a thousandth.
    let lift = 0;
    for (let round = 0; round < 4; round++) {
      const distance = this.distanceFor(HOME.azimuth, HOME.elevation, FILL);
      const heights = this.along(HOME.azimuth, HOME.elevation).map(([, y, z]) => y / (distance - z));
      const shift = ((Math.max(...heights) + Math.min(...heights)) / 2) * distance;
      const step = shift / Math.cos(HOME.elevation);
      lift += step;
      for (const corner of corners) corner[1] -= step;
    }
    this.pivot = [middle[0], middle[1] + lift, middle[2]];
    this.homeDistance = this.distanceFor(HOME.azimuth, HOME.elevation, FILL);
    this.radius = Math.max(...corners.map((corner) => Math.hypot(...corner)));
  }

  /** The camera for a view of the product. */
  camera(view: View): Camera {
    const { azimuth, elevation, zoom } = view;
    const fitting = this.distanceFor(azimuth, elevation, FILL_AT_MOST);
    const distance = Math.max(this.homeDistance, fitting) * zoom;
    const back = [
      Math.sin(azimuth) * Math.cos(elevation),
      Math.sin(elevation),
      Math.cos(azimuth) * Math.cos(elevation),
    ];
    return {
      position: this.pivot.map((value, axis) => value + back[axis]! * distance) as unknown as Vector,
      target: this.pivot,
      near: Math.max(distance - this.radius * 1.5, this.radius / 100),
      far: distance + this.radius * 3,
    };
  }

  /** Distance at which every corner lies within a centred share of the square picture. */
  private distanceFor(azimuth: number, elevation: number, fill: number): number {
    const edge = fill * TANGENT;
    const needed = this.along(azimuth, elevation).map(
      ([x, y, z]) => Math.max(Math.abs(x), Math.abs(y)) / edge + z,
    );
    return Math.max(...needed);
  }

  /** The corners as the camera sees them: to its right, up, and towards it. */
  private along(azimuth: number, elevation: number): Vector[] {
    const [sinA, cosA] = [Math.sin(azimuth), Math.cos(azimuth)];
    const [sinE, cosE] = [Math.sin(elevation), Math.cos(elevation)];
    return this.corners.map(([x, y, z]) => {
      const towards = x * sinA + z * cosA;
      return [x * cosA - z * sinA, y * cosE - towards * sinE, y * sinE + towards * cosE];
    });
  }
}

/** Vertical angle of view in degrees for a picture `aspect` times as wide as high. */
export function verticalFieldOfView(aspect: number): number {
  return (2 * Math.atan(TANGENT / Math.min(aspect, 1))) / DEGREE;
}

export function within(low: number, value: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
