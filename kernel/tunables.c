/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/tunables.h"

#include "kernel/options.h"
#include "kernel/registry/sysctl.h"
#include "lib/string.h"

/* Returns NULL, or why it is not taken. */
static const char *tunable_set(const char *name, const struct cmdline_option *option)
{
	char value[SYSCTL_TEXT_MAX];
	enum sysctl_status status = SYSCTL_OUT_OF_RANGE;

	if (!option->has_value)
		return "it needs a value";
	if (cmdline_value(option, value, sizeof(value)) < sizeof(value))
		status = sysctl_write(name, value);
	return status == SYSCTL_OK ? NULL : sysctl_status_text(status);
}

static void tunable_apply(const struct cmdline_option *option, void (*report)(const char *text))
{
	char name[SYSCTL_NAME_MAX];
	const char *problem;

	if (str_copy_n(name, sizeof(name), option->key, option->key_len) >= sizeof(name) ||
	    sysctl_find(name) == NULL) {
		option_report_unknown(option, report);
		return;
	}
	problem = tunable_set(name, option);
	if (problem != NULL)
		option_report_ignored(option, problem, report);
}

void tunables_apply(const char *line, bool (*is_option)(const struct cmdline_option *option),
		    void (*report)(const char *text))
{
	struct cmdline_iter iter;
	struct cmdline_option option;

	cmdline_begin(&iter, line, strlen(line));
	while (cmdline_next(&iter, &option))
		if (option.problem == NULL && option_is_dotted(&option) && !is_option(&option))
			tunable_apply(&option, report);
}
