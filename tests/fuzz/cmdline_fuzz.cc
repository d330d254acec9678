// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the kernel's command line: taken apart, applied to the kernel's own options and to
// values of the registry.
#include <cstring>
#include <string>
#include <vector>

#include "arch/host/machine.h"
#include "kernel/registry/sysctl.h"
#include "smp/smp.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" {
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/log.h"

/* In place of the kernel's log and console. */
void log_set_quiet(bool)
{
}

void console_printf(const char *, ...)
{
}
}

namespace
{

unsigned number;
char text[16];
SYSCTL_UINT(number_node, "fuzz.number", SYSCTL_RW, &number, "a number");
SYSCTL_STRING(text_node, "fuzz.text", SYSCTL_RW, text, "a text");

void begin_machine()
{
	struct host_config config = {};
	struct sysctl_oid *nodes[] = {&number_node, &text_node};

	config.cpus = 4;
	host_machine_create(&config);
	smp_init();
	FUZZ_REQUIRE(sysctl_register_all(nodes, nitems(nodes)));
}

// Options stand one behind the other, inside of the line, and everything of one is inside of it.
void require_inside(const std::string &line, const cmdline_option &option, const char *before)
{
	const char *end = option.text + option.text_len;

	FUZZ_REQUIRE(option.text >= before && end <= line.data() + line.size());
	FUZZ_REQUIRE(option.text_len != 0, "an option of no characters");
	if (option.problem != nullptr)
		return;
	FUZZ_REQUIRE(option.key >= option.text && option.key + option.key_len <= end);
	FUZZ_REQUIRE(option.key_len != 0, "a name of no characters");
	if (option.has_value)
		FUZZ_REQUIRE(option.value >= option.key + option.key_len &&
			     option.value + option.value_len <= end);
}

std::string value_of(const cmdline_option &option)
{
	std::vector<char> buf(option.value_len + 1);
	size_t len = cmdline_value(&option, buf.data(), buf.size());

	FUZZ_REQUIRE(len == strlen(buf.data()) && len <= option.value_len);
	return buf.data();
}

// The option written again, with quotes, is the same option.
void require_same_when_quoted(const cmdline_option &option)
{
	std::string key(option.key, option.key_len), value = value_of(option);
	std::string again = key + "=\"";
	cmdline_iter iter;
	cmdline_option other;

	for (char c : value) {
		if (c == '"' || c == '\\')
			again += '\\';
		again += c;
	}
	again += '"';
	cmdline_begin(&iter, again.data(), again.size());
	FUZZ_REQUIRE(cmdline_next(&iter, &other) && other.problem == nullptr, "%s", again.c_str());
	FUZZ_REQUIRE(cmdline_key_is(&other, key.c_str()) && value_of(other) == value, "%s",
		     again.c_str());
	FUZZ_REQUIRE(!cmdline_next(&iter, &other), "%s", again.c_str());
}

void take_apart(const std::string &line)
{
	const char *before = line.data();
	cmdline_iter iter;
	cmdline_option option;

	cmdline_begin(&iter, line.data(), line.size());
	while (cmdline_next(&iter, &option)) {
		require_inside(line, option, before);
		before = option.text + option.text_len;
		if (option.problem == nullptr && option.has_value)
			require_same_when_quoted(option);
	}
}

void apply(const std::string &line)
{
	*const_cast<struct kernel_config *>(kernel_config()) = {};
	host_log_clear();
	config_init(line.c_str());
	config_apply_tunables(line.c_str());
	FUZZ_REQUIRE(memchr(kernel_config()->run, 0, sizeof(kernel_config()->run)) != nullptr);
	FUZZ_REQUIRE(memchr(text, 0, sizeof(text)) != nullptr);
	FUZZ_REQUIRE(smp_cpu_count() >= 1 && smp_cpu_count() <= 4);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	// An allocation of the exact size, without a final 0.
	const std::vector<char> exact(data, data + size);
	cmdline_iter iter;
	cmdline_option option;

	if (!host_machine_exists())
		begin_machine();
	cmdline_begin(&iter, exact.data(), exact.size());
	while (cmdline_next(&iter, &option))
		;
	std::string line(exact.begin(), exact.end());
	line = line.c_str();
	take_apart(line);
	apply(line);
	return 0;
}
