/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address maps: which range of kernel addresses is what.
 */
#ifndef QUIRE_VM_VM_MAP_H
#define QUIRE_VM_VM_MAP_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "arch/atomic.h"
#include "kernel/sched/mutex.h"
#include "smp/spinlock.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint16_t vm_eflags_t;
#define MAP_ENTRY_NOFAULT       0x0001 /* a fault inside is a bug */
#define MAP_ENTRY_IS_SUB_MAP    0x0002 /* object.sub_map, not object.vm_object */
#define MAP_ENTRY_IN_TRANSITION 0x0100 /* somebody works on it with the map unlocked */
#define MAP_ENTRY_NEEDS_WAKEUP  0x0200 /* somebody waits for that to end */

union vm_map_object {
	struct vm_object *vm_object; /* holds a reference; NULL: no pages */
	struct vm_map *sub_map;
};

/*
 * A range of a map. Everything is guarded by the map's lock; an in-transition entry keeps its
 * range and object until its owner, the thread that set the mark, clears it.
 */
struct vm_map_entry {
	RB_ENTRY(vm_map_entry) tree;
	TAILQ_ENTRY(vm_map_entry) list; /* neighbours by address */
	vm_offset_t start;              /* inclusive */
	vm_offset_t end;                /* exclusive */
	vm_size_t gap;                  /* bytes free between our end and the next entry */
	vm_size_t max_gap;              /* largest gap in the subtree below and here */
	union vm_map_object object;
	vm_ooffset_t offset; /* of start in the object */
	vm_eflags_t eflags;
	vm_prot_t protection;
	vm_prot_t max_protection;
	uint32_t wired_count;
	bool charged;                    /* its bytes were reserved with swap_reserve */
	bool has_memattr;                /* its pages have a cache attribute of their own */
	struct thread *transition_owner; /* set with MAP_ENTRY_IN_TRANSITION */
};

RB_HEAD(vm_map_tree, vm_map_entry);
TAILQ_HEAD(vm_map_list, vm_map_entry);

/*
 * (l) the map's lock  (c) constant after init
 * system_map may be set by the creator of a submap, as long as nobody else knows the map: it
 * decides which of the two locks is the map's.
 */
struct vm_map {
	struct spinlock spin;                /* system_map: usable where sleeping is not allowed */
	struct mutex mutex;                  /* otherwise: the holder may sleep */
	const char *name;                    /* (c) */
	pmap_t pmap;                         /* (c) */
	vm_offset_t min_offset;              /* (c) */
	vm_offset_t max_offset;              /* (c) exclusive */
	uint8_t system_map;                  /* (c) */
	uint8_t needs_wakeup;                /* (l) a thread waits for space: kmem_alloc_wait */
	uint32_t nentries;                   /* (l) */
	uint32_t timestamp;                  /* (l) bumped by every exclusive lock */
	vm_size_t size;                      /* (l) bytes in entries */
	vm_size_t head_gap;                  /* (l) bytes free before the first entry */
	struct vm_map_tree tree;             /* (l) */
	struct vm_map_list entries;          /* (l) ascending */
	TAILQ_HEAD(, vm_map_waiter) waiters; /* (l) threads in kmem_alloc_wait, first come first */
	struct atomic32 space_waiters;       /* threads in kmem_malloc that sleep for addresses */
};

/* Once, before the first map. */
void vm_map_startup(void);

/* Makes an empty map over [min, max), both page-aligned. */
void vm_map_init(vm_map_t map, const char *name, pmap_t pmap, vm_offset_t min, vm_offset_t max,
		 bool system_map);

/* Lock and unlock; the timestamp tells whether others held it meanwhile. */
void vm_map_lock(vm_map_t map);
void vm_map_unlock(vm_map_t map);
bool vm_map_locked(vm_map_t map);

/* For who slept with the lock released: others held it meanwhile. Map locked. */
static inline void vm_map_timestamp_bump(vm_map_t map)
{
	map->timestamp++;
}

/* cow argument of insert and find */
#define MAP_NOFAULT       0x0004  /* no object; a fault inside is a bug */
#define MAP_ACC_NO_CHARGE 0x8000  /* pageable, but not charged to swap */
#define MAP_ACC_CHARGED   0x10000 /* the caller has reserved swap: the range carries the charge */

/* find_space argument of find */
#define VMFS_NO_SPACE      0 /* exactly at *addr */
#define VMFS_ANY_SPACE     1 /* the lowest place at or above *addr */
#define VMFS_ALIGNED_SPACE 2 /* the same, at a multiple of 2 MiB when length is at least that */

/*
 * The lowest address at or above `start` where `length` bytes are free, in O(log n) entries.
 * Returns 0 and sets *addr, or 1 when there is none. Map locked.
 */
int vm_map_findspace(vm_map_t map, vm_offset_t start, vm_size_t length, vm_offset_t *addr);

/*
 * True when an entry holds addr: *entry is it. False: *entry is the last entry before addr, or
 * NULL when there is none. Map locked.
 */
bool vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entry);

