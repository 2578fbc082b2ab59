// Runs ONNX files in ONNX Runtime:
//
//     node run_onnx.mjs FOLDER JOBS.json
//
// FOLDER is where npm installed onnxruntime-node. JOBS.json is a list of {"model": path,
// "images": path, "shape": [N, 3, H, W], "optimization": "disabled" or "all", "exact": boolean,
// "outputs": path}. "exact" keeps products of 8-bit codes from saturating on processors without VNNI.
// The elements of output i are written to path.i, those of the images are float32; nothing else is
// in these files.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, jobsPath] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { InferenceSession, Tensor } = require("onnxruntime-node");

function floats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

for (const job of JSON.parse(readFileSync(jobsPath, "utf8"))) {
  try {
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
  } catch (error) {
    console.error(`${job.model} (${job.optimization}): ${error.message}`);
    process.exitCode = 1;
  }
}
