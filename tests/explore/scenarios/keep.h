/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What earlier schedules leave behind in smp/ that decides something in later ones: the longest
 * wait of the shootdowns is written only by a longer one. In create(), EXPLORE_SMP and above.
 */
#ifndef QUIRE_TESTS_EXPLORE_SCENARIOS_KEEP_H
#define QUIRE_TESTS_EXPLORE_SCENARIOS_KEEP_H

#include "smp/shootdown_private.h"
#include "tests/explore/scenario.h"

namespace quire
{

inline void keep_shootdown_lines(void)
{
	explore_keep(shootdown_lines, shootdown_line_count * sizeof(*shootdown_lines));
}

} // namespace quire

#endif
