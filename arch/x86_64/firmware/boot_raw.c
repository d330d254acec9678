/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/boot_raw.h"

#include "lib/string.h"

void boot_raw_init(struct boot_raw *raw)
{
	memset(raw, 0, sizeof(*raw));
}

bool raw_range_end(const struct raw_range *range, vm_paddr_t *end)
{
	if (range->length == 0)
		return false;
	if (!__builtin_add_overflow(range->start, range->length, end))
		return true;
	if (*end != 0)
		return false;
	*end = UINT64_MAX;
	return true;
}

/* What a range is worth when room is short: its usable bytes. */
static uint64_t usable_bytes(const struct raw_range *range)
{
	vm_paddr_t end;

	return range->type == RAW_USABLE && raw_range_end(range, &end) ? end - range->start : 0;
}

static struct raw_range *smallest_usable(struct raw_map *map)
{
	struct raw_range *best = NULL;

	for (unsigned i = 0; i < map->count; i++) {
		struct raw_range *range = &map->ranges[i];

		if (range->type == RAW_USABLE &&
		    (best == NULL || usable_bytes(range) < usable_bytes(best)))
			best = range;
	}
	return best;
}

static void lose(struct raw_map *map, uint64_t bytes)
{
	if (__builtin_add_overflow(map->lost_bytes, bytes, &map->lost_bytes))
		map->lost_bytes = UINT64_MAX;
}

static void add_to_full_map(struct raw_map *map, const struct raw_range *range)
{
	struct raw_range *victim = smallest_usable(map);
	bool reserved = range->type != RAW_USABLE;

	if (victim != NULL && (reserved || usable_bytes(range) > usable_bytes(victim))) {
		lose(map, usable_bytes(victim));
		*victim = *range;
	} else {
		lose(map, usable_bytes(range));
	}
}

void raw_map_add(struct raw_map *map, vm_paddr_t start, uint64_t length, uint32_t type)
{
	struct raw_range range = {.start = start, .length = length, .type = type};
	struct raw_range *last = map->count == 0 ? NULL : &map->ranges[map->count - 1];
	vm_paddr_t end, last_end;

	/* Where two ranges meet, neither reaches the top, so their lengths add up without wrapping.
	 */
	if (last != NULL && last->type == type && raw_range_end(last, &last_end) &&
	    last_end == start && raw_range_end(&range, &end) && end != UINT64_MAX) {
		last->length += length;
		return;
	}
	if (map->count < RAW_RANGES_MAX)
		map->ranges[map->count++] = range;
	else
		add_to_full_map(map, &range);
}

void boot_raw_add_module(struct boot_raw *raw, vm_paddr_t start, vm_paddr_t end, const char *name,
			 size_t name_len, struct fw_report *report)
{
	struct boot_module *module;

	if (end < start) {
		fw_report_add(report, "module: ends at %#llx, before it starts at %#llx: ignored",
			      (unsigned long long)end, (unsigned long long)start);
		return;
	}
	if (end == start)
		return;
	if (raw->module_count == BOOT_MODULES_MAX) {
		fw_report_add(report, "module: more than %u, one at %#llx is kept but not listed",
			      (unsigned)BOOT_MODULES_MAX, (unsigned long long)start);
		raw_map_add(&raw->map, start, end - start, RAW_RESERVED);
		return;
	}
	module = &raw->modules[raw->module_count++];
	module->start = start;
	module->end = end;
	str_copy_n(module->name, sizeof(module->name), name, name_len);
}
