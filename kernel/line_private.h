/* SPDX-License-Identifier: BSD-2-Clause */
/* What line.c and line_complete.c share. */
#ifndef QUIRE_KERNEL_LINE_PRIVATE_H
#define QUIRE_KERNEL_LINE_PRIVATE_H

#include "kernel/line.h"

void line_show_repeated(struct line_editor *line, char c, unsigned times);

/* Inserts at the cursor; rings the bell when the line is full. */
void line_insert(struct line_editor *line, char c);

/* Prompt and text on a new row, with the cursor where it was. */
void line_show_again(struct line_editor *line);

/* The tab key. */
void line_complete(struct line_editor *line);

#endif
