#!/usr/bin/env bash
# result_tables.sh MODELS CALIBRATION VALIDATION [SECONDS] [-- FLAGS of ptq_benchmark]
#
# Makes results/torchvision.csv, results/torchvision_best_configs.csv and results/hand_defined.csv, each
# with a page, from configs/torchvision.yaml and configs/hand_defined.yaml. MODELS is the folder with the
# .pt files that these name. Journals stay in results/journals (not in the repository): the same command
# goes on where it was stopped. No configuration begins after SECONDS (21600 unless said) in each table.
set -euo pipefail

if [[ $# -lt 3 ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
models=$(realpath "$1")
calibration=$(realpath "$2")
validation=$(realpath "$3")
shift 3
budget=21600
if [[ $# -gt 0 && $1 != -- ]]; then
  budget=$1
  shift
fi
[[ ${1:-} != -- ]] || shift

cd "$(dirname "$0")/.."
program=$(realpath "${PTQ_BENCHMARK:-build/default/apps/ptq_benchmark}")
root=$PWD
journals=$PWD/results/journals

# table CONFIG NAME: sweeps, then copies its tables.
table() {
  (cd "$models" && "$program" "$root/configs/$1.yaml" --output "$journals/$1" \
    --time-budget "$budget" --calibration-dir "$calibration" --validation-dir "$validation" "${@:2}")
  cp "$journals/$1/results.csv" "results/$1.csv"
  cp "$journals/$1/results.html" "results/$1.html"
}

table torchvision --model-dir "$models" "$@"
for kind in csv html; do
  cp "results/journals/torchvision/best_configs.$kind" "results/torchvision_best_configs.$kind"
done
table hand_defined "$@"
