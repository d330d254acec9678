// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as what somebody types: the line editor beside a terminal that shows what it is told,
// and the line taken apart into commands and words.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernel/line.h"
#include "kernel/shell_parse.h"
#include "tests/fuzz/fuzz_input.h"

namespace
{

// One line of a terminal: characters overwrite, backspace moves, a newline begins another. Of
// escape sequences it knows those that the editor may use: an empty screen, and the cursor at its
// beginning.
struct Terminal {
	std::string cells, escape;
	size_t cursor = 0;

	void take_escape(char c)
	{
		escape += c;
		if (escape.size() <= 2 || (c >= '0' && c <= '9'))
			return;
		FUZZ_REQUIRE(escape == "\033[2J" || escape == "\033[H", "%s", escape.c_str() + 1);
		if (c == 'J')
			cells.clear();
		cursor = 0;
		escape.clear();
	}

	void take(char c)
	{
		if (c == '\033' || !escape.empty()) {
			take_escape(c);
		} else if (c == '\b') {
			FUZZ_REQUIRE(cursor != 0, "backspace at the beginning of the line");
			cursor--;
		} else if (c == '\n' || c == '\r') {
			cells.clear();
			cursor = 0;
		} else if (c != '\a') {
			FUZZ_REQUIRE(c >= ' ' && c <= '~', "%#x reaches the terminal", c & 0xff);
			if (cells.size() <= cursor)
				cells.resize(cursor + 1, ' ');
			cells[cursor++] = c;
		}
	}

	// What is seen, without the blanks at its end.
	std::string seen() const
	{
		return cells.substr(0, cells.find_last_not_of(' ') + 1);
	}
} terminal;

void show(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		terminal.take(text[i]);
}

void require_shown(const line_editor &line)
{
	std::string text(line.text, line.length);

	FUZZ_REQUIRE(line.length < LINE_MAX && line.text[line.length] == '\0');
	FUZZ_REQUIRE(line.cursor <= line.length && line.count <= LINE_HISTORY);
	FUZZ_REQUIRE(terminal.cursor == line.cursor, "%zu, not %u", terminal.cursor, line.cursor);
	FUZZ_REQUIRE(terminal.seen() == text.substr(0, text.find_last_not_of(' ') + 1),
		     "shown \"%s\", is \"%s\"", terminal.seen().c_str(), text.c_str());
}

std::string quoted(const char *word)
{
	std::string text = "\"";

	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			text += '\\';
		text += *word;
	}
	return text + "\"";
}

// Its words, each in quotes, are the same command.
void require_same_when_quoted(const shell_command &command)
{
	auto again = std::make_unique<shell_command>();
	parse_cursor cursor;
	std::string text;

	for (int i = 0; i < command.argc; i++)
		text += (i == 0 ? "" : " ") + quoted(command.argv[i]);
	parse_begin(&cursor, text.data(), text.size());
	if (text.empty())
		return;
	FUZZ_REQUIRE(shell_next_command(&cursor, again.get()));
	FUZZ_REQUIRE(again->problem == nullptr && again->argc == command.argc, "%s", text.c_str());
	for (int i = 0; i < command.argc; i++)
		FUZZ_REQUIRE(strcmp(again->argv[i], command.argv[i]) == 0, "%s", text.c_str());
	FUZZ_REQUIRE(!shell_next_command(&cursor, again.get()), "%s", text.c_str());
}

void require_command(const shell_command &command, bool has_nul)
{
	FUZZ_REQUIRE(command.argc >= 0 && command.argc <= SHELL_WORDS_MAX);
	FUZZ_REQUIRE(command.argv[command.argc] == nullptr);
	for (int i = 0; i < command.argc; i++)
		FUZZ_REQUIRE(command.argv[i] >= command.bytes &&
			     memchr(command.argv[i], 0,
				    size_t(command.bytes + SHELL_BYTES_MAX - command.argv[i])) !=
				 nullptr);
	if (command.problem == nullptr && !has_nul)
		require_same_when_quoted(command);
}

void take_apart(const char *text, size_t length)
{
	auto command = std::make_unique<shell_command>();
	bool has_nul = memchr(text, 0, length) != nullptr;
	parse_cursor cursor;
	size_t commands = 0;

	parse_begin(&cursor, text, length);
	while (shell_next_command(&cursor, command.get())) {
		require_command(*command, has_nul);
		FUZZ_REQUIRE(++commands <= length);
	}
}

void type(const std::vector<char> &keys)
{
	auto line = std::make_unique<line_editor>();

	*line = {};
	line->show = show;
	line_begin(line.get());
	terminal = {};
	for (char key : keys) {
		enum line_result result = line_input(line.get(), key);

		if (result == LINE_MORE) {
			require_shown(*line);
			continue;
		}
		if (result == LINE_DONE)
			take_apart(line->text, line->length);
		line_begin(line.get());
		terminal = {};
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::vector<char> exact(data, data + size);

	take_apart(exact.data() != nullptr ? exact.data() : "", exact.size());
	type(exact);
	return 0;
}
