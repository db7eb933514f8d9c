// Bundles src/pages and src/styles into dist/, or with --test runs test/*.test.ts on node --test.
// Usage: node build.mjs [--watch | --test [name…]]

import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");

/** Built apart from each other: the document page comes as one file, and what pages load on demand stays theirs. */
const BUNDLES = [
  ["src/pages/document.ts"],
  ["src/pages/pages.ts"],
  ["src/styles/styles.css", "src/styles/document.css", "src/styles/pages/admin.css"],
];

/** What each bundle wrote last. Files of earlier builds pile up otherwise: every change gives a chunk a new name. */
const written = BUNDLES.map(() => null);

async function sweep() {
  if (written.includes(null)) return;
  const kept = new Set(written.flat());
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !kept.has(path)) await rm(path);
  }
}

function options(entries, bundle) {
  const note = {
    name: "note",
    setup(build) {
      build.onEnd(async ({ errors, metafile }) => {
        if (errors.length > 0) return;
        written[bundle] = Object.keys(metafile.outputs).map((path) => resolve(root, path));
        await sweep();
      });
    },
  };
  return {
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({ in: entry, out: entry.replace(/^.*\//, "").replace(/\.\w+$/, "") })),
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    chunkNames: "chunks/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    loader: { ".woff2": "file", ".svg": "file" },
    target: ["chrome120", "edge120", "firefox121", "safari17"],
    minify: true,
    sourcemap: "linked",
    legalComments: "linked",
    metafile: true,
    logLevel: "info",
    plugins: [note],
  };
}

async function test(names) {
  const folder = join(root, "test");
  const files = (await readdir(folder)).filter((file) => file.endsWith(".test.ts"));
  const chosen = names.length === 0 ? files : files.filter((file) => names.some((name) => file.includes(name)));
  if (chosen.length === 0) throw new Error(`No test file matches ${names.join(", ")}`);
  const out = await mkdtemp(join(tmpdir(), "collab-frontend-test-"));
  try {
    await esbuild.build({
      absWorkingDir: root,
      entryPoints: chosen.map((file) => join(folder, file)),
      outdir: out,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "inline",
      logLevel: "warning",
    });
    // A package.json keeps Node from looking for one above the temporary folder.
    await writeFile(join(out, "package.json"), '{"type":"module"}');
    const bundled = chosen.map((file) => join(out, file.replace(/\.ts$/, ".mjs")));
    return await run(process.execPath, ["--enable-source-maps", "--test", ...bundled]);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function run(command, args) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: "inherit", cwd: root });
    child.on("error", failed);
    child.on("exit", (code) => done(code ?? 1));
  });
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "--test") {
  process.exitCode = await test(rest);
} else if (mode === "--watch") {
  const contexts = await Promise.all(BUNDLES.map((entries, bundle) => esbuild.context(options(entries, bundle))));
  for (const context of contexts) await context.watch();
  console.log(`Watching src${sep}; press Ctrl+C to stop.`);
} else if (mode === undefined) {
  for (const [bundle, entries] of BUNDLES.entries()) await esbuild.build(options(entries, bundle));
} else {
  console.error(`Unknown option ${mode}: use --watch or --test [name…]`);
  process.exitCode = 2;
}
