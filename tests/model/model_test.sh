#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Searches every state of a Spin model: as it stands it must hold, and with any one of its rules
# left out (the macros BREAK_* that it names) it must be refuted. No search takes longer than
# SEARCH_SECONDS: one that would has no verdict, and fails.
set -euo pipefail

model=$PWD/$1
dir=${TEST_TMPDIR:-$(mktemp -d)}
SEARCH_SECONDS=${SEARCH_SECONDS:-240}
command -v spin >/dev/null ||
	{ echo "model_test.sh: spin is missing; on Debian: apt-get install spin" >&2; exit 1; }

# Prints Spin's verdict: how many errors, how many states.
search() # MACRO
{
	mkdir -p "$dir/$1"
	cd "$dir/$1"
	spin -a -D"$1" "$model" >spin.log || { cat spin.log >&2; return 1; }
	# Unoptimised: most searches take less time than optimising them would.
	gcc -w -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
	timeout "$SEARCH_SECONDS" ./pan -m100000 -E >pan.log ||
		{ echo "model_test.sh: $1: the search failed, or took more than $SEARCH_SECONDS s" >&2
		  cat pan.log >&2; return 1; }
	! grep -qE 'max search depth too small|out of memory|reached -DMEMLIM' pan.log ||
		{ cat pan.log >&2; return 1; }
	sed -nE -e 's/.*errors: ([0-9]+)$/\1 errors/p' -e 's/^ *([0-9.e+]+) states, stored.*/\1 states/p' pan.log |
		paste -sd' '
	cd "$OLDPWD"
}

failed=0
verdict=$(search WHOLE)
echo "as it stands: $verdict"
[[ $verdict == "0 errors "* ]] || { echo "FAILED: the model is refuted"; failed=1; }

rules=$(grep -oE '\bBREAK_[A-Z_]+' "$model" | grep -v 'BREAK_$' | sort -u)
[ "$(wc -l <<<"$rules")" -ge 5 ] || { echo "FAILED: the model names fewer than five rules"; failed=1; }
for rule in $rules; do
	verdict=$(search "$rule")
	echo "$rule: $verdict"
	[[ $verdict == "1 errors "* ]] || { echo "FAILED: $rule is not refuted"; failed=1; }
done
exit "$failed"
