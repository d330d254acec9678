/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory: what the rest of the kernel calls.
 *
 * The interface is the classic one of Mach and BSD (Rashid et al., "Machine-Independent Virtual
 * Memory Management", 1987; vm_kern in 4.4BSD and FreeBSD up to 9): names, arguments and returns
 * are the contract. All sizes are bytes and are rounded up to whole pages; a size of 0, or one
 * that wraps when rounded, returns 0 or does nothing. Unless said otherwise a function is for
 * thread context with nothing locked.
 */
#ifndef QUIRE_VM_VM_KERN_H
#define QUIRE_VM_VM_KERN_H

#include "vm/vm_malloc_flags.h"
#include "vm/vm_map.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All kernel addresses from VM_MIN_KERNEL_ADDRESS. */
extern vm_map_t kernel_map;

/* Submaps, made by vm_kern_maps_init. */
extern vm_map_t kmem_map;   /* system map: kmem_malloc, for the allocators above */
extern vm_map_t exec_map;   /* pageable, waitable: arguments of programs */
extern vm_map_t pipe_map;   /* pageable, waitable: buffers of pipes */
extern vm_map_t buffer_map; /* system map: buffers of file systems */

/* ZERO_REGION_SIZE bytes of zeroes, read-only for ever. */
extern const void *zero_region;

/*
 * Creates kernel_map over [VM_MIN_KERNEL_ADDRESS, end), takes [KERNBASE, start) in it for the
 * image and what the boot put behind it, and makes the zero region. Panics when that fails.
 */
void kmem_init(vm_offset_t start, vm_offset_t end);

/* Sizes of the submaps in bytes; 0 means: derived from RAM. */
struct vm_kern_map_sizes {
	vm_size_t kmem, exec, pipe, buffer;
};

/* Creates the four submaps. After kmem_init, once. Panics when that fails. */
void vm_kern_maps_init(const struct vm_kern_map_sizes *sizes);

/*
 * A map over `size` bytes of the parent, at *min to *max on return; aligned to 2 MiB if asked.
 * system_map is 0: a creator that needs it otherwise sets it before anybody else knows the map.
 * Each failure panics, and names itself: boot cannot go on.
 */
vm_map_t kmem_suballoc(vm_map_t parent, vm_offset_t *min, vm_offset_t *max, vm_size_t size,
		       bool superpage_align);

/* An address range with no object and no pages; map pages with pmap_qenter. A fault inside
 * panics. 0 without space. Thread context, or any context for a system map. */
vm_offset_t kmem_alloc_nofault(vm_map_t map, vm_size_t size);
/* The same with a VMFS_* placement. */
vm_offset_t kmem_alloc_nofault_space(vm_map_t map, vm_size_t size, int find_space);

/*
 * Wired, zero-filled memory of kernel_object in map or a submap. 0, with everything undone, when
 * there is no address space or not enough memory. Large sizes lie at a multiple of 2 MiB and are
 * mapped by large pages as far as memory allows.
 */
vm_offset_t kmem_alloc(vm_map_t map, vm_size_t size);

/*
 * Wired memory whose pages each lie in physical [low, high), with the given cache attribute. For
 * each page that cannot be had, memory is reclaimed and it is tried again, once for M_NOWAIT and
 * three times for M_WAITOK; then 0, with everything undone. M_ZERO: zeroed. high is exclusive.
 */
vm_offset_t kmem_alloc_attr(vm_map_t map, vm_size_t size, int flags, vm_paddr_t low,
			    vm_paddr_t high, vm_memattr_t memattr);

/*
 * The same as one physically contiguous run, aligned to `alignment` and crossing no multiple of
 * `boundary` (bytes, powers of two; boundary 0 = none). Arguments that cannot be met give 0.
 */
vm_offset_t kmem_alloc_contig(vm_map_t map, vm_size_t size, int flags, vm_paddr_t low,
			      vm_paddr_t high, vm_size_t alignment, vm_size_t boundary,
			      vm_memattr_t memattr);

/*
 * Gives [trunc(addr), round(addr + size)) back: unwired, unmapped, forgotten by every CPU's TLB,
 * and only then free, which may be some time after the call (vm_kern_quarantine.h). Never sleeps
 * for memory, and wakes nobody who waits in kmem_alloc_wait. An address that was not allocated is
 * diagnosed: panic if frees are strict, else it is counted, one line goes to the log, and nothing
 * changes.
 */
void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size);

/*
 * Does a bad free panic? Yes in debug builds, no in release builds, until it is set; the sysctl is
 * debug.kmem_free_strict. A change holds for calls that begin after it. Any context.
 */
bool kmem_free_strict(void);
void kmem_free_set_strict(bool strict);

/* Calls of kmem_free and kmem_free_wakeup that were refused since boot. */
uint64_t kmem_free_refused_count(void);

/*
 * Wired memory of kmem_object from a system map, for the allocators above. M_NOWAIT: any context,
 * 0 when address space or pages are short at this moment. M_WAITOK: sleeps for pages as long as
 * it takes, and for address space through eight rounds of reclaim; then panics with a summary of
 * the map. Not zeroed without M_ZERO. M_EXEC: executable, and so not writable.
 */
vm_offset_t kmem_malloc(vm_map_t map, vm_size_t size, int flags);

/*
 * Puts pages of kmem_object under [addr, addr + size), where nothing is. The map is locked on
 * entry and on return; M_WAITOK may unlock it in between. KERN_SUCCESS; KERN_NO_SPACE when pages
 * are short (M_NOWAIT) or the range is taken; KERN_RESOURCE_SHORTAGE without memory for an entry.
 * Nothing is left on failure.
 */
int kmem_back(vm_map_t map, vm_offset_t addr, vm_size_t size, int flags);

/*
 * Pageable memory from a submap, charged to swap: zero-filled when it is touched. Sleeps, first
 * come first served, until there is space; 0 when the swap limit is reached, or when the map
 * could never hold so much.
 */
vm_offset_t kmem_alloc_wait(vm_map_t map, vm_size_t size);

/* The way back: removes the range and serves those who wait. */
void kmem_free_wakeup(vm_map_t map, vm_offset_t addr, vm_size_t size);

#ifdef __cplusplus
}
#endif

#endif
