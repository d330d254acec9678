#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: run_test.sh RUN_SH
# What run.sh says before it builds anything.
set -euo pipefail
run=$(readlink -f "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

expect() # STATUS PATTERN ARGUMENTS...
{
	local status=0 wanted=$1 pattern=$2 output
	shift 2

	output=$(PATH="$folder/bin:$PATH" QUIRE_BAZEL=no-such-bazel "$run" "$@" 2>&1) || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -q -- "$pattern" <<<"$output"; then
		echo "FAILED: run.sh $*: status $status, not $wanted with '$pattern'. It said:"
		echo "$output"
		failures=$((failures + 1))
	fi
}

expect 0 '^Usage: ' --help
expect 0 'libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 valgrind' --packages
expect 2 '--json FILE says where' --quick
expect 2 '--json needs a value' --json
expect 2 'there is no folder' --json "$folder/none/x.json"
expect 2 'that is a folder' --json "$folder"
expect 2 "--rounds 0: 1 to 100" --json "$folder/x.json" --rounds 0
expect 2 "--rounds 101: 1 to 100" --json "$folder/x.json" --rounds=101
expect 2 "--rounds many: 1 to 100" --json "$folder/x.json" --rounds many
expect 2 "unknown option '--fast'" --json "$folder/x.json" --fast

# A machine on which all but one package is there.
mkdir "$folder/bin"
cat >"$folder/bin/dpkg-query" <<'END'
#!/bin/bash
[ "${*: -1}" = libmimalloc2.0 ] || echo "install ok installed 1.0"
END
chmod +x "$folder/bin/dpkg-query"
expect 2 'apt-get install --no-install-recommends libmimalloc2.0$' --json "$folder/x.json"
[ ! -e "$folder/x.json" ] || { echo "FAILED: a result without a measurement"; failures=1; }

[ "$failures" -eq 0 ] && echo "all as expected"
