#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: quire_test.sh QUIRE RUN_QEMU
# The script ./quire on machines that only pretend: nothing is built, installed or booted.
# shellcheck disable=SC2016 # single quotes are right: the fakes expand later
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{tree/iso,tree/bazel-bin/iso,tree/bazel-bin/kernel,bin}
cp -L "$1" "$work/tree/quire"
cp -L "$2" "$work/tree/iso/run_qemu.sh"
touch "$work"/tree/bazel-bin/{iso/quire.iso,kernel/quire.elf}
PATH=$work/bin:/usr/bin:/bin
export QUIRE_BAZEL=$work/bin/bazel QUIRE_QEMU=$work/bin/qemu QUIRE_OVMF=$work/bin/qemu FAKES=$work
unset DISPLAY WAYLAND_DISPLAY
failures=0

# Each says what it was asked to do, and does what the test wants.
fake() # NAME BODY
{
	printf '#!/bin/bash\necho "%s $*" >>"$FAKES/calls"\n%s\n' "$1" "$2" >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}
fake bazel 'cat "$FAKES/bazel_says" 2>/dev/null; exit "${BAZEL_STATUS:-0}"'
fake qemu 'exit "${QEMU_STATUS:-33}"'
fake id 'echo "${FAKE_UID:-0}"'
fake sudo 'exec "$@"'
fake apt-get 'exit "${APT_STATUS:-0}"'
fake dpkg-query '[[ " ${MISSING:-} " == *" ${!#} "* ]] || printf "install ok installed"'

quire() # STATUS ARGUMENTS...
{
	local want=$1 status=0
	shift
	: >"$work/calls"
	"$work/tree/quire" "$@" >"$work/out" 2>&1 || status=$?
	what="quire $*"
	[ "$status" -eq "$want" ] || fail "status $status instead of $want"
}

fail()
{
	echo "FAILED  $what: $1"
	sed 's/^/        /' "$work/out" "$work/calls"
	failures=$((failures + 1))
}

says()
{
	grep -qF -- "$1" "$work/out" || fail "does not say: $1"
}

calls()
{
	grep -qF -- "$1" "$work/calls" || fail "does not call: $1"
}

calls_not()
{
	! grep -qF -- "$1" "$work/calls" || fail "calls: $1"
}

# ---- help and wrong usage
quire 0 --help; says "./quire COMMAND --help"
quire 0 boot --help; says "--append OPTIONS"
quire 0 test --help; says "N passed, N failed"
quire 0 lint --help
quire 0 coverage --help; says "coverage/html/index.html"
quire 2 coverage --frobnicate; says "unknown option '--frobnicate'"
quire 0 clean --help
quire 0 compdb --help
quire 2; says "Usage"
quire 2 frobnicate; says "unknown command 'frobnicate'"
quire 2 boot --frobnicate; says "unknown option '--frobnicate'"
quire 2 boot --smp; says "--smp needs a value"
quire 2 test --random-boots; says "a number of boots"
quire 2 test --random-boots=0; says "a number of boots"
quire 2 test --random-boots 5 --seed x; says "--seed x: a number"
quire 2 test --random-boots 5 //vm; says "goes with nothing but --seed"
quire 0 boot --gdb
says "-ex 'target remote 127.0.0.1:1"; says "tools/gdb/quire.py"
calls "//kernel:quire.elf"; calls "-S -gdb tcp:127.0.0.1:1"
for n in 0 256 -1 4x "" 1000 08; do
	quire 2 boot --smp "$n"
	says "1 to 255 CPUs"
done
for size in 0 512 64K 1.5G M "" 0M; do
	quire 2 boot --mem "$size"
	says "a size such as 64M"
done
quire 2 boot --pvh --uefi; says "--pvh goes with neither"
quire 2 boot --pvh --usb; says "--pvh goes with neither"
quire 2 boot --run ""; says "no command"
quire 2 boot --run " ; "; says "no command"
quire 2 boot --append "run=audit"; says "use --run"
quire 2 boot --append $'a\nb'; says "one line"
quire 2 boot --window; says "no graphical session"
calls_not "qemu -machine"
calls_not "bazel build"

# ---- boot
quire 0 boot </dev/null
[ "$(head -n 1 "$work/out")" = "To leave Quire: Ctrl-A X" ] || fail "does not say first how to leave"
calls "bazel build //iso:quire.iso"
calls "-smp 4 -m 512M"
calls "-cdrom"
calls "-serial mon:stdio"
calls_not "apt-get"
quire 0 boot --smp 8 --mem 4G --usb; calls "usb-storage"; calls "-smp 8 -m 4G"
quire 0 boot --smp=255 --uefi; calls "if=pflash"; calls "-smp 255"
quire 0 boot --append "a=1,2 b" --run "cpus; audit"
calls "string=a=1,,2 b run=cpus; audit"
quire 0 boot --pvh --append "a=1,2" --run "audit"
calls "bazel build //kernel:quire.elf"
calls "-append a=1,2 run=audit"

