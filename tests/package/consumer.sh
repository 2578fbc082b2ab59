#!/bin/sh
# Installs the build in BUILD, builds a program outside the tree that finds the package, and runs it. What
# the README shows in C++ is built as well, as the body of a function:
#   consumer.sh BUILD SOURCES MODEL.pt IMAGES README.md
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$1" --prefix "$folder/prefix" >"$folder/log" || { cat "$folder/log"; exit 1; }
cp -r "$2" "$folder/source"
mkdir "$folder/build"
{
  printf '#include "ptq/quantize.h"\n\nvoid readme() {\n'
  sed -n '/^```cpp$/,/^```$/ { /^```/d; p }' "$5"
  printf '}\n'
} >"$folder/build/readme.cpp"
cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$folder/prefix" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
cmake --build "$folder/build" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
cd "$folder" && ./build/consumer "$3" "$4"
test -s net.onnx
