// The page behind src/vitrina/models3d/pictures.py: takes jobs from the server that opened it,
// draws them with the viewer's own stage, and sends the pictures back.

import type { View } from "./framing";
import type { Stage } from "./stage";

interface Shot {
  variant: string;
  view: View;
  type: "image/webp" | "image/png";
  quality: number;
}

interface Job {
  id: string;
  model: string;
  size: number;
  shots: Shot[];
}

interface Setup {
  worker: string;
  environment: string;
}

const setup = (await (await fetch("setup")).json()) as Setup;
const { Stage: StageClass } = (await import(new URL(setup.worker, document.baseURI).href)) as { Stage: typeof Stage };
const light = await bytes(setup.environment);
const canvas = document.createElement("canvas");
const stage = new StageClass(canvas);
stage.light(light);

for (;;) {
  const answer = await fetch("jobs", { method: "POST" });
  if (answer.status === 204) break;
  const job = (await answer.json()) as Job;
  try {
    await work(job);
  } catch (error) {
    await send(`failed/${job.id}`, new Blob([error instanceof Error ? error.message : String(error)]));
  }
}

async function work(job: Job): Promise<void> {
  stage.resize(job.size, job.size, 1);
  await stage.place(await bytes(job.model));
  for (const [index, shot] of job.shots.entries()) {
    await stage.wear(shot.variant);
    stage.draw(shot.view);
    const picture = await new Promise<Blob | null>((done) => {
      canvas.toBlob(done, shot.type, shot.quality);
    });
    if (picture?.type !== shot.type) throw new Error(`this browser writes no ${shot.type}`);
    await send(`pictures/${job.id}/${index}`, picture);
  }
}

async function bytes(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.arrayBuffer();
}

async function send(url: string, body: Blob): Promise<void> {
  await fetch(url, { method: "POST", body });
}
