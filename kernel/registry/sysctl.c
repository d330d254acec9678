/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree is a list sorted by name: it is short, and walked by people. Nodes never leave it, so
 * one that was found stays good without the lock, and handlers and visitors run without it.
 */
#include "kernel/registry/sysctl.h"

#include "kernel/registry/sysctl_value.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "smp/spinlock.h"

static struct spinlock tree_lock = SPINLOCK_INIT("sysctl tree", LOCK_RANK_SYSCTL);
static TAILQ_HEAD(, sysctl_oid) tree = TAILQ_HEAD_INITIALIZER(tree); /* under tree_lock */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Words with dots between them. */
static bool name_ok(const char *name)
{
	size_t length = strlen(name);

	if (length >= SYSCTL_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_name_char(name[i]) && !(name[i] == '.' && i > 0 && name[i - 1] != '.'))
			return false;
	return length != 0 && name[length - 1] != '.';
}

/* Why the tree does not take a node, or NULL. */
static const char *oid_problem(const struct sysctl_oid *oid)
{
	if (!name_ok(oid->name))
		return "bad name";
	if (!(oid->access & SYSCTL_RD))
		return "it cannot be read";
	if (oid->handler == NULL && oid->data == NULL)
		return "neither data nor handler";
	if (oid->handler == NULL && oid->type == SYSCTL_TYPE_STRING && oid->data_size == 0)
		return "no room for a string";
	return NULL;
}

/* Before the first whose name is not less; returns whoever has the name now. */
static struct sysctl_oid *insert_locked(struct sysctl_oid *oid)
{
	struct sysctl_oid *other;
	int order = -1;

	TAILQ_FOREACH (other, &tree, link) {
		order = strcmp(other->name, oid->name);
		if (order >= 0)
			break;
	}
	if (other == NULL)
		TAILQ_INSERT_TAIL(&tree, oid, link);
	else if (order == 0)
		return other;
	else
		TAILQ_INSERT_BEFORE(other, oid, link);
	return oid;
}

bool sysctl_register(struct sysctl_oid *oid)
{
	const char *problem = oid_problem(oid);

	if (problem == NULL) {
		spin_lock(&tree_lock);
		if (insert_locked(oid) != oid)
			problem = "the name is taken";
		spin_unlock(&tree_lock);
	}
	if (problem != NULL)
		kprintf("sysctl: \"%s\" not registered: %s\n", oid->name, problem);
	return problem == NULL;
}

bool sysctl_register_all(struct sysctl_oid *const *oids, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		ok &= sysctl_register(oids[i]);
	return ok;
}

struct sysctl_oid *sysctl_find(const char *name)
{
	struct sysctl_oid *oid;

	spin_lock(&tree_lock);
	TAILQ_FOREACH (oid, &tree, link)
		if (strcmp(oid->name, name) == 0)
			break;
	spin_unlock(&tree_lock);
	return oid;
}

static void load_locked(const struct sysctl_oid *oid, struct sysctl_value *value)
{
	switch (oid->type) {
	case SYSCTL_TYPE_INT:
		value->number = (uint64_t)(int64_t)(*(const int *)oid->data);
		break;
	case SYSCTL_TYPE_UINT:
		value->number = *(const unsigned *)oid->data;
		break;
	case SYSCTL_TYPE_U64:
		value->number = *(const uint64_t *)oid->data;
		break;
	case SYSCTL_TYPE_BOOL:
		value->number = *(const bool *)oid->data;
		break;
	case SYSCTL_TYPE_STRING:
		str_copy_n(value->text, sizeof(value->text), oid->data, oid->data_size);
		break;
	}
}

static void store_locked(const struct sysctl_oid *oid, const struct sysctl_value *value)
{
	switch (oid->type) {
	case SYSCTL_TYPE_INT:
		*(int *)oid->data = (int)value->number;
		break;
	case SYSCTL_TYPE_UINT:
		*(unsigned *)oid->data = (unsigned)value->number;
		break;
	case SYSCTL_TYPE_U64:
		*(uint64_t *)oid->data = value->number;
		break;
	case SYSCTL_TYPE_BOOL:
		*(bool *)oid->data = value->number != 0;
		break;
	case SYSCTL_TYPE_STRING:
		str_copy(oid->data, oid->data_size, value->text);
		break;
	}
}

