/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail when a test wants them to. */
#include "arch/host/internal.h"
#include "lib/string.h"

enum { SITES_MAX = 256 };

uint32_t host_faults_armed;

/* (l) latch */
static struct {
	struct host_latch latch;
	struct host_fault_plan plan;             /* (l) */
	uint64_t calls, failures;                /* (l) */
	struct host_fault_site sites[SITES_MAX]; /* (l) */
	size_t site_count;                       /* (l) */
} faults;

void host_fault_arm(const struct host_fault_plan *plan)
{
	if (plan->policy == HOST_FAULT_NTH || plan->policy == HOST_FAULT_FROM_NTH)
		CHECK_NE(plan->nth, 0);
	host_latch_take(&faults.latch);
	faults.plan = *plan;
	faults.calls = faults.failures = 0;
	faults.site_count = 0;
	host_latch_drop(&faults.latch);
	__atomic_store_n(&host_faults_armed, 1, __ATOMIC_RELAXED);
}

void host_fault_disarm(void)
{
	__atomic_store_n(&host_faults_armed, 0, __ATOMIC_RELAXED);
}

void host_faults_reset(void)
{
	host_fault_disarm();
	faults.calls = faults.failures = 0;
	faults.site_count = 0;
}

/* Two literals of one text may have two addresses. */
static struct host_fault_site *site_find_locked(const char *name)
{
	struct host_fault_site *site;

	for (size_t i = 0; i < faults.site_count; i++)
		if (faults.sites[i].name == name || strcmp(faults.sites[i].name, name) == 0)
			return &faults.sites[i];
	if (faults.site_count == SITES_MAX)
		return NULL;
	site = &faults.sites[faults.site_count++];
	site->name = name;
	site->calls = site->failures = 0;
	return site;
}

static bool decide_locked(const char *name)
{
	const struct host_fault_plan *plan = &faults.plan;

	if (plan->site != NULL && strcmp(plan->site, name) != 0)
		return false;
	faults.calls++;
	switch (plan->policy) {
	case HOST_FAULT_NTH:
		return faults.calls == plan->nth;
	case HOST_FAULT_FROM_NTH:
		return faults.calls >= plan->nth;
	case HOST_FAULT_PROBABILITY:
		return host_machine != NULL && host_chance(host_self(), plan->ppm);
	case HOST_FAULT_OBSERVE:
		break;
	}
	return false;
}

bool host_fault_point(const char *name)
{
	struct host_fault_site *site;
	bool fail;

	host_latch_take(&faults.latch);
	site = site_find_locked(name);
	fail = decide_locked(name);
	faults.failures += fail;
	if (site != NULL) {
		site->calls++;
		site->failures += fail;
	}
	host_latch_drop(&faults.latch);
	if (site == NULL)
		panic("host machine: more than %d fault sites", SITES_MAX);
	return fail;
}

uint64_t host_fault_calls(void)
{
	return faults.calls;
}

uint64_t host_fault_failures(void)
{
	return faults.failures;
}

size_t host_fault_site_count(void)
{
	return faults.site_count;
}

bool host_fault_site_get(size_t index, struct host_fault_site *out)
{
	if (index >= faults.site_count)
		return false;
	*out = faults.sites[index];
	return true;
}
