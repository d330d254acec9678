#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Are the files of the corpus what their description says, and does the check notice a difference?
set -euo pipefail
cd tests/corpus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1

python3 generate.py --check firmware

refuses() # TEXT
{
	local status=0

	python3 generate.py --check "$work/firmware" >"$work/said" || status=$?
	if [ "$status" -ne 1 ] || ! grep -qF -- "$1" "$work/said"; then
		echo "FAILED: status $status; does not say: $1"
		cat "$work/said"
		exit 1
	fi
}

mkdir "$work/firmware"
python3 generate.py --write "$work/firmware"
diff -r "$work/firmware" firmware
printf x >>"$work/firmware/madt/base_zero.bin"
refuses "madt/base_zero.bin: differs"
rm "$work/firmware/madt/base_zero.bin"
refuses "madt/base_zero.bin: not in the folder"
touch "$work/firmware/madt/stray.bin"
refuses "madt/stray.bin: not described"
python3 generate.py --write "$work/firmware"
diff -r "$work/firmware" firmware
echo ok
