/* SPDX-License-Identifier: BSD-2-Clause */
/* The host machine with the memory system booted on it, for quire_bench. */
#ifndef QUIRE_BENCH_HOST_MACHINE_H
#define QUIRE_BENCH_HOST_MACHINE_H

#include <string>

namespace bench
{

/* One machine at a time. CPU 0 is the calling thread; all CPUs are online on return. */
void machine_boot(unsigned cpus);

/* Every rule of the memory system holds; *broken gets a line for each that does not. */
bool machine_audit(std::string *broken);

void machine_shut_down();

} // namespace bench

#endif
