/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address maps.
 *
 * 1 Purpose. A map says which range of kernel addresses is what. It gives out ranges (findspace,
 *   insert), backs and wires them (wire), and takes them back so that nobody can reach the memory
 *   any more (delete). kernel_map covers all kernel addresses.
 *
 * 2 Vocabulary. An entry is a range with one object, one protection and one wire count. A gap is
 *   the free space behind an entry. A range in transition is one that a thread works on while the
 *   map is unlocked (vm_map_transition.c).
 *
 * 3 Structures. Entries lie in a sorted list and in a red-black tree that knows the largest gap of
 *   each subtree (vm_map_tree.c). They are disjoint, page-aligned and inside the map. Neighbours
 *   that are equal in object, contiguous offset, flags, protections and wire count are merged
 *   into one, unless one is in transition or a submap, so that the number of entries follows the
 *   number of holes and not the number of allocations.
 *
 * 4 Locking. One lock a map. A system map's is a spinlock, so that memory can be asked for where
 *   sleeping is not allowed; others have a mutex. Nothing that can take long happens under either:
 *   pages are brought in, unmapped and shot down with the range in transition and the map
 *   unlocked. Order: map, entry pool, object, page table, page allocators.
 *
 * 5 Failure. Entries come from a pool with a reserve. Asking for memory leaves the reserve alone
 *   and fails cleanly; giving memory back may use it, because a removal that splits an entry
 *   needs one more, and its pages refill the pool.
 *
 * 6 Debugging. vm_map_audit checks every rule above; vm_map_describe names an address.
 *
 * 7 Rejected. The classic removal works under the map's lock; with a spinning lock the shootdown
 *   would wait with interrupts off, and two of them for each other. A hint of the last place
 *   found is not kept: the tree finds the lowest place as fast, and a lower place is better.
 */
#include "vm/vm_map.h"

#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_swap.h"

/*
 * A removal keeps at most two entries more than there were (one split at each end) until its
 * pages are free and the pool is refilled; one removal a CPU can be at that point, since between
 * taking the entries and the shootdown the thread holds a spinlock, and during the shootdown it
 * cannot be preempted. 64 serves 32 CPUs that free memory in the same instant, each of which
 * finds no memory at all; more wait in map_transition_begin's failure and try again.
 */
enum { MAP_ENTRY_RESERVE = 64 };

struct vm_pool map_entry_pool;

void vm_map_startup(void)
{
	vm_pool_init(&map_entry_pool, "map entries", sizeof(struct vm_map_entry), MAP_ENTRY_RESERVE,
		     LOCK_RANK_MAP_ENTRIES);
	CHECK(vm_pool_refill(&map_entry_pool));
	map_submap_startup();
}

void vm_map_init(vm_map_t map, const char *name, pmap_t pmap, vm_offset_t min, vm_offset_t max,
		 bool system_map)
{
	CHECK_EQ((min | max) & PAGE_MASK, 0);
	CHECK_LT(min, max);
	map->name = name;
	map->pmap = pmap;
	map->min_offset = min;
	map->max_offset = max;
	map->system_map = system_map;
	map->needs_wakeup = 0;
	map->timestamp = 0;
	TAILQ_INIT(&map->waiters);
	atomic32_store(&map->space_waiters, 0, MO_RELAXED);
	spin_init(&map->spin, name, LOCK_RANK_MAP, 0);
	mutex_init(&map->mutex, name, LOCK_RANK_MAP);
	map_tree_init(map);
}

void vm_map_lock(vm_map_t map)
{
	if (map->system_map)
		spin_lock(&map->spin);
	else
		mutex_lock(&map->mutex);
	map->timestamp++;
}

void vm_map_unlock(vm_map_t map)
{
	if (map->system_map)
		spin_unlock(&map->spin);
	else
		mutex_unlock(&map->mutex);
}

bool vm_map_locked(vm_map_t map)
{
	return map->system_map ? spin_owned(&map->spin) : mutex_owned(&map->mutex);
}

void map_entry_dispose(vm_map_entry_t entry)
{
	if ((entry->eflags & MAP_ENTRY_IS_SUB_MAP) == 0 && entry->object.vm_object != NULL)
		vm_object_deallocate(entry->object.vm_object);
	vm_pool_free(&map_entry_pool, entry);
}

