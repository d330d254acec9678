/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_object.h"

#include "lib/check.h"
#include "lib/planted.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pool.h"

struct vm_object kernel_object_store;
struct vm_object kmem_object_store;

static struct vm_pool object_pool;

static void object_init_phys(vm_object_t object, const char *name)
{
	*object = (struct vm_object){
	    .type = OBJT_PHYS,
	    .name = name,
	    .size = atop(VM_MAX_KERNEL_ADDRESS - VM_MIN_KERNEL_ADDRESS),
	    .ref_count = {1},
	};
	/*
	 * The two objects never meet under one operation, so their locks need no order between
	 * them: equal ranks exclude each other.
	 */
	spin_init(&object->lock, name, LOCK_RANK_OBJECT, 0);
}

void vm_object_init(void)
{
	vm_radix_init();
	object_init_phys(kernel_object, "kernel_object");
	object_init_phys(kmem_object, "kmem_object");
	/* Taken under a map's lock, and before any object's. */
	vm_pool_init(&object_pool, "objects", sizeof(struct vm_object), 0, LOCK_RANK_MAP_ENTRIES);
}

vm_object_t vm_object_allocate(enum vm_object_type type, vm_pindex_t size)
{
	vm_object_t object =
	    (vm_object_t)vm_pool_alloc(&object_pool, VM_POOL_NORMAL, "vm_object_allocate");

	if (object == NULL)
		return NULL;
	object->type = type;
	object->name = "anonymous memory";
	object->size = size;
	object->ref_count.value = 1;
	spin_init(&object->lock, "object", LOCK_RANK_OBJECT, 0);
	return object;
}

static bool object_is_eternal(const struct vm_object *object)
{
	return object == kernel_object || object == kmem_object;
}

void vm_object_reference(vm_object_t object)
{
	/* Relaxed: the caller reaches the object through a reference that exists already. */
	uint32_t before = atomic32_add(&object->ref_count, 1, MO_RELAXED);

	if (before == 0)
		panic("object %s: reference to an object that nobody holds", object->name);
	if (before == UINT32_MAX)
		panic("object %s: too many references", object->name);
}

void vm_object_deallocate(vm_object_t object)
{
	/*
	 * Release: what this holder did comes before the end. Acquire: the last one sees what all
	 * the others did. Each drop pairs with the last.
	 */
	uint32_t before = atomic32_sub(&object->ref_count, 1, MO_ACQ_REL);

	if (PLANTED(page_double_free_race))
		before = atomic32_load(&object->ref_count, MO_ACQUIRE) + 1;
	if (before == 0)
		panic("object %s: a reference was dropped that nobody holds", object->name);
	if (before > 1)
		return;
	if (object_is_eternal(object))
		panic("object %s: its last reference was dropped", object->name);
	VM_OBJECT_WLOCK(object);
	vm_object_page_remove(object, 0, object->size);
	VM_OBJECT_WUNLOCK(object);
	vm_pool_free(&object_pool, object);
}

int vm_object_page_insert(vm_object_t object, vm_page_t m, vm_pindex_t pindex)
{
	int rv;

	VM_OBJECT_ASSERT_WLOCKED(object);
	CHECK(m->object == NULL);
	CHECK_LT(pindex, object->size);
	rv = vm_radix_insert(&object->index, pindex, m);
	if (rv == KERN_INVALID_ARGUMENT)
		panic("object %s: index %#llx is taken", object->name, (unsigned long long)pindex);
	if (rv != KERN_SUCCESS)
		return rv;
	m->object = object;
	m->pindex = pindex;
	if (object->type == OBJT_PHYS)
		m->oflags |= VPO_UNMANAGED;
	object->resident_page_count++;
	return KERN_SUCCESS;
}

void vm_object_page_take(vm_page_t m)
{
	vm_object_t object = m->object;
	vm_page_t was;

	CHECK(object != NULL);
	VM_OBJECT_ASSERT_WLOCKED(object);
	was = vm_radix_remove(&object->index, m->pindex);
	if (was != m)
		panic("object %s: index %#llx holds page %p instead of %p", object->name,
		      (unsigned long long)m->pindex, (void *)was, (void *)m);
	CHECK_LT(0, object->resident_page_count);
	object->resident_page_count--;
	m->object = NULL;
	m->pindex = 0;
}

vm_page_t vm_object_page_find(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	return vm_radix_lookup(&object->index, pindex);
}

void vm_object_page_remove(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	while (start < end) {
		unsigned n;
		vm_page_t const *run = vm_radix_run(&object->index, start, &n);

		if (n == 0) {
			if (vm_radix_lookup_ge(&object->index, start, &start) == NULL)
				break;
			continue;
		}
		if (n > end - start)
			n = (unsigned)(end - start);
		CHECK_LE(n, object->resident_page_count);
		object->resident_page_count -= n;
		/* The index is ours until it does not name them any more either. */
		vm_page_free_taken(run, n);
		vm_radix_remove_run(&object->index, start, n);
		start += n;
	}
}
