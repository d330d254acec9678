/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is kept because it may be wanted again soon, and how to get it back.
 */
#ifndef QUIRE_VM_UMA_H
#define QUIRE_VM_UMA_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Gives back what caches hold: every CPU's, not only the caller's, while the others go on. Does
 * not sleep; no lock of rank LOCK_RANK_MAGAZINE or above held.
 */
void uma_reclaim(void);

#ifdef __cplusplus
}
#endif

#endif
