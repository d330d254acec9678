/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pager.h"

#define CTRL_C 3

void pager_begin(struct pager *pager)
{
	pager->rows_left = PAGER_ROWS;
	pager->column = 0;
	pager->discard = false;
}

bool pager_must_ask(const struct pager *pager)
{
	return pager->rows_left == 0 && !pager->discard;
}

/* A row that is full is broken only when there is more of it, as terminals do. */
static bool ends_row(struct pager *pager, char c)
{
	if (c == '\n') {
		pager->column = 0;
		return true;
	}
	if (c < ' ')
		return false;
	if (pager->column < PAGER_COLUMNS) {
		pager->column++;
		return false;
	}
	pager->column = 1;
	return true;
}

size_t pager_take(struct pager *pager, const char *text, size_t length)
{
	size_t taken = 0;

	if (pager->discard)
		return length;
	while (taken < length && pager->rows_left > 0)
		if (ends_row(pager, text[taken++]))
			pager->rows_left--;
	return taken;
}

enum pager_answer pager_key(struct pager *pager, char key)
{
	switch (key) {
	case ' ':
		pager->rows_left = PAGER_ROWS;
		return PAGER_PAGE;
	case '\r':
	case '\n':
		pager->rows_left = 1;
		return PAGER_LINE;
	case 'q':
	case 'Q':
	case CTRL_C:
		pager->discard = true;
		return PAGER_QUIT;
	default:
		return PAGER_AGAIN;
	}
}
