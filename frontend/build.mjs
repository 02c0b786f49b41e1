// Bundles the front end and lays every file out the way it is served: under a name that carries a
// fingerprint of its content, with its Brotli and gzip forms beside it, listed in manifest.json.
//
// Run by build.py, which owns installing and deciding whether there is anything to do:
//   node build.mjs STATIC_DIR

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");

/** Logical name → source. A new page part is one line here. */
const BUNDLES = {
  "viewer.js": "viewer/viewer.ts",
  "viewer-worker.js": "viewer/worker.ts",
  "viewer.css": "viewer/viewer.css",
  "pictures.js": "viewer/pictures.ts",
  "storefront.js": "storefront/storefront.ts",
  "storefront.css": "storefront/storefront.css",
  "swagger-init.js": "docs/swagger-init.ts",
};
const COPIES = {
  "environment.bin": "viewer/environment/studio.bin",
  "favicon.svg": "storefront/favicon.svg",
  "swagger-ui.css": "node_modules/swagger-ui-dist/swagger-ui.css",
  "swagger-ui-bundle.js": "node_modules/swagger-ui-dist/swagger-ui-bundle.js",
};
/** Packages whose code is inside the files above; their notices have to travel with it. */
const BUNDLED_PACKAGES = ["three", "meshoptimizer", "swagger-ui-dist", "gltfpack"];

async function bundle(source) {
  const result = await build({
    entryPoints: [join(here, source)],
    outdir: here,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox114", "safari16.4"],
    legalComments: "none",
    logLevel: "warning",
  });
  const wanted = extname(source) === ".css" ? ".css" : ".js";
  return Buffer.from(result.outputFiles.find((file) => file.path.endsWith(wanted)).contents);
}

function notices() {
  const texts = BUNDLED_PACKAGES.map((name) => {
    const file = readdirSync(join(packages, name)).find((entry) => /^licen[cs]e/i.test(entry));
    const { version } = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(join(packages, name, file), "utf8").trim()}\n`;
  });
  return Buffer.from(texts.join(`\n${"-".repeat(80)}\n\n`));
}

function fingerprinted(name, content) {
  const print = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const extension = extname(name);
  return `${basename(name, extension)}-${print}${extension}`;
}

/** Written under another name first: a server that reads meanwhile never sees half a file. */
function place(path, content) {
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}

const COMPRESSED = {
  ".br": (content) =>
    brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      },
    }),
  ".gz": (content) => gzipSync(content, { level: 9 }),
};

/** Returns the files that belong to this name. The same name is the same content: made once. */
function publish(into, name, content) {
  const kept = [name];
  const isNew = !existsSync(join(into, name));
  for (const [suffix, compress] of Object.entries(COMPRESSED)) {
    const path = join(into, name + suffix);
    if (isNew) {
      const smaller = compress(content);
      if (smaller.length < content.length) place(path, smaller);
    }
    if (existsSync(path)) kept.push(name + suffix);
  }
  if (isNew) place(join(into, name), content);
  return kept;
}

const into = process.argv[2];
if (!into) {
  console.error("usage: node build.mjs STATIC_DIR");
  process.exit(2);
}
mkdirSync(into, { recursive: true });

const contents = { "third-party-notices.txt": notices() };
for (const [name, source] of Object.entries(BUNDLES)) contents[name] = await bundle(source);
for (const [name, source] of Object.entries(COPIES)) contents[name] = readFileSync(join(here, source));

// What the last build listed stays this once: a server that started with it still hands it out.
const listing = join(into, "manifest.json");
const before = existsSync(listing) ? Object.values(JSON.parse(readFileSync(listing, "utf8"))) : [];
const suffixes = ["", ...Object.keys(COMPRESSED)];
const kept = new Set(["manifest.json", ...before.flatMap((name) => suffixes.map((suffix) => name + suffix))]);
const manifest = {};
for (const name of Object.keys(contents).sort()) {
  manifest[name] = fingerprinted(name, contents[name]);
  for (const file of publish(into, manifest[name], contents[name])) kept.add(file);
}
place(listing, `${JSON.stringify(manifest, null, 2)}\n`);
for (const file of readdirSync(into)) if (!kept.has(file)) rmSync(join(into, file), { recursive: true });
