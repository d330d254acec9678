// SPDX-License-Identifier: BSD-2-Clause
#include "lib/checksum.h"

#include "gtest/gtest.h"

namespace
{

TEST(Checksum, SumsBytesModulo256)
{
	const uint8_t bytes[] = {0xff, 0x02, 0x80, 0x7f};

	EXPECT_EQ(checksum8(bytes, 0), 0);
	EXPECT_EQ(checksum8(bytes, 1), 0xff);
	EXPECT_EQ(checksum8(bytes, 2), 1);
	EXPECT_EQ(checksum8(bytes, 4), 0);
}

} // namespace
