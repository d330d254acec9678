/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmem.debug: memory of kmem_map is unmapped when it is freed and stays away for long, so that a
 * use after the free faults, and the panic names who allocated and who freed it.
 */
#ifndef QUIRE_VM_VM_KERN_DEBUG_H
#define QUIRE_VM_VM_KERN_DEBUG_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Switches it on or off; on takes 16 bytes for each page of kmem_map, once, and does nothing but
 * say so in the log when they cannot be had. The kmem caches are off while it is on, and on again
 * afterwards. sysctl kmem.debug. Thread context, nothing locked.
 */
void kmem_debug_set(bool on);
bool kmem_debug(void);

/*
 * Gives back all addresses that are kept away. Returns bytes. Thread context, nothing locked:
 * for whoever is short of addresses.
 */
vm_size_t kmem_debug_release(void);

#ifdef __cplusplus
}
#endif

#endif
