/* SPDX-License-Identifier: BSD-2-Clause */
/* The workstation underneath: its clock and its scheduler. */
#include <sched.h>
#include <time.h>

#include "arch/host/internal.h"

uint64_t host_real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void host_real_pause(void)
{
	sched_yield();
}
