#!/bin/sh
# Tests ./dev on a copy of it in a folder with a space, with stand-ins for apt, dpkg and the tools of .venv, so that
# nothing is installed, built or downloaded.
# usage: dev_test.sh SOURCE
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clone="$work/a clone"
dev="$clone/dev"
mkdir -p "$clone" "$work/bin" "$work/elsewhere"
cp "$source/dev" "$dev"
cd "$work/elsewhere"

failures=0
complain() {
  echo "$*"
  failures=$((failures + 1))
}
# check NAME STATUS PATTERN COMMAND...: the command ends with STATUS and a line of its output matches PATTERN.
check() {
  name=$1 want=$2 pattern=$3
  shift 3
  got=0
  "$@" >"$work/output" 2>&1 </dev/null || got=$?
  if [ "$got" != "$want" ] || ! grep -Eq -e "$pattern" "$work/output"; then
    complain "$name: status $got, expected $want; expected a line like '$pattern' in:"
    sed 's/^/    /' "$work/output"
  fi
}
# fake NAME: a stand-in for a command, its script on standard input.
fake() {
  { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
run_dev() { env "PATH=$work/bin:$PATH" "TMPDIR=$work" bash "$dev" "$@"; }

check 'help' 0 '^usage: \./dev VERB' bash "$dev" help
for verb in setup build train test bench coverage soak format clean help; do
  check 'help lists every verb' 0 "^  $verb " bash "$dev" help
done
check 'no verb' 0 '^usage: ' bash "$dev"
check 'unknown verb' 2 "error: unknown verb 'tets'" bash "$dev" tets

# A user without rights on a machine that lacks two packages; $work/installed holds what dpkg-query reports.
sed -n '/^packages=(/,/^)/p' "$dev" | sed '1d;$d' | tr -s ' ' '\n' | grep . >"$work/all"
grep -Fxv -e ccache -e lld-22 "$work/all" >"$work/installed"
total=$(wc -l <"$work/all")
fake dpkg-query <<END
sed 's/^/installed /; s/zlib1g-dev/zlib1g-dev:amd64/' "$work/installed"
echo 'config-files ccache'
END
fake sudo <<END
exit 1
END
fake id <<END
echo 1000
END
fake apt-cache <<END
exit 0
END
fake apt-get <<END
echo "\$*" >>"$work/apt-calls"
exit 100
END
check 'missing packages are named' 1 "^packages: 2 of $total missing: ccache lld-22\$" run_dev setup
check 'a line to paste' 1 '^apt-get install ccache lld-22$' run_dev setup
check 'train stops there too' 1 '^apt-get install ccache lld-22$' run_dev train
[ ! -e "$work/apt-calls" ] || complain 'apt-get was called without the right to'

# Root without network: the lists are renewed once, and the same line comes.
fake id <<END
echo 0
END
check 'no network' 1 '^apt-get install ccache lld-22$' run_dev setup
[ "$(grep -c '^update' "$work/apt-calls")" = 1 ] || complain 'no network: expected one apt-get update'

# Root with network: only what is missing is installed, the lists are not renewed, progress is shown.
rm "$work/apt-calls"
fake apt-get <<END
echo "\$*" >>"$work/apt-calls"
cp "$work/all" "$work/installed"
echo 'Reading package lists...'
echo 'dlstatus:1:50.0000:Retrieving file 1 of 2'
echo 'pmstatus:ccache:75.0000:Installing ccache'
END
venv="$clone/.venv"
mkdir -p "$venv/bin" "$venv/lib/python3.11/site-packages/halide-21.0.0.dist-info" \
  "$venv/lib/python3.11/site-packages/numpy"
for tool in cmake ninja; do
  printf '#!/bin/sh\n' >"$venv/bin/$tool"
  chmod +x "$venv/bin/$tool"
done
check 'install' 0 '^packages: installing 75%$' run_dev setup
check 'install only what is missing' 0 . grep -Ex 'install .* -o APT::Status-Fd=1 ccache lld-22' "$work/apt-calls"
[ "$(wc -l <"$work/apt-calls")" = 1 ] || complain 'install: apt-get was called more than once'

# Nothing missing: nothing is done and nothing said.
run_dev setup >"$work/output" 2>&1 || complain 'nothing missing: setup failed'
[ ! -s "$work/output" ] || complain "nothing missing: setup said '$(cat "$work/output")'"
[ "$(wc -l <"$work/apt-calls")" = 1 ] || complain 'nothing missing: apt-get was called'

# The suite's last line counts each test once; one that cannot be started has failed, one that skips itself has not.
mkdir -p "$clone/build"
touch "$clone/build/build.ninja"
cat >"$venv/bin/ctest" <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do
  [ "$1" = --output-junit ] && results=$2
  shift
done
cat >"$results" <<'XML'
<testsuite tests="4">
	<testcase name="one" classname="one" time="1" status="run">
		<system-out>&lt;testcase name="five" status="fail"&gt;</system-out>
	<testcase name="two" classname="two" time="1" status="fail">
		<failure message="Failed"/>
	<testcase name="three" classname="three" time="0" status="notrun">
		<skipped message="Unable to find executable"/>
	<testcase name="four" classname="four" time="0" status="notrun">
		<skipped message="SKIP_RETURN_CODE=77"/>
</testsuite>
XML
exit 8
END
chmod +x "$venv/bin/ctest"
check 'results' 1 '^1 passed, 2 failed$' run_dev test
[ "$(tail -n 1 "$work/output")" = '1 passed, 2 failed' ] || complain 'results: not the last line'
check 'skipped tests are named' 1 '^skipped: four$' run_dev test
check 'unknown option' 1 "not '--al'" run_dev test --al

# A build folder that was made for another place is made anew.
echo 'CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere' >"$clone/build/CMakeCache.txt"
check 'moved' 1 '^build: build/ belongs to another folder' run_dev test

[ "$failures" = 0 ] && echo 'all checks of ./dev hold'
exit "$failures"
