/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the registers of the machine check architecture mean (Intel SDM vol. 3B chapter 15). Pure:
 * machine_check.c reads the registers.
 */
#ifndef QUIRE_ARCH_X86_64_MCA_H
#define QUIRE_ARCH_X86_64_MCA_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* IA32_MCG_CAP (15.3.1.1). */
enum {
	MCG_CAP_COUNT_MASK = 0xff,
	MCG_CAP_CTL = 1 << 8,  /* IA32_MCG_CTL is there */
	MCG_CAP_SER = 1 << 24, /* software error recovery: S, AR, and what MISC says */
};

/* IA32_MCG_STATUS (15.3.1.2). */
enum { MCG_STATUS_RIPV = 1 << 0, MCG_STATUS_EIPV = 1 << 1, MCG_STATUS_MCIP = 1 << 2 };

/* IA32_MCi_STATUS (15.3.2.2). */
#define MCI_VAL   (UINT64_C(1) << 63)
#define MCI_OVER  (UINT64_C(1) << 62)
#define MCI_UC    (UINT64_C(1) << 61)
#define MCI_EN    (UINT64_C(1) << 60)
#define MCI_MISCV (UINT64_C(1) << 59)
#define MCI_ADDRV (UINT64_C(1) << 58)
#define MCI_PCC   (UINT64_C(1) << 57)
#define MCI_S     (UINT64_C(1) << 56)
#define MCI_AR    (UINT64_C(1) << 55)

/* One bank as it was read; address and misc are 0 where the status does not announce them. */
struct mca_bank {
	uint64_t status, address, misc;
};

enum mca_verdict {
	MCA_NOTHING,   /* the bank is empty */
	MCA_CORRECTED, /* the hardware has mended it */
	MCA_DEFERRED,  /* data is lost, and nobody has used it so far */
	MCA_FATAL,     /* somebody has used it, or more than data is lost */
};

/* `why`: for a fatal one, the reason; otherwise untouched. */
enum mca_verdict mca_judge(uint64_t cap, const struct mca_bank *bank, const char **why);

/*
 * The memory that the error names as bad, whole pages of it: false when it names none, or when
 * the fault is in a cache that lies before it, or when the address is no physical one.
 */
bool mca_memory(uint64_t cap, const struct mca_bank *bank, vm_paddr_t *start, vm_size_t *size);

/* "memory controller, read": the error code (15.9) in words. */
const char *mca_error_text(uint64_t status);

#ifdef __cplusplus
}
#endif

#endif
