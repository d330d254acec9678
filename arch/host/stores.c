/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Store buffers, as the theory in director.h has them. A load that finds its address in the CPU's
 * own buffer takes the youngest value; one that overlaps a waiting store in any other way waits
 * until the buffer is empty, as on the machine.
 */
#include "arch/host/internal.h"
#include "lib/string.h"

static void memory_write(const struct host_store *store)
{
	switch (store->size) {
	case 4:
		__atomic_store_n((volatile uint32_t *)store->where, (uint32_t)store->value,
				 __ATOMIC_RELEASE);
		break;
	case 8:
		__atomic_store_n((volatile uint64_t *)store->where, store->value, __ATOMIC_RELEASE);
		break;
	default:
		panic("host machine: a store of %u bytes", store->size);
	}
}

static uint64_t memory_read(const volatile void *where, unsigned size)
{
	if (size == 4)
		return __atomic_load_n((const volatile uint32_t *)where, __ATOMIC_ACQUIRE);
	CHECK_EQ(size, 8);
	return __atomic_load_n((const volatile uint64_t *)where, __ATOMIC_ACQUIRE);
}

static bool drain_one(struct host_cpu *cpu)
{
	struct host_stores *stores = &cpu->stores;

	if (stores->count == 0)
		return false;
	memory_write(&stores->entries[0]);
	stores->count--;
	memmove(&stores->entries[0], &stores->entries[1],
		stores->count * sizeof(stores->entries[0]));
	return true;
}

void host_stores_drain_all(struct host_cpu *cpu)
{
	while (drain_one(cpu))
		;
}

static bool overlaps(const struct host_store *store, const volatile void *where, unsigned size)
{
	uintptr_t a = (uintptr_t)store->where, b = (uintptr_t)where;

	return a < b + size && b < a + store->size;
}

/* The youngest waiting store that overlaps, or NULL. */
static const struct host_store *stores_find(const struct host_stores *stores,
					    const volatile void *where, unsigned size)
{
	for (unsigned i = stores->count; i > 0; i--)
		if (overlaps(&stores->entries[i - 1], where, size))
			return &stores->entries[i - 1];
	return NULL;
}

void host_values_seen(const struct host_cpu *self, uint64_t value)
{
	const struct host_director *director = host_machine->director;

	if (director != NULL && director->seen != NULL && host_machine->directed)
		director->seen(self->id, value);
}

static uint64_t shared_read(struct host_cpu *self, const volatile void *where, unsigned size)
{
	const struct host_store *store = stores_find(&self->stores, where, size);

	if (store == NULL)
		return memory_read(where, size);
	if (store->where == where && store->size == size)
		return store->value;
	host_stores_drain_all(self);
	return memory_read(where, size);
}

uint64_t host_shared_load(const volatile void *where, unsigned size)
{
	struct host_cpu *self = host_self();
	uint64_t value = shared_read(self, where, size);

	host_values_seen(self, value);
	return value;
}

/* A sequentially consistent store is an exchange on x86, or a store and a fence. */
void host_shared_store(volatile void *where, uint64_t value, unsigned size, int mo)
{
	struct host_cpu *self = host_self();
	struct host_stores *stores = &self->stores;
	struct host_store store = {where, value, size};

	if (host_machine->directed && host_machine->director->stored != NULL)
		host_machine->director->stored(self->id, value);
	if (!host_machine->store_buffers || mo == __ATOMIC_SEQ_CST) {
		host_stores_fence(self);
		memory_write(&store);
		return;
	}
	if (stores->count == HOST_STORES_MAX)
		drain_one(self);
	stores->entries[stores->count++] = store;
}

void host_shared_update_begin(void)
{
	host_stores_fence(host_self());
}

void host_shared_update_end(uint64_t before)
{
	host_values_seen(host_self(), before);
}

void host_shared_seen(uint64_t value)
{
	host_values_seen(host_self(), value);
}

pte_t host_stores_pte(const struct host_cpu *self, const pte_t *entry)
{
	const struct host_store *store;

	if (likely(self->stores.count == 0))
		return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
	store = stores_find(&self->stores, entry, sizeof(*entry));
	return store != NULL ? store->value : __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

void host_set_store_buffers(bool on)
{
	host_machine->store_buffers = on;
	if (!on)
		for (unsigned i = 0; i < host_machine->config.cpus; i++)
			host_stores_fence(&host_machine->cpus[i]);
	host_hooks_update();
}

void host_set_watch_values(bool on)
{
	host_machine->watch_values = on;
	host_hooks_update();
}

unsigned host_stores_waiting(unsigned cpu)
{
	return host_cpu_of(cpu)->stores.count;
}

bool host_stores_oldest(unsigned cpu, const volatile void **where, uint64_t *value)
{
	const struct host_stores *stores = &host_cpu_of(cpu)->stores;

	if (stores->count == 0)
		return false;
	*where = stores->entries[0].where;
	*value = stores->entries[0].value;
	return true;
}

bool host_stores_drain(unsigned cpu)
{
	return drain_one(host_cpu_of(cpu));
}

uint64_t host_stores_hash(unsigned cpu)
{
	const struct host_stores *stores = &host_cpu_of(cpu)->stores;
	uint64_t hash = stores->count;

	for (unsigned i = 0; i < stores->count; i++) {
		hash = (hash ^ (uintptr_t)stores->entries[i].where) * HOST_TRACE_PRIME;
		hash = (hash ^ stores->entries[i].value) * HOST_TRACE_PRIME;
	}
	return hash;
}
