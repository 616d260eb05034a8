#!/bin/sh
# Builds the same app through find_package(sylvite) and runs it; a second build has nothing to do.
# usage: find_package_test.sh CMAKE NINJA PREFIX SOURCE_FOLDER WORK_FOLDER
set -eu
cmake=$1 ninja=$2 prefix=$3 source=$4 work=$5

rm -rf "$work"
mkdir -p "$work/app"
cp "$source/app.c" "$source/find_package/CMakeLists.txt" "$work/app"
export XDG_CACHE_HOME="$work/cache"
"$cmake" -G Ninja "-DCMAKE_MAKE_PROGRAM=$ninja" -S "$work/app" -B "$work/build" "-DCMAKE_PREFIX_PATH=$prefix" \
  -DCMAKE_BUILD_TYPE=Release
"$cmake" --build "$work/build"
"$work/build/app"
"$cmake" --build "$work/build" | grep -q 'no work to do' || { echo "the second build did work"; exit 1; }
