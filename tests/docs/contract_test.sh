#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Does each test that docs/contract.md names exist, and is each function of the public headers named?
# Usage: contract_test.sh ROOT                  reads the tree under ROOT
#        contract_test.sh --workspace-of LINK   the tree that LINK points into
set -euo pipefail

root=$1
[ "$root" != --workspace-of ] || root=$(dirname "$(readlink -f "$2")")
cd "$root"
contract=docs/contract.md
headers=(vm/vm_{kern,kern_cache,kern_debug,kern_quarantine,map,page,object,pageout,swap,fault}.h vm/pmap.h vm/uma.h
	kernel/malloc/malloc.h kernel/registry/{eventhandler,sysctl}.h)
mapfile -t tests < <(find tests/host -name '*_test.cc')
cases=(tests/host/vm/nth_cases_*.cc)
selftests=(kernel/selftest/case_*.c)

failed=0
missing() {
	echo "$contract: $1"
	failed=1
}

# Tests of a fixture that another name stands for are found by that name.
known=$(cat "${tests[@]}" | tr '\n\t' '  ' |
	grep -oE 'TEST(_F|_P)?\( *[A-Za-z0-9_]+, *[A-Za-z0-9_]+\)' |
	sed -E 's/TEST(_F|_P)?\( *([A-Za-z0-9_]+), *([A-Za-z0-9_]+)\)/\2.\3/' | sort -u)
named=$(grep -oE '`[A-Z][A-Za-z0-9]+\.[A-Z][A-Za-z0-9]+' "$contract" | tr -d '`' | sort -u)
while read -r name; do
	grep -qx "$name" <<<"$known" || missing "there is no test $name"
done <<<"$named"

# shellcheck disable=SC2016 # backquotes are Markdown's
named_cases=$(grep -oE '`nth/[a-z0-9_]+`' "$contract" | tr -d '`' | sort -u)
while read -r name; do
	grep -qF "\"${name#nth/}\"" "${cases[@]}" || missing "there is no case $name"
done <<<"$named_cases"

# shellcheck disable=SC2016
named_selftests=$(grep -oE '`selftest [a-z0-9_.]+`' "$contract" | tr -d '`' | sort -u)
while read -r _ name; do
	grep -qF "{\"$name\"," "${selftests[@]}" || missing "the self-test has no case $name"
done <<<"$named_selftests"

# Every function that a header declares for others to call has a row.
declared=$(cat "${headers[@]}" | grep -oE '^[a-z_][A-Za-z0-9_ *]*[ *](kmem_[a-z_]+|vm_map_[a-z_]+|vm_object_[a-z_]+|vm_page_[a-z_]+|pmap_[a-z_]+|vm_fault[a-z_]*|vm_wait|vm_pageout_[a-z_]+|swap_[a-z_]+|sysctl_[a-z_]+|uma_[a-z_]+|kern_[a-z_]+|malloc_[a-z_]+)\(' |
	sed -E 's/.*[ *]([a-z_]+)\($/\1/' | sort -u)
# Not calls of their own: set up by vm_init, read by people, or below another call of the table.
internal='vm_map_startup|vm_map_locked|vm_map_timestamp_bump|vm_page_free_internal|vm_page_free_count|pmap_init'
internal+='|vm_pageout_init|vm_pageout_set_scanner|vm_pageout_count_aged|vm_pageout_deficit'
internal+='|vm_pageout_page_freed|vm_pageout_waiters|vm_pageout_stats|swap_init|swap_limit'
internal+='|sysctl_status_text|sysctl_type_text|kmem_free_refused_count|sysctl_handler'
internal+='|uma_startup|uma_free_refused_count|uma_page_[a-z]+|uma_slab_head_of|uma_[a-z_]+_(slow|short)'
internal+='|malloc_startup|malloc_fail_count|malloc_refused_count|kern_malloc_(any|class)|malloc_count_alloc'
internal+='|malloc_class_short'
while read -r name; do
	grep -qE "^($internal)\$" <<<"$name" && continue
	grep -qF "\`$name\`" "$contract" || missing "no row for $name"
done <<<"$declared"

echo "$(wc -l <<<"$named") tests, $(wc -l <<<"$named_cases") nth-failure cases," \
	"$(wc -l <<<"$named_selftests") self-test cases, $(wc -l <<<"$declared") functions"
exit $failed
