/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/multiboot2.h"

#include "arch/x86_64/firmware/bytes.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Tag types and layouts: Multiboot2 specification 2.0, sections 3.6.2 to 3.6.18. */
enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER = 2,
	TAG_MODULE = 3,
	TAG_MEMINFO = 4,
	TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_EFI32 = 11,
	TAG_EFI64 = 12,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
	TAG_EFI_MMAP = 17,
	TAG_EFI_SERVICES = 18,
};

enum {
	INFO_HEADER = 8,
	TAG_HEADER = 8,
	TAG_ALIGN = 8,
	MMAP_HEADER = 16,
	MMAP_ENTRY = 24,
	MMAP_ENTRY_MAX = 1024,
	FB_HEADER = 32,
	FB_RGB_BYTES = FB_HEADER + 6,
	FB_TYPE_RGB = 1,
	FB_TYPE_TEXT = 2,
	MIB_SHIFT = 20,
};

/* A tag whose `size` bytes, header included, are all there. */
struct tag {
	uint32_t type;
	uint32_t size;
	const uint8_t *data;
};

struct parser {
	struct boot_raw *raw;
	struct fw_report *report;
	bool have_meminfo;
	uint32_t upper_kib; /* RAM from 1 MiB to the first hole */
	uint32_t lower_kib; /* RAM from 0 */
};

size_t multiboot2_size(const void *first8)
{
	uint32_t size = fw_u32(first8, 0);

	return size < MULTIBOOT2_INFO_MIN || size > MULTIBOOT2_INFO_MAX ? 0 : size;
}

static void take_string(struct parser *parser, const struct tag *tag, char *buf, size_t size,
			const char *name)
{
	size_t len =
	    str_copy_n(buf, size, (const char *)tag->data + TAG_HEADER, tag->size - TAG_HEADER);

	if (len >= size)
		fw_report_add(parser->report, "multiboot2: %s of %zu bytes cut to %zu", name, len,
			      size - 1);
}

static void take_module(struct parser *parser, const struct tag *tag)
{
	boot_raw_add_module(parser->raw, fw_u32(tag->data, 8), fw_u32(tag->data, 12),
			    (const char *)tag->data + 16, tag->size - 16, parser->report);
}

static void take_mmap(struct parser *parser, const struct tag *tag)
{
	uint32_t entry_size = fw_u32(tag->data, 8);

	if (entry_size < MMAP_ENTRY || entry_size > MMAP_ENTRY_MAX || entry_size % 8 != 0) {
		fw_report_add(parser->report, "multiboot2: memory map refused: entries of %u bytes",
			      entry_size);
		return;
	}
	if ((tag->size - MMAP_HEADER) % entry_size != 0)
		fw_report_add(parser->report, "multiboot2: memory map ends inside an entry");
	for (size_t at = MMAP_HEADER; tag->size - at >= entry_size; at += entry_size)
		raw_map_add(&parser->raw->map, fw_u64(tag->data, at), fw_u64(tag->data, at + 8),
			    fw_u32(tag->data, at + 16));
}

static bool rgb_fits(const struct boot_framebuffer *fb)
{
	return fb->red_bits != 0 && fb->red_shift + fb->red_bits <= fb->bpp &&
	       fb->green_bits != 0 && fb->green_shift + fb->green_bits <= fb->bpp &&
	       fb->blue_bits != 0 && fb->blue_shift + fb->blue_bits <= fb->bpp;
}

/* Bytes of a pixel or, for text, of a character with its colours. */
static bool framebuffer_fits(const struct boot_framebuffer *fb, unsigned cell_bytes)
{
	uint64_t bytes = (uint64_t)fb->pitch * fb->height;
	vm_paddr_t end;

	return fb->base != 0 && fb->width != 0 && fb->height != 0 &&
	       (uint64_t)fb->width * cell_bytes <= fb->pitch &&
	       !__builtin_add_overflow(fb->base, bytes, &end);
}

static bool take_rgb(struct boot_framebuffer *fb, const struct tag *tag)
{
	if (tag->size < FB_RGB_BYTES)
		return false;
	fb->kind = BOOT_FB_RGB;
	fb->red_shift = fw_u8(tag->data, FB_HEADER);
	fb->red_bits = fw_u8(tag->data, FB_HEADER + 1);
	fb->green_shift = fw_u8(tag->data, FB_HEADER + 2);
	fb->green_bits = fw_u8(tag->data, FB_HEADER + 3);
	fb->blue_shift = fw_u8(tag->data, FB_HEADER + 4);
	fb->blue_bits = fw_u8(tag->data, FB_HEADER + 5);
	return (fb->bpp == 15 || fb->bpp == 16 || fb->bpp == 24 || fb->bpp == 32) && rgb_fits(fb) &&
	       framebuffer_fits(fb, (fb->bpp + 7u) / 8);
}

static void take_framebuffer(struct parser *parser, const struct tag *tag)
{
	struct boot_framebuffer fb = {.kind = BOOT_FB_TEXT};
	uint8_t type = fw_u8(tag->data, 29);
	bool good;

	fb.base = fw_u64(tag->data, 8);
	fb.pitch = fw_u32(tag->data, 16);
	fb.width = fw_u32(tag->data, 20);
	fb.height = fw_u32(tag->data, 24);
	fb.bpp = fw_u8(tag->data, 28);
	if (type == FB_TYPE_RGB)
		good = take_rgb(&fb, tag);
	else
		good = type == FB_TYPE_TEXT && framebuffer_fits(&fb, 2);
	if (good)
		parser->raw->fb = fb;
	else
		fw_report_add(parser->report,
			      "multiboot2: framebuffer %ux%u, %u bits, type %u: unused", fb.width,
			      fb.height, fb.bpp, type);
}

