/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel options with a dotted name set the sysctl of that name at boot, as `a.b=value`. Pure, but
 * for the sysctls' handlers.
 */
#ifndef QUIRE_KERNEL_TUNABLES_H
#define QUIRE_KERNEL_TUNABLES_H

#include "lib/cmdline.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Applies those of the line, in order, apart from the names that `is_option` claims. What is
 * unknown or not taken is ignored, with one line through `report` that names it. Thread context;
 * the sysctls are registered.
 */
void tunables_apply(const char *line, bool (*is_option)(const struct cmdline_option *option),
		    void (*report)(const char *text));

#ifdef __cplusplus
}
#endif

#endif