int map_entry_need_object(vm_map_entry_t entry)
{
	if (entry->object.vm_object != NULL)
		return KERN_SUCCESS;
	CHECK((entry->eflags & (MAP_ENTRY_NOFAULT | MAP_ENTRY_IS_SUB_MAP)) == 0);
	entry->object.vm_object = vm_object_allocate(OBJT_DEFAULT, atop(entry->end - entry->start));
	entry->offset = 0;
	return entry->object.vm_object != NULL ? KERN_SUCCESS : KERN_RESOURCE_SHORTAGE;
}

/* Does `next` continue `prev`, so that one entry can stand for both? */
static bool entries_mergeable(const struct vm_map_entry *prev, const struct vm_map_entry *next)
{
	vm_size_t prev_size = prev->end - prev->start;

	if ((prev->eflags | next->eflags) & (MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_IS_SUB_MAP))
		return false;
	return prev->end == next->start && prev->eflags == next->eflags &&
	       prev->object.vm_object == next->object.vm_object &&
	       (prev->object.vm_object == NULL || prev->offset + prev_size == next->offset) &&
	       prev->protection == next->protection &&
	       prev->max_protection == next->max_protection &&
	       prev->wired_count == next->wired_count && prev->charged == next->charged &&
	       prev->has_memattr == next->has_memattr;
}

/* `prev` takes over the range of `next`, which goes away with its object reference. */
static void entry_absorb(vm_map_t map, vm_map_entry_t prev, vm_map_entry_t next)
{
	vm_offset_t end = next->end;

	map_tree_unlink(map, next);
	map_entry_dispose(next);
	map_tree_set_end(map, prev, end);
}

vm_map_entry_t vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_t prev = TAILQ_PREV(entry, vm_map_list, list);
	vm_map_entry_t next;

	ASSERT(vm_map_locked(map));
	if (prev != NULL && entries_mergeable(prev, entry)) {
		entry_absorb(map, prev, entry);
		entry = prev;
	}
	next = TAILQ_NEXT(entry, list);
	if (next != NULL && entries_mergeable(entry, next))
		entry_absorb(map, entry, next);
	return entry;
}

/* A copy of the entry, with a reference of its own; its bounds are to be set and linked. */
static vm_map_entry_t entry_copy(vm_map_entry_t entry, int how, const char *site)
{
	vm_map_entry_t copy;

	CHECK((entry->eflags & (MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_IS_SUB_MAP)) == 0);
	copy = (vm_map_entry_t)vm_pool_alloc(&map_entry_pool, how, site);
	if (copy == NULL)
		return NULL;
	*copy = *entry;
	if (copy->object.vm_object != NULL)
		vm_object_reference(copy->object.vm_object);
	return copy;
}

int map_entry_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr, int how)
{
	vm_map_entry_t front;
	vm_size_t front_size = addr - entry->start;

	ASSERT(vm_map_locked(map));
	if (addr <= entry->start || addr >= entry->end)
		return KERN_SUCCESS;
	front = entry_copy(entry, how, "vm_map_clip_start");
	if (front == NULL)
		return KERN_RESOURCE_SHORTAGE;
	front->end = addr;
	/* The entry keeps its place in the order while it shrinks, and link fits the front in. */
	entry->start = addr;
	entry->offset += front_size;
	map->size -= front_size;
	map_tree_link(map, TAILQ_PREV(entry, vm_map_list, list), front);
	return KERN_SUCCESS;
}

int map_entry_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr, int how)
{
	vm_map_entry_t back;

	ASSERT(vm_map_locked(map));
	if (addr <= entry->start || addr >= entry->end)
		return KERN_SUCCESS;
	back = entry_copy(entry, how, "vm_map_clip_end");
	if (back == NULL)
		return KERN_RESOURCE_SHORTAGE;
	back->start = addr;
	back->offset += addr - entry->start;
	map_tree_set_end(map, entry, addr);
	map_tree_link(map, entry, back);
	return KERN_SUCCESS;
}