/* The copy of the root pointer; the longer one of revision 2 is preferred (3.6.15, 3.6.16). */
static void take_rsdp(struct parser *parser, const struct tag *tag)
{
	struct boot_raw *raw = parser->raw;
	size_t len = tag->size - TAG_HEADER;

	if (len > RSDP_BYTES)
		len = RSDP_BYTES;
	if (len <= raw->rsdp_copy_len)
		return;
	memcpy(raw->rsdp_copy, tag->data + TAG_HEADER, len);
	raw->rsdp_copy_len = (unsigned)len;
}

static void take_meminfo(struct parser *parser, const struct tag *tag)
{
	parser->have_meminfo = true;
	parser->lower_kib = fw_u32(tag->data, 8);
	parser->upper_kib = fw_u32(tag->data, 12);
}

/* The bytes that a tag must have before its fields are read. */
static uint32_t tag_min(uint32_t type)
{
	switch (type) {
	case TAG_MODULE:
	case TAG_MEMINFO:
	case TAG_MMAP:
	case TAG_EFI64:
		return 16;
	case TAG_EFI32:
		return 12;
	case TAG_FRAMEBUFFER:
		return FB_HEADER;
	default:
		return TAG_HEADER;
	}
}

static void take_efi(struct boot_raw *raw, const struct tag *tag)
{
	raw->efi = true;
	if (tag->type == TAG_EFI64)
		raw->efi_system_table = fw_u64(tag->data, 8);
	else if (tag->type == TAG_EFI32)
		raw->efi_system_table = fw_u32(tag->data, 8);
	else if (tag->type == TAG_EFI_SERVICES)
		raw->efi_services = true;
}

static void take_tag(struct parser *parser, const struct tag *tag)
{
	struct boot_raw *raw = parser->raw;

	switch (tag->type) {
	case TAG_CMDLINE:
		take_string(parser, tag, raw->cmdline, sizeof(raw->cmdline), "command line");
		break;
	case TAG_LOADER:
		take_string(parser, tag, raw->loader, sizeof(raw->loader), "loader name");
		break;
	case TAG_MODULE:
		take_module(parser, tag);
		break;
	case TAG_MEMINFO:
		take_meminfo(parser, tag);
		break;
	case TAG_MMAP:
		take_mmap(parser, tag);
		break;
	case TAG_FRAMEBUFFER:
		take_framebuffer(parser, tag);
		break;
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		take_rsdp(parser, tag);
		break;
	case TAG_EFI32:
	case TAG_EFI64:
	case TAG_EFI_MMAP:
	case TAG_EFI_SERVICES:
		take_efi(raw, tag);
		break;
	default:
		break;
	}
}

/* False when there is no whole tag at `at`: reading ends there. */
static bool read_tag(const uint8_t *info, size_t len, size_t at, struct tag *tag,
		     struct fw_report *report)
{
	if (len - at < TAG_HEADER) {
		fw_report_add(report, "multiboot2: no end tag in %zu bytes", len);
		return false;
	}
	tag->data = info + at;
	tag->type = fw_u32(tag->data, 0);
	tag->size = fw_u32(tag->data, 4);
	if (tag->size < TAG_HEADER || tag->size > len - at) {
		fw_report_add(report, "multiboot2: tag %u at %zu has size %u: the rest is ignored",
			      tag->type, at, tag->size);
		return false;
	}
	return true;
}

/* Each tag starts at the next multiple of 8 behind the one before (3.6.1). */
static void read_tags(struct parser *parser, const uint8_t *info, size_t len)
{
	struct tag tag;

	for (size_t at = INFO_HEADER; at <= len; at += align_up(tag.size, TAG_ALIGN)) {
		if (!read_tag(info, len, at, &tag, parser->report) || tag.type == TAG_END)
			return;
		if (tag.size >= tag_min(tag.type))
			take_tag(parser, &tag);
		else
			fw_report_add(parser->report, "multiboot2: tag %u of %u bytes is too short",
				      tag.type, tag.size);
	}
	fw_report_add(parser->report, "multiboot2: no end tag in %zu bytes", len);
}

/* The two figures of 3.6.4 are poor, but true: RAM at 0, and at 1 MiB up to the first hole. */
static void use_meminfo(struct parser *parser)
{
	fw_report_add(parser->report, "multiboot2: no memory map%s",
		      parser->have_meminfo ? ", using the basic figures" : "");
	if (!parser->have_meminfo)
		return;
	raw_map_add(&parser->raw->map, 0, (uint64_t)parser->lower_kib * 1024, RAW_USABLE);
	raw_map_add(&parser->raw->map, (vm_paddr_t)1 << MIB_SHIFT,
		    (uint64_t)parser->upper_kib * 1024, RAW_USABLE);
}

bool multiboot2_parse(const void *info, size_t len, struct boot_raw *raw, struct fw_report *report)
{
	struct parser parser = {.raw = raw, .report = report};
	size_t stated;

	boot_raw_init(raw);
	stated = len < MULTIBOOT2_INFO_MIN ? 0 : multiboot2_size(info);
	if (stated == 0) {
		fw_report_add(report, "multiboot2: no information of a sensible size");
		return false;
	}
	if (stated > len)
		fw_report_add(report, "multiboot2: %zu bytes stated, %zu there", stated, len);
	read_tags(&parser, info, stated < len ? stated : len);
	if (raw->map.count == 0)
		use_meminfo(&parser);
	return true;
}
