#!/usr/bin/env bash
# run_tests.sh [--all] [--isa WORD] [ctest arguments]: installs what is missing, builds everything with
# warnings as errors, and runs the quick tests: ./run_tests.sh -R import.
#   --all       also the slow tests; without it the end
#               says what they are. ctest arguments select from all.
#   --isa WORD  as a processor would that has no more instructions than this: SSE41, AVX2,
#               AVX512_CORE, AVX512_CORE_VNNI. For oneDNN, LibTorch, OpenBLAS and our own kernels.
# Set PTQ_TEST_DATA to the folder of extra test data to run the tests that need it; without it they
# are skipped, and listed at the end.
set -euo pipefail
cd "$(dirname "$0")"

build=build/dev
log_dir=$build/logs
. scripts/stages.sh

usage() {
  sed -n '2,7s/^# //p' "$0" >&2
  exit 64
}

# What the libraries read of a largest instruction set when they start.
limit_instructions() {
  export ONEDNN_MAX_CPU_ISA=$1 PTQ_MAX_CPU_ISA=$1
  case $1 in
    SSE41) export ATEN_CPU_CAPABILITY=default OPENBLAS_CORETYPE=Penryn ;;
    AVX2) export ATEN_CPU_CAPABILITY=avx2 OPENBLAS_CORETYPE=Haswell ;;
    AVX512_CORE | AVX512_CORE_VNNI)
      export ATEN_CPU_CAPABILITY=avx512 OPENBLAS_CORETYPE=SkylakeX
      ;;
    *) usage ;;
  esac
}

selection=(-LE 'slow$')
while [ $# -gt 0 ]; do
  case $1 in
    --all) selection=() ;;
    --isa)
      [ $# -ge 2 ] || usage
      limit_instructions "$2"
      shift
      ;;
    *) break ;;
  esac
  shift
done
[ $# = 0 ] || selection=()

# "NAME: reason" for each skipped test, from GoogleTest's output in ctest's log.
list_skipped() {
  awk '
    /^[0-9]+\/[0-9]+ Test: / { name = $3 }
    waiting { reasons[$0] = reasons[$0] "\n  " name; ++counts[$0]; waiting = 0 }
    /: Skipped$/ { waiting = 1 }
    END { for (r in reasons) printf "\nSkipped, %d: %s%s\n", counts[r], r, reasons[r] }
  ' "$1"
}

# How many slow tests there are, by the first word of their names.
list_slow() {
  ctest --test-dir "$build" -N -L 'slow$' | awk '
    /^ +Test +#/ { split($3, words, "."); ++counts[words[1]]; ++all }
    END {
      for (w in counts) list = list sprintf("%s %s %d", list == "" ? "" : ",", w, counts[w])
      printf "%d:%s\n", all, list
    }'
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
[ ${#selection[@]} != 0 ] || [ $# != 0 ] || printf 'With the slow tests, %s\n' "$(list_slow)"
[ -z "${PTQ_MAX_CPU_ISA-}" ] || printf 'Instructions up to %s\n' "$PTQ_MAX_CPU_ISA"
status=0
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(nproc)" "${selection[@]}" "$@" ||
  status=$?
list_skipped "$build/Testing/Temporary/LastTest.log"
[ ${#selection[@]} = 0 ] || printf '\nNot run: the slow tests, %s. ./run_tests.sh --all runs them too.\n' "$(list_slow)"
printf '\nAll in %d s.\n' "$SECONDS"
exit "$status"
