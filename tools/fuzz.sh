#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Behind `./quire fuzz`, whose help says what the options do.
# Usage: fuzz.sh ROOT [TARGET...] [--seconds S] [--seed N] [--keep] [--list]
#
# Builds the fuzzers of tests/fuzz with clang and runs one after the other. Work files are in a
# temporary folder; only an input that broke something, or --keep, adds files to the tree.
set -euo pipefail
root=$1
shift
folder=tests/fuzz
cd "$root"

say()
{
	echo "quire: fuzz: $*" >&2
}

die()
{
	say "$*"
	exit 2
}

list_targets()
{
	local file

	for file in "$folder"/*_fuzz.cc; do
		file=${file##*/}
		echo "${file%_fuzz.cc}"
	done
}

# Longer inputs than a target can make sense of only cost time.
longest_input() # TARGET
{
	case $1 in
	acpi) echo 8192 ;;
	multiboot2) echo 4096 ;;
	cmdline) echo 2200 ;;
	*) echo 600 ;;
	esac
}

# Inputs to begin with: the target's own, and what is kept for the parsers' tests.
seed_folders() # TARGET
{
	echo "$folder/corpus/$1"
	case $1 in
	acpi) echo tests/corpus/firmware/{rsdp,root,madt,srat,slit,pvh} ;;
	esac
}

parse()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--seconds | --seed)
			[ $# -ge 2 ] || die "$1 needs a value; see ./quire fuzz --help"
			declare -g "${1#--}=$2"
			shift
			;;
		--seconds=* | --seed=*) declare -g "${1#--}" ;;
		--keep) keep=1 ;;
		--list) list=1 ;;
		-*) die "unknown option '$1'; see ./quire fuzz --help" ;;
		*) targets+=("$1") ;;
		esac
		shift
	done
}

check()
{
	local target

	[[ $seconds =~ ^[1-9][0-9]{0,6}$ ]] || die "--seconds $seconds: a number from 1 on"
	[[ $seed =~ ^[1-9][0-9]{0,8}$ ]] || die "--seed $seed: a number from 1 to 999999999"
	for target in "${targets[@]}"; do
		[ -f "$folder/${target}_fuzz.cc" ] ||
			die "unknown target '$target'; there are: $(list_targets | paste -sd ' ')"
	done
}

# How programs say that they cannot go on: ours, the kernel, the sanitizers.
complaints='broken: .*|panic: .*|runtime error: .*|SUMMARY: .*'

# What was broken, in a few words that can be a file's name.
name_of_failure() # LOG
{
	local line

	line=$(grep -aoE "$complaints" "$1" | head -n 1)
	line=${line:-it ended without a word}
	line=${line#broken: }
	line=${line#SUMMARY: *Sanitizer: }
	tr '[:upper:]' '[:lower:]' <<<"$line" | tr -cs 'a-z0-9' '_' | cut -c 1-60 | sed 's/^_*//; s/_*$//'
}

# Makes the input that broke something smaller, as long as it still breaks, and puts it in the tree.
keep_failure() # TARGET PROGRAM INPUT LOG
{
	local target=$1 program=$2 input=$3 name small=$work/small

	cp "$input" "$small"
	say "$target: making the input smaller ..."
	"$program" -minimize_crash=1 -max_total_time=20 -exact_artifact_path="$small.new" \
		"$small" >"$work/minimize" 2>&1 || true
	[ ! -s "$small.new" ] || cp "$small.new" "$small"
	name=$folder/corpus/$target/broke_$(name_of_failure "$4")
	cp "$small" "$name"
	say "$target: BROKEN: $(grep -aoE "$complaints" "$4" | head -n 1)"
	say "$target: the input, $(stat -c %s "$name") bytes, is $name"
	say "$target: once more: bazel-bin/$folder/${target}_fuzz $name"
	say "$target: the test //$folder:${target}_corpus_test fails until it is fixed"
}

# Of what was found, what reaches code that the corpus does not.
keep_new() # TARGET PROGRAM
{
	local file count=0 merged=$work/merged

	rm -rf "$merged"
	mkdir "$merged"
	# shellcheck disable=SC2046 # a list of folders
	"$2" -merge=1 "$merged" $(seed_folders "$1") "$work/new" >"$work/merge" 2>&1 ||
		{ say "$1: merging failed: $(tail -n 1 "$work/merge")"; return 1; }
	for file in "$merged"/*; do
		if [ -f "$file" ] && cmp -s "$file" "$work/new/${file##*/}" 2>/dev/null; then
			cp "$file" "$folder/corpus/$1/covers_$(basename "$file" | cut -c 1-8)"
			count=$((count + 1))
		fi
	done
	say "$1: $count files added to $folder/corpus/$1"
}

run_target() # TARGET
{
	local target=$1 program=bazel-bin/$folder/$1_fuzz log=$work/log found status=0

	rm -rf "$work/new" "$work/found"
	mkdir "$work/new" "$work/found"
	# shellcheck disable=SC2046 # a list of folders
	say "$target: $seconds s, seed $seed," \
		"$(find $(seed_folders "$target") -type f | wc -l) files to begin with"
	# What happened is in the log; the terminal gets the milestones.
	# shellcheck disable=SC2046 # a list of folders
	{
		"$program" -max_total_time="$seconds" -seed="$seed" \
			-max_len="$(longest_input "$target")" -timeout=60 -rss_limit_mb=4096 \
			-print_final_stats=1 -artifact_prefix="$work/found/" \
			"$work/new" $(seed_folders "$target") || status=$?
		echo "$status" >"$work/status"
	} 2>&1 | tee "$log" |
		grep --line-buffered -aE '(INITED|pulse|DONE) |^stat::number_of_executed|broken:|panic:|SUMMARY:' |
		sed -u "s/^/  $target: /" || true
	status=$(cat "$work/status")
	found=$(find "$work/found" -type f | head -n 1)
	if [ -n "$found" ]; then
		keep_failure "$target" "$program" "$found" "$log"
		return 1
	fi
	if [ "$status" -ne 0 ] || ! grep -aq '^stat::number_of_executed_units' "$log"; then
		tail -n 5 "$log" >&2
		say "$target: the fuzzer ended before its time (status $status)"
		return 1
	fi
	[ -z "$keep" ] || keep_new "$target" "$program"
}

targets=() seconds=60 seed=1 keep="" list=""
parse "$@"
if [ -n "$list" ]; then
	list_targets
	exit 0
fi
check
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(list_targets)
say "building ${targets[*]} with clang ..."
labels=()
for target in "${targets[@]}"; do
	labels+=("//$folder:${target}_fuzz")
done
"${QUIRE_BAZEL:-bazel}" build --config=fuzz "${labels[@]}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
broken=()
for target in "${targets[@]}"; do
	run_target "$target" || broken+=("$target")
done
if [ ${#broken[@]} -gt 0 ]; then
	say "broken: ${broken[*]}"
	exit 1
fi
say "nothing broke in ${targets[*]}"
