#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: mkiso.sh OUT.iso KERNEL.elf GRUB.cfg
#
# One image for a CD, a disk and a USB stick, for BIOS and UEFI. grub-mkrescue would do it too, but
# it takes in every GRUB module (20 MB) and no two runs of it give the same bytes. Here every date,
# serial number and file order is fixed: the same inputs and tools give the same image, whoever
# runs it, wherever and whenever.
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: mkiso.sh OUT.iso KERNEL.elf GRUB.cfg" >&2; exit 2; }
out=$(realpath -m "$1")
kernel=$(realpath "$2")
config=$(realpath "$3")

epoch=1767225600        # 2026-01-01 00:00:00 UTC, for every file and volume date
volume_date=2026010100000000
fat_serial=51554952
export SOURCE_DATE_EPOCH=$epoch TZ=UTC LC_ALL=C MTOOLSRC=/dev/null
umask 022
grub=${QUIRE_GRUB_LIB:-/usr/lib/grub}

need() # COMMAND-OR-FOLDER PACKAGE
{
	command -v "$1" >/dev/null || [ -d "$1" ] ||
		{ echo "mkiso.sh: $1 not found. Debian: apt-get install $2" >&2; exit 1; }
}
need grub-mkimage grub-common
need mformat mtools
need xorriso xorriso
need "$grub/i386-pc" grub-pc-bin
need "$grub/x86_64-efi" grub-efi-amd64-bin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/boot/grub" "$tree/EFI/BOOT"
install -m 644 "$kernel" "$tree/boot/quire.elf"
install -m 644 "$config" "$tree/boot/grub/grub.cfg"

# GRUB looks for the volume that holds the kernel: firmware names a CD and a stick differently.
cat >"$work/find.cfg" <<'FIND'
search --no-floppy --set=root --file /boot/quire.elf
set prefix=($root)/boot/grub
configfile /boot/grub/grub.cfg
FIND
modules=(normal configfile search search_fs_file iso9660 fat part_msdos part_gpt
	multiboot2 video serial terminal smbios test echo ls cat reboot halt)
make_grub() # FORMAT FOLDER OUTPUT EXTRA-MODULES...
{
	grub-mkimage -O "$1" -d "$grub/$2" -p /boot/grub -c "$work/find.cfg" -o "$3" \
		"${modules[@]}" "${@:4}"
}
make_grub i386-pc-eltorito i386-pc "$tree/boot/grub/bios.img" biosdisk vbe
make_grub x86_64-efi x86_64-efi "$tree/EFI/BOOT/BOOTX64.EFI" efi_gop efi_uga
find "$tree" -exec touch -h -d "@$epoch" {} +

# UEFI boots from a FAT partition: the loader's size plus 64 KiB for FAT itself, in whole tracks
# of 32 sectors for two heads.
esp=$work/esp.img
loader_bytes=$(stat -c %s "$tree/EFI/BOOT/BOOTX64.EFI")
esp_kib=$(((loader_bytes / 1024 + 64 + 31) / 32 * 32))
truncate -s "${esp_kib}K" "$esp"
mformat -i "$esp" -N "$fat_serial" -v QUIRE_EFI -T $((esp_kib * 2)) -h 2 -s 32 ::
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -m -i "$esp" "$tree/EFI/BOOT/BOOTX64.EFI" ::/EFI/BOOT/BOOTX64.EFI
touch -d "@$epoch" "$esp"

# The same GRUB image serves El Torito (CD) and the hybrid boot record (disk, stick); the same FAT
# partition serves El Torito's EFI entry and the partition table.
xorriso -report_about WARNING -as mkisofs -quiet -r -J -V QUIRE -o "$out" \
	--modification-date="$volume_date" --set_all_file_dates "$volume_date" \
	-b boot/grub/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table \
	--grub2-boot-info --grub2-mbr "$grub/i386-pc/boot_hybrid.img" \
	-partition_offset 16 -append_partition 2 0xef "$esp" -appended_part_as_gpt \
	-eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot \
	"$tree" >"$work/xorriso.log" 2>&1 ||
	{ cat "$work/xorriso.log" >&2; exit 1; }
