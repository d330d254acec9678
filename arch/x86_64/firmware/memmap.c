/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One sweep from address 0 up. At each address the whole input is asked what holds there and up
 * to where, which needs neither sorting nor memory; neighbouring pieces of usable memory in one
 * domain are joined before they are cut to pages, so that a page which two ranges share is not
 * lost.
 */
#include "arch/x86_64/firmware/memmap.h"

#include "lib/string.h"

enum {
	LOW_START = 0x1000,
	LOW_END = 0xa0000,
};

/* What holds in [start, end). */
struct span {
	vm_paddr_t start;
	vm_paddr_t end;
	bool usable;
	bool reserved;
	bool kept;
	uint32_t domain;
};

struct sweep {
	const struct memmap_input *in;
	struct boot_info *out;
	struct span run;       /* usable pieces joined so far; empty when start == end */
	uint64_t contradicted; /* bytes both usable and reserved */
	uint64_t beyond;       /* usable bytes that cannot be mapped */
	unsigned dropped;      /* ranges that found no room */
};

/* Whether [start, end) covers the start of the span; cuts the span where that changes. */
static bool covers(struct span *span, vm_paddr_t start, vm_paddr_t end)
{
	if (span->start >= end || start >= end)
		return false;
	if (span->start < start) {
		if (start < span->end)
			span->end = start;
		return false;
	}
	if (end < span->end)
		span->end = end;
	return true;
}

static void look_at_raw(struct span *span, const struct raw_map *raw)
{
	for (unsigned i = 0; i < raw->count; i++) {
		const struct raw_range *range = &raw->ranges[i];
		vm_paddr_t end;

		if (!raw_range_end(range, &end) || !covers(span, range->start, end))
			continue;
		if (range->type == RAW_USABLE)
			span->usable = true;
		else
			span->reserved = true;
	}
}

static void look_at_srat(struct span *span, const struct srat *srat)
{
	for (unsigned i = 0; i < srat->range_count; i++)
		if (covers(span, srat->ranges[i].start, srat->ranges[i].end))
			span->domain = srat->ranges[i].domain;
}

/* What holds from `start` on, up to `end` at most. */
static struct span look(const struct memmap_input *in, vm_paddr_t start, vm_paddr_t end)
{
	struct span span = {.start = start, .end = end};

	look_at_raw(&span, in->raw);
	for (unsigned i = 0; i < in->keep_count; i++)
		if (covers(&span, in->keep[i].start, in->keep[i].end))
			span.kept = true;
	if (in->srat != NULL)
		look_at_srat(&span, in->srat);
	return span;
}

static void remove_range(struct boot_info *out, unsigned i)
{
	out->lost_bytes += out->ranges[i].end - out->ranges[i].start;
	out->range_count--;
	memmove(&out->ranges[i], &out->ranges[i + 1],
		(out->range_count - i) * sizeof(out->ranges[0]));
}

/* Makes room for a range of `bytes` if one that is smaller can give way. */
static bool drop_smaller(struct boot_info *out, uint64_t bytes)
{
	unsigned smallest = 0;

	for (unsigned i = 1; i < out->range_count; i++)
		if (out->ranges[i].end - out->ranges[i].start <
		    out->ranges[smallest].end - out->ranges[smallest].start)
			smallest = i;
	if (out->ranges[smallest].end - out->ranges[smallest].start >= bytes)
		return false;
	remove_range(out, smallest);
	return true;
}

static void add_range(struct sweep *sweep, vm_paddr_t start, vm_paddr_t end, uint32_t domain)
{
	struct boot_info *out = sweep->out;
	struct boot_range *range;

	if (out->range_count == BOOT_RANGES_MAX) {
		sweep->dropped++;
		if (!drop_smaller(out, end - start)) {
			out->lost_bytes += end - start;
			return;
		}
	}
	range = &out->ranges[out->range_count++];
	range->start = start;
	range->end = end;
	range->domain = domain;
}

/* Cuts the run to whole pages and hands it out. */
static void end_run(struct sweep *sweep)
{
	struct span *run = &sweep->run;
	vm_paddr_t end = trunc_page(run->end);
	vm_paddr_t start = run->start > UINT64_MAX - PAGE_MASK ? end : round_page(run->start);
	uint64_t whole = start < end ? end - start : 0;

	sweep->out->kept_bytes += run->end - run->start - whole;
	if (whole != 0)
		add_range(sweep, start, end, run->domain);
	run->start = run->end;
}

