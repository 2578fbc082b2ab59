#!/usr/bin/env bash
# scripts/sanitize.sh [TEST ...]: builds unit tests with the sanitizers of addresses, leaks and undefined
# behaviour and runs them; ends with 1 if one finds something. A TEST is the name of a test program without
# "_test"; without one, those of the rooms that compute and that read foreign bytes. What a sanitizer says
# is in build/asan/TEST.log. JOBS compilers run at once.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/asan
tests=("$@")
[ $# -gt 0 ] || tests=(base ir quant data import eval passes moments round correct equalize bits split
  random_networks learned_round)

cmake --preset asan > /dev/null
cmake --build $build -j "${JOBS:-$(nproc)}" --target "${tests[@]/%/_test}"
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
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
