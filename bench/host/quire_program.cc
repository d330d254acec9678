/* SPDX-License-Identifier: BSD-2-Clause */
/* quire_bench: the memory system itself. */
#include <cstdio>

#include "bench/host/machine.h"
#include "bench/host/quire_cases.h"

namespace bench
{

/* What the figures depend on: see README.md. */
static std::string build_kind()
{
#ifdef QUIRE_DEBUG
	std::string kind = "debug checks";
#else
	std::string kind = "release";
#endif
#ifdef QUIRE_HOST_NO_HOOKS
	return kind + ", no hooks";
#else
	return kind + ", hooks";
#endif
}

Program program_begin(int *, char **, unsigned threads)
{
	machine_boot(threads);
	return {"quire", build_kind(), quire_cases()};
}

bool program_end()
{
	std::string broken;
	bool clean = machine_audit(&broken);

	if (!clean)
		std::fprintf(stderr, "quire_bench: the audit found broken rules:\n%s",
			     broken.c_str());
	machine_shut_down();
	return clean;
}

} // namespace bench
