/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_bench --allocator=NAME: malloc() of whoever is preloaded. Refuses to run when that is not
 * the named one: a figure under a wrong name is worse than none.
 */
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/host/case.h"
#include "bench/host/peer_cases.h"

namespace bench
{

namespace
{

template <typename F> F *function(const char *name)
{
	return reinterpret_cast<F *>(dlsym(RTLD_DEFAULT, name));
}

std::string glibc_version()
{
	auto *version = function<const char *()>("gnu_get_libc_version");

	return version != nullptr ? version() : "";
}

std::string jemalloc_version()
{
	auto *ctl = function<int(const char *, void *, size_t *, void *, size_t)>("mallctl");
	const char *version = "";
	size_t size = sizeof(version);

	if (ctl != nullptr && ctl("version", &version, &size, nullptr, 0) == 0)
		return version;
	return "";
}

std::string tcmalloc_version()
{
	auto *version = function<const char *(int *, int *, const char **)>("tc_version");

	return version != nullptr ? version(nullptr, nullptr, nullptr) : "";
}

std::string mimalloc_version()
{
	auto *version = function<int()>("mi_version");
	int number = version != nullptr ? version() : 0;

	return number == 0 ? ""
			   : std::to_string(number / 100) + "." + std::to_string(number / 10 % 10) +
				 "." + std::to_string(number % 10);
}

struct Allocator {
	const char *name;
	const char *object; /* what the name of its shared object begins with */
	std::string (*version)();
};

const Allocator allocators[] = {
    {"glibc", "libc.so", glibc_version},
    {"jemalloc", "libjemalloc.so", jemalloc_version},
    {"tcmalloc", "libtcmalloc_minimal.so", tcmalloc_version},
    {"mimalloc", "libmimalloc.so", mimalloc_version},
};

/* The path of the shared object that a call of the function ends in. */
std::string object_of(const char *function_name)
{
	void *address = dlsym(RTLD_DEFAULT, function_name);
	Dl_info info;

	if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr)
		return "nowhere";
	return info.dli_fname;
}

bool is_object(const std::string &path, const char *begins_with)
{
	size_t slash = path.rfind('/');
	std::string file = slash == std::string::npos ? path : path.substr(slash + 1);

	return file.compare(0, std::strlen(begins_with), begins_with) == 0;
}

const Allocator *find_allocator(const std::string &name)
{
	for (const Allocator &allocator : allocators)
		if (name == allocator.name)
			return &allocator;
	fail("--allocator=" + name + ": one of glibc, jemalloc, tcmalloc, mimalloc is needed");
}

/* Both functions, because half of a preloaded allocator would be none. */
void check_preload(const Allocator *allocator)
{
	for (const char *name : {"malloc", "free"}) {
		std::string path = object_of(name);

		if (!is_object(path, allocator->object))
			fail("this is not " + std::string(allocator->name) + ": " + name +
			     "() is that of " + path + ". Run it with LD_PRELOAD=.../" +
			     allocator->object + ".N");
	}
}

/* Takes --allocator=NAME out of the arguments. */
std::string take_allocator(int *argc, char **argv)
{
	const char option[] = "--allocator=";
	std::string name;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (std::strncmp(argv[i], option, sizeof(option) - 1) == 0)
			name = argv[i] + sizeof(option) - 1;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	return name;
}

} // namespace

Program program_begin(int *argc, char **argv, unsigned)
{
	const Allocator *allocator = find_allocator(take_allocator(argc, argv));
	std::string version;

	check_preload(allocator);
	version = allocator->version();
	if (version.empty())
		fail(std::string(allocator->name) + " does not tell its version");
	return {allocator->name, version, peer_cases()};
}

bool program_end()
{
	return true;
}

} // namespace bench
