#!/bin/sh
# The runtime never prints, exits or aborts by itself: no object of it calls what does, but for the files of the program
# (syl_main), which print. Halide's part of the runtime is not looked at: its kernels have no run-time assertions.
# usage: silent_test.sh NM LIBSYLVITE_TRAIN FILE...   (objects of the core, libsylvite_data)
set -eu
nm=$1 train=$2
shift 2
prints='printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|putc|fwrite|perror|psignal|syslog|std::(cout|cerr|clog)|stdout|stderr|write|dprintf|__(printf|fprintf|vfprintf)_chk'
ends='exit|_exit|_Exit|quick_exit|abort|raise|kill|__assert_fail'
program='(Bench|Check|Display|Evaluate|Loop|Main|Messages|ReportVerb|Reproduce|Step|Tune)\.cpp\.o'
status=0
# refuse NAMES EXCEPT FILE...: prints the uses of these names in objects that do not match EXCEPT.
refuse() {
  names=$1 except=$2
  shift 2
  if "$nm" -A -u -C "$@" | sed 's/@.*//' | grep -E "[: ]U ($names)\$" | grep -Ev "$except"; then
    status=1
  fi
}
files='(File|RunLog)\.cpp\.o:.* write$' # what files are written with
refuse "$ends" '^$' "$train" "$@"
refuse "$prints" "$files" "$@"
refuse "$prints" "$program|$files" "$train"
[ $status = 0 ] && echo "no object of the runtime prints, exits or aborts"
exit $status
