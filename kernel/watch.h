/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a counter that should move stopped? Pure: kernel/watchdog.c asks it about each CPU's ticks.
 */
#ifndef QUIRE_KERNEL_WATCH_H
#define QUIRE_KERNEL_WATCH_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum watch_verdict {
	WATCH_FINE,
	WATCH_ASK,     /* it has stood still for `limit` looks: find out why */
	WATCH_STOPPED, /* one look later, and it still does: tell somebody, once */
	WATCH_SILENT,  /* it goes on standing still; that has been told */
	WATCH_BACK,    /* it moves again, after it was told that it does not */
};

/* Zero is the beginning. Whoever looks owns it. */
struct watch {
	uint64_t seen;  /* the counter at the last look */
	uint32_t still; /* looks since it moved */
};

/* One look; `limit` is at least 1. Time is counted in looks of the one who looks, so that a machine
 * that was suspended as a whole has lost none. */
enum watch_verdict watch_look(struct watch *watch, uint64_t counter, uint32_t limit);

#ifdef __cplusplus
}
#endif

#endif
