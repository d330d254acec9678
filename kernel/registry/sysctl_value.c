/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/registry/sysctl_value.h"

#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

/* An int is stored in 32 bits on every machine there is a backend for. */
#define INT_MAGNITUDE_MAX ((uint64_t)INT32_MAX)
_Static_assert(sizeof(int) == sizeof(int32_t), "an int has 32 bits");

static enum sysctl_status parse_unsigned(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number;

	switch (parse_size(text, strlen(text), &number)) {
	case PARSE_OK:
		break;
	case PARSE_OVERFLOW:
		return SYSCTL_OUT_OF_RANGE;
	default:
		return SYSCTL_MALFORMED;
	}
	if (number > max)
		return SYSCTL_OUT_OF_RANGE;
	*out = number;
	return SYSCTL_OK;
}

static enum sysctl_status parse_signed(const char *text, uint64_t *out)
{
	bool negative = text[0] == '-';
	uint64_t magnitude;
	enum sysctl_status status =
	    parse_unsigned(text + negative, INT_MAGNITUDE_MAX + negative, &magnitude);

	if (status == SYSCTL_OK)
		*out = negative ? -magnitude : magnitude;
	return status;
}

static enum sysctl_status parse_bool(const char *text, uint64_t *out)
{
	static const char *const words[][2] = {
	    {"0", "1"}, {"false", "true"}, {"off", "on"}, {"no", "yes"}};

	for (size_t i = 0; i < nitems(words); i++) {
		for (unsigned value = 0; value < 2; value++) {
			if (strcmp(text, words[i][value]) != 0)
				continue;
			*out = value;
			return SYSCTL_OK;
		}
	}
	return SYSCTL_MALFORMED;
}

static enum sysctl_status parse_string(size_t text_max, const char *text, char *out)
{
	if (strnlen(text, text_max) == text_max)
		return SYSCTL_OUT_OF_RANGE;
	str_copy(out, text_max, text);
	return SYSCTL_OK;
}

enum sysctl_status sysctl_value_parse(enum sysctl_type type, size_t text_max, const char *text,
				      struct sysctl_value *value)
{
	switch (type) {
	case SYSCTL_TYPE_INT:
		return parse_signed(text, &value->number);
	case SYSCTL_TYPE_UINT:
		return parse_unsigned(text, UINT32_MAX, &value->number);
	case SYSCTL_TYPE_U64:
		return parse_unsigned(text, UINT64_MAX, &value->number);
	case SYSCTL_TYPE_BOOL:
		return parse_bool(text, &value->number);
	case SYSCTL_TYPE_STRING:
		return parse_string(text_max, text, value->text);
	}
	return SYSCTL_MALFORMED;
}

void sysctl_value_print(enum sysctl_type type, bool hex, const struct sysctl_value *value,
			char *text, size_t size)
{
	bool negative = type == SYSCTL_TYPE_INT && (int64_t)value->number < 0;
	unsigned long long magnitude = negative ? -value->number : value->number;

	if (type == SYSCTL_TYPE_STRING)
		str_copy(text, size, value->text);
	else
		format(text, size, hex ? "%s%#llx" : "%s%llu", negative ? "-" : "", magnitude);
}