static int insert_check(vm_map_t map, const struct vm_map_entry *range)
{
	if (range->start < map->min_offset || range->end > map->max_offset ||
	    range->start >= range->end)
		return KERN_INVALID_ADDRESS;
	if (((range->start | range->end | range->offset) & PAGE_MASK) != 0)
		return KERN_INVALID_ARGUMENT;
	if ((range->protection & ~range->max_protection) != 0)
		return KERN_INVALID_ARGUMENT;
	if ((range->eflags & MAP_ENTRY_NOFAULT) != 0 && range->object.vm_object != NULL)
		return KERN_INVALID_ARGUMENT;
	if ((range->protection & VM_PROT_WRITE) != 0 && (range->protection & VM_PROT_EXECUTE) != 0)
		return KERN_PROTECTION_FAILURE;
	return KERN_SUCCESS;
}

/* Is there a page table for all of the range? */
static int insert_grow(vm_map_t map, const struct vm_map_entry *range)
{
	if (map->pmap != kernel_pmap)
		return KERN_SUCCESS;
	return pmap_growkernel(range->start, range->end);
}

void map_entry_extend(vm_map_t map, vm_map_entry_t entry, vm_offset_t end)
{
	map_tree_set_end(map, entry, end);
	if (unlikely(entry->gap == 0))
		vm_map_simplify_entry(map, entry);
}

/* Lets `prev` stand for the range as well, if it can. */
static bool insert_extend(vm_map_t map, vm_map_entry_t prev, const struct vm_map_entry *range)
{
	if (prev == NULL || !entries_mergeable(prev, range))
		return false;
	map_entry_extend(map, prev, range->end);
	return true;
}

/* Puts an entry for the range behind `prev`. NULL without memory for it. */
static vm_map_entry_t insert_entry(vm_map_t map, vm_map_entry_t prev,
				   const struct vm_map_entry *range)
{
	vm_map_entry_t entry =
	    (vm_map_entry_t)vm_pool_alloc(&map_entry_pool, VM_POOL_NORMAL, "vm_map_insert");

	if (entry == NULL)
		return NULL;
	*entry = *range;
	map_tree_link(map, prev, entry);
	return entry;
}

/* Puts the range, which fits behind `prev`, into the map; alone: as an entry of its own. */
static int insert_behind(vm_map_t map, vm_map_entry_t prev, const struct vm_map_entry *range,
			 bool alone)
{
	vm_map_entry_t entry;
	int rv = insert_grow(map, range);

	if (rv != KERN_SUCCESS)
		return rv;
	if (!alone && insert_extend(map, prev, range)) {
		if (range->object.vm_object != NULL)
			vm_object_deallocate(range->object.vm_object);
		return KERN_SUCCESS;
	}
	entry = insert_entry(map, prev, range);
	if (entry == NULL)
		return KERN_RESOURCE_SHORTAGE;
	if (!alone)
		vm_map_simplify_entry(map, entry);
	return KERN_SUCCESS;
}

/* The entry that a range goes behind: NULL when it is the first. KERN_NO_SPACE if it does not fit.
 */
static int insert_place(vm_map_t map, const struct vm_map_entry *range, vm_map_entry_t *prev)
{
	vm_offset_t limit;

	if (vm_map_lookup_entry(map, range->start, prev))
		return KERN_NO_SPACE;
	limit = *prev != NULL ? (*prev)->end + (*prev)->gap : map->min_offset + map->head_gap;
	return range->end - range->start > limit - range->start ? KERN_NO_SPACE : KERN_SUCCESS;
}

int map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_map_entry_t *prev)
{
	const struct vm_map_entry range = {.start = start, .end = end};
	int rv = insert_check(map, &range);

	ASSERT(vm_map_locked(map));
	return rv == KERN_SUCCESS ? insert_place(map, &range, prev) : rv;
}

/* Apart: it needs an entry, and most ranges only make one longer. */
static __attribute__((noinline)) int insert_wired_entry(vm_map_t map, vm_map_entry_t prev,
							const struct vm_map_entry *range)
{
	vm_map_entry_t entry = insert_entry(map, prev, range);

	if (entry == NULL)
		return KERN_RESOURCE_SHORTAGE;
	vm_object_reference(range->object.vm_object);
	vm_map_simplify_entry(map, entry);
	return KERN_SUCCESS;
}

