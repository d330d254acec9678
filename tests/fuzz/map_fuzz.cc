// SPDX-License-Identifier: BSD-2-Clause
// Operations on nested maps beside an array of pages that says what they must do: the model test's,
// with the input in place of chance.
#include "tests/fuzz/fuzz_input.h"
#include "tests/host/model/map_steps.h"

namespace
{

class MapFuzz : public quire::MapSteps
{
      public:
	MapFuzz(const uint8_t *data, size_t size) : input_(data, size)
	{
	}

	void TestBody() override
	{
	}

	void run()
	{
		uint64_t count = 0;

		where_ = {0, 0, "begin", {0, 0, 0}};
		begin(0, 1);
		while (!input_.empty() && !failed_) {
			where_.number = ++count;
			step();
		}
		if (!failed_)
			compare_everything();
		end();
		FUZZ_REQUIRE(!failed_, "%s", where().c_str());
	}

      private:
	uint64_t draw(uint64_t limit) override
	{
		return input_.below(limit);
	}

	fuzz::Input input_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MapFuzz(data, size).run();
	return 0;
}
