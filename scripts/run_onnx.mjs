// Runs an ONNX file once in ONNX Runtime:
//
//     node run_onnx.mjs MODEL IMAGES N,3,H,W OUTPUT disabled|all
//     node run_onnx.mjs --version
//
// IMAGES and OUTPUT hold float32 elements and nothing else; the last argument is the level of graph
// optimization. The package onnxruntime-node is looked for in the folder of ONNXRUNTIME_NODE, in
// build/onnxruntime of this project, in the folders above this script and the current one, and among
// npm's global packages. Ends with 69 where it is nowhere.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

function* folders() {
  if (process.env.ONNXRUNTIME_NODE) yield process.env.ONNXRUNTIME_NODE;
  yield join(here, "../build/onnxruntime");
  yield here;
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
const [model, images, shape, output, level] = process.argv.slice(2);
if (model === "--version") {
  console.log(version);
} else {
  try {
    const options = { graphOptimizationLevel: level, logSeverityLevel: 3 };
    const session = await InferenceSession.create(model, options);
    const input = new Tensor("float32", floats(images), shape.split(",").map(Number));
    const results = await session.run({ [session.inputNames[0]]: input });
    const { data } = results[session.outputNames[0]];
    writeFileSync(output, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
