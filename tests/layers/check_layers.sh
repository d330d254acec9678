#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: check_layers.sh ROOT          reads every source under ROOT and names each broken rule
#        check_layers.sh --workspace-of LINK   the same for the tree that LINK points into
#
# The layers, each of which may include itself and those before it:
#
#     lib → arch contract → smp → kernel/sched → kernel/registry → vm → kernel
#
# arch/x86_64 and arch/host implement the contract and include lib, the contract and themselves.
# tests and bench may include anything, and nothing includes them. Further:
#   - includes in quotes name a file from the root of the tree; in angle brackets stand only libbsd and the
#     compiler's own headers (arch/host, which is a program like any other, may use the C library)
#   - x_private.h, x_internal.h and x_impl.h are included only from their own folder (and by tests)
#   - arch/md/x.h, a backend's half of the contract, is included only by the contract and a backend
#   - smp, kernel/sched, kernel/registry and vm hold no architecture conditional, no assembly, and no atomic builtin
set -euo pipefail
root=$1
[ "$root" != --workspace-of ] || root=$(dirname "$(readlink -f "$2")")
cd "$root"

mapfile -t files < <(for folder in lib arch smp kernel vm; do
	[ ! -d "$folder" ] || find "$folder" -type f \( -name '*.[chS]' -o -name '*.cc' -o -name '*.inc' \)
done | sort)
[ ${#files[@]} -gt 0 ] || { echo "check_layers.sh: no sources under $root" >&2; exit 2; }

awk '
function broken(what) {
	print FILENAME ":" FNR ": " what
	violations++
}

# Where a source file, or the file that an include names, belongs.
function layer_of(path) {
	if (path ~ /^lib\//) return "lib"
	if (path ~ /^arch\/x86_64\//) return "arch/x86_64"
	if (path ~ /^arch\/host\//) return "arch/host"
	if (path ~ /^arch\/md\//) return "arch/md"
	if (path ~ /^arch\//) return "arch"
	if (path ~ /^smp\//) return "smp"
	if (path ~ /^kernel\/sched\//) return "kernel/sched"
	if (path ~ /^kernel\/registry\//) return "kernel/registry"
	if (path ~ /^vm\//) return "vm"
	if (path ~ /^kernel\//) return "kernel"
	if (path ~ /^bsd\/sys\/(queue|tree)\.h$/) return "bsd"
	return ""
}

function folder_of(path) {
	sub(/\/[^\/]*$/, "", path)
	return path
}

# The contract lies in arch/include/arch/x.h and is included as arch/x.h, the backends halves of it
# as arch/md/x.h: a private header is sought under both names.
function same_folder(file, header,    a, b) {
	a = folder_of(file)
	b = folder_of(header)
	return a == b || a == "arch/include/" b
}

function check_include(name,    from, to) {
	from = layer_of(FILENAME)
	to = layer_of(name)
	if (name ~ /(^|\/)\.\.?(\/|$)/ || name !~ /\//)
		broken("\"" name "\" does not name a file from the root of the tree")
	else if (to == "")
		broken(from " includes \"" name "\", which belongs to no layer below it")
	else if (!allowed(from, to))
		broken(from " may not include " to " (\"" name "\")")
	else if (name ~ /_(private|internal|impl)\.h$/ && !same_folder(FILENAME, name))
		broken("\"" name "\" is private to " folder_of(name))
}

function allowed(from, to) {
	if (to == "bsd" || to == from)
		return 1
	if (to == "arch/md")
		return from ~ /^arch/
	if (from == "arch/x86_64" || from == "arch/host")
		return to == "lib" || to == "arch"
	return (from in rank) && (to in rank) && rank[to] <= rank[from]
}

function check_system_include(name) {
	if (layer_of(FILENAME) == "arch/host" || layer_of(name) == "bsd")
		return
	if (name ~ /^(float|limits|stdalign|stdarg|stdbool|stddef|stdint|stdnoreturn)\.h$/)
		return
	# On a workstation the standard functions are those of the C library.
	if (!(name == "string.h" && FILENAME == "lib/string.h") &&
	    !(name == "cpuid.h" && layer_of(FILENAME) == "arch/x86_64"))
		broken("<" name "> does not come with a freestanding compiler")
}

# Takes comments and the contents of strings out of the line.
function code_of(line,    out, at, c, two) {
	out = ""
	for (at = 1; at <= length(line); at++) {
		c = substr(line, at, 1)
		two = substr(line, at, 2)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				at++
			}
		} else if (quote != "") {
			if (c == "\\")
				at++
			else if (c == quote) {
				quote = ""
				out = out c
			}
		} else if (two == "/*") {
			in_comment = 1
			out = out " "
			at++
		} else if (two == "//")
			break
		else {
			if (c == "\"" || c == "\x27")
				quote = c
			out = out c
		}
	}
	quote = ""
	return out
}

function check_portable(code) {
	if (code ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/) {
		conditional = code ~ /\\$/
		if (code ~ ARCHITECTURE)
			broken("an architecture conditional in portable code")
	} else if (conditional) {
		conditional = code ~ /\\$/
		if (code ~ ARCHITECTURE)
			broken("an architecture conditional in portable code")
	}
	if (code ~ /(^|[^A-Za-z0-9_])(asm|__asm|__asm__)([^A-Za-z0-9_]|$)/)
		broken("assembly in portable code")
	gsub(/__atomic_signal_fence/, "", code) # a barrier for the compiler alone: nothing is shared
	if (code ~ /(^|[^A-Za-z0-9_])(__atomic_|__sync_|_Atomic([^A-Za-z0-9_]|$))/)
		broken("an atomic builtin in portable code, instead of arch/atomic.h")
}

BEGIN {
	rank["lib"] = 0
	rank["arch"] = 1
	rank["smp"] = 2
	rank["kernel/sched"] = 3
	rank["kernel/registry"] = 4
	rank["vm"] = 5
	rank["kernel"] = 6
	ARCHITECTURE = "__x86_64|__amd64|__i386|__aarch64|__arm|__riscv|__linux|__unix|" \
	    "__STDC_HOSTED__|QUIRE_(HOST|KERNEL|TEST)([^A-Za-z0-9_]|$)"
}

FNR == 1 {
	in_comment = conditional = 0
	quote = ""
	portable = layer_of(FILENAME) ~ /^(smp|kernel\/sched|kernel\/registry|vm)$/
	files++
}

{
	was_comment = in_comment
	code = code_of($0)
	if (!was_comment && match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/)) {
		name = substr($0, RSTART, RLENGTH - 1)
		sub(/^[^"]*"/, "", name)
		check_include(name)
	} else if (!was_comment && match($0, /^[ \t]*#[ \t]*include[ \t]*<[^>]*>/)) {
		name = substr($0, RSTART, RLENGTH - 1)
		sub(/^[^<]*</, "", name)
		check_system_include(name)
	} else if (!was_comment && code ~ /^[ \t]*#[ \t]*include/)
		broken("an include that cannot be read: a macro hides its name")
	if (portable)
		check_portable(code)
}

END {
	printf "%d files read, %d violations\n", files, violations
	exit violations > 0
}' "${files[@]}"
