/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/slit.h"

#include "arch/x86_64/firmware/bytes.h"

enum {
	SLIT_COUNT = 36,
	SLIT_HEADER = 44,
};

/* A table that covers what is asked of it. */
struct matrix {
	const void *table;
	uint64_t count; /* localities: a row's length */
	struct fw_report *report;
};

void slit_init(struct slit *slit)
{
	for (unsigned a = 0; a < MAXMEMDOM; a++)
		for (unsigned b = 0; b < MAXMEMDOM; b++)
			slit->distance[a][b] = a == b ? SLIT_LOCAL : SLIT_REMOTE;
}

/* Of two of firmware's numbers, both below matrix->count. */
static uint8_t distance(const struct matrix *matrix, uint64_t from, uint64_t to)
{
	return fw_u8(matrix->table, SLIT_HEADER + from * matrix->count + to);
}

static bool refuse(const struct matrix *matrix, uint64_t from, uint64_t to)
{
	fw_report_add(matrix->report,
		      "slit: distance %u from domain %llu to %llu cannot be: ignored",
		      distance(matrix, from, to), (unsigned long long)from, (unsigned long long)to);
	return false;
}

static bool is_plausible(const struct matrix *matrix, uint64_t from, uint64_t to)
{
	uint8_t d = distance(matrix, from, to);

	if (from == to ? d != SLIT_LOCAL : d <= SLIT_LOCAL)
		return refuse(matrix, from, to);
	return true;
}

/*
 * Visits the pairs of ranges rather than of domains: several of firmware's numbers may be one
 * domain of ours, and then the nearest of them tells.
 */
static bool take_row(const struct matrix *matrix, const struct srat *srat, unsigned i,
		     struct slit *slit)
{
	const struct srat_range *a = &srat->ranges[i];

	for (unsigned j = 0; j < srat->range_count; j++) {
		const struct srat_range *b = &srat->ranges[j];
		uint8_t *out = &slit->distance[a->domain][b->domain];
		uint8_t d;

		if (!is_plausible(matrix, a->proximity, b->proximity))
			return false;
		d = distance(matrix, a->proximity, b->proximity);
		if (*out == 0 || d < *out)
			*out = d;
	}
	return true;
}

static bool take_all(const struct matrix *matrix, const struct srat *srat, struct slit *slit)
{
	for (unsigned a = 0; a < srat->domain_count; a++)
		for (unsigned b = 0; b < srat->domain_count; b++)
			slit->distance[a][b] = 0;
	for (unsigned i = 0; i < srat->range_count; i++)
		if (!take_row(matrix, srat, i, slit))
			return false;
	return true;
}

static bool covers(const struct matrix *matrix, const struct srat *srat)
{
	for (unsigned i = 0; i < srat->range_count; i++) {
		if (srat->ranges[i].proximity < matrix->count)
			continue;
		fw_report_add(matrix->report, "slit: %llu domains, but the SRAT names domain %u",
			      (unsigned long long)matrix->count, srat->ranges[i].proximity);
		return false;
	}
	return true;
}

bool slit_parse(const void *table, size_t len, const struct srat *srat, struct slit *slit,
		struct fw_report *report)
{
	struct matrix matrix = {.table = table, .report = report};
	uint64_t room;

	slit_init(slit);
	if (len < SLIT_HEADER) {
		fw_report_add(report, "slit: %zu bytes are too few", len);
		return false;
	}
	room = len - SLIT_HEADER;
	matrix.count = fw_u64(table, SLIT_COUNT);
	/* The division keeps the square from wrapping. */
	if (matrix.count == 0 || matrix.count > room / matrix.count) {
		fw_report_add(report, "slit: %llu bytes are too few for %llu domains",
			      (unsigned long long)room, (unsigned long long)matrix.count);
		return false;
	}
	if (srat->range_count == 0)
		return true; /* one domain: nothing is asked of it */
	if (covers(&matrix, srat) && take_all(&matrix, srat, slit))
		return true;
	slit_init(slit);
	return false;
}
