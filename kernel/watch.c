/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/watch.h"

enum watch_verdict watch_look(struct watch *watch, uint64_t counter, uint32_t limit)
{
	bool told = watch->still > limit;

	if (counter != watch->seen) {
		watch->seen = counter;
		watch->still = 0;
		return told ? WATCH_BACK : WATCH_FINE;
	}
	if (told)
		return WATCH_SILENT;
	watch->still++;
	if (watch->still < limit)
		return WATCH_FINE;
	return watch->still == limit ? WATCH_ASK : WATCH_STOPPED;
}
