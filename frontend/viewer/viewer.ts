// <product-3d>: a picture that becomes a product one can turn.
//
// The element stands around a poster <img>, a start <button> and its manifest as inline JSON, all
// in the light DOM, so that without this script the page is complete. When the shopper shows
// interest, or the page has nothing better to do, it fetches the model and lets a worker draw it.
// Whatever fails leaves the poster and says so.
//
//   attributes   label, variant, data-worker, data-environment (addresses of the two files)
//   properties   variant, state
//   methods      activate(), resetCamera()
//   events       product3d:poster  product3d:interactive  product3d:full  product3d:error
//                product3d:camera  product3d:variant; all bubble, detail.ms since navigation

import { finestLevel, readManifest } from "./manifest";
import type { Manifest } from "./manifest";
import type { Port, Size, ToElement, ToStage } from "./messages";
import type { Drawable, Reason } from "./stage";

export type State = "poster" | "loading" | "live" | "failed";

const STALLED_MS = 20_000;
/** More live views than this at once would make browsers take contexts away by themselves. */
const LIVE_AT_MOST = 4;
const PIXEL_RATIO_AT_MOST = 2;
const KEY_TURN = Math.PI / 12;
const ZOOM_STEP = 0.8;
const WORDS = {
  hint: "3D view. Arrow keys turn it, plus and minus zoom, Home resets.",
  closer: "Zoom in",
  farther: "Zoom out",
  home: "Reset view",
  controls: "3D view controls",
  loading: "Loading the 3D view",
  live: "3D view ready",
  failed: "The 3D view is not available here; the picture stays.",
  retry: "The 3D view did not load; the picture stays. You can try again.",
};
const ICONS = {
  closer: "M12 6v12M6 12h12",
  farther: "M6 12h12",
  home: "M5 12a7 7 0 1 0 2.2-5.1M5 5v4h4",
};
/** Failures after which another try may do better. */
const PASSING: readonly Reason[] = ["network", "timeout", "context", "script"];

class Failure extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

/** One attempt to be live: everything it opened, closed by one call. */
class Session {
  readonly canvas = document.createElement("canvas");
  private link: Link | undefined;
  private waiting: ToStage[] = [];
  private readonly stop = new AbortController();
  private timer = 0;

  constructor(
    private readonly element: Product3D,
    private readonly heard: (message: ToElement) => void,
  ) {
    this.canvas.className = "product-3d-canvas";
  }

  async run(manifest: Manifest): Promise<void> {
    this.working();
    const { worker, environment } = this.element.dataset;
    if (!worker || !environment) throw new Failure("script", "data-worker or data-environment missing");
    const light = this.download(environment);
    const model = this.download(finestLevel(manifest).url);
    light.catch(() => {}); // both are awaited below, when there is a stage to bring them to
    model.catch(() => {});
    await this.open(worker);
    const lightFile = await light;
    this.send({ type: "light", file: lightFile }, [lightFile]);
    const modelFile = await model;
    this.send({ type: "model", file: modelFile, finish: this.element.variant }, [modelFile]);
    for (const message of this.waiting.splice(0)) this.send(message);
  }

  /** Wishes that come before the stage is open are kept for it. */
  wish(message: ToStage): void {
    if (this.link) this.send(message);
    else this.waiting.push(message);
  }

