#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: tools/coverage.sh [TARGETS...]
# Counts which lines and branches of the portable code the host tests run: a table on the terminal,
# each line in coverage/html. Ends with status 1 if a test fails or if a folder is below its floor.
# The floors are for all host tests; with TARGETS nothing but the table is wanted.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"

# What is counted, as in --config=coverage, and at least how many percent of lines and branches.
folders=(vm smp kernel/sched kernel/registry)
declare -A floor=([vm]="95 90")

# A branch that ends in a panic is one that must never be taken: the line counts, the branch not.
no_branches='CHECK|ASSERT|panic'

with_floors=1
[ $# -eq 0 ] || with_floors=
[ $# -gt 0 ] || set -- //tests/host/...
bazel=${QUIRE_BAZEL:-bazel}
out=$root/coverage
rm -rf "$out"
mkdir -p "$out/counts"

say()
{
	echo "coverage: $*" >&2
}

# The programs were compiled in /proc/self/cwd: without these three, paths begin at bazel-out.
status=0
"$bazel" test --config=coverage --keep_going --nocache_test_results \
	--test_env=GCOV_PREFIX="$out/counts" --test_env=GCOV_PREFIX_STRIP=3 "$@" || status=$?
[ "$status" -eq 0 ] || say "Bazel ended with status $status; what ran is counted all the same"

# GCC leaves what the counters mean beside the objects.
exec_root=$("$bazel" info execution_root 2>/dev/null)
while read -r counts; do
	notes=${counts%.gcda}.gcno
	cp "$exec_root/$notes" "$out/counts/$notes" || exit 2
done < <(cd "$out/counts" && find . -name '*.gcda')

lcov_quiet() # ARGUMENTS...
{
	lcov --quiet --rc lcov_branch_coverage=1 "$@" 2>>"$out/lcov.log" || {
		cat "$out/lcov.log" >&2
		say "lcov failed"
		exit 2
	}
}

lcov_quiet --capture --directory "$out/counts" --base-directory "$root" \
	--rc "lcov_excl_br_line=$no_branches" --output-file "$out/all.info"
patterns=()
for folder in "${folders[@]}"; do
	patterns+=("*/$folder/*.c")
done
lcov_quiet --extract "$out/all.info" "${patterns[@]}" --output-file "$out/lcov.info"
genhtml --quiet --branch-coverage --prefix "$root" --output-directory "$out/html" \
	"$out/lcov.info" 2>>"$out/lcov.log" || say "genhtml failed; see coverage/lcov.log"

# Lines found and hit, branches found and hit, of the files that lie in a folder.
count_folder() # FOLDER
{
	awk -v folder="/$1/" '
	/^SF:/ { name = $0; sub(/\/[^\/]*$/, "/", name)
		 here = substr(name, length(name) - length(folder) + 1) == folder }
	here && /^(LF|LH|BRF|BRH):/ { split($0, f, ":"); n[f[1]] += f[2] }
	END { print n["LF"] + 0, n["LH"] + 0, n["BRF"] + 0, n["BRH"] + 0 }' "$out/lcov.info"
}

# Tenths of a percent; an empty folder has none.
tenths() # HIT FOUND
{
	echo $(($2 == 0 ? 0 : $1 * 1000 / $2))
}

printf '%-18s %15s %15s   %s\n' folder lines branches floors
for folder in "${folders[@]}"; do
	read -r lines lines_hit branches branches_hit < <(count_folder "$folder")
	percent_lines=$(tenths "$lines_hit" "$lines")
	percent_branches=$(tenths "$branches_hit" "$branches")
	verdict=
	if [ -n "$with_floors" ] && [ -n "${floor[$folder]:-}" ]; then
		read -r least_lines least_branches <<<"${floor[$folder]}"
		verdict="$least_lines and $least_branches %"
		if [ "$percent_lines" -lt $((least_lines * 10)) ] ||
			[ "$percent_branches" -lt $((least_branches * 10)) ]; then
			verdict+=": not reached"
			status=1
		fi
	fi
	printf '%-18s %6d %3d.%d %% %6d %3d.%d %%   %s\n' "$folder/" \
		"$lines" $((percent_lines / 10)) $((percent_lines % 10)) \
		"$branches" $((percent_branches / 10)) $((percent_branches % 10)) "$verdict"
done
echo "Each line: coverage/html/index.html"
[ "$status" -eq 0 ] || exit 1
