#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
usage="Usage: run_qemu.sh --image FILE [OPTIONS] [-- QEMU ARGUMENTS]

  --image FILE      the ISO, or the kernel's ELF file for --boot pvh
  --boot PATH       bios-cd (default), bios-disk, bios-usb, uefi-cd, uefi-usb, pvh
  --cmdline TEXT    kernel options
  --serial FILE     the serial port goes to FILE instead of the terminal; none: there is none
  --batch           nobody types: no QEMU monitor, and the kernel has to end the run itself
  --raw-status      exit with QEMU's own status
  --window          show the screen

4 CPUs and 512M unless the QEMU arguments say otherwise (-smp 8 -m 1G).
Environment: QUIRE_QEMU (program), QUIRE_OVMF (firmware file), QUIRE_KVM=1 (use KVM if it is there)."
set -euo pipefail

die()
{
	echo "run_qemu.sh: $*" >&2
	exit 2
}

image="" boot=bios-cd cmdline="" serial="" batch="" raw="" display=(-display none)
while [ $# -gt 0 ]; do
	case $1 in
	--image | --boot | --cmdline | --serial)
		[ $# -ge 2 ] || die "$1 needs a value"
		declare "${1#--}=$2"
		shift
		;;
	--batch) batch=1 ;;
	--raw-status) raw=1 ;;
	--window) display=() ;;
	--help) echo "$usage"; exit 0 ;;
	--) shift; break ;;
	*) break ;;
	esac
	shift
done
[ -r "$image" ] || die "--image: cannot read '$image'"

qemu=${QUIRE_QEMU:-qemu-system-x86_64}
command -v "$qemu" >/dev/null || die "$qemu not found. Debian: apt-get install qemu-system-x86"

accelerator=tcg
[ "${QUIRE_KVM:-}" = 1 ] && [ -w /dev/kvm ] && accelerator=kvm
args=(-machine q35 -accel "$accelerator" -cpu max -smp 4 -m 512M -net none -no-reboot
	-device "isa-debug-exit,iobase=0xf4,iosize=4")

find_ovmf()
{
	local file
	for file in "${QUIRE_OVMF:-}" /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/OVMF/OVMF_CODE.fd \
		/usr/share/edk2/x64/OVMF_CODE.4m.fd /usr/share/edk2/ovmf/OVMF_CODE.fd; do
		[ -r "$file" ] && { echo "$file"; return; }
	done
	die "no UEFI firmware found. Debian: apt-get install ovmf"
}

case $boot in
uefi-*)
	ovmf=$(find_ovmf)
	args+=(-drive "if=pflash,format=raw,readonly=on,file=$ovmf")
	;;
esac
case $boot in
bios-cd | uefi-cd) args+=(-cdrom "$image") ;;
bios-disk) args+=(-drive "file=$image,format=raw,snapshot=on") ;;
bios-usb | uefi-usb)
	args+=(-device qemu-xhci -drive "if=none,id=stick,file=$image,format=raw,readonly=on"
		-device "usb-storage,drive=stick,bootindex=0")
	;;
pvh) args+=(-kernel "$image") ;;
*) die "--boot: unknown path '$boot'" ;;
esac

# A loader passes -append on; for the ISO, where the loader's line is fixed, the kernel reads the
# firmware configuration device. QEMU wants commas doubled there.
if [ -n "$cmdline" ]; then
	if [ "$boot" = pvh ]; then
		args+=(-append "$cmdline")
	else
		args+=(-fw_cfg "name=opt/quire/cmdline,string=${cmdline//,/,,}")
	fi
fi

if [ "$serial" = none ]; then
	args+=(-serial none -monitor none)
elif [ -n "$serial" ]; then
	args+=(-serial "file:$serial" -monitor none)
elif [ -n "$batch" ]; then
	args+=(-serial stdio -monitor none)
else
	args+=(-serial mon:stdio)
fi
# Without a terminal to type on, Ctrl-C ends QEMU and not the guest's line.
[ -z "$batch" ] || exec </dev/null

[ -z "$raw" ] || exec "$qemu" "${args[@]}" "${display[@]}" "$@"

status=0
"$qemu" "${args[@]}" "${display[@]}" "$@" || status=$?

# The kernel writes a byte v to the exit device, which QEMU turns into status 2v + 1.
case $status in
33) exit 0 ;;
35) echo "quire: a command failed" >&2; exit 1 ;;
37) echo "quire: the kernel panicked" >&2; exit 3 ;;
0)
	[ -z "$batch" ] && exit 0
	echo "quire: the machine stopped or restarted before the commands were done" >&2
	exit 4
	;;
*) echo "quire: QEMU ended with status $status" >&2; exit 5 ;;
esac
