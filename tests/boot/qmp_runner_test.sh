#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: qmp_runner_test.sh QMP_TEST
# The runner that does things to a kernel, with a QEMU that only pretends: what has to fail does.
set -uo pipefail
runner=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/image"
failures=0

# A console that echoes lines and ends at "exit", and a machine protocol that refuses "no-such".
cat >"$work/qemu" <<'QEMU'
#!/usr/bin/env python3
import json, os, re, socket, sys, threading
path = re.search(r"unix:([^,]+),", " ".join(sys.argv))[1]
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(1)

def protocol():
    connection, _ = server.accept()
    stream = connection.makefile("rw")
    def say(what):
        stream.write(json.dumps(what) + "\n")
        stream.flush()
    say({"QMP": {}})
    for line in stream:
        request = json.loads(line)
        say({"event": "NICE"})
        if request["execute"] == "no-such":
            say({"error": {"desc": "no such command"}})
        elif request["execute"] == "human-monitor-command":
            bad = "frob" in request["arguments"]["command-line"]
            say({"return": "unknown command: 'frob'" if bad else ""})
        else:
            say({"return": {}})
            if request["execute"] == "inject-nmi":
                print("nmi: interrupted", flush=True)

threading.Thread(target=protocol, daemon=True).start()
print("\x1b[2Jquire> ", end="", flush=True)
text = ""
while True:
    byte = os.read(0, 1).decode()
    if not byte:
        sys.exit(1)
    if byte != "\r":
        text += byte
        continue
    print(f"said {text}\r\nquire> ", end="", flush=True)
    if text == "exit":
        os._exit(int(os.environ.get("FAKE_STATUS", "33")))
    text = ""
QEMU
chmod +x "$work/qemu"

run() # STEPS...
{
	local steps=()
	for step; do steps+=("$step"); done
	"$runner" --qemu-script "$work/qemu" --image "$work/image" --timeout "${LIMIT:-20}" \
		"${steps[@]}" -- -smp 1 >"$work/out" 2>&1
}

passes() # NAME STEPS...
{
	if run "${@:2}"; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		cat "$work/out"
		failures=$((failures + 1))
	fi
}

refuses() # NAME TEXT STEPS...
{
	if ! run "${@:3}" && grep -qF -- "$2" "$work/out"; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		cat "$work/out"
		failures=$((failures + 1))
	fi
}

end=(--step "type exit")
passes "typing and expecting" --step "expect quire> " --step "type one" --step "expect said one$" "${end[@]}"
passes "a command of the protocol" --step "qmp inject-nmi" --step "expect nmi: interrupted" "${end[@]}"
passes "one with arguments" --step 'qmp stop {"a": 1}' "${end[@]}"
passes "a command of the monitor" --step "hmp mce 0" "${end[@]}"
passes "what is absent" --absent panic "${end[@]}"
refuses "what should be absent" "the log has /said exit/" --absent "said exit" "${end[@]}"
refuses "a wrong order" "ends without /said one/" --step "type one" --step "type two" \
	--step "expect said two" "${end[@]}" --step "expect said one"
refuses "a refusal of the protocol" "QEMU refuses no-such: no such command" --step "qmp no-such" "${end[@]}"
refuses "a refusal of the monitor" "refuses 'frob'" --step "hmp frob" "${end[@]}"
refuses "an unknown step" "unknown step 'dance'" --step "dance" "${end[@]}"
FAKE_STATUS=35 refuses "a wrong status" "status is 35 instead of 33" "${end[@]}"
LIMIT=1 refuses "a kernel that hangs" "not done within 1.0 s; the last line: quire>" --step "expect never"
[ "$failures" -eq 0 ]
