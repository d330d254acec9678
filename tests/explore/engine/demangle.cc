// SPDX-License-Identifier: BSD-2-Clause
// What people call a C++ function or variable: without parameters and unnamed namespaces.
#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/explore/engine/engine.h"

void symbol_demangle(const char *name, char *text, size_t size)
{
	static const std::string unnamed = "(anonymous namespace)::";
	int status = -1;
	char *demangled = abi::__cxa_demangle(name, nullptr, nullptr, &status);
	std::string readable = status == 0 ? demangled : name;
	size_t at;

	std::free(demangled);
	while ((at = readable.find(unnamed)) != std::string::npos)
		readable.erase(at, unnamed.size());
	readable = readable.substr(0, readable.find('('));
	std::snprintf(text, size, "%s", readable.c_str());
}
