#!/usr/bin/env bash
# One command from a fresh Debian 12 or 13 to the accuracy that a network keeps at 8 bits: installs the
# packages that are missing, builds the programs, extracts the images of Fashion-MNIST and evaluates
# demo/fashion_mobilenet_v2.pt on them, in float and quantized. Arguments go to ptq_imagenet_val.
set -euo pipefail
cd "$(dirname "$0")"

build=build/demo
log_dir=$build/logs
. scripts/stages.sh
images=$build/images

extract_images() {
  rm -rf "$images"
  "$build/apps/extract_fashion_mnist" --out "$images"
}

stage "install packages" scripts/install_packages.sh programs
stage configure cmake --preset default -B "$build" -DPTQ_BUILD_TESTS=OFF
stage build cmake --build "$build" -j "$(build_jobs)" \
  --target ptq_imagenet_val extract_fashion_mnist
stage "extract images" extract_images
printf '\n'

# The recipe that scripts/train_demo.py trains with: 28 x 28 images as they are.
start=$SECONDS
"$build/apps/ptq_imagenet_val" --model demo/fashion_mobilenet_v2.pt \
  --calibration-dir "$images/calibration" --validation-dir "$images/validation" \
  --calibration-samples 500 --batch-size-calibration 50 \
  --resize 28 --crop 28 --mean 0.286 0.286 0.286 --std 0.353 0.353 0.353 \
  --report "$build/report.json" "$@"
printf '\nEvaluated in %d s, all in %d s. Details: %s\n' \
  $((SECONDS - start)) "$SECONDS" "$build/report.json"
