#!/usr/bin/env bash
# Installs what is missing, builds everything with warnings as errors, and runs all tests. Arguments
# go to ctest: ./run_tests.sh -R import. Set PTQ_TEST_DATA to the folder of extra test data to run
# the tests that need it; without it they are skipped, and listed at the end.
set -euo pipefail
cd "$(dirname "$0")"

build=build/dev
log_dir=$build/logs
. scripts/stages.sh

# "NAME: reason" for each skipped test, from GoogleTest's output in ctest's log.
list_skipped() {
  awk '
    /^[0-9]+\/[0-9]+ Test: / { name = $3 }
    waiting { reasons[$0] = reasons[$0] "\n  " name; ++counts[$0]; waiting = 0 }
    /: Skipped$/ { waiting = 1 }
    END { for (r in reasons) printf "\nSkipped, %d: %s%s\n", counts[r], r, reasons[r] }
  ' "$1"
}

stage "install packages" scripts/install_packages.sh tests
# ONNX Runtime, for the tests that run exported files in it; where it cannot be had they are skipped.
install_onnx_runtime() {
  local folder=build/onnxruntime
  if [ -d $folder/node_modules/onnxruntime-node ] || ! command -v npm; then return; fi
  timeout 120 npm install --prefix $folder --no-save --ignore-scripts onnxruntime-node@1.30.0 ||
    rm -rf $folder
}

stage "onnx runtime" install_onnx_runtime
stage configure cmake --preset dev
stage build cmake --build "$build" -j "$(build_jobs)"
printf '\n'

# Tests share the cores: a thread that waits gives its own away.
export OMP_WAIT_POLICY=passive
status=0
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(nproc)" "$@" || status=$?
list_skipped "$build/Testing/Temporary/LastTest.log"
printf '\nAll in %d s.\n' "$SECONDS"
exit "$status"