  /** Something moved: wait on. */
  working(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (document.hidden) return this.working(); // hidden pages are not drawn: nothing can move
      this.fail(new Failure("timeout", `nothing moved for ${STALLED_MS / 1000} s`));
    }, STALLED_MS);
  }

  arrived(): void {
    clearTimeout(this.timer);
  }

  fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    const reason = error instanceof Failure ? error.reason : "network";
    this.heard({ type: "failed", reason, message: error instanceof Error ? error.message : String(error) });
  }

  close(): void {
    this.arrived();
    this.stop.abort();
    this.link?.close();
    this.canvas.remove();
  }

  private send(message: ToStage, transfer: Transferable[] = []): void {
    this.link?.port.postMessage(message, transfer);
  }

  /** In a worker where one can draw there, else on this page. */
  private async open(script: string): Promise<void> {
    const address = new URL(script, document.baseURI).href;
    if (typeof OffscreenCanvas !== "undefined" && "transferControlToOffscreen" in this.canvas) {
      const drawable = this.canvas.transferControlToOffscreen();
      try {
        return await this.openAt(inWorker(address), drawable, [drawable]);
      } catch (failure) {
        if (!(failure instanceof Failure) || failure.reason !== "webgl") throw failure;
        // Some browsers have OffscreenCanvas but no WebGL on it. A canvas that was handed over
        // cannot be taken back.
        this.link?.close();
        const fresh = this.canvas.cloneNode() as HTMLCanvasElement;
        this.canvas.replaceWith(fresh);
        (this as { canvas: HTMLCanvasElement }).canvas = fresh;
      }
    }
    await this.openAt(await onThisPage(address), this.canvas, []);
  }

  private openAt(link: Link, canvas: Drawable, transfer: Transferable[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let open = false;
      const refuse = (failure: Failure): void => (open ? this.fail(failure) : reject(failure));
      link.onerror = () => refuse(new Failure("script", "the viewer's worker did not start"));
      link.port.onmessage = ({ data }: MessageEvent<ToElement>) => {
        if (this.stop.signal.aborted) return;
        if (data.type === "failed") return refuse(new Failure(data.reason, data.message));
        if (data.type !== "opened") return this.heard(data);
        open = true;
        this.working();
        resolve();
      };
      this.link = link;
      if (this.stop.signal.aborted) return link.close();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.send({ type: "open", canvas, still, ...this.element.size() }, transfer);
    });
  }

  private async download(address: string): Promise<ArrayBuffer> {
    const answer = await fetch(address, { signal: this.stop.signal, priority: "high" });
    if (!answer.ok || !answer.body) throw new Failure("network", `${address}: ${answer.status}`);
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, through) => {
        this.working();
        through.enqueue(chunk);
      },
    });
    return new Response(answer.body.pipeThrough(counted)).arrayBuffer();
  }
}

interface Link {
  port: Port;
  onerror: (() => void) | undefined;
  close(): void;
}

function inWorker(address: string): Link {
  const worker = new Worker(address, { type: "module" });
  const link: Link = { port: worker, onerror: undefined, close: () => worker.terminate() };
  worker.onerror = () => link.onerror?.();
  return link;
}

async function onThisPage(address: string): Promise<Link> {
  const { serve } = (await import(address).catch((error: unknown) => {
    throw new Failure("script", `the viewer did not load: ${error}`);
  })) as { serve: (port: Port) => void };
  // Two ends of a line without a worker between: a canvas cannot travel through a MessageChannel.
  const here: Port = { onmessage: null, postMessage: (data) => deliver(there, data) };
  const there: Port = { onmessage: null, postMessage: (data) => deliver(here, data) };
  serve(there);
  return { port: here, onerror: undefined, close: () => there.onmessage?.(said({ type: "close" })) };
}

function deliver(to: Port, data: unknown): void {
  queueMicrotask(() => to.onmessage?.(said(data)));
}

function said(data: unknown): MessageEvent {
  return { data } as MessageEvent;
}

export class Product3D extends HTMLElement {
  static readonly observedAttributes = ["variant"];
  private static readonly live: Product3D[] = [];

  private manifest: Manifest | undefined;
  private session: Session | undefined;
  private status: HTMLElement | undefined;
  private controls: HTMLElement | undefined;
  private left: AbortController | undefined; // aborted when the element leaves the page
  private readonly fingers = new Map<number, { x: number; y: number }>();

  /** Where it stands; also the attribute data-state, for style sheets. */
  get state(): State {
    return (this.dataset.state as State | undefined) ?? "poster";
  }

  /** The finish shown, by its KHR_materials_variants name; "" for the model's own look. */
  get variant(): string {
    return this.getAttribute("variant") ?? "";
  }

  set variant(name: string) {
    this.setAttribute("variant", name);
  }

  /** Go live now. Does nothing while that is under way or done. */
  activate(): void {
    if (this.session || !this.manifest || !this.isConnected) return;
    const session = new Session(this, (message) => this.hear(session, message));
    this.session = session;
    this.enter("loading");
    this.say(WORDS.loading);
    this.append(session.canvas);
    makeRoom(Product3D.live, this);
    session.run(this.manifest).catch((error: unknown) => session.fail(error));
  }

  /** Back to the view of the poster. */
  resetCamera(): void {
    this.session?.wish({ type: "home" });
  }

  size(): Size {
    const { clientWidth, clientHeight } = this;
    const pixelRatio = Math.min(devicePixelRatio, PIXEL_RATIO_AT_MOST);
    return { width: clientWidth, height: clientHeight, pixelRatio };
  }

