/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meter_begin() and meter_end() of marker.h: a jump into a table of 256 stubs of eight bytes, each
 * a marker and a return. Includes nothing; Quire's kernel and a Linux module both assemble it (in
 * the module's Kbuild, `OBJECT_FILES_NON_STANDARD_marker.o := y` spares objtool's warnings about
 * the bare return and jump).
 */
	.macro meter_stubs kind
	.set meter_case, 0
	.rept 256
	.byte 0x0f, 0x1f, 0x80, \kind, meter_case, 0x52, 0x51
	ret
	.set meter_case, meter_case + 1
	.endr
	.endm

	.macro meter_entry name, kind
	.globl \name
	.type \name, @function
	.balign 16
\name:
	movzbl %dil, %eax
	leaq 1f(%rip), %rcx
	leaq (%rcx, %rax, 8), %rax
	jmp *%rax
	.balign 64
1:
	meter_stubs \kind
	.size \name, . - \name
	.endm

	.text
	meter_entry meter_begin, 1
	meter_entry meter_end, 2

	.section .note.GNU-stack, "", @progbits
