/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/registry/sysctl.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "tests/host/sched/sched_fixture.h"

namespace quire
{

/*
 * Nodes stay in the tree when their test and its machine are gone, so they and what they name live
 * as long as the program, and each test has names of its own.
 */
template <typename T> T &keep(T value)
{
	static std::deque<T> kept;

	kept.push_back(value);
	return kept.back();
}

int test_int;
unsigned test_uint;
uint64_t test_u64;
bool test_bool;
char test_string[8];
SYSCTL_INT(node_int, "types.int", SYSCTL_RW, &test_int, "an int");
SYSCTL_UINT(node_uint, "types.uint", SYSCTL_RW, &test_uint, "an unsigned");
SYSCTL_U64(node_u64, "types.u64", SYSCTL_RW | SYSCTL_HEX, &test_u64, "an address");
SYSCTL_BOOL(node_bool, "types.bool", SYSCTL_RW, &test_bool, "a bool");
SYSCTL_STRING(node_string, "types.string", SYSCTL_RW, test_string, "a string");
SYSCTL_UINT(node_fixed, "types.fixed", SYSCTL_RD, &test_uint, "not to be changed");

class SysctlTest : public SchedTest
{
      protected:
	static std::string read(const std::string &name)
	{
		char text[SYSCTL_TEXT_MAX];
		enum sysctl_status status = sysctl_read(name.c_str(), text, sizeof(text));

		return status == SYSCTL_OK ? text : sysctl_status_text(status);
	}

	static enum sysctl_status write(const std::string &name, const std::string &value)
	{
		return sysctl_write(name.c_str(), value.c_str());
	}

	/* A node with a name of its own; its value is the returned oid's data. */
	static struct sysctl_oid *make(const std::string &name, unsigned access = SYSCTL_RW)
	{
		unsigned &value = keep(0u);
		SYSCTL_UINT(node, keep(name).c_str(), (uint8_t)access, &value, "made by a test");

		return &keep(node);
	}

	static std::vector<std::string> names(const char *prefix)
	{
		std::vector<std::string> result;

		sysctl_foreach(
		    prefix,
		    [](void *ctx, struct sysctl_oid *oid) {
			    EXPECT_EQ(spin_held_count(), 0u);
			    static_cast<std::vector<std::string> *>(ctx)->push_back(oid->name);
		    },
		    &result);
		return result;
	}

