/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of this program's functions and variables, static ones too, from the symbol table of its
 * own file (System V ABI, "Symbol Table"). A stripped program has no names.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/explore/engine/engine.h"

static const unsigned char *file;
static size_t file_size;
static const Elf64_Sym *table;
static size_t table_count;
static const char *names;
static uintptr_t base; /* what the program was moved by */

static int find_base(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	base = info->dlpi_addr;
	return 1; /* the program itself comes first */
}

static bool file_map(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *mapping;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) != 0 || (size_t)status.st_size < sizeof(Elf64_Ehdr)) {
		close(fd);
		return false;
	}
	file_size = (size_t)status.st_size;
	mapping = mmap(NULL, file_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (mapping == MAP_FAILED)
		return false;
	file = mapping;
	return true;
}

/* The program was loaded from this file, so the loader has checked it. */
static void table_find(void)
{
	const Elf64_Ehdr *header = (const void *)file;
	const Elf64_Shdr *sections = (const void *)(file + header->e_shoff);

	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		table = (const void *)(file + sections[i].sh_offset);
		table_count = sections[i].sh_size / sizeof(*table);
		names = (const char *)file + sections[sections[i].sh_link].sh_offset;
	}
}

static void prepare(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	dl_iterate_phdr(find_base, NULL);
	if (file_map())
		table_find();
}

static const Elf64_Sym *find(uintptr_t address)
{
	for (size_t i = 0; i < table_count; i++) {
		unsigned type = ELF64_ST_TYPE(table[i].st_info);

		if ((type == STT_FUNC || type == STT_OBJECT) && table[i].st_shndx != SHN_UNDEF &&
		    address >= table[i].st_value && address - table[i].st_value < table[i].st_size)
			return &table[i];
	}
	return NULL;
}

bool symbol_describe(uintptr_t address, bool with_offset, char *text, size_t size)
{
	const Elf64_Sym *symbol;
	size_t used;

	prepare();
	symbol = find(address - base);
	if (symbol == NULL)
		return false;
	address -= base + symbol->st_value;
	symbol_demangle(names + symbol->st_name, text, size);
	used = strlen(text);
	if (with_offset && address != 0)
		snprintf(text + used, size - used, "+%#lx", (unsigned long)address);
	return true;
}
