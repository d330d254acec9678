#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: compile_commands.sh ROOT   writes ROOT/compile_commands.json.
#
# Bazel's text listing of its compile actions becomes JSON by awk alone. A file that is compiled
# for the kernel and for the host is listed as the kernel compiles it.
set -euo pipefail
cd "$1"
bazel=${QUIRE_BAZEL:-bazel}
execution_root=$("$bazel" info execution_root 2>/dev/null)
"$bazel" aquery --output=text --include_artifacts=false 'mnemonic("CppCompile", deps(//...))' \
	2>/dev/null >compile_commands.json.actions
awk -v tree="$PWD" -v external="$execution_root" '
function json(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	return "\"" text "\""
}
# The listing quotes for a shell, a word to a line: only what it quotes has to be unquoted.
function unquote(word) {
	if (word ~ /^\x27.*\x27$/) {
		word = substr(word, 2, length(word) - 2)
		gsub(/\x27\\\x27\x27/, "\x27", word)
	}
	return word
}
# What clang does not know, or what would only make it complain.
function unwanted(word) {
	return word ~ /^-(fno-canonical-system-headers|fno-tree-loop-distribute-patterns|MD|Werror)$/ ||
	    word ~ /^-(Wunused-but-set-parameter|Wno-free-nonheap-object|frandom-seed=.*)$/
}
function add(word) {
	if (skip_next) {
		skip_next = 0
		return
	}
	if (word == "-MF" || word == "-o") {
		skip_next = 1
		return
	}
	if (unwanted(word))
		return
	if (source_next)
		source = word
	source_next = word == "-c"
	if (word == "-ffreestanding")
		kernel = 1
	if (word ~ /^(bazel-out|external)\//)
		word = external "/" word
	words = words (words == "" ? "" : ", ") json(word)
}
function finish() {
	if (source != "" && source !~ /^(bazel-out|external)\// && (kernel || !(source in entries))) {
		if (!(source in entries))
			order[count++] = source
		entries[source] = "{\"directory\": " json(tree) ", \"file\": " json(source) \
		    ", \"arguments\": [" words "]}"
	}
	source = words = ""
	kernel = skip_next = source_next = inside = 0
}
/^ *Command Line: \(exec / {
	finish()
	inside = 1
	sub(/^ *Command Line: \(exec /, "")
}
inside {
	last = sub(/\)$/, "")
	if (!last)
		sub(/ \\$/, "")
	sub(/^ +/, "")
	add(unquote($0))
	if (last)
		finish()
}
END {
	print "["
	for (i = 0; i < count; i++)
		print entries[order[i]] (i + 1 < count ? "," : "")
	print "]"
}' compile_commands.json.actions >compile_commands.json.new
rm compile_commands.json.actions
mv compile_commands.json.new compile_commands.json
echo "$PWD/compile_commands.json: $(grep -c '"file"' compile_commands.json) files"
