/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How every other CPU gets from its start-up interrupt into C.
 *
 * A start-up IPI with vector V begins in real mode at physical V000h, CS = V00h (Intel SDM vol. 3A
 * 9.4.4). cpus.c copies the first part to such a page and fills in what depends on the place.
 * Any number of CPUs may be in here at once, so nothing is written and there is no stack: a CPU
 * finds its entry by its own APIC id, claims it, and only then takes the stack that the entry
 * names. One that is not listed, or comes too late, parks. The descriptors have their accessed
 * bits set, so that the processor does not write them either: the page is mapped read-only.
 */
#include "arch/x86_64/boot_layout.h"

	.section .rodata
	.globl trampoline, trampoline_end
	.globl trampoline_gdt_register, trampoline_gdt, trampoline_jump32, trampoline_jump64
	.globl trampoline_root, trampoline_code32, trampoline_code64

	.balign 16
	.code16
trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_register - trampoline
	movl $CR0_PE, %eax
	movl %eax, %cr0
	/* ljmpl $SELECTOR_CODE32, $trampoline_code32, at the address where the copy is */
	.byte 0x66, 0xea
trampoline_jump32:
	.long 0
	.short trampoline_gdt_code32 - trampoline_gdt

	.code32
trampoline_code32:
	movw $(trampoline_gdt_data - trampoline_gdt), %ax
	movw %ax, %ds
	movw %ax, %ss

	/* The same steps as in boot.S. */
	movl $MSR_PAT, %ecx
	movl $PAT_LOW, %eax
	movl $PAT_HIGH, %edx
	wrmsr
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	.byte 0xb8 /* movl $root, %eax */
trampoline_root:
	.long 0
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $(EFER_LME | EFER_NXE), %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_KERNEL, %eax
	movl %eax, %cr0
	.byte 0xea /* ljmpl $SELECTOR_CODE, $trampoline_code64 */
trampoline_jump64:
	.long 0
	.short SELECTOR_CODE

	.code64
trampoline_code64:
	movabsq $cpu_entry, %rax
	jmp *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* SELECTOR_CODE: 64-bit code */
trampoline_gdt_data:
	.quad 0x00cf93000000ffff
trampoline_gdt_code32:
	.quad 0x00cf9b000000ffff
trampoline_gdt_register:
	.short trampoline_gdt_register - trampoline_gdt - 1
	.long 0
trampoline_end:

	/* In the image now. From here on the kernel's own tables; still no stack. */
	.text
cpu_entry:
	movq kernel_root, %rax
	movq %rax, %cr3
	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw %ax, %fs
	movw %ax, %gs
	xorl %ebp, %ebp

	/*
	 * Its own APIC id: EDX of leaf 0bh when there is one (EBX not 0), else bits 31-24 of EBX
	 * of leaf 1 (Intel SDM vol. 3A 9.9.3 and CPUID in vol. 2A). features.c does the same.
	 */
	xorl %eax, %eax
	cpuid
	cmpl $0xb, %eax
	jb 1f
	movl $0xb, %eax
	xorl %ecx, %ecx
	cpuid
	testl %ebx, %ebx
	jnz 2f
1:	movl $1, %eax
	cpuid
	movl %ebx, %edx
	shrl $24, %edx

	/* Which CPU is that? Entry 0 is the boot CPU. */
2:	movl cpu_start_count, %ecx
	movl $1, %edi
3:	cmpl %ecx, %edi
	jae cpu_park
	cmpl %edx, cpu_apic_ids(,%rdi,4)
	je 4f
	incl %edi
	jmp 3b

4:	movl %edi, %ebx
	imulq $CPU_BOOT_BYTES, %rbx
	addq cpu_start_boots, %rbx
	movl $CPU_BOOT_UNCLAIMED, %eax
	movl $CPU_BOOT_CLAIMED, %ecx
	lock cmpxchgl %ecx, CPU_BOOT_CLAIM(%rbx)
	jne cpu_park
	movq CPU_BOOT_STACK_BASE(%rbx), %rsp
	addq CPU_BOOT_STACK_SIZE(%rbx), %rsp
	andq $-16, %rsp
	call cpu_start_main
	ud2

cpu_park:
	cli
	hlt
	jmp cpu_park

	.section .note.GNU-stack, "", @progbits
