#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Is every place in vm/ that can be made to fail in the list of the nth-failure test, and no other?
# Usage: fault_sites_test.sh <fault_sites.h> <sources of vm/...>
set -euo pipefail

list=$1
shift

# A name stands where a fault point is, or where a pool or the copy of an entry is asked on behalf
# of somebody: those two pass it on, and every call of theirs must say it.
calls='arch_fault_point|vm_pool_alloc|entry_copy'
statements=$(cat "$@" | sed 's,/\*.*\*/,,' | tr '\n\t' '  ' | sed 's/;/;\n/g')

in_sources=$(grep -E "($calls)\(" <<<"$statements" | grep -oE '"[a-z0-9_]+"' | tr -d '"' | sort -u)
in_list=$(grep -oE '^	"[a-z0-9_]+"' "$list" | tr -d '"	')

if [ "$in_sources" != "$in_list" ]; then
	echo "The sources (left) and $list (right) differ:"
	diff <(echo "$in_sources") <(echo "$in_list") || true
	exit 1
fi

# A name that is not written where it is used would be missed above.
unnamed=$(grep -E "($calls)\(" <<<"$statements" | grep -vE '"[a-z0-9_]+"' |
	grep -vE 'arch_fault_point\(site\)|entry_copy\(vm_map_entry_t|vm_pool_alloc\(struct|how, site\)' || true)
if [ -n "$unnamed" ]; then
	echo "Fault points without a name of their own:"
	echo "$unnamed"
	exit 1
fi
echo "$(wc -l <<<"$in_list") fault points, all in the list"
