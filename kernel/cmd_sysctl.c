/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that shows and sets the tree of named values. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/registry/sysctl.h"
#include "lib/string.h"

struct listing {
	int width; /* of the longest name */
	unsigned count;
	unsigned failed; /* nodes that could not be read */
};

static int complain(const char *name, enum sysctl_status status)
{
	console_printf("quire: sysctl: %s: %s\n", name, sysctl_status_text(status));
	return 1;
}

static void measure(void *ctx, struct sysctl_oid *oid)
{
	struct listing *listing = ctx;
	int length = (int)strlen(oid->name);

	if (length > listing->width)
		listing->width = length;
	listing->count++;
}

static void show(void *ctx, struct sysctl_oid *oid)
{
	struct listing *listing = ctx;
	char text[SYSCTL_TEXT_MAX];
	enum sysctl_status status = sysctl_read(oid->name, text, sizeof(text));

	if (status == SYSCTL_OK)
		console_printf("%-*s = %s\n", listing->width, oid->name, text);
	else
		listing->failed += (unsigned)complain(oid->name, status);
}

static void describe(void *ctx, struct sysctl_oid *oid)
{
	const struct listing *listing = ctx;

	console_printf("%-*s : %s (%s%s)\n", listing->width, oid->name, oid->description,
		       sysctl_type_text(oid->type), oid->access & SYSCTL_WR ? "" : ", read-only");
}

static int list(const char *prefix, void (*visit)(void *ctx, struct sysctl_oid *oid))
{
	struct listing listing = {0, 0, 0};

	sysctl_foreach(prefix, measure, &listing);
	if (listing.count == 0 && prefix[0] != '\0')
		return complain(prefix, SYSCTL_UNKNOWN);
	sysctl_foreach(prefix, visit, &listing);
	return listing.failed != 0;
}

static int complain_value(const char *name, const char *value, enum sysctl_status status)
{
	const struct sysctl_oid *oid = sysctl_find(name);

	if (oid == NULL || (status != SYSCTL_MALFORMED && status != SYSCTL_OUT_OF_RANGE))
		return complain(name, status);
	console_printf("quire: sysctl: %s=%s: %s (%s)\n", name, value, sysctl_status_text(status),
		       sysctl_type_text(oid->type));
	return 1;
}

static int set(const char *name, const char *value)
{
	char before[SYSCTL_TEXT_MAX], after[SYSCTL_TEXT_MAX];
	enum sysctl_status status = sysctl_read(name, before, sizeof(before));

	if (status == SYSCTL_OK)
		status = sysctl_write(name, value);
	if (status == SYSCTL_OK)
		status = sysctl_read(name, after, sizeof(after));
	if (status != SYSCTL_OK)
		return complain_value(name, value, status);
	console_printf("%s: %s -> %s\n", name, before, after);
	return 0;
}

int cmd_sysctl(int argc, char **argv)
{
	bool wants_help = argc > 1 && strcmp(argv[1], "-d") == 0;
	char *equals;

	if (argc > 2 + wants_help || (argc == 2 && argv[1][0] == '-' && !wants_help))
		return command_usage(argv);
	if (wants_help)
		return list(argc == 3 ? argv[2] : "", describe);
	if (argc == 1)
		return list("", show);
	equals = strchr(argv[1], '=');
	if (equals == NULL)
		return list(argv[1], show);
	*equals = '\0';
	return set(argv[1], equals + 1);
}
