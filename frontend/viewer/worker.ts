// The stage at the far end of a port: in a worker, or on the page where workers cannot draw.

import type { Port, ToElement, ToStage } from "./messages";
import { Orbit } from "./orbit";
import { Stage, StageError } from "./stage";

export { Stage };

/** Serves one element until it says "close". */
export function serve(port: Port): void {
  let stage: Stage | undefined;
  let orbit = new Orbit();
  let live = false;
  let seen = true;
  let stale = false; // the picture no longer shows what it should
  let frame = 0;
  let last = 0;
  let finishWanted = "";
  let work: Promise<unknown> = Promise.resolve();

  port.onmessage = ({ data }: MessageEvent<ToStage>) => {
    try {
      receive(data);
    } catch (error) {
      fail(error);
    }
  };

  function receive(message: ToStage): void {
    switch (message.type) {
      case "open":
        stage = new Stage(message.canvas);
        stage.resize(message.width, message.height, message.pixelRatio);
        orbit = new Orbit(message.still);
        message.canvas.addEventListener("webglcontextlost", onContextLost);
        return say({ type: "opened" });
      case "light":
        stage?.light(message.file);
        return say({ type: "working" });
      case "model":
        finishWanted = message.finish;
        return inTurn(() => open(message.file));
      case "finish":
        finishWanted = message.finish;
        return inTurn(() => wear(message.finish));
      case "turn":
        orbit.turn(message.azimuth, message.elevation, performance.now());
        return wake();
      case "release":
        orbit.release(performance.now());
        return wake();
      case "zoom":
        orbit.zoom(message.factor);
        return wake();
      case "home":
        orbit.home();
        return wake();
      case "seen":
        seen = message.seen;
        return wake();
      case "resize":
        stage?.resize(message.width, message.height, message.pixelRatio);
        // Drawn at once: a resized canvas is empty until it is.
        if (live) stage?.draw(orbit.view);
        return;
      case "close":
        cancelAnimationFrame(frame);
        live = false;
        stage?.dispose();
        stage = undefined;
    }
  }

  async function open(file: ArrayBuffer): Promise<void> {
    if (!stage) return;
    let finish = finishWanted;
    await stage.place(file, finish, () => say({ type: "working" }));
    while (finish !== finishWanted) await stage.wear((finish = finishWanted)); // chosen meanwhile
    await nextFrame();
    // The first picture is the poster's, wherever the shopper has dragged to meanwhile.
    stage.draw();
    await stage.drawn();
    await nextFrame();
    live = true;
    say({ type: "shown", variants: stage.variants, triangles: stage.triangles });
    wake();
  }

  async function wear(finish: string): Promise<void> {
    if (!stage || finish !== finishWanted) return; // overtaken by a later wish
    await stage.wear(finish);
    stale = true;
    wake();
    say({ type: "finish", finish });
  }

  function inTurn(step: () => Promise<void>): void {
    work = work.then(step).catch(fail);
  }

  function wake(): void {
    if (live && seen && !frame) frame = requestAnimationFrame(tick);
  }

  function tick(now: number): void {
    frame = 0;
    const started = now - last > 100; // after a rest the first step is an ordinary one
    const before = { ...orbit.view };
    const moving = orbit.step(started ? 16 : now - last);
    last = now;
    const { view } = orbit;
    const moved =
      view.azimuth !== before.azimuth || view.elevation !== before.elevation || view.zoom !== before.zoom;
    if (moved || stale) stage?.draw(view);
    stale = false;
    if (moving) wake();
    else if (moved) say({ type: "camera", view });
  }

  function onContextLost(event: Event): void {
    event.preventDefault();
    fail(new StageError("context", "the graphics context was lost"));
  }

  function fail(error: unknown): void {
    live = false;
    const reason = error instanceof StageError ? error.reason : "model";
    say({ type: "failed", reason, message: error instanceof Error ? error.message : String(error) });
  }

  function say(message: ToElement): void {
    port.postMessage(message);
  }
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

if (typeof document === "undefined") serve(self as unknown as Port);
