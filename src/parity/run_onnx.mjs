// Runs ONNX files in ONNX Runtime:
//
//     node run_onnx.mjs JOBS.json FOLDER...
//     node run_onnx.mjs --version FOLDER...
//
// JOBS.json is a list of {"model": path, "images": path, "shape": [N, 3, H, W], "outputs": path,
// "optimization": "disabled" or "all", "exact": boolean}. "exact" keeps products of 8-bit codes from
// saturating on processors without VNNI. Output i is written to path.i; files hold the elements of a
// tensor and nothing else, those of images are float32.
//
// The package onnxruntime-node is looked for in the folder of the environment variable
// ONNXRUNTIME_NODE, in each FOLDER, in the current folder and those above it, and among npm's global
// packages; as always in node, folders of NODE_PATH count too. Ends with 69 where it is nowhere.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

const [request, ...given] = process.argv.slice(2);

function* folders() {
  if (process.env.ONNXRUNTIME_NODE) yield process.env.ONNXRUNTIME_NODE;
  yield* given;
  yield process.cwd();
  try {
    yield dirname(execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim());
  } catch {
    // Without npm there are no global packages.
  }
}

function runtime() {
  for (const folder of folders()) {
    try {
      const require = createRequire(`${folder}/`);
      return [require("onnxruntime-node"), require("onnxruntime-node/package.json").version];
    } catch {
      continue;
    }
  }
  console.error("onnxruntime-node is not installed");
  process.exit(69);
}

function floats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

const [{ InferenceSession, Tensor }, version] = runtime();

async function run(job) {
  const session = await InferenceSession.create(job.model, {
    graphOptimizationLevel: job.optimization,
    logSeverityLevel: 3,
    extra: { session: { x64quantprecision: job.exact ? "1" : "0" } },
  });
  const images = new Tensor("float32", floats(job.images), job.shape);
  const results = await session.run({ [session.inputNames[0]]: images });
  session.outputNames.forEach((name, i) => {
    const { data } = results[name];
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    writeFileSync(`${job.outputs}.${i}`, bytes);
  });
  await session.release();
}

if (request === "--version") {
  console.log(version);
} else {
  for (const job of JSON.parse(readFileSync(request, "utf8"))) {
    try {
      await run(job);
    } catch (error) {
      console.error(`${job.model} (${job.optimization}): ${error.message}`);
      process.exitCode = 1;
    }
  }
}
