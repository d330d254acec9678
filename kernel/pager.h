/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long output, a page at a time: counts the rows that text takes on a terminal and says where a
 * person has to be asked. Pure; the shell asks.
 */
#ifndef QUIRE_KERNEL_PAGER_H
#define QUIRE_KERNEL_PAGER_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What every terminal has; the last row is for the question. */
enum { PAGER_COLUMNS = 80, PAGER_ROWS = 23 };

struct pager {
	unsigned rows_left; /* until the next question; 0: ask now */
	unsigned column;    /* of what comes next */
	bool discard;       /* the person has seen enough */
};

enum pager_answer { PAGER_PAGE, PAGER_LINE, PAGER_QUIT, PAGER_AGAIN };

void pager_begin(struct pager *pager);

/*
 * How many bytes of the text fit before the next question: as many as can be shown now, perhaps
 * all. 0 only where pager_must_ask.
 */
size_t pager_take(struct pager *pager, const char *text, size_t length);

bool pager_must_ask(const struct pager *pager);

/* A key: space another page, return another line, q and ^C no more, others ask again. */
enum pager_answer pager_key(struct pager *pager, char key);

#ifdef __cplusplus
}
#endif

#endif
