/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switches of planted bugs. That a switch was reached is remembered in memory which all
 * processes share: a plant whose name is nowhere in the code must not pass for "not found".
 */
#include "lib/planted.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/check.h"
#include "tests/explore/engine/engine.h"

static const char *active;
static uint32_t *reached;

bool planted_available(void)
{
#ifdef QUIRE_PLANTS
	return true;
#else
	return false;
#endif
}

void planted_set(const char *name)
{
	active = name;
	reached =
	    mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(reached != MAP_FAILED);
}

const char *planted_name(void)
{
	return active;
}

bool planted_reached(void)
{
	return reached != NULL && __atomic_load_n(reached, __ATOMIC_RELAXED) != 0;
}

#ifdef QUIRE_PLANTS
bool planted_is_on(const char *name)
{
	if (active == NULL || strcmp(active, name) != 0)
		return false;
	__atomic_store_n(reached, 1, __ATOMIC_RELAXED);
	return true;
}
#endif
