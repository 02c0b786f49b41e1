// Where the camera stands: the one rule that posters and the live view share.
//
// - The lens is FIELD_OF_VIEW wide over the shorter side of the picture, so a square poster and a
//   view of any shape show the product at the same size.
// - Home is a three-quarter view from the right, a little from above.
// - At home the product's bounds fill FILL of the square. From every other side the camera keeps
//   that distance and steps back only where the bounds would pass FILL_AT_MOST.
// - The bounds are always in the middle: the camera looks straight at their centre, then moves
//   sideways and up, without turning, until opposite margins are equal. Perspective would else
//   push anything long towards the side of its nearer end.
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
  private readonly centre: Vector;
  private readonly corners: Vector[]; // from the centre
  private readonly radius: number;
  private readonly homeDistance: number;

  constructor({ min, max }: Bounds) {
    this.centre = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
    const [x, y, z] = [max[0] - this.centre[0], max[1] - this.centre[1], max[2] - this.centre[2]];
    const sides = [-1, 1];
    this.corners = sides.flatMap((i) =>
      sides.flatMap((j) => sides.map((k): Vector => [i * x, j * y, k * z])),
    );
    this.radius = Math.hypot(x, y, z);
    this.homeDistance = fittingDistance(this.along(HOME), FILL);
  }

  /** The camera for a view of the product. */
  camera(view: View): Camera {
    const { azimuth, elevation, zoom } = view;
    const seen = this.along(view);
    const distance = Math.max(this.homeDistance, fittingDistance(seen, FILL_AT_MOST));
    const aside = balance(seen, 0, distance);
    const above = balance(seen, 1, distance);
    const [sinA, cosA] = [Math.sin(azimuth), Math.cos(azimuth)];
    const [sinE, cosE] = [Math.sin(elevation), Math.cos(elevation)];
    const target: Vector = [
      this.centre[0] + aside * cosA - above * sinA * sinE,
      this.centre[1] + above * cosE,
      this.centre[2] - aside * sinA - above * cosA * sinE,
    ];
    const back = distance * zoom;
    return {
      target,
      position: [
        target[0] + back * sinA * cosE,
        target[1] + back * sinE,
        target[2] + back * cosA * cosE,
      ],
      near: Math.max(back - this.radius * 1.5, this.radius / 100),
      far: back + this.radius * 3,
    };
  }

  /** The corners as the camera sees them: to its right, up, and towards it. */
  private along({ azimuth, elevation }: View): Vector[] {
    const [sinA, cosA] = [Math.sin(azimuth), Math.cos(azimuth)];
    const [sinE, cosE] = [Math.sin(elevation), Math.cos(elevation)];
    return this.corners.map(([x, y, z]) => {
      const towards = x * sinA + z * cosA;
      return [x * cosA - z * sinA, y * cosE - towards * sinE, y * sinE + towards * cosE];
    });
  }
}

/**
 * The least distance at which points fit a centred share of the square picture, if the camera may
 * move sideways: on each axis both edges give a line in (shift, distance), and they meet here.
 */
function fittingDistance(seen: Vector[], fill: number): number {
  const edge = fill * TANGENT;
  const reach = (axis: 0 | 1, side: 1 | -1): number =>
    Math.max(...seen.map((point) => side * point[axis] + edge * point[2]));
  const span = (axis: 0 | 1): number => (reach(axis, 1) + reach(axis, -1)) / (2 * edge);
  return Math.max(span(0), span(1));
}

/** How far to move along an axis of the picture so that both margins are equal there. */
function balance(seen: Vector[], axis: 0 | 1, distance: number): number {
  let shift = 0;
  for (let round = 0; round < 4; round++) {
    const places = seen.map((point) => (point[axis] - shift) / (distance - point[2]));
    shift += ((Math.max(...places) + Math.min(...places)) / 2) * distance;
  }
  return shift;
}

/** Vertical angle of view in degrees for a picture `aspect` times as wide as high. */
export function verticalFieldOfView(aspect: number): number {
  return (2 * Math.atan(TANGENT / Math.min(aspect, 1))) / DEGREE;
}

export function within(low: number, value: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
