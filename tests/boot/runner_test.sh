#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The runner of the boot tests against a QEMU that only pretends: what has to fail does.
set -uo pipefail
runner=$(readlink -f "$1")
qemu_script=$(readlink -f "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QUIRE_QEMU=$work/qemu TEST_UNDECLARED_OUTPUTS_DIR=$work XML_OUTPUT_FILE=$work/test.xml
unset TEST_TMPDIR
: >"$work/image"
failures=0

# Writes its serial log and exits with the status that the test chose.
cat >"$QUIRE_QEMU" <<'QEMU'
#!/bin/bash
for arg; do
	case $arg in file:*) log=${arg#file:} ;; esac
done
printf '%b' "$FAKE_LOG" >"$log"
[ "$FAKE_STATUS" = hang ] && exec sleep 60
exit "$FAKE_STATUS"
QEMU
chmod +x "$QUIRE_QEMU"

good='\x1b[2Jsmp: 4 of 4 CPUs online\r\nselftest: case a ok\r\n[0.1] selftest: case b.c ok\r\n'
good+='selftest: 2 passed, 0 failed\r\naudit: ok\r\n'

run() # LOG STATUS
{
	FAKE_LOG=$1 FAKE_STATUS=$2 "$runner" --qemu-script "$qemu_script" --image "$work/image" \
		--boot pvh --cmdline "run=x" --status 33 --timeout 1 \
		--expect 'smp: 4 of 4 CPUs online' --expect 'audit: ok' -- -smp 4 >"$work/out" 2>&1
}

check() # NAME CONDITION...
{
	if "${@:2}"; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		cat "$work/out" "$XML_OUTPUT_FILE"
		failures=$((failures + 1))
	fi
}

says() # TEXT
{
	grep -qF -- "$1" "$work/out"
}

reports() # TEXT
{
	grep -qF -- "$1" "$XML_OUTPUT_FILE"
}

refuses() # NAME LOG STATUS TEXT
{
	run "$2" "$3" && echo "accepted" >"$work/out"
	check "$1" says "$4"
}

check "a good run passes" run "$good" 33
check "a case by name" reports '<testcase name="b.c" classname="selftest"/>'
check "the boot as a case" reports '<testcase name="boot" classname="kernel"'
refuses "a wrong status" "$good" 35 "status is 35 instead of 33"
refuses "no status at all" "$good" 0 "status is 0 instead of 33"
refuses "a hang" "$good" hang "no exit within 1 s: the kernel hangs; its last line: audit: ok"
refuses "a missing line" "${good/audit: ok/}" 33 "lacks /audit: ok/"
refuses "fewer CPUs" "${good/4 of 4/3 of 4}" 33 "lacks /smp: 4 of 4"
refuses "a failed case" "${good/a ok/a FAILED: 1 < 2}" 33 "self-test case a failed"
check "the reason in the report" reports '<testcase name="a" classname="selftest"><failure message="1 &lt; 2"/>'
refuses "a case that vanished" "${good/selftest: case a ok/}" 33 "counted 2 cases, but 1 said ok"
skipped=${good/2 passed, 0 failed/2 passed, 0 failed, 1 skipped}
refuses "a skipped case that vanished" "$skipped" 33 "counted 1 skipped cases, but 0 said so"
refuses "a skipped case that is not counted" \
	"${good/audit: ok/selftest: case d.e skipped: too big\\r\\naudit: ok}" 33 \
	"counted 0 skipped cases, but 1 said so"
refuses "a skipped case that is counted as passed" \
	"${skipped/case a ok/case a skipped: 2 > 1}" 33 "counted 2 cases, but 1 said ok"
run "${skipped/selftest: 2/selftest: case d.e skipped: 2 > 1\\r\\nselftest: 2}" 33
check "a skipped case that is counted" test $? -eq 0
check "its reason in the report" reports '<testcase name="d.e" classname="selftest"><skipped message="2 &gt; 1"/></testcase>'
refuses "an empty log" "" 33 "lacks /audit: ok/"

[ "$failures" -eq 0 ]
