// Times one ONNX file in ONNX Runtime, for onnx_runtime_speed.cpp:
//
//     node time_onnx.mjs FOLDER MODEL.onnx IMAGE_SIZE THREADS SECONDS
//
// FOLDER is where the npm package onnxruntime-node is installed. All optimizations are on. It tries
// batches of 1 to 32 images, SECONDS each after a warm-up, and prints "BATCH RATE" (images/s) for
// each, then "ready BATCH" with the fastest. For every line on its input, a number of images, it runs
// that many (at least), after a warm-up, and prints the images/s of this turn. Only the calls of ONNX Runtime are timed.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, model, size, threads, seconds] = process.argv.slice(2);
const { InferenceSession, Tensor } = createRequire(`${folder}/`)("onnxruntime-node");

const session = await InferenceSession.create(model, {
  graphOptimizationLevel: "all",
  executionMode: "sequential",
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});

/** Numbers between -2 and 2 that only look like chance. */
function images(batch) {
  const pixels = new Float32Array(batch * 3 * size * size);
  let state = 1;
  for (let i = 0; i < pixels.length; ++i) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[i] = state / 2 ** 30 - 2;
  }
  return new Tensor("float32", pixels, [batch, 3, Number(size), Number(size)]);
}

async function secondsOf(feeds) {
  const start = process.hrtime.bigint();
  await session.run(feeds);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** The fastest of the calls that fit into `seconds`, as images/s. */
async function bestRate(batch, feeds) {
  await secondsOf(feeds);
  let fastest = Infinity;
  for (let spent = 0; spent < seconds; ) {
    const once = await secondsOf(feeds);
    fastest = Math.min(fastest, once);
    spent += once;
  }
  return batch / fastest;
}

const feedsOf = (batch) => ({ [session.inputNames[0]]: images(batch) });

let best = { batch: 1, rate: 0 };
for (const batch of [1, 2, 4, 8, 16, 32]) {
  const rate = await bestRate(batch, feedsOf(batch));
  console.log(`${batch} ${rate}`);
  if (rate > best.rate) best = { batch, rate };
}
const feeds = feedsOf(best.batch);
await secondsOf(feeds);
console.log(`ready ${best.batch}`);

for await (const line of createInterface({ input: process.stdin })) {
  const calls = Math.ceil(Number(line) / best.batch);
  await secondsOf(feeds);
  let spent = 0;
  for (let call = 0; call < calls; ++call) spent += await secondsOf(feeds);
  console.log(`${(calls * best.batch) / spent}`);
}
