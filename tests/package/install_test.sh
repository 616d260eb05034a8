#!/bin/sh
# Installs to a prefix, moves it elsewhere (to a path with a space), and checks what lies there.
# usage: install_test.sh CMAKE SOURCE BUILD PREFIX
set -eu
cmake=$1 source=$2 build=$3 prefix=$4

rm -rf "$prefix" "$prefix.first"
"$cmake" --install "$build" --prefix "$prefix.first" >/dev/null
mv "$prefix.first" "$prefix"
cd "$prefix"

status=0
for file in bin/sylvite include/sylvite/sylvite.h lib/cmake/sylvite/sylvite-config.cmake lib/libsylvite_data.a \
  lib/libsylvite_rt.a lib/libsylvite_train.a lib/sylvite/libHalide.so lib/sylvite/sylvite-data share/doc/sylvite/LICENSE \
  share/doc/sylvite/LICENSE.Halide share/sylvite/models/fashion_cnn.yaml share/sylvite/schedules/plain.yaml; do
  [ -s "$file" ] || { echo "not installed: $file"; status=1; }
done

# Nothing points back into the source tree or the build folder.
for folder in "$source" "$build"; do
  if grep -rlF -e "$folder" .; then
    echo "the files above contain '$folder'"
    status=1
  fi
done

# The command runs from where it now lies, on its own libHalide and its own schedules.
found=$(env -i PATH=/usr/bin:/bin ldd bin/sylvite | sed -n 's/^\t*libHalide\.so => \(.*\) (0x.*/\1/p')
if [ "$(realpath -m "$found")" != "$(realpath lib/sylvite/libHalide.so)" ]; then
  echo "libHalide is taken from '$found'"
  status=1
fi
env -i PATH=/usr/bin:/bin HOME=/nonexistent bin/sylvite --help >/dev/null || status=1
exit $status
