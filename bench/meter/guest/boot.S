/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two CPUs into 64-bit C with the first 4 GiB mapped where they are: the first one through PVH,
 * the second one through a start-up interrupt at TRAMPOLINE. Calls guest_main(cpu), cpu 0 or 1.
 */
#define TRAMPOLINE 0x8000
#define STACK_SIZE 16384
#define CODE_32 0x08
#define DATA 0x10
#define CODE_64 0x18
#define PTE_TABLE 0x003
#define PTE_2M 0x083

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_entry

	.section .boot.text, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	cli
	cld
	movl $directories, %ebx
	movl $PTE_2M, %eax
	movl $(4 * 512), %ecx
1:	movl %eax, (%ebx)
	addl $8, %ebx
	addl $0x200000, %eax
	loop 1b

	movl $(directories + PTE_TABLE), pointers
	movl $(directories + 4096 + PTE_TABLE), pointers + 8
	movl $(directories + 8192 + PTE_TABLE), pointers + 16
	movl $(directories + 12288 + PTE_TABLE), pointers + 24
	movl $(pointers + PTE_TABLE), root
	/* At 1 GiB, a table of small pages that the guest fills. */
	movl $(window_table + PTE_TABLE), directories + 4096

	xorl %edi, %edi
	lgdt gdt_register
	ljmpl $CODE_32, $enter_long

ap_protected:
	movl $1, %edi

/* EDI: number of the CPU. */
enter_long:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $root, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER: LME */
	movl $0x100, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80000011, %eax
	movl %eax, %cr0
	ljmpl $CODE_64, $1f

	.code64
1:	leal 1(%rdi), %eax
	imull $STACK_SIZE, %eax
	leaq stacks(%rax), %rsp
	xorl %ebp, %ebp
	call guest_main
	ud2

	/* #PF, taken on purpose: goes on behind the 7-byte instruction that faulted. */
	.globl skip_7_bytes
	.balign 16
skip_7_bytes:
	addq $7, 8(%rsp)  /* the error code lies on top */
	addq $8, %rsp
	iretq

	/* Copied to TRAMPOLINE; refers to nothing of its own. */
	.section .rodata, "a"
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl (TRAMPOLINE + trampoline_gdt - trampoline)
	movl $0x11, %eax
	movl %eax, %cr0
	ljmpl $CODE_32, $ap_protected
	.balign 8
trampoline_gdt:
	.short gdt_end - gdt - 1
	.long gdt
trampoline_end:

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
gdt_end:
gdt_register:
	.short gdt_end - gdt - 1
	.long gdt

	.bss
	.balign 4096
	.globl window_table
root:
	.skip 4096
pointers:
	.skip 4096
directories:
	.skip 4 * 4096
window_table:
	.skip 4096
stacks:
	.skip 2 * STACK_SIZE

	.section .note.GNU-stack, "", @progbits
