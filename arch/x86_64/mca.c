/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/mca.h"

/* Bit 12 only says that corrected errors are filtered (15.9.2.1). */
enum { CODE_MASK = 0xefff };

/* Compound error codes, from the most significant bit that they set (15.9.2). */
enum {
	CODE_BUS = 0x0800,
	CODE_TIMER = 0x0400,
	CODE_CACHE = 0x0100,
	CODE_MEMORY = 0x0080,
	CODE_TLB = 0x0010,
	CODE_GENERIC_CACHE = 0x000c,
};

/* MISC of a recoverable error (15.3.2.4): least significant bit of the address, and its kind. */
enum { MISC_LSB_MASK = 0x3f, MISC_MODE_SHIFT = 6, MISC_MODE_MASK = 7, MISC_MODE_PHYSICAL = 2 };

enum { PAGE_BITS = 12, LSB_MAX = 30 }; /* beyond 1 GiB it says nothing about memory */

static unsigned code_of(uint64_t status)
{
	return (unsigned)status & CODE_MASK;
}

static bool is_memory_controller(uint64_t status)
{
	return (code_of(status) & 0xff80) == CODE_MEMORY;
}

static bool is_cache(uint64_t status)
{
	return (code_of(status) & 0xff00) == CODE_CACHE;
}

/* Table 15-6: what an uncorrected error asks of the software that can recover from some. */
enum mca_verdict mca_judge(uint64_t cap, const struct mca_bank *bank, const char **why)
{
	uint64_t s = bank->status;

	if ((s & MCI_VAL) == 0)
		return MCA_NOTHING;
	if ((s & MCI_UC) == 0)
		return MCA_CORRECTED;
	if (s & MCI_PCC)
		*why = "the state of the processor is lost";
	else if ((cap & MCG_CAP_SER) == 0)
		*why = "this processor cannot recover from uncorrected errors";
	else if ((s & MCI_EN) == 0)
		return MCA_DEFERRED; /* it raised no exception */
	else if ((s & MCI_AR) == 0)
		return MCA_DEFERRED;
	else if (s & MCI_S)
		*why = "the kernel was using the data that is lost";
	else
		*why = "the report contradicts itself";
	return MCA_FATAL;
}

/*
 * A corrected error of a cache is the cache's. What a cache could not correct came from memory, or
 * was on its way there (15.9.3.1: data that nobody has asked for).
 */
bool mca_memory(uint64_t cap, const struct mca_bank *bank, vm_paddr_t *start, vm_size_t *size)
{
	uint64_t s = bank->status;
	unsigned lsb = (unsigned)bank->misc & MISC_LSB_MASK;
	unsigned mode = (unsigned)(bank->misc >> MISC_MODE_SHIFT) & MISC_MODE_MASK;

	if ((s & (MCI_VAL | MCI_ADDRV | MCI_MISCV)) != (MCI_VAL | MCI_ADDRV | MCI_MISCV))
		return false;
	if ((cap & MCG_CAP_SER) == 0 || mode != MISC_MODE_PHYSICAL || lsb > LSB_MAX)
		return false;
	if (!is_memory_controller(s) && !(is_cache(s) && (s & MCI_UC)))
		return false;
	if (lsb < PAGE_BITS)
		lsb = PAGE_BITS;
	*size = (vm_size_t)1 << lsb;
	*start = bank->address & ~(*size - 1);
	return true;
}

static const char *memory_text(unsigned code)
{
	static const char *const texts[8] = {
	    "memory controller",
	    "memory controller, read",
	    "memory controller, write",
	    "memory controller, address or command",
	    "memory controller, found by scrubbing",
	};
	const char *text = texts[code >> 4 & 7];

	return text != NULL ? text : texts[0];
}

static const char *cache_text(unsigned code)
{
	static const char *const texts[16] = {
	    "cache",
	    "cache, read",
	    "cache, write",
	    "cache, data read",
	    "cache, data write",
	    "cache, instruction fetch",
	    "cache, prefetch",
	    "cache, eviction",
	    "cache, snoop",
	};
	const char *text = texts[code >> 4 & 15];

	return text != NULL ? text : texts[0];
}

/* Simple codes: table 15-9. */
static const char *simple_text(unsigned code)
{
	static const char *const texts[] = {
	    "no error code",
	    "unclassified",
	    "parity of the microcode ROM",
	    "another processor's error",
	    "redundancy check",
	    "internal parity",
	    "bad system management code",
	};

	return code < sizeof(texts) / sizeof(texts[0]) ? texts[code] : "unclassified";
}

const char *mca_error_text(uint64_t status)
{
	unsigned code = code_of(status);

	if (code & CODE_BUS)
		return "bus or interconnect";
	if (code & CODE_TIMER)
		return code == CODE_TIMER ? "internal timer" : "internal, unclassified";
	if (is_cache(status))
		return cache_text(code);
	if (is_memory_controller(status))
		return memory_text(code);
	if ((code & 0xfff0) == CODE_TLB)
		return "TLB";
	if ((code & 0xfffc) == CODE_GENERIC_CACHE)
		return "cache";
	return simple_text(code);
}
