// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/pager.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace
{

/* What is shown before the first question, and what is left. */
std::string take(struct pager *pager, std::string *text)
{
	std::string shown;

	while (!text->empty() && !pager_must_ask(pager)) {
		size_t n = pager_take(pager, text->data(), text->size());

		EXPECT_GT(n, 0u);
		shown += text->substr(0, n);
		text->erase(0, n);
	}
	return shown;
}

std::string lines(int n)
{
	std::string text;

	for (int i = 0; i < n; i++)
		text += "line " + std::to_string(i) + "\n";
	return text;
}

TEST(Pager, AsksAfterAPage)
{
	struct pager pager;
	std::string text = lines(PAGER_ROWS + 5);

	pager_begin(&pager);
	EXPECT_EQ(lines(PAGER_ROWS), take(&pager, &text));
	EXPECT_TRUE(pager_must_ask(&pager));
	EXPECT_EQ(PAGER_AGAIN, pager_key(&pager, 'x'));
	EXPECT_TRUE(pager_must_ask(&pager));
}

TEST(Pager, DoesNotAskAboutAShortText)
{
	struct pager pager;
	std::string text = lines(PAGER_ROWS - 1);

	pager_begin(&pager);
	take(&pager, &text);
	EXPECT_EQ("", text);
	EXPECT_FALSE(pager_must_ask(&pager));
}

TEST(Pager, GoesOnByPagesAndByLines)
{
	struct pager pager;
	std::string text = lines(2 * PAGER_ROWS + 5);

	pager_begin(&pager);
	take(&pager, &text);
	EXPECT_EQ(PAGER_LINE, pager_key(&pager, '\r'));
	EXPECT_EQ("line 23\n", take(&pager, &text));
	EXPECT_EQ(PAGER_PAGE, pager_key(&pager, ' '));
	take(&pager, &text);
	EXPECT_EQ("line 47\n", text.substr(0, 8));
}

TEST(Pager, ShowsNoMoreWhenThePersonHasEnough)
{
	struct pager pager;
	std::string text = lines(100);

	pager_begin(&pager);
	take(&pager, &text);
	EXPECT_EQ(PAGER_QUIT, pager_key(&pager, 'q'));
	EXPECT_TRUE(pager.discard);
	take(&pager, &text);
	EXPECT_EQ("", text);
	EXPECT_FALSE(pager_must_ask(&pager));
}

TEST(Pager, CountsTheRowsOfLongLines)
{
	struct pager pager;
	std::string text(PAGER_COLUMNS * PAGER_ROWS, 'x');

	pager_begin(&pager);
	take(&pager, &text);
	EXPECT_FALSE(pager_must_ask(&pager)); /* the last row is full, and not broken yet */
	text = "\n";
	take(&pager, &text);
	EXPECT_TRUE(pager_must_ask(&pager));
}

TEST(Pager, AnyBytesAreTakenInTheEnd)
{
	std::mt19937 random(8);
	struct pager pager;

	pager_begin(&pager);
	for (int round = 0; round < 20000; round++) {
		std::string text(random() % 200, '\0');

		for (char &c : text)
			c = random() % 8 ? (char)random() : '\n';
		while (!text.empty()) {
			take(&pager, &text);
			while (pager_must_ask(&pager) &&
			       pager_key(&pager, (char)random()) == PAGER_AGAIN)
				;
		}
		if (pager.discard)
			pager_begin(&pager);
	}
}

} // namespace
