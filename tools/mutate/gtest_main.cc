// SPDX-License-Identifier: BSD-2-Clause
// GoogleTest's main, which writes for each case, into the file that QUIRE_MUTANT_TRACE names, how
// long it took, whether it passed, and which functions with mutants it entered.
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tools/mutate/runtime.h"

namespace
{

class Trace : public ::testing::EmptyTestEventListener
{
      public:
	explicit Trace(FILE *to) : file(to)
	{
	}

	void OnTestEnd(const ::testing::TestInfo &info) override
	{
		fprintf(file, "%s.%s %lld %d", info.test_suite_name(), info.name(),
			(long long)info.result()->elapsed_time(), !info.result()->Failed());
		quire_mutant_write_entered(file);
		fputc('\n', file);
		fflush(file);
	}

      private:
	FILE *file;
};

} // namespace

int main(int argc, char **argv)
{
	const char *name = getenv("QUIRE_MUTANT_TRACE");
	FILE *file = name != nullptr ? fopen(name, "w") : nullptr;

	/* A death test may start this program once more; that one has nothing to write. */
	unsetenv("QUIRE_MUTANT_TRACE");
	::testing::InitGoogleTest(&argc, argv);
	if (file != nullptr)
		::testing::UnitTest::GetInstance()->listeners().Append(new Trace(file));
	return RUN_ALL_TESTS();
}
