#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Turns lines of `nm -n` into an assembly file with the kernel's table of function names; no input
# makes an empty table. bazel/kernel.bzl says what C sees of it.
#
# Addresses stay text: awk's numbers are too short for 64 bits. The image lies in the top 2 GiB, so
# an address is "ffffffff" and eight digits, of which the first runs from 8 to f; taking 8 from it
# leaves the offset from KERNBASE. Functions below (the code that runs before paging) are left out.
exec awk '
BEGIN {
	for (i = 0; i < 8; i++)
		low[substr("89abcdef", i + 1, 1)] = i
	count = 0
	length_so_far = 0
}
NF == 3 && substr($1, 1, 8) == "ffffffff" && substr($1, 9, 1) in low && $1 != last {
	last = $1
	offsets[count] = "0x" low[substr($1, 9, 1)] substr($1, 10)
	names[count] = $3
	at[count] = length_so_far
	length_so_far += length($3) + 1
	count++
}
END {
	print "/* Generated: names of the functions in the kernel image. */"
	print "\t.section .quire_symbols, \"a\", @progbits"
	print "\t.balign 8"
	print "\t.globl kernel_symbol_count, kernel_symbol_offsets"
	print "\t.globl kernel_symbol_names, kernel_symbol_strings"
	print "kernel_symbol_count:\n\t.long " count
	print "kernel_symbol_offsets:"
	for (i = 0; i < count; i++)
		print "\t.long " offsets[i]
	print "kernel_symbol_names:"
	for (i = 0; i < count; i++)
		print "\t.long " at[i]
	print "kernel_symbol_strings:"
	for (i = 0; i < count; i++)
		print "\t.asciz \"" names[i] "\""
	print "\t.byte 0"
	print "\t.section .note.GNU-stack, \"\", @progbits"
}'
