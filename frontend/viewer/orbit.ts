// The camera's way round the product: it follows where the shopper wants it, softly.

import { FARTHEST, HIGHEST, HOME, LOWEST, NEAREST, within } from "./framing";
import type { View } from "./framing";

const FOLLOW_MS = 55; // time in which two thirds of the way are made
const COAST_MS = 110; // how far a thrown turn carries on, as time at its last speed
const HELD_MS = 60; // a finger that rested this long before it left throws nothing
const NEAR_ENOUGH = 2e-4;
const FULL_TURN = 2 * Math.PI;

export class Orbit {
  view: View = { ...HOME };
  private goal: View = { ...HOME };
  private speed = { azimuth: 0, elevation: 0, at: 0 }; // radians per ms

  /** `still`: go there at once, without inertia, for people who asked for less motion. */
  constructor(private readonly still = false) {}

  turn(azimuth: number, elevation: number, now_ms: number): void {
    const elapsed = Math.max(now_ms - this.speed.at, 1);
    this.speed = { azimuth: azimuth / elapsed, elevation: elevation / elapsed, at: now_ms };
    this.aim(azimuth, elevation);
  }

  release(now_ms: number): void {
    const { azimuth, elevation, at } = this.speed;
    const fresh = now_ms - at < HELD_MS && !this.still;
    if (fresh) this.aim(azimuth * COAST_MS, elevation * COAST_MS);
  }

  zoom(factor: number): void {
    this.goal.zoom = within(NEAREST, this.goal.zoom * factor, FARTHEST);
  }

  home(): void {
    // The short way round, however often the product was turned.
    const turns = Math.round((this.view.azimuth - HOME.azimuth) / FULL_TURN);
    this.goal = { ...HOME, azimuth: HOME.azimuth + turns * FULL_TURN };
  }

  /** Moves on by some time. Returns whether there is more way to go. */
  step(elapsed_ms: number): boolean {
    const share = this.still ? 1 : 1 - Math.exp(-elapsed_ms / FOLLOW_MS);
    let left = 0;
    for (const part of ["azimuth", "elevation", "zoom"] as const) {
      this.view[part] += (this.goal[part] - this.view[part]) * share;
      left = Math.max(left, Math.abs(this.goal[part] - this.view[part]));
    }
    if (left > NEAR_ENOUGH) return true;
    this.view = { ...this.goal };
    return false;
  }

  private aim(azimuth: number, elevation: number): void {
    this.goal.azimuth += azimuth;
    this.goal.elevation = within(LOWEST, this.goal.elevation + elevation, HIGHEST);
  }
}
