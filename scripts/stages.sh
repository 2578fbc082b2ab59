# shellcheck shell=bash
# Sourced by run_demo.sh and run_tests.sh, which set log_dir first.
: "${log_dir:?}"

# stage NAME COMMAND...: runs a command that has nothing to say while all is well. Its output goes
# to a file in log_dir; the end of that file is shown if the command fails, and the script ends with
# the command's exit code.
stage() {
  local name=$1 log status=0 start=$SECONDS
  shift
  log=$log_dir/${name// /-}.log
  mkdir -p "$log_dir"
  printf '%-24s' "$name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    printf 'failed after %d s. The end of %s:\n\n' $((SECONDS - start)) "$log"
    tail -n 40 "$log"
    exit "$status"
  fi
  printf '%5d s\n' $((SECONDS - start))
}

# Compilers to run at once: one a core, as far as memory allows 2 GiB to each.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2097152) }' /proc/meminfo)
  if [ "$memory" -lt 1 ]; then memory=1; fi
  echo $((cores < memory ? cores : memory))
}
