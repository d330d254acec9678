/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/host/tlb.h"

#include <stdlib.h>

#include "arch/mmu.h"
#include "lib/check.h"

enum { TLB_SLOTS_MIN = 64, KEY_KIND_BITS = 3 };

/* The first table that is smaller than what a level-4 entry leads to has level 3. */
static unsigned kind_of(unsigned level, bool table)
{
	return table ? level + 3 : level;
}

static unsigned kind_shift(unsigned kind)
{
	return MMU_LEVEL_SHIFT(kind <= 3 ? kind : kind - 3 + 1);
}

/* Never 0, for kinds start at 1. */
static uint64_t key_of(vm_offset_t va, unsigned kind)
{
	return (va >> kind_shift(kind) << (kind_shift(kind) - PAGE_SHIFT) << KEY_KIND_BITS) | kind;
}

static unsigned key_kind(uint64_t key)
{
	return (unsigned)key & ((1u << KEY_KIND_BITS) - 1);
}

static struct tlb_entry slot_entry(const struct tlb_slot *slot)
{
	unsigned kind = key_kind(slot->key);
	struct tlb_entry entry = {
	    .va = (slot->key >> KEY_KIND_BITS) << PAGE_SHIFT,
	    .pa = slot->value & ~PAGE_MASK,
	    .level = (uint8_t)(kind <= 3 ? kind : kind - 3),
	    .table = kind > 3,
	    .rights = (uint8_t)(slot->value & PAGE_MASK),
	};

	return entry;
}

static size_t slot_home(const struct tlb *tlb, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (tlb->slot_count - 1);
}

/* The slot of the key, or the empty one where it would go. slot_count is not 0. */
static size_t slot_find(const struct tlb *tlb, uint64_t key)
{
	size_t i = slot_home(tlb, key);

	while (tlb->slots[i].key != 0 && tlb->slots[i].key != key)
		i = (i + 1) & (tlb->slot_count - 1);
	return i;
}

static void slots_grow(struct tlb *tlb)
{
	struct tlb old = *tlb;

	tlb->slot_count = old.slot_count == 0 ? TLB_SLOTS_MIN : old.slot_count * 2;
	tlb->slots = calloc(tlb->slot_count, sizeof(*tlb->slots));
	if (tlb->slots == NULL)
		panic("host machine: no memory for a TLB of %zu slots", tlb->slot_count);
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.slots[i].key != 0)
			tlb->slots[slot_find(tlb, old.slots[i].key)] = old.slots[i];
	free(old.slots);
}

/* Empties slot i; entries that were pushed past it move back, so that searches still end right. */
static void slot_remove(struct tlb *tlb, size_t i, tlb_change *change, void *ctx)
{
	struct tlb_entry entry = slot_entry(&tlb->slots[i]);
	size_t mask = tlb->slot_count - 1;

	change(ctx, &entry, -1);
	tlb->count[key_kind(tlb->slots[i].key)]--;
	tlb->used--;
	for (size_t j = (i + 1) & mask; tlb->slots[j].key != 0; j = (j + 1) & mask) {
		size_t home = slot_home(tlb, tlb->slots[j].key);

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		tlb->slots[i] = tlb->slots[j];
		i = j;
	}
	tlb->slots[i].key = 0;
}

static bool find_kind(const struct tlb *tlb, vm_offset_t va, unsigned kind, struct tlb_entry *out)
{
	const struct tlb_slot *slot;

	if (tlb->count[kind] == 0)
		return false;
	slot = &tlb->slots[slot_find(tlb, key_of(va, kind))];
	if (slot->key == 0)
		return false;
	*out = slot_entry(slot);
	return true;
}

bool tlb_find_leaf(const struct tlb *tlb, vm_offset_t va, struct tlb_entry *out)
{
	return find_kind(tlb, va, 1, out) || find_kind(tlb, va, 2, out) ||
	       find_kind(tlb, va, 3, out);
}

bool tlb_find_table(const struct tlb *tlb, vm_offset_t va, unsigned level, struct tlb_entry *out)
{
	return find_kind(tlb, va, kind_of(level, true), out);
}

static void drop_kind(struct tlb *tlb, vm_offset_t va, unsigned kind, tlb_change *change, void *ctx)
{
	size_t i;

	if (tlb->count[kind] == 0)
		return;
	i = slot_find(tlb, key_of(va, kind));
	if (tlb->slots[i].key != 0)
		slot_remove(tlb, i, change, ctx);
}

void tlb_insert(struct tlb *tlb, const struct tlb_entry *entry, tlb_change *change, void *ctx)
{
	unsigned kind = kind_of(entry->level, entry->table);
	struct tlb_slot *slot;
	struct tlb_entry stored;

	drop_kind(tlb, entry->va, kind, change, ctx);
	if (tlb->used * 2 >= tlb->slot_count)
		slots_grow(tlb);
	slot = &tlb->slots[slot_find(tlb, key_of(entry->va, kind))];
	slot->key = key_of(entry->va, kind);
	slot->value = trunc_page(entry->pa) | entry->rights;
	tlb->count[kind]++;
	tlb->used++;
	stored = slot_entry(slot);
	change(ctx, &stored, 1);
}

void tlb_drop(struct tlb *tlb, vm_offset_t va, bool tables, tlb_change *change, void *ctx)
{
	for (unsigned kind = 1; kind < (tables ? TLB_KINDS : 4); kind++)
		drop_kind(tlb, va, kind, change, ctx);
}

void tlb_evict(struct tlb *tlb, uint64_t random, tlb_change *change, void *ctx)
{
	size_t i;

	if (tlb->used == 0)
		return;
	i = (size_t)random & (tlb->slot_count - 1);
	while (tlb->slots[i].key == 0)
		i = (i + 1) & (tlb->slot_count - 1);
	slot_remove(tlb, i, change, ctx);
}

void tlb_flush(struct tlb *tlb, tlb_change *change, void *ctx)
{
	if (tlb->used == 0)
		return;
	for (size_t i = 0; i < tlb->slot_count; i++) {
		if (tlb->slots[i].key != 0) {
			struct tlb_entry entry = slot_entry(&tlb->slots[i]);

			tlb->slots[i].key = 0;
			change(ctx, &entry, -1);
		}
	}
	for (unsigned kind = 0; kind < TLB_KINDS; kind++)
		tlb->count[kind] = 0;
	tlb->used = 0;
}

void tlb_destroy(struct tlb *tlb)
{
	static const struct tlb nothing;

	free(tlb->slots);
	*tlb = nothing;
}

bool tlb_scan(const struct tlb *tlb, bool (*fn)(void *ctx, const struct tlb_entry *entry),
	      void *ctx)
{
	for (size_t i = 0; i < tlb->slot_count; i++) {
		struct tlb_entry entry = slot_entry(&tlb->slots[i]);

		if (tlb->slots[i].key != 0 && fn(ctx, &entry))
			return true;
	}
	return false;
}

vm_size_t tlb_entry_size(const struct tlb_entry *entry)
{
	return (vm_size_t)1 << kind_shift(kind_of(entry->level, entry->table));
}

uint64_t tlb_hash(const struct tlb *tlb)
{
	uint64_t sum = 0;

	if (tlb->used == 0)
		return 0;
	for (size_t i = 0; i < tlb->slot_count; i++) {
		const struct tlb_slot *slot = &tlb->slots[i];
		uint64_t mixed = (slot->key ^ slot->value << 29 ^ slot->value >> 35) *
				 UINT64_C(0x9e3779b97f4a7c15);

		if (slot->key != 0)
			sum += mixed ^ mixed >> 31;
	}
	return sum;
}
