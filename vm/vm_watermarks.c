/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many pages of each domain should be free.
 *
 * min is the domain's share of what vm_page_alloc keeps from ordinary requests: below it they
 * fail, so that the daemon has to be at work before.
 *
 * low is above min by what may be allocated until the daemon has begun to work: it may have to
 * wait for a tick, 10 ms, in which a CPU that fills pages with 1.6 GB/s takes 16 MiB, 4096 pages.
 * That is the gap on a large machine. On one with less than 4 GiB it is 1/256 of RAM, because to
 * leave more memory unused all the time costs more than a request that has to wait now and then;
 * and it is 8 pages at least.
 *
 * high is above low by the same amount again: the daemon frees as much as others take until it is
 * woken the next time, so it cannot be woken more often than every 10 ms by one CPU.
 *
 * In all, between 1/128 of RAM, where it is small, and 32 MiB a domain stay free beyond min.
 */
#include "lib/check.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys.h"

enum {
	GAP_SHARE = 256, /* of the domain's pages, one in so many */
	GAP_MIN = 8,
	GAP_MAX = 4096,
};

/* Constant after init; `low` is 0, and nobody is below it, until then. */
static struct vm_watermarks watermarks[MAXMEMDOM];

static uint64_t total_pages(void)
{
	uint64_t total = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		total += vm_phys_total_pages(domain);
	return total;
}

/* Shares are rounded up: the sum of all `min` is never below the machine's reserve. */
static struct vm_watermarks watermarks_of(uint64_t pages, uint64_t total)
{
	uint64_t min, gap = pages / GAP_SHARE;

	CHECK_NE(total, 0);
	min = (vm_page_limits.free_reserved * pages + total - 1) / total;
	if (gap < GAP_MIN)
		gap = GAP_MIN;
	if (gap > GAP_MAX)
		gap = GAP_MAX;
	return (struct vm_watermarks){min, min + gap, min + 2 * gap};
}

void vm_watermarks_init(void)
{
	uint64_t total = total_pages();

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		watermarks[domain] = watermarks_of(vm_phys_total_pages(domain), total);
}

void vm_pageout_watermarks(unsigned domain, struct vm_watermarks *marks)
{
	CHECK_LT(domain, vm_phys_domain_count());
	*marks = watermarks[domain];
}

uint64_t vm_watermarks_deficit_max(void)
{
	uint64_t sum = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		sum += watermarks[domain].high;
	return sum;
}

/* A deficit may be met by any domain, so what one of them has above `high` counts. */
uint64_t vm_watermarks_shortage(uint64_t deficit)
{
	uint64_t below = 0, above = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		uint64_t free = vm_phys_free_pages(domain), high = watermarks[domain].high;

		if (free < high)
			below += high - free;
		else
			above += free - high;
	}
	return below + (deficit > above ? deficit - above : 0);
}

bool vm_watermarks_below_low(unsigned domain)
{
	return unlikely(vm_phys_free_pages(domain) < watermarks[domain].low);
}

void vm_watermarks_check(unsigned domain)
{
	if (vm_watermarks_below_low(domain))
		vm_pageout_poke(VM_PAGEOUT_LOW);
}
