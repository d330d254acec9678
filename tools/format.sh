#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: format.sh --check|--fix ROOT
#        format.sh --check --workspace-of LINK   (the tree that a test's data file links to)
set -euo pipefail
mode=$1 root=$2
[ "$root" != --workspace-of ] || root=$(dirname "$(readlink -f "$3")")
cd "$root"
if ! command -v clang-format >/dev/null; then
	echo "clang-format not found. Debian: apt-get install clang-format" >&2
	exit 1
fi
mapfile -d '' files < <(find . -path './bazel-*' -prune -o -path './.*' -prune -o \
	-type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print0)
[ ${#files[@]} -gt 0 ] || { echo "format.sh: no sources under $root" >&2; exit 1; }
case $mode in
--check) exec clang-format --dry-run -Werror "${files[@]}" ;;
--fix) exec clang-format -i "${files[@]}" ;;
*) echo "format.sh: unknown mode $mode" >&2; exit 2 ;;
esac
