/* SPDX-License-Identifier: BSD-2-Clause */
/* Who resolves page faults. */
#include "arch/host/internal.h"

static arch_fault_handler *fault_handler;

void host_fault_handler_reset(void)
{
	fault_handler = NULL;
}

void arch_fault_set_handler(arch_fault_handler *handler)
{
	fault_handler = handler;
}

bool host_fault_resolve(const struct arch_fault *fault, char *why, size_t why_size)
{
	return fault_handler != NULL && fault_handler(fault, why, why_size);
}
