#!/usr/bin/env bash
# slurm_sweep.sh SHARDS SWEEP.yaml OUTPUT [flags of ptq_benchmark]: runs a sweep as a job array, a
# task a shard, and merges the tables when all have ended. OUTPUT lies where all machines see it.
# Submitting it again goes on where tasks were killed. $PTQ_BENCHMARK names the program,
# $SBATCH_OPTIONS says what the cluster wants to know (partition, cores, time).
set -euo pipefail

program=${PTQ_BENCHMARK:-ptq_benchmark}

if [[ ${1-} == --task ]]; then
  shift
  sweep=$1 output=$2
  shift 2
  exec "$program" "$sweep" --output "$output" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" "$@"
fi

if (($# < 3)); then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 64
fi
shards=$1 sweep=$2 output=$3
shift 3
mkdir -p "$output"
# sbatch runs a copy of the script, with the environment and folder of the caller.
read -ra options <<<"${SBATCH_OPTIONS-}"
array=$(sbatch --parsable --array="1-$shards" --output="$output/shard-%a.log" \
  "${options[@]}" "$0" --task "$sweep" "$output" "$@")
merge=$(sbatch --parsable --dependency="afterany:$array" --output="$output/merge.log" \
  "${options[@]}" --wrap "'$program' --merge '$output'/journal-*-of-$shards.csv --output '$output'")
echo "array $array, then merge $merge; tables will be in $output"
