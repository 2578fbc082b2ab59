#!/usr/bin/env bash
# Installs the packages of Debian 12 or 13 that are missing: what the programs need, with "tests" also what
# the tests need, with "style" what scripts/check_style.sh needs (Debian 12). Asks nothing. Uses sudo where
# it is not run as root.
set -euo pipefail

programs=(
  g++ cmake ninja-build
  libtorch-dev libdnnl-dev
  libonnx-dev libprotobuf-dev
  libopencv-core-dev libopencv-imgcodecs-dev libjpeg-dev libpng-dev libtiff-dev libwebp-dev zlib1g-dev
  libssl-dev libcli11-dev libspdlog-dev libyaml-cpp-dev nlohmann-json3-dev
  dataset-fashion-mnist
)
tests=(libgtest-dev libgmock-dev python3-torch python3-torchvision python3-pil python3-onnx
  slurm-wlm munge)
style=(clang-format-14 clang-tidy-14)

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "These packages are missing, and installing them takes root or sudo: ${missing[*]}" >&2
    exit 1
  fi
}

case "${1-programs}" in
  programs) wanted=("${programs[@]}") ;;
  tests) wanted=("${programs[@]}" "${tests[@]}") ;;
  style) wanted=("${style[@]}") ;;
  *)
    echo "usage: $0 [programs|tests|style]" >&2
    exit 64
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
  echo "Nothing to install."
  exit 0
fi

as_root apt-get update
as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends "${missing[@]}"
