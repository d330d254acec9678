// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "kernel/registry/sysctl.h"

namespace
{

std::string printed;

} // namespace

extern "C" {
#include "kernel/command.h"
#include "kernel/console.h"

/* In place of the console and of the table of commands. */
void console_printf(const char *fmt, ...)
{
	char line[2 * SYSCTL_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	printed += line;
}

int command_usage(char **argv)
{
	printed += std::string("usage of ") + argv[0];
	return 1;
}
}

namespace
{

int small;
uint64_t address;
bool flag;
char name[8];
SYSCTL_INT(small_node, "cmd.small", SYSCTL_RW, &small, "a number");
SYSCTL_U64(address_node, "cmd.vm.address", SYSCTL_RD | SYSCTL_HEX, &address, "where it is");
SYSCTL_BOOL(flag_node, "cmd.flag", SYSCTL_RW, &flag, "yes or no");
SYSCTL_STRING(name_node, "cmd.name", SYSCTL_RW, name, "what it is called");

enum sysctl_status broken(struct sysctl_oid *, bool, uint64_t *, char *, size_t)
{
	return SYSCTL_REFUSED;
}
SYSCTL_PROC(broken_node, "broken.node", SYSCTL_TYPE_UINT, SYSCTL_RW, broken, nullptr, "cannot");

class CmdSysctl : public testing::Test
{
      protected:
	void SetUp() override
	{
		struct sysctl_oid *nodes[] = {&small_node, &address_node, &flag_node, &name_node,
					      &broken_node};

		ASSERT_TRUE(sysctl_register_all(nodes, nitems(nodes)));
		small = -1;
		address = 0x1000;
		flag = false;
		rename_to("anna");
	}

	static void rename_to(const char *value)
	{
		snprintf(name, sizeof(name), "%s", value);
	}

	/* The status; what it prints is in `printed`. */
	static int run(std::vector<std::string> words)
	{
		std::vector<char *> argv;

		words.insert(words.begin(), "sysctl");
		for (std::string &word : words)
			argv.push_back(&word[0]);
		argv.push_back(nullptr);
		printed.clear();
		return cmd_sysctl((int)words.size(), argv.data());
	}
};

TEST_F(CmdSysctl, ListsWhatIsBelowANameAligned)
{
	EXPECT_EQ(run({"cmd"}), 0);
	EXPECT_EQ(printed, "cmd.flag       = 0\n"
			   "cmd.name       = anna\n"
			   "cmd.small      = -1\n"
			   "cmd.vm.address = 0x1000\n");
	EXPECT_EQ(run({"cmd.small"}), 0);
	EXPECT_EQ(printed, "cmd.small = -1\n");
}

TEST_F(CmdSysctl, ListsEverythingAndNamesWhatCannotBeRead)
{
	EXPECT_EQ(run({}), 1);
	EXPECT_EQ(printed, "quire: sysctl: broken.node: the value is refused\n"
			   "cmd.flag       = 0\n"
			   "cmd.name       = anna\n"
			   "cmd.small      = -1\n"
			   "cmd.vm.address = 0x1000\n");
}

TEST_F(CmdSysctl, SetsAndShowsBothValues)
{
	EXPECT_EQ(run({"cmd.small=4K"}), 0);
	EXPECT_EQ(printed, "cmd.small: -1 -> 4096\n");
	EXPECT_EQ(small, 4096);
	EXPECT_EQ(run({"cmd.flag=yes"}), 0);
	EXPECT_EQ(printed, "cmd.flag: 0 -> 1\n");
	EXPECT_EQ(run({"cmd.name=a=b c"}), 0);
	EXPECT_EQ(printed, "cmd.name: anna -> a=b c\n");
	EXPECT_EQ(run({"cmd.name="}), 0);
	EXPECT_EQ(printed, "cmd.name: a=b c -> \n");
}

TEST_F(CmdSysctl, SaysInOneLineWhyNot)
{
	static const struct {
		const char *word, *line;
	} table[] = {
	    {"cmd.small=x",
	     "quire: sysctl: cmd.small=x: not a value of its type (a signed 32-bit number)\n"},
	    {"cmd.small=3000000000",
	     "quire: sysctl: cmd.small=3000000000: does not fit (a signed 32-bit number)\n"},
	    {"cmd.flag=2", "quire: sysctl: cmd.flag=2: not a value of its type (0 or 1)\n"},
	    {"cmd.name=eight888", "quire: sysctl: cmd.name=eight888: does not fit (text)\n"},
	    {"cmd.vm.address=1", "quire: sysctl: cmd.vm.address: it is read-only\n"},
	    {"broken.node=1", "quire: sysctl: broken.node: the value is refused\n"},
	    {"cmd.nothing=1", "quire: sysctl: cmd.nothing: there is no such name\n"},
	    {"=1", "quire: sysctl: : there is no such name\n"},
	    {"cmd.nothing", "quire: sysctl: cmd.nothing: there is no such name\n"},
	    {"cm", "quire: sysctl: cm: there is no such name\n"},
	};

	for (const auto &row : table) {
		EXPECT_EQ(run({row.word}), 1);
		EXPECT_EQ(printed, row.line);
	}
	EXPECT_EQ(small, -1);
	EXPECT_STREQ(name, "anna");
}

TEST_F(CmdSysctl, Describes)
{
	EXPECT_EQ(run({"-d", "cmd.small"}), 0);
	EXPECT_EQ(printed, "cmd.small : a number (a signed 32-bit number)\n");
	EXPECT_EQ(run({"-d", "cmd.vm"}), 0);
	EXPECT_EQ(printed, "cmd.vm.address : where it is (a 64-bit number, read-only)\n");
	EXPECT_EQ(run({"-d", "cmd.nothing"}), 1);
	EXPECT_EQ(printed, "quire: sysctl: cmd.nothing: there is no such name\n");
	EXPECT_EQ(run({"-d"}), 0);
	EXPECT_NE(printed.find("broken.node    : cannot (a 32-bit number)\n"), std::string::npos);
}

TEST_F(CmdSysctl, SaysHowItIsUsed)
{
	for (const auto &words : std::vector<std::vector<std::string>>{
		 {"a", "b"}, {"-d", "a", "b"}, {"-x"}, {"cmd.small", "-d"}}) {
		EXPECT_EQ(run(words), 1);
		EXPECT_EQ(printed, "usage of sysctl");
	}
}

} // namespace
