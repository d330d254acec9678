#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Measures the memory system on the host machine beside the allocators of this workstation. See
# README.md for what the figures mean.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../.." && pwd)

usage="Usage: bench/host/run.sh --json FILE [--quick] [--rounds N]

  --json FILE   where the result goes
  --quick       fewer rounds and shorter runs: a few minutes
  --rounds N    rounds, 1 to 100 (default 9, with --quick 3)

Set QUIRE_BAZEL to use another Bazel. --packages prints the Debian packages that are needed."

# What is measured against, and the library that is preloaded for it.
peers=(glibc jemalloc tcmalloc mimalloc)
declare -A libraries=(
	[jemalloc]=libjemalloc.so.2
	[tcmalloc]=libtcmalloc_minimal.so.4
	[mimalloc]=libmimalloc.so.2
)
packages=(libbenchmark-dev libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 valgrind python3)

say()
{
	echo "bench/host: $*" >&2
}

die()
{
	say "$*"
	exit 2
}

# ---- arguments ------------------------------------------------------------------------------

parse()
{
	json="" quick="" rounds=""
	while [ $# -gt 0 ]; do
		case $1 in
		--json | --rounds)
			[ $# -ge 2 ] || die "$1 needs a value; see bench/host/run.sh --help"
			declare -g "${1#--}=$2"
			shift
			;;
		--json=* | --rounds=*) declare -g "${1#--}" ;;
		--quick) quick=1 ;;
		--packages) echo "${packages[*]}"; exit 0 ;;
		--help | -h) echo "$usage"; exit 0 ;;
		*) die "unknown option '$1'; see bench/host/run.sh --help" ;;
		esac
		shift
	done
	[ -n "$json" ] || die "--json FILE says where the result goes; see bench/host/run.sh --help"
	[ -d "$(dirname "$json")" ] || die "--json $json: there is no folder $(dirname "$json")"
	[ ! -d "$json" ] || die "--json $json: that is a folder"
	: "${rounds:=$([ -n "$quick" ] && echo 3 || echo 9)}"
	[[ $rounds =~ ^[1-9][0-9]?$|^100$ ]] || die "--rounds $rounds: 1 to 100"
	# Seconds for each case; operations that callgrind counts, a multiple of 4096.
	seconds=$([ -n "$quick" ] && echo 0.02 || echo 0.1)
	count=$([ -n "$quick" ] && echo 4096 || echo 16384)
}

# ---- the machine ----------------------------------------------------------------------------

package_version()
{
	dpkg-query -W -f '${Status} ${Version}' "$1" 2>/dev/null |
		sed -n 's/^install ok installed //p'
}

check_packages()
{
	local package missing=()

	if ! command -v dpkg-query >/dev/null; then
		for package in valgrind python3; do
			command -v "$package" >/dev/null || missing+=("$package")
		done
		[ ${#missing[@]} -eq 0 ] || die "please install: ${missing[*]}"
		return
	fi
	for package in "${packages[@]}"; do
		[ -n "$(package_version "$package")" ] || missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] || die "packages are missing. As root:" \
		"apt-get install --no-install-recommends ${missing[*]}"
}

# The full path of a shared library, from the loader's own list.
library_path()
{
	local path

	path=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
		awk -v name="$1" '$1 == name && /x86-64/ { print $NF; exit }')
	[ -n "$path" ] || die "the loader knows no $1; on Debian one of ${packages[*]} brings it"
	echo "$path"
}

build()
{
	local program bazel=${QUIRE_BAZEL:-bazel}

	command -v "$bazel" >/dev/null || die "no Bazel: $bazel. On Debian: apt-get install bazel-bootstrap"
	say "building ..."
	(cd "$root" && "$bazel" build --config=bench //bench/host:quire_bench //bench/host:peer_bench)
	# A copy, because the next build of anything moves the link.
	for program in quire_bench peer_bench; do
		cp "$root/bazel-bin/bench/host/$program" "$work/"
	done
}

# ---- steps ----------------------------------------------------------------------------------

# Runs a command and notes it for the report; output to a file.
noted() # OUTPUT COMMAND...
{
	local output=$1
	shift
	(cd "$work" && env "$@" >"$output" 2>errors) && status=0 || status=$?
	echo "$*" >>"$work/commands"
	[ "$status" -eq 0 ] || die "this failed with status $status: $*
$(cat "$work/errors")"
}

# The command of a program, as words in $command.
command_of() # NAME
{
	command=(./quire_bench)
	[ "$1" != quire ] || return 0
	command=(./peer_bench "--allocator=$1")
	[ -z "${libraries[$1]:-}" ] || preload="LD_PRELOAD=${paths[$1]}"
}

time_step() # NAME THREADS ROUND
{
	local command preload=""

	command_of "$1"
	noted "time-$1-$2-$3.json" ${preload:+"$preload"} "${command[@]}" "--threads=$2" \
		"--benchmark_min_time=$seconds" --benchmark_format=json
}

count_step() # NAME
{
	local command preload=""

	command_of "$1"
	noted "count-$1.txt" ${preload:+"$preload"} valgrind --tool=callgrind \
		--toggle-collect=bench_counted --dump-after=bench_counted \
		"--callgrind-out-file=count-$1.out" "${command[@]}" "--count=$count"
}

# All steps in order, one per line. The programs take turns, and another one begins each round.
plan()
{
	local names=(quire "${peers[@]}") name threads round i

	for name in "${names[@]}"; do
		echo "count_step $name"
	done
	for ((round = 1; round <= rounds; round++)); do
		for threads in 1 2; do
			[ "$threads" -le "$(nproc)" ] || continue
			for i in "${!names[@]}"; do
				echo "time_step ${names[(i + round) % ${#names[@]}]} $threads $round"
			done
		done
	done
}

run_plan()
{
	local steps step done=0 start=$SECONDS spent

	mapfile -t steps < <(plan)
	for step in "${steps[@]}"; do
		spent=$((SECONDS - start))
		if [ "$done" -ge 5 ]; then
			say "step $((done + 1)) of ${#steps[@]}: ${step/_step/};" \
				"about $((spent * (${#steps[@]} - done) / done)) s left"
		else
			say "step $((done + 1)) of ${#steps[@]}: ${step/_step/}"
		fi
		# shellcheck disable=SC2086 # a step is words
		$step
		done=$((done + 1))
	done
}

# What the report cannot find in the outputs.
write_settings()
{
	local package

	{
		printf 'quick %s\nrounds %s\nseconds_per_case %s\ncounted_operations %s\n' \
			"${quick:-0}" "$rounds" "$seconds" "$count"
		printf 'version gcc %s\nversion valgrind %s\n' "$(gcc -dumpfullversion)" \
			"$(valgrind --version)"
		printf 'version source %s\n' "$(git -C "$root" describe --always --dirty 2>/dev/null ||
			echo unknown)"
		for package in "${packages[@]}"; do
			printf 'package %s %s\n' "$package" "$(package_version "$package" || echo unknown)"
		done
		sed 's/^/command /' "$work/commands"
	} | python3 "$here/settings.py" >"$work/settings.json"
}

parse "$@"
check_packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A paths
for name in "${!libraries[@]}"; do
	paths[$name]=$(library_path "${libraries[$name]}")
done
build
[ "$(nproc)" -ge 2 ] || say "one CPU only: the cases with 2 threads are left out"
run_plan
write_settings
python3 "$here/report.py" "$work" "$json"
say "written: $json"
