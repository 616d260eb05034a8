#!/bin/sh
# Compiles two networks with the installed command and builds app.c with nothing but the system's C compiler.
# usage: c_app_test.sh CC PREFIX SOURCE_OF_APP WORK_FOLDER
set -eu
cc=$1 prefix=$2 app=$3 work=$4

rm -rf "$work"
mkdir -p "$work"
cd "$work"
export XDG_CACHE_HOME="$work/cache"
for net in lenet5 mlp; do
  "$prefix/bin/sylvite" compile "$prefix/share/sylvite/models/$net.yaml" -o .
done

# The object exports nothing but names that start with the network's, and needs nothing but libc, libm and the runtime.
status=0
nm --defined-only --extern-only "$prefix/lib/libsylvite_rt.a" | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort -u >provided
for library in libc.so.6 libm.so.6; do
  nm --dynamic --defined-only "$($cc -print-file-name=$library)" | sed 's/.* //; s/@.*//' >>provided
done
for net in lenet5 mlp; do
  if nm --defined-only --extern-only $net.o | sed 's/.* //' | grep -v "^${net}_"; then
    echo "$net.o exports the names above"
    status=1
  fi
  if nm --undefined-only $net.o | sed 's/.* //' | grep -Fxv -f provided | grep -Fxv _GLOBAL_OFFSET_TABLE_; then
    echo "$net.o needs the names above"
    status=1
  fi
done

$cc -std=c99 -Wall -Wextra -Wpedantic -Werror -O2 -I. "-I$prefix/include" "$app" -L. "-L$prefix/lib" \
  -llenet5 -lmlp -lsylvite_rt -lm -lpthread -ldl -o app
./app || status=1
exit $status