int map_insert_wired(vm_map_t map, vm_map_entry_t prev, vm_object_t object, vm_ooffset_t offset,
		     vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	const struct vm_map_entry range = {.start = start,
					   .end = end,
					   .object.vm_object = object,
					   .offset = offset,
					   .protection = prot,
					   .max_protection = VM_PROT_ALL,
					   .wired_count = 1};

	ASSERT(vm_map_locked(map));
	if (insert_extend(map, prev, &range))
		return KERN_SUCCESS;
	return insert_wired_entry(map, prev, &range);
}

/* Pageable memory is charged, by the caller already or now. */
static int insert_charge(struct vm_map_entry *range, int cow, vm_size_t *reserved)
{
	vm_size_t size = range->end - range->start;
	bool pageable = range->object.vm_object == NULL && (cow & MAP_NOFAULT) == 0;

	*reserved = 0;
	range->charged = (cow & MAP_ACC_CHARGED) != 0;
	if (!pageable || (cow & (MAP_ACC_CHARGED | MAP_ACC_NO_CHARGE)) != 0)
		return KERN_SUCCESS;
	if (!swap_reserve(size))
		return KERN_RESOURCE_SHORTAGE;
	range->charged = true;
	*reserved = size;
	return KERN_SUCCESS;
}

int vm_map_insert(vm_map_t map, vm_object_t object, vm_ooffset_t offset, vm_offset_t start,
		  vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow)
{
	struct vm_map_entry range = {.start = start,
				     .end = end,
				     .object.vm_object = object,
				     .offset = offset,
				     .protection = prot,
				     .max_protection = max,
				     .eflags = cow & MAP_NOFAULT ? MAP_ENTRY_NOFAULT : 0};
	vm_map_entry_t prev;
	vm_size_t reserved;
	int rv;

	CHECK(vm_map_locked(map));
	rv = insert_check(map, &range);
	if (rv != KERN_SUCCESS)
		return rv;
	rv = insert_place(map, &range, &prev);
	if (rv != KERN_SUCCESS)
		return rv;
	rv = insert_charge(&range, cow, &reserved);
	if (rv != KERN_SUCCESS)
		return rv;
	rv = insert_behind(map, prev, &range, (cow & MAP_INSERT_ALONE) != 0);
	if (rv != KERN_SUCCESS && reserved != 0)
		swap_release(reserved);
	return rv;
}

int map_findspace_aligned(vm_map_t map, vm_offset_t start, vm_size_t length, vm_offset_t *addr)
{
	for (;;) {
		vm_offset_t found, aligned;

		if (vm_map_findspace(map, start, length, &found) != 0)
			return 1;
		aligned = (found + SUPERPAGE_SIZE - 1) & ~(SUPERPAGE_SIZE - 1);
		if (aligned < found || vm_map_findspace(map, aligned, length, addr) != 0)
			return 1;
		if (*addr == aligned)
			return 0;
		start = *addr; /* the next gap that is long enough; it lies behind */
	}
}

static int find_place(vm_map_t map, vm_offset_t *addr, vm_size_t length, int find_space)
{
	switch (find_space) {
	case VMFS_NO_SPACE:
		return 0;
	case VMFS_ALIGNED_SPACE:
		if (length >= SUPERPAGE_SIZE)
			return map_findspace_aligned(map, *addr, length, addr);
		return vm_map_findspace(map, *addr, length, addr);
	default:
		return vm_map_findspace(map, *addr, length, addr);
	}
}

int vm_map_find(vm_map_t map, vm_object_t object, vm_ooffset_t offset, vm_offset_t *addr,
		vm_size_t length, int find_space, vm_prot_t prot, vm_prot_t max, int cow)
{
	vm_offset_t start = *addr;
	int rv = KERN_NO_SPACE;

	if (length == 0 || start + length < start)
		return KERN_INVALID_ADDRESS;
	vm_map_lock(map);
	if (find_place(map, &start, length, find_space) == 0)
		rv = vm_map_insert(map, object, offset, start, start + length, prot, max, cow);
	vm_map_unlock(map);
	if (rv == KERN_SUCCESS)
		*addr = start;
	return rv;
}

int vm_map_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr)
{
	return map_entry_clip_start(map, entry, addr, VM_POOL_NORMAL);
}

int vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr)
{
	return map_entry_clip_end(map, entry, addr, VM_POOL_NORMAL);
}
