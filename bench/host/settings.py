#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns the lines of run.sh's write_settings on stdin into the settings.json of report.py."""
import json
import sys


def number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)


def parse(lines):
    settings = {"settings": {}, "versions": {"packages": {}}, "commands": []}
    for line in lines:
        key, _, rest = line.rstrip("\n").partition(" ")
        if key == "command":
            settings["commands"].append(rest)
        elif key == "version":
            name, _, version = rest.partition(" ")
            settings["versions"][name] = version
        elif key == "package":
            name, _, version = rest.partition(" ")
            settings["versions"]["packages"][name] = version
        else:
            settings["settings"][key] = number(rest)
    return settings


if __name__ == "__main__":
    json.dump(parse(sys.stdin), sys.stdout, indent=1)
    print()
