/* SPDX-License-Identifier: BSD-2-Clause */
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "bench/host/case.h"

namespace bench
{

/* Without destructors: other threads may be at work, and memory may not be what it should. */
void fail(const std::string &message)
{
	std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
	std::fflush(nullptr);
	_Exit(1);
}

void fail_no_memory(size_t size)
{
	fail("no memory for a block of " + std::to_string(size) + " bytes");
}

void fail_changed(size_t size)
{
	fail("a block of " + std::to_string(size) + " bytes changed while it was allocated");
}

} // namespace bench
