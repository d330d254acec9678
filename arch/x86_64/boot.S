/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader to C.
 *
 * Both loaders enter in 32-bit protected mode with flat segments, paging and interrupts off, at
 * the image's physical address: Multiboot2 with its magic in EAX and its information in EBX
 * (3.3, "I386 machine state"), PVH with its start information in EBX (Xen docs/misc/pvh.pandoc).
 *
 * This code maps the first 4 GiB three times with the same tables - where they are, at KERNBASE
 * (the first 2 GiB), and at PHYSMAP_BASE - enters 64-bit mode and calls start(entry, info) on the
 * boot stack. paging.c builds the real tables.
 */
#include "arch/x86_64/boot_layout.h"

#define KERNBASE 0xffffffff80000000
#define PAGE 4096
#define PTE_TABLE 0x003 /* present, writable */
#define PTE_2M 0x083    /* and a 2 MiB page */

#define MB2_MAGIC 0xe85250d6
#define MB2_TAG_END 0
#define MB2_TAG_FRAMEBUFFER 5
#define MB2_TAG_ALIGN_MODULES 6
#define MB2_OPTIONAL 1

	.section .multiboot2, "a"
	.balign 8
header:
	.long MB2_MAGIC, 0, header_end - header, -(MB2_MAGIC + (header_end - header))
	.short MB2_TAG_FRAMEBUFFER, MB2_OPTIONAL
	.long 20, 1024, 768, 32
	.balign 8
	.short MB2_TAG_ALIGN_MODULES, MB2_OPTIONAL
	.long 8
	.short MB2_TAG_END, 0
	.long 8
header_end:

	/* XEN_ELFNOTE_PHYS32_ENTRY: where a PVH loader enters. */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long pvh_entry

	.section .boot.text, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	movl $ENTRY_PVH, %eax
	.globl multiboot2_entry
multiboot2_entry:
	cli
	cld
	movl %eax, %edi
	movl %ebx, %esi

	/* 64-bit mode and no-execute pages are leaf 0x80000001, EDX bits 29 and 20. */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb refuse
	movl $0x80000001, %eax
	cpuid
	andl $0x20100000, %edx
	cmpl $0x20100000, %edx
	jne refuse

	/* Four page directories of 2 MiB pages, 4 GiB in all. Entries were zero-filled. */
	movl $boot_directories, %ebx
	movl $PTE_2M, %eax
	movl $(4 * 512), %ecx
1:	movl %eax, (%ebx)
	addl $8, %ebx
	addl $0x200000, %eax
	loop 1b

	movl $(boot_directories + PTE_TABLE), %eax
	movl %eax, boot_low
	movl %eax, boot_high + 510 * 8
	addl $PAGE, %eax
	movl %eax, boot_low + 8
	movl %eax, boot_high + 511 * 8
	addl $PAGE, %eax
	movl %eax, boot_low + 16
	addl $PAGE, %eax
	movl %eax, boot_low + 24
	movl $(boot_low + PTE_TABLE), boot_root           /* 0 */
	movl $(boot_low + PTE_TABLE), boot_root + 256 * 8 /* PHYSMAP_BASE */
	movl $(boot_high + PTE_TABLE), boot_root + 511 * 8

	/* The cache attributes are chosen before any mapping exists that could use them. */
	movl $MSR_PAT, %ecx
	movl $PAT_LOW, %eax
	movl $PAT_HIGH, %edx
	wrmsr

	/* Intel SDM vol. 3A 10.8.5: PAE, root, LME, and paging last. */
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $boot_root, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $(EFER_LME | EFER_NXE), %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_KERNEL, %eax
	movl %eax, %cr0
	lgdt boot_gdt_register
	ljmpl $SELECTOR_CODE, $boot_long

	/*
	 * Says why on the first serial port and on the text screen; the loader may have set up
	 * neither, and nothing else is known of this machine.
	 */
refuse:
	movl $refusal, %esi
	movl $0xb8000, %edi
2:	lodsb
	testb %al, %al
	jz 3f
	movb %al, (%edi)
	movb $0x4f, 1(%edi)
	addl $2, %edi
	movw $0x3f8, %dx
	outb %al, %dx
	jmp 2b
3:	hlt
	jmp 3b
refusal:
	.asciz "Quire needs an x86-64 CPU with no-execute pages (NX, XD) enabled."

	.code64
boot_long:
	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw %ax, %fs
	movw %ax, %gs
	movabsq $boot_stack_end, %rsp
	xorl %ebp, %ebp
	movl %edi, %edi /* the upper halves are undefined after the change of mode */
	movl %esi, %esi
	movabsq $start, %rax
	call *%rax
	ud2

	.section .boot.data, "aw"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
boot_gdt_register:
	.short . - boot_gdt - 1
	.long boot_gdt

	.section .boot.bss, "aw", @nobits
	.balign PAGE
boot_root:
	.skip PAGE
boot_low:
	.skip PAGE
boot_high:
	.skip PAGE
boot_directories:
	.skip 4 * PAGE

	/* The page below is unmapped by paging.c, so that an overflow traps. */
	.section .bss.boot_stack, "aw", @nobits
	.balign PAGE
	.globl boot_stack_guard
boot_stack_guard:
	.skip PAGE
boot_stack:
	.skip BOOT_STACK_SIZE
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
