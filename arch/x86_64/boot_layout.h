/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that assembly and C have to agree on. */
#ifndef QUIRE_ARCH_X86_64_BOOT_LAYOUT_H
#define QUIRE_ARCH_X86_64_BOOT_LAYOUT_H

/* The code segment that all 64-bit code runs in, in every GDT (segments.c checks it). */
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS  0x18

#define BOOT_STACK_SIZE 32768

/* How the boot code tells start() who loaded us; the values are the loaders' own. */
#define ENTRY_MULTIBOOT2 0x36d76289
#define ENTRY_PVH        0x336ec578

/* Control registers (Intel SDM vol. 3A 2.5) and MSRs (vol. 4 table 2-2). */
#define CR0_PE        0x00000001
#define CR0_MP        0x00000002
#define CR0_TS        0x00000008
#define CR0_NE        0x00000020
#define CR0_WP        0x00010000
#define CR0_PG        0x80000000
#define CR4_PAE       0x00000020
#define CR4_MCE       0x00000040
#define CR4_PGE       0x00000080
#define CR4_UMIP      0x00000800
#define CR4_PCIDE     0x00020000
#define CR4_SMEP      0x00100000
#define CR4_SMAP      0x00200000
#define MSR_APIC_BASE 0x1b
#define MSR_PAT       0x277
#define MSR_EFER      0xc0000080
#define MSR_GS_BASE   0xc0000101
#define EFER_LME      0x100
#define EFER_NXE      0x800

/*
 * CR0 of a running CPU. Caching on (CD = NW = 0). Write protection for the kernel too. TS: the
 * kernel owns no floating-point state, so an instruction that would use it traps.
 */
#define CR0_KERNEL (CR0_PG | CR0_WP | CR0_NE | CR0_TS | CR0_MP | CR0_PE)

/* The halves of MMU_PAT_VALUE, for WRMSR from 32-bit code; paging.c checks them. */
#define PAT_LOW  0x00070406
#define PAT_HIGH 0x00070501

/* struct arch_cpu_boot; cpus.c checks these. */
#define CPU_BOOT_CLAIM      0
#define CPU_BOOT_STACK_BASE 16
#define CPU_BOOT_STACK_SIZE 24
#define CPU_BOOT_BYTES      32
#define CPU_BOOT_UNCLAIMED  0
#define CPU_BOOT_CLAIMED    1

#endif
