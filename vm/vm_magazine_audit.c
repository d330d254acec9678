/* SPDX-License-Identifier: BSD-2-Clause */
/* Is each page in a magazine what it should be, and in one place? */
#include "lib/format.h"
#include "vm/vm_magazine_private.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_report.h"

struct audit {
	vm_report_fn *report;
	unsigned broken;
	vm_page_t mark; /* no page's address, and no earlier audit's mark */
	unsigned domain;
	enum vm_magazine_kind kind;
};

static void holder_name(char *text, size_t size, int cpu)
{
	if (cpu == MAG_CACHE_DEPOT)
		format(text, size, "the depot");
	else
		format(text, size, "CPU %d", cpu);
}

/*
 * A page in a magazine uses its list links for nothing: an audit leaves its mark there, and finds
 * one that it has seen.
 */
static void audit_page(void *arg, void *item, int cpu)
{
	struct audit *audit = (struct audit *)arg;
	vm_page_t m = (vm_page_t)item;
	unsigned long long pa = (unsigned long long)m->phys_addr;
	struct vm_page_damage damage;
	char holder[16];

	holder_name(holder, sizeof(holder), cpu);
	if (m->state != VM_PAGE_MAGAZINE) {
		audit->broken += vm_report(audit->report, "magazine: page %#llx of %s is %s", pa,
					   holder, vm_page_state_name(m->state));
		return; /* its links are in use */
	}
	if (m->link.tqe_next == audit->mark)
		audit->broken +=
		    vm_report(audit->report, "magazine: %s holds %#llx a second time", holder, pa);
	m->link.tqe_next = audit->mark;
	if (m->domain != audit->domain)
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx of domain %u is kept for %u", pa,
			      m->domain, audit->domain);
	if (m->object != NULL || m->wire_count != 0 || m->order != VM_PAGE_NO_ORDER)
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx of %s is in use", pa, holder);
	if (audit->kind == VM_MAGAZINE_ZERO && (m->flags & PG_ZERO) == 0)
		audit->broken += vm_report(
		    audit->report, "magazine: page %#llx of %s is not known zero", pa, holder);
	if (!vm_page_intact(m, &damage))
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx was written at offset %u", pa,
			      damage.offset);
}

static unsigned audit_all(vm_report_fn *report)
{
	static struct atomic32 audits;
	struct audit audit = {.report = report};

	audit.mark = (vm_page_t)(uintptr_t)(2 * atomic32_add(&audits, 1, MO_RELAXED) + 1);
	for (audit.domain = 0; audit.domain < vm_magazines.domains; audit.domain++) {
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++) {
			struct mag_cache *cache = &vm_magazines.caches[audit.domain][kind];

			audit.kind = (enum vm_magazine_kind)kind;
			audit.broken += mag_cache_audit(cache, report);
			mag_cache_visit(cache, audit_page, &audit);
		}
	}
	return audit.broken;
}

static void report_nothing(const char *line)
{
	(void)line;
}

/*
 * A magazine that went from a CPU to the depot while the audit was on its way is seen twice; a page
 * that is in two places is so the next time as well.
 */
unsigned vm_magazine_audit(void (*report)(const char *line))
{
	unsigned broken;

	vm_magazine_pause();
	broken = audit_all(report_nothing);
	if (broken != 0)
		broken = audit_all(report);
	vm_magazine_resume();
	return broken;
}