static enum sysctl_status transfer(struct sysctl_oid *oid, bool write, struct sysctl_value *value)
{
	if (oid->handler != NULL)
		return oid->handler(oid, write, &value->number, value->text, sizeof(value->text));
	spin_lock(&tree_lock);
	if (write)
		store_locked(oid, value);
	else
		load_locked(oid, value);
	spin_unlock(&tree_lock);
	return SYSCTL_OK;
}

enum sysctl_status sysctl_read(const char *name, char *text, size_t size)
{
	struct sysctl_oid *oid = sysctl_find(name);
	struct sysctl_value value = {0};
	enum sysctl_status status = SYSCTL_UNKNOWN;

	str_copy(text, size, "");
	if (oid != NULL)
		status = transfer(oid, false, &value);
	if (status == SYSCTL_OK)
		sysctl_value_print(oid->type, oid->access & SYSCTL_HEX, &value, text, size);
	return status;
}

/* Room for a string, with its final 0. */
static size_t text_room(const struct sysctl_oid *oid)
{
	if (oid->handler == NULL && oid->data_size < SYSCTL_TEXT_MAX)
		return oid->data_size;
	return SYSCTL_TEXT_MAX;
}

enum sysctl_status sysctl_write(const char *name, const char *text)
{
	struct sysctl_oid *oid = sysctl_find(name);
	struct sysctl_value value = {0};
	enum sysctl_status status;

	if (oid == NULL)
		return SYSCTL_UNKNOWN;
	if (!(oid->access & SYSCTL_WR))
		return SYSCTL_READ_ONLY;
	status = sysctl_value_parse(oid->type, text_room(oid), text, &value);
	if (status == SYSCTL_OK)
		status = transfer(oid, true, &value);
	return status;
}

static bool name_below(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return length == 0 ||
	       (str_begins(name, prefix) && (name[length] == '\0' || name[length] == '.'));
}

/* The one after `oid`, or the first after NULL. */
static struct sysctl_oid *next_oid(struct sysctl_oid *oid)
{
	spin_lock(&tree_lock);
	oid = oid == NULL ? TAILQ_FIRST(&tree) : TAILQ_NEXT(oid, link);
	spin_unlock(&tree_lock);
	return oid;
}

void sysctl_foreach(const char *prefix, void (*visit)(void *ctx, struct sysctl_oid *oid), void *ctx)
{
	struct sysctl_oid *oid = NULL;

	while ((oid = next_oid(oid)) != NULL)
		if (name_below(oid->name, prefix))
			visit(ctx, oid);
}

const char *sysctl_status_text(enum sysctl_status status)
{
	static const char *const texts[] = {
	    [SYSCTL_OK] = "ok",
	    [SYSCTL_UNKNOWN] = "there is no such name",
	    [SYSCTL_READ_ONLY] = "it is read-only",
	    [SYSCTL_MALFORMED] = "not a value of its type",
	    [SYSCTL_OUT_OF_RANGE] = "does not fit",
	    [SYSCTL_REFUSED] = "the value is refused",
	};

	return (unsigned)status < nitems(texts) ? texts[status] : "unknown status";
}

const char *sysctl_type_text(enum sysctl_type type)
{
	static const char *const texts[] = {
	    [SYSCTL_TYPE_INT] = "a signed 32-bit number",
	    [SYSCTL_TYPE_UINT] = "a 32-bit number",
	    [SYSCTL_TYPE_U64] = "a 64-bit number",
	    [SYSCTL_TYPE_BOOL] = "0 or 1",
	    [SYSCTL_TYPE_STRING] = "text",
	};

	return (unsigned)type < nitems(texts) ? texts[type] : "unknown type";
}
