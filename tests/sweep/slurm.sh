#!/usr/bin/env bash
# slurm.sh PROGRAM SWEEP.yaml [flags of ptq_benchmark]: a sweep as two shards of a Slurm job array,
# merged, against the same sweep in one piece. Uses the cluster that sinfo finds; where there is
# none, starts one of this machine alone (as root, with Debian's slurm-wlm and munge) and stops it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1") sweep=$2
shift 2
work=$(mktemp -d)

# Processes that were started with this cluster's configuration: daemons, their own children, and
# steps of jobs, which outlive their jobs for a moment.
cluster_processes() {
  (unset SLURM_CONF && grep -ls "SLURM_CONF=$work/" /proc/[0-9]*/environ | cut -d/ -f3) || true
}

# Ends them and waits until they are gone: they write to what is removed next.
stop_cluster() {
  local pids wait
  for ((wait = 0; wait < 300; ++wait)); do
    pids=$(cluster_processes)
    [ -n "$pids" ] || return 0
    ((wait % 50 != 0)) || kill $pids 2>/dev/null || true
    sleep 0.1
  done
  echo "slurm.sh: these processes do not end:" $pids >&2
  kill -KILL $pids 2>/dev/null || true
  return 1
}

clean_up() {
  local status=$?
  trap - EXIT
  [ ! -e "$work/slurm.conf" ] || stop_cluster || status=1
  rm -rf "$work" || status=1
  exit "$status"
}
trap clean_up EXIT

start_cluster() {
  mkdir -p "$work/state" "$work/spool"
  local name
  name=$(hostname -s)
  cat >"$work/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$name(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SlurmctldPort=26817
SlurmdPort=26818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
END
  export SLURM_CONF=$work/slurm.conf
  munge -n >/dev/null 2>&1 || { mkdir -p /run/munge && chown munge: /run/munge && runuser -u munge munged; }
  slurmctld && slurmd
  timeout 60 bash -c 'until sinfo -h | grep -q idle; do sleep 1; done'
}

# All columns but the times.
without_times() {
  python3 - "$1" <<'END'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    del row["seconds"]
    print(row)
END
}

timeout 10 sinfo -h 2>/dev/null | grep -q idle || start_cluster
"$program" "$sweep" --output "$work/whole" "$@" >"$work/whole.log"
PTQ_BENCHMARK=$program "$here/../../scripts/slurm_sweep.sh" 2 "$sweep" "$work/shards" "$@"
timeout 3600 bash -c 'while squeue -h | grep -q .; do sleep 1; done'
wc -l "$work/shards"/journal-*.csv
diff <(without_times "$work/whole/results.csv") <(without_times "$work/shards/results.csv")
echo "$(wc -l <"$work/whole/results.csv") lines, the same in one piece and from two shards"
