// What the element and the stage say to each other, across a worker's boundary or within one page.

import type { View } from "./framing";
import type { Drawable, Reason } from "./stage";

export interface Size {
  /** CSS pixels. */
  width: number;
  height: number;
  /** Device pixels per CSS pixel. */
  pixelRatio: number;
}

export type ToStage =
  | ({ type: "open"; canvas: Drawable; still: boolean } & Size)
  | { type: "light"; file: ArrayBuffer }
  | { type: "model"; file: ArrayBuffer; finish: string }
  | { type: "finish"; finish: string }
  | { type: "turn"; azimuth: number; elevation: number } // radians to go on by
  | { type: "zoom"; factor: number }
  | { type: "release" } // the finger left: a turn may coast
  | { type: "home" }
  | { type: "seen"; seen: boolean }
  | ({ type: "resize" } & Size)
  | { type: "close" };

export type ToElement =
  | { type: "opened" }
  | { type: "working" } // still busy: no reason to give up
  | { type: "shown"; variants: string[]; triangles: number } // the first picture is on the canvas
  | { type: "finish"; finish: string }
  | { type: "camera"; view: View } // the camera came to rest
  | { type: "failed"; reason: Reason; message: string };

/** One end of the line. */
export interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}