/*
 * Gives [start, end) to `object` from `offset`, or to nobody (object NULL): then, without
 * MAP_NOFAULT, it is pageable memory, zero-filled on demand, and its bytes are charged to swap
 * unless MAP_ACC_NO_CHARGE says otherwise. Map locked.
 * The caller has taken the object's reference, and keeps it to release when this fails.
 * A compatible unwired neighbour is extended instead of adding an entry (its reference serves,
 * the caller's is dropped). In kernel_map the page table is grown to cover the range.
 * KERN_INVALID_ADDRESS outside the map or empty; KERN_NO_SPACE when something is there;
 * KERN_INVALID_ARGUMENT for MAP_NOFAULT with an object, unaligned bounds, or prot not in max;
 * KERN_RESOURCE_SHORTAGE without memory for entry or tables, or above the swap limit;
 * KERN_PROTECTION_FAILURE for prot that is writable and executable. Nothing is changed on failure
 * (MAP_ACC_CHARGED: the reservation stays the caller's to release).
 */
int vm_map_insert(vm_map_t map, vm_object_t object, vm_ooffset_t offset, vm_offset_t start,
		  vm_offset_t end, vm_prot_t prot, vm_prot_t max, int cow);

/* Finds a place as find_space says and inserts there; locks the map itself. */
int vm_map_find(vm_map_t map, vm_object_t object, vm_ooffset_t offset, vm_offset_t *addr,
		vm_size_t length, int find_space, vm_prot_t prot, vm_prot_t max, int cow);

/* Merges the entry with equal neighbours; see vm_map.c for what equal means. Map locked. The
 * entry that survives is returned. */
vm_map_entry_t vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry);

/*
 * Splits the entry at addr, if addr lies inside it: the entry ends up starting (ending) there.
 * KERN_RESOURCE_SHORTAGE when there is no memory for the second half. Map locked.
 */
int vm_map_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr);
int vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr);

/*
 * Takes everything in [start, end) away: waits for in-transition entries, then unwires, removes
 * the mappings on every CPU, frees the pages, removes the entries - in this order. The map is
 * locked on entry and on return and is unlocked in between; the range stays taken until the last
 * step. Then swap charges are returned. Thread context, nothing else locked.
 * KERN_RESOURCE_SHORTAGE when a split needs memory that is not there: the part from there on
 * stays. KERN_INVALID_ARGUMENT for a range with a submap in it: submaps stay for ever.
 */
int vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* The same with the lock taken here and the range cut to the map. */
int vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end);

/*
 * Backs every page of [start, end) and wires it: pages that are missing are allocated, zeroed and
 * mapped, each entry's wired_count grows. KERN_INVALID_ADDRESS when there is a hole or a no-fault
 * range; KERN_PROTECTION_FAILURE where no access is allowed; KERN_RESOURCE_SHORTAGE when pages or
 * tables are short. After a failure the range is as before; only pageable pages that were brought
 * in stay, since somebody may have written there. Locks the map; entries are in transition while
 * pages are brought in. Thread context.
 */
#define VM_MAP_WIRE_SYSTEM  0 /* the caller is the kernel: the only kind there is */
#define VM_MAP_WIRE_NOHOLES 0 /* holes are refused: likewise */
int vm_map_wire(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags);

/*
 * Undoes one vm_map_wire of exactly this range. Pageable memory can be taken back again; wired
 * kernel memory stays mapped until it is removed. KERN_INVALID_ADDRESS for a hole,
 * KERN_INVALID_ARGUMENT when some of it is not wired, KERN_RESOURCE_SHORTAGE when a split needs
 * memory; nothing changed then.
 */
int vm_map_unwire(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags);

/*
 * Sets the protection of [start, end), or with set_max the maximum (and the protection to what
 * of it remains). Rights that are taken away are gone on every CPU on return.
 * KERN_INVALID_ADDRESS for a hole, KERN_PROTECTION_FAILURE above the maximum or for writable and
 * executable together, KERN_INVALID_ARGUMENT for a submap, KERN_RESOURCE_SHORTAGE when a split
 * needs memory. Nothing is changed on failure. Thread context.
 */
int vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot, bool set_max);

/* A map over [min, max) of the same page table, from the system's pool; NULL on shortage. */
vm_map_t vm_map_create(pmap_t pmap, const char *name, vm_offset_t min, vm_offset_t max);

/*
 * Makes the range, which is one entry of parent or part of one, object-less and unused, the place
 * of `map`, which covers exactly it. KERN_INVALID_ARGUMENT otherwise; KERN_RESOURCE_SHORTAGE when
 * a split needs memory. Nothing is changed on failure. Locks the parent.
 */
int vm_map_submap(vm_map_t parent, vm_offset_t start, vm_offset_t end, vm_map_t map);

/* One channel for each map. Wait: the map is unlocked, and locked again on return. */
void vm_map_unlock_and_wait(vm_map_t map, const char *message);
void vm_map_wakeup(vm_map_t map);

/* The name of what is at addr, for diagnoses: map, range, kind. Takes no lock. */
void vm_map_describe(vm_map_t map, vm_offset_t addr, char *buf, size_t size);

/*
 * Why there is no space, in one line for people: bytes free in all, the largest hole, and the
 * largest entries with what they are. Map locked.
 */
void vm_map_summary(vm_map_t map, char *buf, size_t size);

/* Invariants 1 to 8 of the memory system for one map and its submaps. Returns broken ones. */
unsigned vm_map_audit(vm_map_t map, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
