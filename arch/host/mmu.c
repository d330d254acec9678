/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU's TLB: filled by its own walks, emptied by its own invalidations, looked at by tests
 * and by the oracle. Only its CPU changes it, so only changes and looks from outside are latched.
 */
#include "arch/host/internal.h"

static void tlb_changed(void *ctx, const struct tlb_entry *entry, int change)
{
	(void)ctx;
	host_reverse_count(&host_machine->reverse, entry, change);
}

static void tlb_lock(struct host_cpu *cpu)
{
	if (host_is_threads())
		host_latch_take(&cpu->tlb_latch);
}

static void tlb_unlock(struct host_cpu *cpu)
{
	if (host_is_threads())
		host_latch_drop(&cpu->tlb_latch);
}

void host_tlb_add(struct host_cpu *self, const struct tlb_entry *entry)
{
	unsigned capacity = host_machine->config.tlb_capacity;

	tlb_lock(self);
	if (capacity != 0 && self->tlb.used >= capacity)
		tlb_evict(&self->tlb, host_random_next(&self->random), tlb_changed, NULL);
	tlb_insert(&self->tlb, entry, tlb_changed, NULL);
	tlb_unlock(self);
}

void host_tlb_forget(struct host_cpu *self, vm_offset_t va, bool tables)
{
	tlb_lock(self);
	tlb_drop(&self->tlb, va, tables, tlb_changed, NULL);
	tlb_unlock(self);
}

void host_tlb_invalidate_page(vm_offset_t va)
{
	struct host_cpu *self = host_self();

	host_stores_fence(self);
	host_mmu_used(va);
	self->tlb_invalidations++;
	if (self->tlb_deaf)
		return;
	host_tlb_forget(self, va, true);
}

void host_tlb_flush(void)
{
	struct host_cpu *self = host_self();

	host_stores_fence(self);
	self->tlb_flushes++;
	if (self->tlb_deaf)
		return;
	tlb_lock(self);
	tlb_flush(&self->tlb, tlb_changed, NULL);
	self->excuse.given = false;
	tlb_unlock(self);
}

/* How large the table has grown takes part in which entry a full one evicts. */
void host_tlb_rewind(struct host_cpu *cpu)
{
	tlb_lock(cpu);
	tlb_flush(&cpu->tlb, tlb_changed, NULL);
	if (host_machine->config.tlb_capacity != 0)
		tlb_destroy(&cpu->tlb);
	cpu->excuse.given = false;
	tlb_unlock(cpu);
	cpu->tlb_deaf = false;
	cpu->tlb_invalidations = cpu->tlb_flushes = 0;
}

uint64_t host_tlb_hash(unsigned cpu)
{
	const struct host_cpu *of = host_cpu_of(cpu);

	return tlb_hash(&of->tlb) + (uint64_t)of->excuse.given * HOST_TRACE_PRIME;
}

static void entry_export(const struct tlb_entry *entry, struct host_tlb_entry *out)
{
	out->va = entry->va;
	out->pa = entry->pa;
	out->level = entry->level;
	out->table = entry->table;
	out->writable = (entry->rights & TLB_WRITE) != 0;
	out->executable = (entry->rights & TLB_EXECUTE) != 0;
	out->dirty = (entry->rights & TLB_DIRTY) != 0;
	out->attr = (vm_memattr_t)tlb_entry_attr(entry);
}

bool host_tlb_find(unsigned cpu, vm_offset_t va, struct host_tlb_entry *out)
{
	struct host_cpu *target = host_cpu_of(cpu);
	struct tlb_entry leaf;
	bool found;

	tlb_lock(target);
	found = tlb_find_leaf(&target->tlb, va, &leaf);
	tlb_unlock(target);
	if (found && out != NULL)
		entry_export(&leaf, out);
	return found;
}

bool host_tlb_find_table(unsigned cpu, vm_offset_t va, struct host_tlb_entry *out)
{
	struct host_cpu *target = host_cpu_of(cpu);
	struct tlb_entry table;
	bool found = false;

	tlb_lock(target);
	for (unsigned level = 1; level < MMU_LEVELS && !found; level++)
		found = tlb_find_table(&target->tlb, va, level, &table);
	tlb_unlock(target);
	if (found && out != NULL)
		entry_export(&table, out);
	return found;
}

size_t host_tlb_count(unsigned cpu)
{
	return tlb_leaf_count(&host_cpu_of(cpu)->tlb);
}

void host_tlb_set_deaf(unsigned cpu, bool on)
{
	host_cpu_of(cpu)->tlb_deaf = on;
}

uint64_t host_tlb_invalidations(unsigned cpu)
{
	return host_cpu_of(cpu)->tlb_invalidations;
}

uint64_t host_tlb_flushes(unsigned cpu)
{
	return host_cpu_of(cpu)->tlb_flushes;
}
