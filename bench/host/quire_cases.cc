/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/host/quire_cases.h"

#include "bench/host/case_list.h"

namespace bench
{

std::vector<Case> quire_cases()
{
	std::vector<Case> cases;

	add_empty_cases(&cases);
	add_quire_pages(&cases);
	add_quire_zones(&cases);
	add_quire_malloc(&cases);
	return cases;
}

} // namespace bench
