/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic accesses of the machine are the compiler's, with nothing around them. */
#ifndef QUIRE_ARCH_X86_64_MD_ATOMIC_H
#define QUIRE_ARCH_X86_64_MD_ATOMIC_H

#define arch_shared_load(type, where, mo)         __atomic_load_n(where, mo)
#define arch_shared_store(type, where, value, mo) __atomic_store_n(where, value, mo)
#define arch_shared_update(type, operation)       (operation)
#define arch_shared_seen(value)                   ((void)0)

#endif
