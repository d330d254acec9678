/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ARCH_X86_64_STACK_PROTECTOR_H
#define QUIRE_ARCH_X86_64_STACK_PROTECTOR_H

/* Chooses this boot's guard value. Only for a caller that never returns. */
void stack_protector_seed(void);

#endif