static void take_ram(struct sweep *sweep, const struct span *span)
{
	struct span *run = &sweep->run;
	uint64_t bytes = span->end - span->start;
	vm_paddr_t limit = sweep->in->limit;

	sweep->out->ram_bytes += bytes;
	if (span->kept) {
		sweep->out->kept_bytes += bytes;
	} else if (limit != 0 && span->start >= limit) {
		sweep->beyond += bytes;
	} else {
		if (run->end != span->start || run->domain != span->domain) {
			end_run(sweep);
			*run = *span;
		}
		run->end = span->end;
	}
}

static void sweep_all(struct sweep *sweep)
{
	vm_paddr_t limit = sweep->in->limit;
	vm_paddr_t at = 0;

	while (at != UINT64_MAX) {
		struct span span = look(sweep->in, at, at < limit ? limit : UINT64_MAX);

		if (span.usable && span.reserved)
			sweep->contradicted += span.end - span.start;
		else if (span.usable)
			take_ram(sweep, &span);
		at = span.end;
	}
	end_run(sweep);
}

static void report_ranges(const struct raw_map *raw, struct fw_report *report)
{
	unsigned empty = 0, wrapping = 0;
	vm_paddr_t first = 0, end;

	for (unsigned i = 0; i < raw->count; i++) {
		if (raw->ranges[i].length == 0)
			empty++;
		else if (!raw_range_end(&raw->ranges[i], &end) && wrapping++ == 0)
			first = raw->ranges[i].start;
	}
	if (empty != 0)
		fw_report_add(report, "memory map: %u empty ranges skipped", empty);
	if (wrapping != 0)
		fw_report_add(report, "memory map: %u ranges wrap around (first at %#llx): skipped",
			      wrapping, (unsigned long long)first);
	if (raw->lost_bytes != 0)
		fw_report_add(report, "memory map: more than %u ranges, %llu KiB lost",
			      (unsigned)RAW_RANGES_MAX, (unsigned long long)raw->lost_bytes >> 10);
}

static void report_sweep(const struct sweep *sweep, uint64_t dropped_bytes,
			 struct fw_report *report)
{
	if (sweep->contradicted != 0)
		fw_report_add(report, "memory map: %llu bytes both usable and reserved: reserved",
			      (unsigned long long)sweep->contradicted);
	if (sweep->beyond != 0)
		fw_report_add(report, "memory map: %llu KiB from %#llx on cannot be mapped: lost",
			      (unsigned long long)sweep->beyond >> 10,
			      (unsigned long long)sweep->in->limit);
	if (sweep->dropped != 0)
		fw_report_add(report, "memory map: more than %u usable ranges, %llu KiB lost",
			      (unsigned)BOOT_RANGES_MAX, (unsigned long long)dropped_bytes >> 10);
	if (sweep->out->range_count == 0)
		fw_report_add(report, "memory map: not one usable page");
}

bool memmap_normalise(const struct memmap_input *in, struct boot_info *out,
		      struct fw_report *report)
{
	struct sweep sweep = {.in = in, .out = out};
	uint64_t dropped_bytes;

	out->range_count = 0;
	out->ram_bytes = 0;
	out->kept_bytes = 0;
	out->lost_bytes = 0;
	out->domain_count = in->srat == NULL ? 1 : in->srat->domain_count;
	report_ranges(in->raw, report);
	sweep_all(&sweep);
	dropped_bytes = out->lost_bytes;
	out->ram_bytes += in->raw->lost_bytes;
	out->lost_bytes += in->raw->lost_bytes + sweep.beyond;
	report_sweep(&sweep, dropped_bytes, report);
	return out->range_count != 0;
}

static bool is_free(const struct memmap_input *in, vm_paddr_t start, vm_paddr_t end)
{
	while (start < end) {
		struct span span = look(in, start, end);

		if (!span.usable || span.reserved || span.kept)
			return false;
		start = span.end;
	}
	return true;
}

vm_paddr_t memmap_find_low(const struct memmap_input *in, unsigned npages)
{
	vm_paddr_t bytes = ptoa(npages);

	if (npages == 0 || bytes > LOW_END - LOW_START)
		return 0;
	for (vm_paddr_t start = LOW_END - bytes; start >= LOW_START; start -= PAGE_SIZE)
		if (is_free(in, start, start + bytes))
			return start;
	return 0;
}