  connectedCallback(): void {
    const json = this.querySelector('script[type="application/json"]')?.textContent ?? "";
    this.enter("poster");
    this.left = new AbortController();
    this.status ??= this.appendChild(statusLine());
    this.watchPoster();
    try {
      this.manifest = readManifest(json);
    } catch (error) {
      return this.giveUp("model", error instanceof Error ? error.message : String(error));
    }
    this.listen(this.left.signal);
    this.wait(this.left.signal);
  }

  disconnectedCallback(): void {
    this.left?.abort();
    this.withdraw();
  }

  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before === now || !this.manifest) return;
    this.session?.wish({ type: "finish", finish: this.variant });
    void this.changePoster();
  }

  /** Back to the poster, ready to be asked again. */
  withdraw(): void {
    this.session?.close();
    this.session = undefined;
    this.controls?.remove();
    this.controls = undefined;
    const index = Product3D.live.indexOf(this);
    if (index >= 0) Product3D.live.splice(index, 1);
    this.enter("poster");
    this.say("");
  }

  private hear(session: Session, message: ToElement): void {
    if (session !== this.session) return;
    switch (message.type) {
      case "working":
        return session.working();
      case "shown":
        session.arrived();
        session.canvas.tabIndex = 0;
        session.canvas.setAttribute("role", "application");
        session.canvas.setAttribute("aria-label", `${this.getAttribute("label") ?? ""} ${WORDS.hint}`.trim());
        this.controls = this.appendChild(this.controlButtons());
        // The poster goes in the very frame in which the canvas comes.
        this.enter("live");
        this.say(WORDS.live);
        if (this.contains(document.activeElement)) session.canvas.focus({ preventScroll: true });
        this.tell("interactive", { triangles: message.triangles });
        return this.tell("full", { triangles: message.triangles });
      case "finish":
        this.say(`${this.getAttribute("label") ?? ""}: ${message.finish}`);
        return this.tell("variant", { variant: message.finish });
      case "camera":
        return this.tell("camera", { ...message.view });
      case "failed":
        return this.giveUp(message.reason, message.message);
    }
  }

  private giveUp(reason: Reason, message: string): void {
    this.withdraw();
    this.enter("failed");
    const again = PASSING.includes(reason) && Boolean(this.manifest);
    this.toggleAttribute("data-retry", again);
    this.say(again ? WORDS.retry : WORDS.failed);
    this.tell("error", { reason, message });
  }

  private enter(state: State): void {
    this.dataset.state = state;
    // Not `disabled`, which would take the focus away from whoever has just pressed it.
    this.querySelector(".product-3d-start")?.setAttribute("aria-disabled", `${state === "loading"}`);
  }

  private say(text: string): void {
    if (this.status) this.status.textContent = text;
  }

  private tell(name: string, detail: object): void {
    const ms = Math.round(performance.now());
    this.dispatchEvent(new CustomEvent(`product3d:${name}`, { bubbles: true, detail: { ms, ...detail } }));
  }

  private poster(): HTMLImageElement | null {
    return this.querySelector<HTMLImageElement>("img.product-3d-poster");
  }

  private watchPoster(): void {
    const poster = this.poster();
    if (!poster) return;
    poster.draggable = false;
    if (poster.complete) return this.tell("poster", {});
    poster.addEventListener("load", () => this.tell("poster", {}), { once: true });
  }

  private async changePoster(): Promise<void> {
    const poster = this.poster();
    const address = this.manifest?.posters[this.variant] ?? this.manifest?.posters[""];
    if (!poster || !address) return;
    const next = new Image();
    next.src = address;
    const finish = this.variant;
    // A picture that cannot be had leaves the one there is.
    const ready = await next.decode().then(() => true, () => false);
    if (ready && finish === this.variant) {
      poster.removeAttribute("srcset");
      poster.src = address;
      if (this.state !== "live") this.tell("variant", { variant: finish });
    }
  }

  /** Goes live by itself once it is in view and the page is quiet, unless data is to be saved. */
  private wait(left: AbortSignal): void {
    const connection = (navigator as { connection?: { saveData?: boolean } }).connection;
    const thrifty = connection?.saveData || matchMedia("(prefers-reduced-data: reduce)").matches;
    let tried = false;
    let inView = false;
    const look = (): void => {
      const seen = inView && !document.hidden;
      this.session?.wish({ type: "seen", seen });
      if (!seen || tried || thrifty) return;
      tried = true;
      whenIdle(() => this.state === "poster" && this.activate());
    };
    const watch = new IntersectionObserver((entries) => {
      inView = Boolean(entries.at(-1)?.isIntersecting);
      look();
    });
    watch.observe(this);
    const resized = new ResizeObserver(() => this.session?.wish({ type: "resize", ...this.size() }));
    resized.observe(this);
    document.addEventListener("visibilitychange", look, { signal: left });
    left.addEventListener("abort", () => {
      watch.disconnect();
      resized.disconnect();
    });
  }

  private listen(signal: AbortSignal): void {
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      act: (event: HTMLElementEventMap[Name]) => void,
      passive = true,
    ): void => this.addEventListener(name, act, { signal, passive });
    const interest = (): void => {
      if (this.state === "poster") this.activate();
    };
    on("pointerenter", interest);
    on("focusin", interest);
    on("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (button?.classList.contains("product-3d-start")) this.activate();
      else interest();
    });
    on("pointerdown", (event) => {
      interest();
      if ((event.target as Element).closest("button") || event.button !== 0) return;
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"] as const)
      on(end, ({ pointerId }) => {
        if (this.fingers.delete(pointerId)) this.session?.wish({ type: "release" });
      });
    on("keydown", (event) => this.press(event), false);
    on(
      "wheel",
      (event) => {
        const wanted = event.ctrlKey || document.activeElement === this.session?.canvas;
        if (this.state !== "live" || !wanted) return;
        event.preventDefault();
        this.session?.wish({ type: "zoom", factor: Math.exp(Math.sign(event.deltaY) * 0.12) });
      },
      false,
    );
  }

  private drag(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const others = [...this.fingers.entries()].filter(([id]) => id !== event.pointerId);
    const [x, y] = [event.clientX - finger.x, event.clientY - finger.y];
    const other = others[0]?.[1];
    if (other) {
      const before = Math.hypot(finger.x - other.x, finger.y - other.y);
      const now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      if (before > 0 && now > 0) this.session?.wish({ type: "zoom", factor: before / now });
    } else {
      // A finger across the whole view turns the product once round.
      const share = (2 * Math.PI) / Math.max(1, Math.min(this.clientWidth, this.clientHeight));
      this.session?.wish({ type: "turn", azimuth: -x * share, elevation: (y * share) / 2 });
    }
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  private press(event: KeyboardEvent): void {
    if (event.target !== this.session?.canvas || event.altKey || event.ctrlKey || event.metaKey) return;
    const wishes: Record<string, ToStage> = {
      ArrowLeft: { type: "turn", azimuth: KEY_TURN, elevation: 0 },
      ArrowRight: { type: "turn", azimuth: -KEY_TURN, elevation: 0 },
      ArrowUp: { type: "turn", azimuth: 0, elevation: -KEY_TURN / 2 },
      ArrowDown: { type: "turn", azimuth: 0, elevation: KEY_TURN / 2 },
      "+": { type: "zoom", factor: ZOOM_STEP },
      "=": { type: "zoom", factor: ZOOM_STEP },
      "-": { type: "zoom", factor: 1 / ZOOM_STEP },
      Home: { type: "home" },
    };
    const wish = wishes[event.key];
    if (!wish) return;
    event.preventDefault();
    this.session.wish(wish);
  }

  private controlButtons(): HTMLElement {
    const group = document.createElement("div");
    group.className = "product-3d-controls";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", WORDS.controls);
    const acts: [keyof typeof ICONS, ToStage][] = [
      ["closer", { type: "zoom", factor: ZOOM_STEP }],
      ["farther", { type: "zoom", factor: 1 / ZOOM_STEP }],
      ["home", { type: "home" }],
    ];
    for (const [name, wish] of acts) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", WORDS[name]);
      button.title = WORDS[name];
      button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
      button.addEventListener("click", () => this.session?.wish(wish));
      group.append(button);
    }
    return group;
  }
}

function statusLine(): HTMLElement {
  const line = document.createElement("p");
  line.className = "product-3d-status";
  line.setAttribute("role", "status");
  return line;
}

/** The view that has been live longest goes back to its poster when there are too many. */
function makeRoom(live: Product3D[], newcomer: Product3D): void {
  while (live.length >= LIVE_AT_MOST) live[0]!.withdraw();
  live.push(newcomer);
}

function whenIdle(act: () => void): void {
  const idle = (): void => {
    if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 2000 });
    else setTimeout(act, 200);
  };
  if (document.readyState === "complete") idle();
  else window.addEventListener("load", idle, { once: true });
}

if (!customElements.get("product-3d")) customElements.define("product-3d", Product3D);
