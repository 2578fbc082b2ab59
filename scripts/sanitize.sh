#!/usr/bin/env bash
# scripts/sanitize.sh [--threads] [TEST ...]: builds unit tests with the sanitizers of addresses, leaks and
# undefined behaviour, or with that of threads, and runs them; ends with 1 if one finds something. A TEST is
# the name of a test program without "_test"; without one, those of the rooms that compute and that read
# foreign bytes, or those that start threads. What a sanitizer says is in build/asan/TEST.log or
# build/tsan/TEST.log. JOBS compilers run at once.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=asan
tests=(base ir quant data import eval passes moments round correct equalize bits split random_networks
  learned_round)
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
if [ "${1-}" = --threads ]; then
  shift
  preset=tsan
  tests=(base data import runtime learned_round)
  # libgomp is built without the sanitizer, which does not see how OpenMP's threads wait for each other.
  export OMP_NUM_THREADS=1
  export TSAN_OPTIONS=${TSAN_OPTIONS-suppressions=$PWD/scripts/sanitize_threads.supp}
fi
[ $# -eq 0 ] || tests=("$@")

build=build/$preset
cmake --preset $preset > /dev/null
cmake --build $build -j "${JOBS:-$(nproc)}" --target "${tests[@]/%/_test}"
status=0
for test in "${tests[@]}"; do
  program=$(find $build/tests -name "${test}_test" -type f)
  if "$program" --gtest_brief=1 > "$build/$test.log" 2>&1; then
    echo "$test: clean"
  else
    echo "$test: see $build/$test.log"
    status=1
  fi
done
exit $status
