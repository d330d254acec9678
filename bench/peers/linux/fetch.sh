#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Brings Debian's kernel and what its modules are built against into a folder, without installing
# anything: the machine keeps its own kernel, its boot loader hears of nothing, and an ordinary
# user may do it. `fetch.sh --help` says more.
set -euo pipefail

help="Usage: bench/peers/linux/fetch.sh [--cache DIR]

Downloads Debian's linux-image-cloud-amd64, and the headers and build tools of the same version,
with 'apt-get download', and unpacks them into DIR (default \$XDG_CACHE_HOME/quire/linux, or
~/.cache/quire/linux). About 42 MB are downloaded and 120 MB unpacked. Nothing is installed, and
DIR is replaced only when all of it is there. Does nothing if DIR holds this version already."

die()
{
	echo "fetch.sh: $*" >&2
	exit 2
}

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/quire/linux
while [ $# -gt 0 ]; do
	case $1 in
	--cache)
		[ $# -ge 2 ] || die "--cache needs a folder"
		cache=$2
		shift 2
		;;
	-h | --help)
		echo "$help"
		exit 0
		;;
	*) die "unknown argument '$1'; see --help" ;;
	esac
done

for command in apt-get apt-cache dpkg-deb tar; do
	command -v "$command" >/dev/null ||
		die "there is no $command here: the packages can be fetched on Debian 12 only"
done

# The meta packages name the versions: linux-image-cloud-amd64 -> linux-image-6.1.0-56-cloud-amd64.
newest()
{
	apt-cache depends "$1" 2>/dev/null | awk '/Depends:/ { print $2; exit }'
}

image=$(newest linux-image-cloud-amd64)
[[ $image =~ ^linux-image-([0-9.]+-[0-9]+)-cloud-amd64$ ]] ||
	die "apt knows no linux-image-cloud-amd64. As root: apt-get update; it is in Debian 12 (main)"
abi=${BASH_REMATCH[1]}
release=$abi-cloud-amd64
kbuild=$(apt-cache depends "linux-headers-$release" 2>/dev/null |
	awk '/Depends: linux-kbuild-/ { print $2; exit }')
[ -n "$kbuild" ] || die "apt knows no linux-headers-$release, which $image needs. As root: apt-get update"

if [ "$(cat "$cache/release" 2>/dev/null)" = "$release" ]; then
	echo "fetch.sh: $cache holds $release already" >&2
	exit 0
fi

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
[[ $cache != *[[:space:]]* ]] || die "the kernel's makefiles refuse folders with a space: $cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"

# Run as root, apt downloads as a user of its own where that user can write, and warns where not.
(cd "$work/debs" && apt-get download -o APT::Sandbox::User="$(id -un)" "$image" \
	"linux-headers-$release" "linux-headers-$abi-common" "$kbuild") >&2 ||
	die "the download failed. As root: apt-get update; then again"

echo "fetch.sh: unpacking" >&2
for deb in "$work/debs/linux-headers-"*.deb "$work/debs/$kbuild"_*.deb; do
	dpkg-deb -x "$deb" "$work/root"
done
dpkg-deb --fsys-tarfile "$work/debs/$image"_*.deb | tar -x -C "$work/root" ./boot

# The packages expect to lie in /: of the many paths in them, this one is absolute.
headers=usr/src/linux-headers-$release
grep -q "^include /usr/src/linux-headers-$abi-common/Makefile" "$work/root/$headers/Makefile" ||
	die "linux-headers-$release is laid out in an unknown way: see its Makefile"
echo "include $cache/root/usr/src/linux-headers-$abi-common/Makefile" >"$work/root/$headers/Makefile"

rm -rf "$cache/release" "$cache/root"
mv "$work/root" "$cache/root"
dpkg-deb -f "$work"/debs/"$image"_*.deb Version >"$cache/version"
echo "$release" >"$cache/release"
echo "fetch.sh: $cache holds $release" >&2