# ---- stress: a boot that runs one command
quire 0 stress --help; says "--seconds S"
quire 0 stress </dev/null
calls "bazel build //kernel:quire.elf"
calls "-append run=stress 60"
calls "-smp 4 -m 512M"
quire 0 stress --smp 8 --seconds=120 --mem 1G --seed 7 --append "tlb.sabotage=1" rights remaps
calls "-append tlb.sabotage=1 run=stress 120 seed=7 rights remaps"
calls "-smp 8 -m 1G"
QEMU_STATUS=35 quire 1 stress --seconds forever; calls "run=stress forever"
QEMU_STATUS=37 quire 3 stress
for bad in "--seconds 0" "--seconds 1x" "--seed x" "--smp 0" "--mem 1" "--frobnicate" "a;b" "--smp"; do
	# shellcheck disable=SC2086 # two words
	quire 2 stress $bad
	calls_not "qemu -machine"
done

# ---- what QEMU's status means
QEMU_STATUS=35 quire 1 boot --run x; says "a command failed"
QEMU_STATUS=37 quire 3 boot --run x; says "the kernel panicked"
QEMU_STATUS=0 quire 4 boot --run x; says "stopped or restarted before"
QEMU_STATUS=0 quire 0 boot </dev/null
QEMU_STATUS=1 quire 5 boot --run x; says "status 1"
BAZEL_STATUS=1 quire 1 boot; calls_not "qemu -machine"

# ---- a bare machine
MISSING="mtools g++" quire 0 boot --run x
says "installing Debian packages: g++ mtools"
calls "apt-get update"
calls "apt-get install -y --no-install-recommends g++ mtools"
calls_not sudo
MISSING=mtools FAKE_UID=1000 quire 0 boot --run x; calls "sudo apt-get update"
MISSING=ovmf quire 0 boot --run x; calls_not apt-get
MISSING=ovmf quire 0 boot --uefi --run x; calls "recommends ovmf"
MISSING=mtools APT_STATUS=100 quire 2 boot --run x
says "could not install the packages. By hand: apt-get install mtools"
calls_not "bazel build"

# ---- coverage: the script gets the targets, and its status is ours
mkdir "$work/tree/tools"
fake ../tree/tools/coverage.sh 'exit "${COVERAGE_STATUS:-0}"'
quire 0 coverage //a/...; calls "coverage.sh //a/..."
MISSING=lcov quire 0 coverage; calls "recommends lcov"
COVERAGE_STATUS=1 quire 1 coverage

# ---- mutate, soak, MC/DC: a Python program each, whose status is ours
mkdir "$work"/tree/tools/{mutate,soak,mcdc}
fake ../tree/tools/mutate/mutate.py 'exit "${TOOL_STATUS:-0}"'
fake ../tree/tools/soak/soak.py 'exit "${TOOL_STATUS:-0}"'
fake ../tree/tools/mcdc/mcdc.py 'exit "${TOOL_STATUS:-0}"'
quire 0 mutate --help; says "--sample N"; calls_not mutate.py
quire 0 mutate vm/vm_pool.c --seed 3; calls "vm/vm_pool.c --seed 3"; calls "--root"
MISSING=googletest quire 0 mutate --all; calls "recommends googletest"
TOOL_STATUS=1 quire 1 mutate --all
quire 0 soak --help; says "Ctrl-C"; calls_not soak.py
quire 0 soak 0.5; calls "soak.py --root"; calls " 0.5"
TOOL_STATUS=1 quire 1 soak 1
quire 0 coverage --mcdc --missing; calls "mcdc.py --root"; calls "--missing"
MISSING=clang-19 quire 0 coverage --mcdc; calls "recommends clang-19"

# ---- fuzz: the script gets what was asked, and its status is ours
fake ../tree/tools/fuzz.sh 'exit "${FUZZ_STATUS:-0}"'
quire 0 fuzz --help; says "names the targets"
quire 0 fuzz zone --seconds 5; calls "fuzz.sh $work/tree zone --seconds 5"
MISSING=clang quire 0 fuzz; calls "recommends clang"
MISSING=clang quire 0 fuzz --list; calls_not apt-get
FUZZ_STATUS=1 quire 1 fuzz

# ---- counting
cat >"$work/bazel_says" <<'SAYS'
//a:one_test                                          PASSED in 0.1s
//a:two_test                                 (cached) PASSED in 0.2s
SAYS
quire 0 test
[ "$(tail -n 1 "$work/out")" = "6 passed, 0 failed" ] || fail "counts wrong"
calls "--config=sanitize //..."
calls "--test_tag_filters=threads //..."
quire 0 test //a/... --runs_per_test=2; calls "--runs_per_test=2 //a/..."
BAZEL_STATUS=1 quire 1 test; says "6 passed, 3 failed"
cat >>"$work/bazel_says" <<'SAYS'
//a:three_test                                        FAILED in 0.2s
  /somewhere/test.log
//a:four_test                                         TIMEOUT in 60.1s
//a:five_test                                         FAILED TO BUILD
//a:six_test                                          NO STATUS
SAYS
BAZEL_STATUS=3 quire 1 test
[ "$(tail -n 1 "$work/out")" = "6 passed, 12 failed" ] || fail "counts wrong"
: >"$work/bazel_says"
BAZEL_STATUS=4 quire 1 test; says "no test ran"
[ "$(tail -n 1 "$work/out")" = "0 passed, 0 failed" ] || fail "counts wrong"

# ---- not Debian: no apt-get to be found anywhere
mkdir "$work/other"
for tool in bash readlink dirname env gcc ld zip bazel; do
	ln -s "$(command -v "$tool")" "$work/other/$tool"
done
PATH=$work/other quire 2 boot --run x
says "this is not Debian; please install what provides:"
says "xorriso"

[ "$failures" -eq 0 ] && echo ok
