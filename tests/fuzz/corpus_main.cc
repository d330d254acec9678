// SPDX-License-Identifier: BSD-2-Clause
// A fuzzer's program without a fuzzer, for any compiler: runs every file that it is given, and then
// copies of them with a few bytes changed, always the same ones.
//
//	zone_fuzz_corpus_test [--changed N] FILE-OR-FOLDER...
//
// A broken rule ends the program, and the file, or the change, that was running is named.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace
{

using Bytes = std::vector<uint8_t>;

enum : size_t { GROWTH_MAX = 64 };

std::string running;

void say_what_was_running(int signal)
{
	(void)!write(STDERR_FILENO, running.data(), running.size());
	std::signal(signal, SIG_DFL);
	std::raise(signal);
}

Bytes read_file(const std::filesystem::path &path)
{
	std::ifstream in(path, std::ios::binary);

	if (!in) {
		fprintf(stderr, "%s: cannot be read\n", path.c_str());
		exit(2);
	}
	return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::filesystem::path> list_files(const std::vector<std::string> &arguments)
{
	std::vector<std::filesystem::path> files;

	for (const std::string &argument : arguments) {
		if (!std::filesystem::is_directory(argument)) {
			files.push_back(argument);
			continue;
		}
		for (const auto &entry : std::filesystem::directory_iterator(argument))
			if (entry.is_regular_file() && entry.path().filename() != "MANIFEST")
				files.push_back(entry.path());
	}
	std::sort(files.begin(), files.end());
	return files;
}

// std::uniform_int_distribution differs between libraries; this does not.
class Changer
{
      public:
	explicit Changer(uint64_t seed) : random_(seed)
	{
	}

	Bytes change(const std::vector<Bytes> &all)
	{
		Bytes bytes = all[below(all.size())];

		for (size_t n = 1 + below(4); n != 0; n--)
			change_once(bytes, all);
		return bytes;
	}

      private:
	size_t below(size_t n)
	{
		return size_t(random_() % n);
	}

	uint8_t byte()
	{
		static const uint8_t edges[] = {0, 1, 2, 7, 8, 0x10, 0x7f, 0x80, 0xfe, 0xff};

		return below(2) == 0 ? edges[below(sizeof(edges))] : uint8_t(random_());
	}

	void change_once(Bytes &bytes, const std::vector<Bytes> &all)
	{
		size_t at = bytes.empty() ? 0 : below(bytes.size());

		switch (bytes.empty() ? 1 : below(5)) {
		case 0:
			bytes[at] = byte();
			break;
		case 1:
			bytes.insert(bytes.begin() + long(at), 1 + below(8), byte());
			break;
		case 2:
			bytes.erase(
			    bytes.begin() + long(at),
			    bytes.begin() +
				long(at + 1 + below(std::min<size_t>(bytes.size() - at, 16))));
			break;
		case 3:
			bytes[at] = uint8_t(bytes[at] ^ 1 << below(8));
			break;
		default:
			splice(bytes, at, all[below(all.size())]);
		}
	}

	void splice(Bytes &bytes, size_t at, const Bytes &other)
	{
		if (other.empty())
			return;
		size_t from = below(other.size());
		size_t n = std::min<size_t>(other.size() - from, 1 + below(GROWTH_MAX));

		bytes.insert(bytes.begin() + long(at), other.begin() + long(from),
			     other.begin() + long(from + n));
	}

	std::mt19937_64 random_;
};

void run(const Bytes &bytes)
{
	// An allocation of the exact size, so that a byte read behind it is seen.
	std::vector<uint8_t> exact(bytes);

	exact.shrink_to_fit();
	LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

[[noreturn]] void usage()
{
	fprintf(stderr, "usage: ..._corpus_test [--changed N] FILE-OR-FOLDER...\n");
	exit(2);
}

} // namespace

int main(int argc, char **argv)
{
	std::vector<std::string> arguments(argv + 1, argv + argc);
	std::vector<Bytes> all;
	uint64_t changed = 0;

	if (arguments.size() >= 2 && arguments[0] == "--changed") {
		changed = strtoull(arguments[1].c_str(), nullptr, 10);
		arguments.erase(arguments.begin(), arguments.begin() + 2);
	}
	if (arguments.empty())
		usage();
	std::signal(SIGABRT, say_what_was_running);
	std::signal(SIGSEGV, say_what_was_running);
	for (const std::filesystem::path &file : list_files(arguments)) {
		running = "while running " + file.string() + "\n";
		all.push_back(read_file(file));
		run(all.back());
	}
	if (all.empty()) {
		fprintf(stderr, "no files in the folders given\n");
		return 2;
	}
	for (uint64_t i = 0; i < changed; i++) {
		running = "while running change " + std::to_string(i) + " of the corpus\n";
		run(Changer(i).change(all));
	}
	printf("%zu files and %llu changed ones\n", all.size(), (unsigned long long)changed);
	return 0;
}
