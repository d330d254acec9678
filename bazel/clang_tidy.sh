#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: clang_tidy.sh FILES -- FLAGS   from the root of a test's runfiles.
#
# Flags name folders as the build sees them (bazel-out/<config>/bin/external/x, external/x); in the
# runfiles external repositories stand beside the workspace.
set -euo pipefail
if ! command -v clang-tidy >/dev/null; then
	echo "clang-tidy not found. Debian: apt-get install clang-tidy" >&2
	exit 1
fi
files=()
while [ "$1" != -- ]; do
	files+=("$1")
	shift
done
shift
flags=()
for flag in "$@"; do
	# Known to GCC alone.
	[ "$flag" != -fno-tree-loop-distribute-patterns ] || continue
	[[ $flag =~ ^bazel-out/[^/]+/bin(/(.*))?$ ]] && flag=${BASH_REMATCH[2]:-.}
	flags+=("${flag/#external\//../}")
done
exec clang-tidy --quiet "${files[@]}" -- "${flags[@]}"
