// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/manual.h"

#include <gtest/gtest.h>

#include <string>

#include "kernel/shell_parse.h"

namespace
{

TEST(Manual, KnowsCommandsAndNothingElse)
{
	ASSERT_NE(nullptr, manual_find("stress"));
	EXPECT_STREQ("stress", manual_find("stress")->name);
	EXPECT_EQ(nullptr, manual_find("stres"));
	EXPECT_EQ(nullptr, manual_find(""));
}

/* What can run for long must not stop in the middle to ask for a key. */
TEST(Manual, WhatRunsForLongIsNotPaged)
{
	for (const char *name : {"stress", "selftest", "bench", "top"}) {
		ASSERT_NE(nullptr, manual_find(name)) << name;
		EXPECT_FALSE(manual_find(name)->paged) << name;
	}
}

/* An example can be read, and uses the command that it explains. */
TEST(Manual, ExamplesUseTheirCommand)
{
	for (const char *name :
	     {"help", "sysinfo", "cpus",      "threads", "top",   "trace", "log",    "options",
	      "maps", "vmstat",  "magazines", "zones",   "pages", "tlb",   "audit",  "alloc",
	      "free", "sysctl",  "selftest",  "stress",  "bench", "panic", "reboot", "exit"}) {
		const struct manual *manual = manual_find(name);
		struct shell_command command;
		struct parse_cursor cursor;
		bool used = false;

		ASSERT_NE(nullptr, manual) << name;
		parse_begin(&cursor, manual->example, std::string(manual->example).size());
		while (shell_next_command(&cursor, &command)) {
			EXPECT_EQ(nullptr, command.problem) << name;
			used = used || (command.argc > 0 && command.argv[0] == std::string(name));
		}
		EXPECT_TRUE(used) << name << ": " << manual->example;
		EXPECT_STRNE("", manual->effect) << name;
	}
}

} // namespace