	static void register_types()
	{
		static struct sysctl_oid *const all[] = {&node_int,  &node_uint,   &node_u64,
							 &node_bool, &node_string, &node_fixed};

		test_int = -5;
		test_uint = 4096;
		test_u64 = UINT64_C(0xffff800000000000);
		test_bool = true;
		strcpy(test_string, "abc");
		EXPECT_TRUE(sysctl_register_all(all, nitems(all)));
	}
};

using Names = std::vector<std::string>;

TEST_F(SysctlTest, EachTypeIsReadAndWritten)
{
	boot_all(1, 1);
	register_types();
	EXPECT_EQ(read("types.int"), "-5");
	EXPECT_EQ(read("types.uint"), "4096");
	EXPECT_EQ(read("types.u64"), "0xffff800000000000");
	EXPECT_EQ(read("types.bool"), "1");
	EXPECT_EQ(read("types.string"), "abc");

	EXPECT_EQ(write("types.int", "-2147483648"), SYSCTL_OK);
	EXPECT_EQ(test_int, INT32_MIN);
	EXPECT_EQ(write("types.uint", "4294967295"), SYSCTL_OK);
	EXPECT_EQ(test_uint, UINT32_MAX);
	EXPECT_EQ(write("types.u64", "16M"), SYSCTL_OK);
	EXPECT_EQ(test_u64, 16u << 20);
	EXPECT_EQ(write("types.bool", "off"), SYSCTL_OK);
	EXPECT_FALSE(test_bool);
	EXPECT_EQ(write("types.string", "seven77"), SYSCTL_OK);
	EXPECT_STREQ(test_string, "seven77");
	EXPECT_EQ(read("types.int"), "-2147483648");
	EXPECT_EQ(read("types.u64"), "0x1000000");
	EXPECT_EQ(read("types.bool"), "0");
}

TEST_F(SysctlTest, ABadValueIsRefusedAndChangesNothing)
{
	static const struct {
		const char *name, *value;
		enum sysctl_status status;
	} table[] = {
	    {"types.int", "one", SYSCTL_MALFORMED},
	    {"types.int", "", SYSCTL_MALFORMED},
	    {"types.int", "2147483648", SYSCTL_OUT_OF_RANGE},
	    {"types.uint", "-1", SYSCTL_MALFORMED},
	    {"types.uint", "4294967296", SYSCTL_OUT_OF_RANGE},
	    {"types.u64", "18446744073709551616", SYSCTL_OUT_OF_RANGE},
	    {"types.bool", "maybe", SYSCTL_MALFORMED},
	    {"types.string", "eight888", SYSCTL_OUT_OF_RANGE},
	    {"types.fixed", "1", SYSCTL_READ_ONLY},
	    {"types.fixed", "nonsense", SYSCTL_READ_ONLY},
	    {"types", "1", SYSCTL_UNKNOWN},
	    {"types.", "1", SYSCTL_UNKNOWN},
	    {"types.integer", "1", SYSCTL_UNKNOWN},
	    {"types.in", "1", SYSCTL_UNKNOWN},
	    {"", "1", SYSCTL_UNKNOWN},
	};

	boot_all(1, 1);
	register_types();
	for (const auto &row : table) {
		SCOPED_TRACE(std::string(row.name) + "=" + row.value);
		std::string before = read(row.name);

		EXPECT_EQ(write(row.name, row.value), row.status);
		EXPECT_EQ(read(row.name), before);
	}
}

TEST_F(SysctlTest, ReadingIsCutToTheRoomAndEmptyAfterAFailure)
{
	char text[4] = "???";

	boot_all(1, 1);
	register_types();
	test_uint = 123456;
	EXPECT_EQ(sysctl_read("types.uint", text, sizeof(text)), SYSCTL_OK);
	EXPECT_STREQ(text, "123");
	EXPECT_EQ(sysctl_read("types.nothing", text, sizeof(text)), SYSCTL_UNKNOWN);
	EXPECT_STREQ(text, "");
	text[0] = '?';
	EXPECT_EQ(sysctl_read("types.uint", text, 0), SYSCTL_OK);
	EXPECT_EQ(text[0], '?');
}

TEST_F(SysctlTest, AStringWithoutItsEndIsReadNoFurtherThanItsBuffer)
{
	static char data[4] = {'a', 'b', 'c', 'd'};
	static SYSCTL_STRING(node, "unended.string", SYSCTL_RD, data, "without a final 0");

	boot_all(1, 1);
	ASSERT_TRUE(sysctl_register(&node));
	EXPECT_EQ(read("unended.string"), "abcd");
}

TEST_F(SysctlTest, ALongStringIsReadCutAndSetNoLongerThanItPrints)
{
	static char data[2 * SYSCTL_TEXT_MAX];
	static SYSCTL_STRING(node, "long.string", SYSCTL_RW, data, "a long one");

	boot_all(1, 1);
	memset(data, 'x', sizeof(data) - 1);
	ASSERT_TRUE(sysctl_register(&node));
	EXPECT_EQ(read("long.string"), std::string(SYSCTL_TEXT_MAX - 1, 'x'));
	EXPECT_EQ(write("long.string", std::string(SYSCTL_TEXT_MAX, 'y')), SYSCTL_OUT_OF_RANGE);
	EXPECT_EQ(write("long.string", std::string(SYSCTL_TEXT_MAX - 1, 'y')), SYSCTL_OK);
	EXPECT_EQ(std::string(data), std::string(SYSCTL_TEXT_MAX - 1, 'y'));
}

TEST_F(SysctlTest, NodesAreFoundByTheirWholeNameOnly)
{
	boot_all(1, 1);
	struct sysctl_oid *node = make("find.me");

	EXPECT_EQ(sysctl_find("find.me"), nullptr);
	ASSERT_TRUE(sysctl_register(node));
	EXPECT_EQ(sysctl_find("find.me"), node);
	EXPECT_EQ(sysctl_find("find"), nullptr);
	EXPECT_EQ(sysctl_find("find.m"), nullptr);
	EXPECT_EQ(sysctl_find("find.me.not"), nullptr);
	EXPECT_EQ(sysctl_find("FIND.ME"), nullptr);
}

TEST_F(SysctlTest, ASecondNodeOfTheSameNameIsRefused)
{
	boot_all(1, 1);
	struct sysctl_oid *first = make("twice.name"), *second = make("twice.name");

	EXPECT_TRUE(sysctl_register(first));
	EXPECT_FALSE(sysctl_register(second));
	EXPECT_TRUE(logged("sysctl: \"twice.name\" not registered: the name is taken"));
	EXPECT_EQ(sysctl_find("twice.name"), first);
	EXPECT_EQ(names("twice"), Names{"twice.name"});
}

TEST_F(SysctlTest, TheSameNodeMayBeRegisteredAgain)
{
	boot_all(1, 1);
	struct sysctl_oid *node = make("again.name");

	EXPECT_TRUE(sysctl_register(node));
	EXPECT_TRUE(sysctl_register(node));
	EXPECT_FALSE(logged("not registered"));
	EXPECT_EQ(names("again"), Names{"again.name"});
}

TEST_F(SysctlTest, NodesThatCouldNotBeUsedAreRefused)
{
	std::string longest(SYSCTL_NAME_MAX - 1, 'n');

	boot_all(1, 1);
	for (const char *name : {"", ".", ".a", "a.", "a..b", "a b", "a=b", "a/b", "\xc3\xa4"})
		EXPECT_FALSE(sysctl_register(make(name))) << name;
	EXPECT_FALSE(sysctl_register(make(longest + "n")));
	EXPECT_TRUE(sysctl_register(make(longest)));
	EXPECT_TRUE(sysctl_register(make("a_1.B-2.c")));
	EXPECT_FALSE(sysctl_register(make("unusable.write_only", SYSCTL_WR)));

	struct sysctl_oid *empty = make("unusable.empty");
	empty->data = nullptr;
	EXPECT_FALSE(sysctl_register(empty));

	struct sysctl_oid *string = make("unusable.string");
	string->type = SYSCTL_TYPE_STRING;
	EXPECT_FALSE(sysctl_register(string));
	EXPECT_EQ(names("unusable"), Names{});
}

TEST_F(SysctlTest, OneRefusedNodeDoesNotKeepTheOthersOut)
{
	boot_all(1, 1);
	struct sysctl_oid *nodes[] = {make("some.a"), make("some..b"), make("some.c")};

	EXPECT_FALSE(sysctl_register_all(nodes, 3));
	EXPECT_EQ(names("some"), (Names{"some.a", "some.c"}));
}

TEST_F(SysctlTest, VisitsByNameThePrefixAndWhatIsBelow)
{
	boot_all(1, 1);
	for (const char *name : {"tree.b", "treex", "tree.a.2", "tree", "tree.a.10", "tree-x",
				 "tree.a", "tre", "tree.ab"})
		ASSERT_TRUE(sysctl_register(make(name)));
	EXPECT_EQ(names("tree"),
		  (Names{"tree", "tree.a", "tree.a.10", "tree.a.2", "tree.ab", "tree.b"}));
	EXPECT_EQ(names("tree.a"), (Names{"tree.a", "tree.a.10", "tree.a.2"}));
	EXPECT_EQ(names("tree.b"), Names{"tree.b"});
	EXPECT_EQ(names("tree.c"), Names{});

	Names all = names("");
	EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
	EXPECT_GE(all.size(), 9u);
}

/* A handler that keeps what it is told, and does not like 13. */
struct Keeper {
	uint64_t number = 0;
	std::string text;
	unsigned calls = 0;
};

enum sysctl_status keeper_handler(struct sysctl_oid *oid, bool write, uint64_t *value, char *text,
				  size_t text_size)
{
	auto *keeper = static_cast<Keeper *>(oid->arg);

	keeper->calls++;
	EXPECT_EQ(spin_held_count(), 0u);
	EXPECT_EQ(text_size, (size_t)SYSCTL_TEXT_MAX);
	thread_sleep_ns(MS);
	if (!write) {
		*value = keeper->number;
		std::snprintf(text, text_size, "%s", keeper->text.c_str());
		return SYSCTL_OK;
	}
	if (*value == 13)
		return SYSCTL_REFUSED;
	keeper->number = *value;
	keeper->text = text;
	return SYSCTL_OK;
}

Keeper number_keeper, string_keeper;
SYSCTL_PROC(node_number, "keeper.number", SYSCTL_TYPE_INT, SYSCTL_RW, keeper_handler,
	    &number_keeper, "a number with a handler");
SYSCTL_PROC(node_text, "keeper.text", SYSCTL_TYPE_STRING, SYSCTL_RW, keeper_handler, &string_keeper,
	    "a text with a handler");

TEST_F(SysctlTest, HandlersTakeAndGiveNumbersAndMaySleep)
{
	boot_all(1, 1);
	ASSERT_TRUE(sysctl_register(&node_number));
	number_keeper.number = 7;
	EXPECT_EQ(read("keeper.number"), "7");
	EXPECT_EQ(write("keeper.number", "-3"), SYSCTL_OK);
	EXPECT_EQ((int64_t)number_keeper.number, -3);
	EXPECT_EQ(read("keeper.number"), "-3");
}

TEST_F(SysctlTest, HandlersMayRefuse)
{
	boot_all(1, 1);
	ASSERT_TRUE(sysctl_register(&node_number));
	number_keeper.number = 1;
	EXPECT_EQ(write("keeper.number", "13"), SYSCTL_REFUSED);
	EXPECT_EQ(number_keeper.number, 1u);
}

TEST_F(SysctlTest, HandlersNeverSeeABadValue)
{
	boot_all(1, 1);
	ASSERT_TRUE(sysctl_register(&node_number));
	number_keeper.calls = 0;
	EXPECT_EQ(write("keeper.number", "3000000000"), SYSCTL_OUT_OF_RANGE);
	EXPECT_EQ(write("keeper.number", "x"), SYSCTL_MALFORMED);
	EXPECT_EQ(number_keeper.calls, 0u);
}

TEST_F(SysctlTest, HandlersTakeAndGiveText)
{
	boot_all(1, 1);
	ASSERT_TRUE(sysctl_register(&node_text));
	string_keeper.text = "seven";
	EXPECT_EQ(read("keeper.text"), "seven");
	EXPECT_EQ(write("keeper.text", "two words"), SYSCTL_OK);
	EXPECT_EQ(read("keeper.text"), "two words");
	EXPECT_EQ(write("keeper.text", std::string(SYSCTL_TEXT_MAX, 'x')), SYSCTL_OUT_OF_RANGE);
	EXPECT_EQ(string_keeper.text, "two words");
}

TEST_F(SysctlTest, ThreadsRegisterAtOnceAndTheTreeStaysSorted)
{
	unsigned machine = 0;

	for_machines(20, [&] {
		std::string prefix = "parallel" + std::to_string(machine++);
		std::vector<struct sysctl_oid *> nodes;
		std::vector<char> accepted(2 * config.cpus);

		/* Two threads for each name: one of them gets it. */
		for (unsigned i = 0; i < 2 * config.cpus; i++)
			nodes.push_back(make(prefix + "." + std::to_string(i % config.cpus)));
		on_threads(2, [&](unsigned index) {
			char text[SYSCTL_TEXT_MAX];

			accepted[index] = sysctl_register(nodes[index]);
			EXPECT_EQ(sysctl_read(nodes[index]->name, text, sizeof(text)), SYSCTL_OK);
		});
		for (unsigned i = 0; i < config.cpus; i++)
			EXPECT_EQ(accepted[i] + accepted[i + config.cpus], 1);

		Names all = names(prefix.c_str());
		EXPECT_EQ(all.size(), config.cpus);
		EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
	});
}

TEST_F(SysctlTest, AStringIsReadAsSomebodyWroteItWhole)
{
	static char data[64] = "0000";
	static SYSCTL_STRING(node, "whole.string", SYSCTL_RW, data, "written by all");

	for_machines(50, [&] {
		ASSERT_TRUE(sysctl_register(&node));
		on_threads(2, [&](unsigned index) {
			std::string mine(4 + index, (char)('0' + index % 10));

			for (unsigned i = 0; i < 3; i++) {
				EXPECT_EQ(write("whole.string", mine), SYSCTL_OK);
				std::string seen = read("whole.string");
				EXPECT_EQ(seen.find_first_not_of(seen[0]), std::string::npos);
				EXPECT_EQ((seen.size() - 4) % 10, (size_t)(seen[0] - '0'));
			}
		});
	});
}

} // namespace quire
