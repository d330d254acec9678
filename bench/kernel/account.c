/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/account.h"

#include "kernel/console.h"
#include "vm/uma.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_magazine.h"
#include "vm/vm_phys.h"

static uint64_t free_pages(void)
{
	uint64_t pages = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		pages += vm_phys_free_pages(domain);
	return pages;
}

static uint64_t magazine_pages(void)
{
	uint64_t pages = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++)
			pages += mag_cache_cached(
			    vm_magazine_cache(domain, (enum vm_magazine_kind)kind));
	return pages;
}

static void add_zone(void *ctx, uma_zone_t zone)
{
	struct bench_account *account = (struct bench_account *)ctx;
	struct uma_zone_stats stats;
	uint64_t useful;

	uma_zone_stats(zone, &stats);
	useful = stats.live * stats.size + stats.cached * stats.slot;
	account->cached_items += stats.cached * stats.slot;
	if (ptoa(stats.pages) > useful)
		account->slab_waste += ptoa(stats.pages) - useful;
}

void bench_account_take(struct bench_account *account)
{
	*account = (struct bench_account){
	    .cached_pages = ptoa(magazine_pages()),
	    .cached_ranges = ptoa(kmem_cache_cached_pages()),
	    .free = ptoa(free_pages()),
	};
	uma_zone_foreach(add_zone, account);
}

void bench_account_print(const struct bench_account *account, unsigned index, const char *mode)
{
	console_printf("bench: note case=%u mode=%s cached_page_bytes=%lu cached_range_bytes=%lu "
		       "cached_item_bytes=%lu slab_waste_bytes=%lu free_bytes=%lu\n",
		       index, mode, (unsigned long)account->cached_pages,
		       (unsigned long)account->cached_ranges, (unsigned long)account->cached_items,
		       (unsigned long)account->slab_waste, (unsigned long)account->free);
}

void bench_account_print_metadata(void)
{
	struct vm_accounting acc;

	vm_accounting(&acc);
	console_printf("bench: note ram_bytes=%lu boot_bytes=%lu table_bytes=%lu pool_bytes=%lu\n",
		       (unsigned long)ptoa(acc.total), (unsigned long)ptoa(acc.boot),
		       (unsigned long)ptoa(acc.tables), (unsigned long)ptoa(acc.meta));
}
