/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory through the eyes of the CPU that asks. The bytes themselves are touched here and
 * nowhere else, in view of the thread sanitizer: a race on them is the program's.
 */
#include "arch/host/internal.h"
#include "lib/string.h"

/* A handler that says "try again" for ever is broken. */
enum { FAULT_RETRIES = 1000, WHY_MAX = 256 };

static uint8_t *ram_at(vm_offset_t va, vm_paddr_t pa)
{
	if (!host_ram_contains(pa))
		panic("host machine: access to %#lx reached %#lx, where no RAM is",
		      (unsigned long)va, (unsigned long)pa);
	return arch_physmap(pa);
}

static QUIRE_NORETURN void fault_panic(const struct arch_fault *fault, const char *why)
{
	panic("page fault: %s of %#lx: %s%s%s%s",
	      fault->write     ? "write"
	      : fault->execute ? "execution"
			       : "read",
	      (unsigned long)fault->va,
	      fault->reserved  ? "reserved bit set"
	      : fault->present ? "not permitted"
			       : "not mapped",
	      why[0] != '\0' ? " (" : "", why, why[0] != '\0' ? ")" : "");
}

/* The byte at va, or NULL after a fault that nobody resolved and that need not be. */
static uint8_t *touch(vm_offset_t va, enum host_access access, bool must)
{
	char why[WHY_MAX] = "";
	struct arch_fault fault;
	vm_paddr_t pa;

	for (unsigned i = 0; i < FAULT_RETRIES; i++) {
		switch (host_mmu_access(va, access, &pa, &fault)) {
		case HOST_WALK_OK:
			return ram_at(va, pa);
		case HOST_WALK_NON_CANONICAL:
			if (must)
				panic("general protection: non-canonical address %#lx",
				      (unsigned long)va);
			return NULL;
		case HOST_WALK_FAULT:
			break;
		}
		fault.pc = (vm_offset_t)(uintptr_t)__builtin_return_address(0);
		if (host_fault_resolve(&fault, why, sizeof(why)))
			continue;
		if (must)
			fault_panic(&fault, why);
		return NULL;
	}
	panic("page fault: %#lx was resolved %d times and faults still", (unsigned long)va,
	      FAULT_RETRIES);
}

/* Bytes of [va, va + n) in va's page. */
static size_t chunk(vm_offset_t va, size_t n)
{
	size_t room = (size_t)(PAGE_SIZE - (va & PAGE_MASK));

	return n < room ? n : room;
}

static bool load(vm_offset_t va, void *dst, size_t n, bool must)
{
	uint8_t *to = dst;

	while (n > 0) {
		size_t part = chunk(va, n);
		const uint8_t *from = touch(va, HOST_READ, must);

		if (from == NULL)
			return false;
		memcpy(to, from, part);
		to += part;
		va += part;
		n -= part;
	}
	return true;
}

static bool store(vm_offset_t va, const void *src, size_t n, bool must)
{
	const uint8_t *from = src;

	while (n > 0) {
		size_t part = chunk(va, n);
		uint8_t *to = touch(va, HOST_WRITE, must);

		if (to == NULL)
			return false;
		memcpy(to, from, part);
		from += part;
		va += part;
		n -= part;
	}
	return true;
}

void host_load(vm_offset_t va, void *dst, size_t n)
{
	(void)load(va, dst, n, true);
}

void host_store(vm_offset_t va, const void *src, size_t n)
{
	(void)store(va, src, n, true);
}

bool host_load_nofault(vm_offset_t va, void *dst, size_t n)
{
	return load(va, dst, n, false);
}

bool host_store_nofault(vm_offset_t va, const void *src, size_t n)
{
	return store(va, src, n, false);
}

void host_fill(vm_offset_t va, int byte, size_t n)
{
	while (n > 0) {
		size_t part = chunk(va, n);

		memset(touch(va, HOST_WRITE, true), byte, part);
		va += part;
		n -= part;
	}
}

uint64_t host_load64(vm_offset_t va)
{
	uint64_t value;

	CHECK_EQ(va % sizeof(uint64_t), 0);
	value = __atomic_load_n((uint64_t *)(void *)touch(va, HOST_READ, true), __ATOMIC_RELAXED);
	if (host_shared_armed())
		host_shared_seen(value);
	return value;
}

void host_store64(vm_offset_t va, uint64_t value)
{
	CHECK_EQ(va % sizeof(uint64_t), 0);
	__atomic_store_n((uint64_t *)(void *)touch(va, HOST_WRITE, true), value, __ATOMIC_RELAXED);
}

void host_execute(vm_offset_t va)
{
	(void)touch(va, HOST_EXECUTE, true);
}

bool host_execute_nofault(vm_offset_t va)
{
	return touch(va, HOST_EXECUTE, false) != NULL;
}

bool host_translate(vm_offset_t va, enum host_access access, vm_paddr_t *pa,
		    struct arch_fault *fault)
{
	struct arch_fault unwanted;
	vm_paddr_t found = 0;

	if (host_mmu_access(va, access, &found, fault != NULL ? fault : &unwanted) != HOST_WALK_OK)
		return false;
	if (pa != NULL)
		*pa = found;
	return true;
}
