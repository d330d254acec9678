/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tab key may mean in the shell: names of commands, values, scenarios. */
#ifndef QUIRE_KERNEL_COMPLETE_H
#define QUIRE_KERNEL_COMPLETE_H

#include "lib/types.h"

/*
 * The index-th word that may stand behind `before` (`length` bytes: the line up to the word that
 * is being typed), or NULL after the last. For struct line_editor. Thread context.
 */
const char *complete_word(const char *before, size_t length, size_t index);

#endif
