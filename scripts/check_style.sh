#!/usr/bin/env bash
# Holds the sources to .clang-format and .clang-tidy, with version 14 of both (Debian 12).
#
#   scripts/check_style.sh             layout of all sources, clang-tidy on those that differ from origin/main
#   scripts/check_style.sh COMMIT      the same, on those that differ from COMMIT
#   scripts/check_style.sh --all       clang-tidy on all sources
#   scripts/check_style.sh --layout    no clang-tidy
#
# Ends with 1 if something is wrong. Without the tools (scripts/install_packages.sh style) it says so and
# checks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in clang-format-14 clang-tidy-14; do
  if ! command -v $tool >/dev/null; then
    echo "Style is not checked: there is no $tool here."
    exit 0
  fi
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check_layout() {
  git ls-files '*.h' '*.cpp' | xargs -P "$(nproc)" -n 64 clang-format-14 --dry-run -Werror
}

# The sources to look at, one a line.
sources() {
  case $1 in
    --all) git ls-files 'src/*.cpp' 'apps/*.cpp' ;;
    *) git diff --name-only --diff-filter=d "$1" -- 'src/*.cpp' 'apps/*.cpp' ;;
  esac
}

# clang-tidy spends its time on LibTorch's headers. So eight sources of a room are checked as one, as the build
# compiles them; apps have a main each and go one by one.
write_units() {
  awk -v root="$PWD" -v scratch="$scratch" '
    {
      split($0, part, "/")
      room = part[1] == "apps" ? $0 : part[2]
      gsub("/", "-", room)
      unit = scratch "/" room "-" int(count[room] * 0.125) ".cpp"
      count[room] += 1
      print "#include \"" root "/" $0 "\"  // NOLINT" >>unit
    }'
}

check_unit() {
  clang-tidy-14 --quiet --config-file=.clang-tidy "$1" -- -std=c++17 -fopenmp -Iinclude -Isrc \
    -isystem /usr/include/torch/csrc/api/include -DONNX_ML=1 -DONNX_NAMESPACE=onnx \
    -DPTQ_VERSION='"style"' 2>/dev/null
}
export -f check_unit

status=0
check_layout || status=1
if [ "${1-}" != --layout ]; then
  sources "${1-origin/main}" | write_units
  find "$scratch" -name '*.cpp' -print0 |
    xargs -0 -r -P "$(nproc)" -n 1 bash -c 'check_unit "$0"' || status=1
fi
exit $status
