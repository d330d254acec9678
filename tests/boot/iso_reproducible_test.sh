#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: iso_reproducible_test.sh MKISO ISO KERNEL GRUB_CFG
# The image that Bazel made equals one made elsewhere, later, in another time zone and locale.
set -euo pipefail
mkiso=$(readlink -f "$1") iso=$(readlink -f "$2") kernel=$(readlink -f "$3") config=$(readlink -f "$4")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/a folder/inputs" "$work/tmp"
cp "$kernel" "$work/a folder/inputs/kernel"
cp "$config" "$work/a folder/inputs/grub.cfg"
touch -d '2001-02-03 04:05:06' "$work/a folder/inputs/kernel"
cd "$work/a folder"
umask 077
TZ=Pacific/Auckland LC_ALL=C.UTF-8 TMPDIR=$work/tmp \
	"$mkiso" ./other.iso inputs/kernel inputs/grub.cfg
cmp "$iso" other.iso

# And a test that cannot fail would prove nothing: another menu is another image.
echo "# changed" >>inputs/grub.cfg
"$mkiso" ./changed.iso inputs/kernel inputs/grub.cfg
if cmp -s "$iso" changed.iso; then
	echo "a changed menu did not change the image" >&2
	exit 1
fi
