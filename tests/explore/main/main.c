/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/explore/engine/engine.h"

int main(int argc, char **argv)
{
	return explore_main(argc, argv);
}
