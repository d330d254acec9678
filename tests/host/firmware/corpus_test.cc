// SPDX-License-Identifier: BSD-2-Clause
// Every file of tests/corpus/firmware through the parsers, the options and the tunables as they
// ship; what becomes of it must be, to the letter, what its manifest says.
#include <fstream>
#include <iterator>
#include <sstream>

#include "arch/host/machine.h"
#include "kernel/registry/sysctl.h"
#include "smp/smp.h"
#include "tests/host/firmware/machine_outcome.h"
#include "gtest/gtest.h"

extern "C" {
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/log.h"
}

namespace
{

using firmware::Lines;

constexpr char FOLDER[] = "tests/corpus/firmware/";
constexpr size_t FILES_MIN = 200;

struct CorpusCase {
	std::string kind, file;
	Lines expected;
};

std::ostream &operator<<(std::ostream &out, const CorpusCase &c)
{
	return out << c.kind << "/" << c.file;
}

// A block for each file: "file: NAME", "why: ...", and the outcome.
void read_manifest(const std::string &kind, std::vector<CorpusCase> &cases)
{
	std::ifstream in(FOLDER + kind + "/MANIFEST");
	std::string line;

	while (std::getline(in, line)) {
		if (line.rfind("file: ", 0) == 0)
			cases.push_back({kind, line.substr(6), {}});
		else if (!line.empty() && line[0] != '#' && line.rfind("why: ", 0) != 0 &&
			 !cases.empty())
			cases.back().expected.push_back(line);
	}
}

std::vector<CorpusCase> all_cases()
{
	std::vector<CorpusCase> cases;

	for (const char *kind :
	     {"rsdp", "root", "madt", "srat", "slit", "multiboot2", "pvh", "memmap", "cmdline"})
		read_manifest(kind, cases);
	return cases;
}

unsigned number;
SYSCTL_UINT(number_node, "corpus.number", SYSCTL_RW, &number, "a number");
SYSCTL_UINT(fixed_node, "corpus.fixed", SYSCTL_RD, &number, "not to be set");

} // namespace

extern "C" {
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

constexpr unsigned CPUS = 4;

class FirmwareCorpus : public testing::TestWithParam<CorpusCase>
{
      protected:
	void read_file()
	{
		std::ifstream in(FOLDER + GetParam().kind + "/" + GetParam().file,
				 std::ios::binary);
		std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
		auto data = reinterpret_cast<const uint8_t *>(bytes.data());

		ASSERT_TRUE(file_.read(data, bytes.size())) << "not a file of the corpus";
	}

	Lines outcome()
	{
		bool boots = machine_.boot(file_);
		Lines lines = {"boots: no"};

		if (boots) {
			const char *rule = machine_.broken();

			EXPECT_EQ(rule, nullptr) << "broken: " << rule;
			lines = firmware::machine_lines(machine_);
			if (machine_.raw->cmdline[0] != '\0')
				add_options(lines);
		}
		for (const std::string &line : machine_.log)
			lines.push_back("log: " + line);
		return lines;
	}

      private:
	void add_options(Lines &lines)
	{
		const char *cmdline = machine_.raw->cmdline;

		begin_machine();
		config_init(cmdline);
		config_apply_tunables(cmdline);
		add_kernel_log();
		lines.push_back(std::string("cmdline: ") + cmdline);
		lines.push_back("options: " + options_text());
		host_machine_destroy();
	}

	/* What the kernel said about its options. */
	void add_kernel_log()
	{
		std::istringstream log(host_log());
		std::string line;

		while (std::getline(log, line))
			machine_.log.push_back(line);
	}

	void begin_machine()
	{
		struct host_config config = {};
		struct sysctl_oid *nodes[] = {&number_node, &fixed_node};

		config.cpus = CPUS;
		host_machine_create(&config);
		smp_init();
		ASSERT_TRUE(sysctl_register_all(nodes, nitems(nodes)));
		number = 0;
		host_log_clear();
		/* The options of the case before. */
		*const_cast<struct kernel_config *>(kernel_config()) = {};
	}

	static std::string options_text()
	{
		static const char *const panics[] = {"", "halt", "exit", "reboot"};
		const struct kernel_config &config = *kernel_config();
		std::string text;

		text += config.quiet ? " quiet" : "";
		if (config.panic != PANIC_DEFAULT)
			text += std::string(" panic=") + panics[config.panic];
		if (config.maps.kmem != 0)
			text += " kmem=" + std::to_string(config.maps.kmem);
		if (smp_cpu_count() != CPUS)
			text += " cpus=" + std::to_string(smp_cpu_count());
		if (number != 0)
			text += " corpus.number=" + std::to_string(number);
		if (config.has_run)
			text += std::string(" run=") + config.run;
		return text.empty() ? text : text.substr(1);
	}

	firmware::MachineFile file_;
	firmware::BootMachine machine_;
};

TEST_P(FirmwareCorpus, IsReadAsItsManifestSays)
{
	read_file();
	if (!HasFatalFailure()) {
		EXPECT_EQ(outcome(), GetParam().expected);
	}
}

std::string case_name(const testing::TestParamInfo<CorpusCase> &info)
{
	std::string name = info.param.kind + "_" + info.param.file;

	return name.substr(0, name.rfind('.'));
}

INSTANTIATE_TEST_SUITE_P(Files, FirmwareCorpus, testing::ValuesIn(all_cases()), case_name);

TEST(FirmwareCorpusSize, IsWhatItWasMeantToBe)
{
	EXPECT_GE(all_cases().size(), FILES_MIN);
}

} // namespace
