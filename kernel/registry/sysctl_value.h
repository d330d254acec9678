/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of a sysctl's type as text and back. Private to kernel/registry and its tests. Pure. */
#ifndef QUIRE_KERNEL_REGISTRY_SYSCTL_VALUE_H
#define QUIRE_KERNEL_REGISTRY_SYSCTL_VALUE_H

#include "kernel/registry/sysctl.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sysctl_value {
	uint64_t number;            /* as a handler gets it */
	char text[SYSCTL_TEXT_MAX]; /* of a string */
};

/*
 * Takes the whole of `text` as a value of the type. text_max: the room for a string, with its
 * final 0, at most SYSCTL_TEXT_MAX. *value is changed only with SYSCTL_OK.
 */
enum sysctl_status sysctl_value_parse(enum sysctl_type type, size_t text_max, const char *text,
				      struct sysctl_value *value);

/* Prints so that parsing gives the same value; cut, and ended with 0 unless size is 0. */
void sysctl_value_print(enum sysctl_type type, bool hex, const struct sysctl_value *value,
			char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
