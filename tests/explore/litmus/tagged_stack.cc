// SPDX-License-Identifier: BSD-2-Clause
/*
 * A stack without a lock: its head is a word that holds the first node and a number that grows
 * with every change. Without the number, a head that went away and came back looks unchanged, and
 * a node that is in use becomes the first one.
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

/* Nodes have numbers from 1; 0 is the end. */
enum : uint32_t { NODES = 3, TRIES = 3 };

struct atomic64 head; /* node, and above it the tag */
struct atomic32 next_of[NODES + 1];
struct atomic32 in_use[NODES + 1];

uint32_t node_of(uint64_t word)
{
	return (uint32_t)word;
}

uint64_t successor(uint64_t word, uint32_t node)
{
	uint64_t tag = PLANTED(stack_without_tag) ? 0 : (word >> 32) + 1;

	return tag << 32 | node;
}

void create()
{
	explore_watch(&head, sizeof(head), "head");
	explore_watch(next_of, sizeof(next_of), "next");
	explore_watch(in_use, sizeof(in_use), "in use");
}

/* 3 -> 2 -> 1 -> end. */
void reset()
{
	for (uint32_t node = 1; node <= NODES; node++)
		atomic32_store(&next_of[node], node - 1, MO_RELAXED);
	atomic64_store(&head, NODES, MO_RELAXED);
}

/* 0 when the stack is empty, or others were faster too often. */
uint32_t pop()
{
	uint64_t word = atomic64_load(&head, MO_ACQUIRE);

	for (unsigned i = 0; i < TRIES && node_of(word) != 0; i++) {
		uint32_t node = node_of(word);
		uint32_t next = atomic32_load(&next_of[node], MO_RELAXED);

		if (!atomic64_cas(&head, &word, successor(word, next), MO_ACQ_REL))
			continue;
		if (atomic32_exchange(&in_use[node], 1, MO_RELAXED) != 0)
			explore_fail("node %u was given to two", node);
		return node;
	}
	return 0;
}

bool push(uint32_t node)
{
	uint64_t word = atomic64_load(&head, MO_ACQUIRE);

	atomic32_store(&in_use[node], 0, MO_RELAXED);
	for (unsigned i = 0; i < TRIES; i++) {
		atomic32_store(&next_of[node], node_of(word), MO_RELAXED);
		if (atomic64_cas(&head, &word, successor(word, node), MO_ACQ_REL))
			return true;
	}
	atomic32_store(&in_use[node], 1, MO_RELAXED);
	return false;
}

void run(unsigned cpu)
{
	uint32_t first = pop();

	if (cpu == 0 || first == 0)
		return;
	(void)pop();
	(void)push(first);
}

/* Every node is in use or on the stack, once. */
void check()
{
	unsigned counted = 0;

	for (uint32_t node = node_of(head.value); node != 0; node = next_of[node].value) {
		if (in_use[node].value != 0)
			explore_fail("node %u is in use and on the stack", node);
		if (++counted > NODES)
			explore_fail("the stack has no end");
	}
	for (uint32_t node = 1; node <= NODES; node++)
		counted += in_use[node].value;
	if (counted != NODES)
		explore_fail("%u nodes of %u are there", counted, NODES);
}

const struct explore_scenario litmus_tagged_stack = {
    .name = "litmus_tagged_stack",
    .about = "two CPUs take nodes off a stack without a lock, one puts its first back",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_tagged_stack)

} // namespace
} // namespace quire
