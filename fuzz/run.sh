#!/bin/bash
# Fuzzes every reader of foreign bytes: fuzz/run.sh [SECONDS each] [TARGET ...]
# The targets image-jpg, image-tif and so on begin with images of one kind. FUZZ_MAX_LEN is the most bytes
# of an input, FUZZ_SEED seeds the mutations.
# Needs clang with libFuzzer (Debian: clang-14 libclang-rt-14-dev). Corpora and findings stay in
# build/fuzz/corpus and build/fuzz/findings. Ends with 1 at the first finding.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-archive code config csv image-bmp image-jpg image-png image-tif image-webp journal labels onnx pickle sweep}
compiler=${FUZZ_CXX:-$(command -v clang++ clang++-14 clang++-16 clang++-19 | head -n 1)}
if [ -z "$compiler" ]; then
  echo "fuzz/run.sh: no clang++ found; skipped" >&2
  exit 0
fi

cmake -S fuzz -B build/fuzz -DCMAKE_CXX_COMPILER="$compiler" > build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build build/fuzz -j "$(nproc)" >> build/fuzz.log 2>&1 || { tail -50 build/fuzz.log; exit 1; }

seeds_of() {
  case $1 in
    archive) echo tests/cli/fixtures ;;
    image) echo tests/data/fixtures ;;
    image-*)
      mkdir -p build/fuzz/seeds/$1
      find tests/data/fixtures fuzz/seeds/image -name "*.${1#image-}" -exec cp {} build/fuzz/seeds/$1 \;
      echo build/fuzz/seeds/$1
      ;;
    code | onnx | pickle) echo fuzz/seeds/$1 ;;
    *) echo fuzz/seeds/text ;;
  esac
}

fuzz() {
  local target=$1 log=build/fuzz/$1.log
  mkdir -p build/fuzz/corpus/$target
  if ! UBSAN_OPTIONS=print_stacktrace=1 build/fuzz/fuzz_${target%%-*} -max_total_time="$seconds" \
      -seed="${FUZZ_SEED-0}" -timeout=10 -rss_limit_mb=2560 -max_len="${FUZZ_MAX_LEN-65536}" -print_final_stats=1 \
      -artifact_prefix=build/fuzz/findings/$target- \
      build/fuzz/corpus/$target "$(seeds_of $target)" > "$log" 2>&1; then
    tail -40 "$log"
    echo "fuzz $target: a finding, in build/fuzz/findings"
    return 1
  fi
  echo "fuzz $target: $(sed -n 's/stat::number_of_executed_units: *//p' "$log") executions, no finding"
}

mkdir -p build/fuzz/findings
export seconds
export -f fuzz seeds_of
printf '%s\n' $targets | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
