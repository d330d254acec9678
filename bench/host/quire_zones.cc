/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones as subjects: items of at most a page lie in the direct map, which a program can follow. */
#include "bench/host/case_list.h"
#include "bench/host/quire_cases.h"
#include "vm/uma.h"

namespace bench
{

namespace
{

struct Zone : PlainMemory {
	uma_zone_t zone;

	Block alloc(size_t) const
	{
		return uma_zalloc(zone, M_NOWAIT);
	}
	void free(Block block, size_t) const
	{
		uma_zfree(zone, block);
	}
};

/* It stays until the machine is gone. */
Zone zone_of(size_t size)
{
	std::string name = "bench " + std::to_string(size);
	Zone zone;

	zone.zone =
	    uma_zcreate(name.c_str(), size, nullptr, nullptr, nullptr, nullptr, UMA_ALIGN_PTR, 0);
	if (zone.zone == nullptr)
		fail("no memory for a zone of " + std::to_string(size) + " bytes");
	return zone;
}

} // namespace

void add_quire_zones(std::vector<Case> *cases)
{
	for (size_t size : {64, 256, 4096})
		add_zone_cases(cases, zone_of(size), size);
}

} // namespace bench
