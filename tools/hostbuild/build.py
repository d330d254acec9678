# SPDX-License-Identifier: BSD-2-Clause
"""Compiles and links host programs in a private folder, two or more at a time.

An object is compiled again when its command or any file that it read has changed.
"""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess

GOOGLETEST = "/usr/src/googletest/googletest"
COPIED = (".c", ".h", ".S", ".cc", ".inc", "BUILD")
FLAGS = ["-fno-strict-aliasing", "-DQUIRE_DEBUG=1", "-D_GNU_SOURCE", "-w", "-I.",
         "-Iarch/include", "-Iarch/host/include"]


class CompileError(Exception):
    """A compiler or linker failed; what it said."""


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else part.encode())
        h.update(b"\0")
    return h.hexdigest()[:24]


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def write_if_new(path, data):
    """Keeps the file's time when nothing changes."""
    if isinstance(data, str):
        data = data.encode()
    if os.path.exists(path) and read(path) == data:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(data)


def copy_tree(source, target, folders):
    """A copy of the sources, so that a run sees one state of them and changes none."""
    wanted = set()
    for folder in folders:
        top = os.path.join(source, folder)
        for here, below, names in os.walk(top):
            below[:] = [b for b in below if not b.startswith((".", "bazel-"))]
            for name in names:
                path = os.path.join(here, name)
                if name.endswith(COPIED) and os.path.isfile(path):
                    place = os.path.relpath(path, source)
                    wanted.add(place)
                    write_if_new(os.path.join(target, place), read(path))
    for folder in folders:
        for here, _below, names in os.walk(os.path.join(target, folder)):
            for name in names:
                path = os.path.join(here, name)
                if os.path.relpath(path, target) not in wanted:
                    os.unlink(path)


class Builder:
    """A folder of objects and programs, made of one tree by one pair of compilers."""

    def __init__(self, tree, work, jobs=1, cc="gcc", cxx="g++", c_flags=(), cxx_flags=(),
                 link_flags=()):
        self.tree = tree
        self.work = work
        self.jobs = jobs
        self.cc, self.cxx = cc, cxx
        self.c_flags = ["-std=gnu17", "-O1"] + FLAGS + list(c_flags)
        self.cxx_flags = ["-std=c++17", "-O0"] + FLAGS + list(cxx_flags)
        self.link_flags = list(link_flags)
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)
        os.makedirs(os.path.join(work, "obj"), exist_ok=True)

    def run(self, command, what):
        done = subprocess.run(command, cwd=self.tree, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise CompileError(f"{what}:\n{done.stdout}")

    def object_path(self, source, tag=""):
        return os.path.join(self.work, "obj", source.strip("/").replace("/", "_") + tag + ".o")

    def signature(self, command, depend):
        """Of the command and all that was read by the last compilation; None without one."""
        if not os.path.exists(depend):
            return None
        names = read(depend).decode().replace("\\\n", " ").partition(": ")[2].split()
        parts = [" ".join(command)]
        for name in names:
            path = os.path.join(self.tree, name)
            if not os.path.exists(path):
                return None
            parts.append(read(path) if not name.startswith("/usr") else name)
        return digest(*parts)

    def compile(self, source, flags=(), tag=""):
        """The object of a source, below the tree or at an absolute path."""
        target = self.object_path(source, tag)
        depend, known = target + ".d", target + ".sig"
        if source.endswith((".cc", ".cpp")):
            command = [self.cxx] + self.cxx_flags
        else:
            command = [self.cc] + self.c_flags
        command = command + list(flags) + ["-MMD", "-MF", depend, "-c", "-o", target, source]
        if os.path.exists(target) and os.path.exists(known):
            now = self.signature(command, depend)
            if now is not None and read(known).decode() == now:
                return target
        self.run(command, source)
        with open(known, "w", encoding="utf-8") as stream:
            stream.write(self.signature(command, depend) or "")
        return target

    def compile_all(self, jobs, progress=lambda done, of: None):
        """[(source, flags, tag)] to objects, in the same order."""
        waiting = [self.pool.submit(self.compile, *job) for job in jobs]
        for n, future in enumerate(waiting):
            try:
                future.result()
            except CompileError:
                for other in waiting:
                    other.cancel()
                raise
            progress(n + 1, len(waiting))
        return [future.result() for future in waiting]

    def googletest(self):
        """The object of GoogleTest itself, and how to include it quickly."""
        if not os.path.isdir(GOOGLETEST):
            raise CompileError(f"{GOOGLETEST} is missing: install the package googletest")
        return self.compile(GOOGLETEST + "/src/gtest-all.cc",
                            ["-I" + GOOGLETEST, "-I" + GOOGLETEST + "/include"])

    def precompiled(self):
        """Flags that give each test GoogleTest's header in the form of the compiler."""
        folder = os.path.join(self.work, "pch")
        header = os.path.join(folder, "gtest_pch.h")
        ready = header + ".gch"
        os.makedirs(folder, exist_ok=True)
        write_if_new(header, "#include <gtest/gtest.h>\n")
        flags = ["-isystem", GOOGLETEST + "/include"]
        command = [self.cxx] + self.cxx_flags + flags + ["-x", "c++-header", "-o", ready, header]
        known = os.path.join(folder, "signature")
        if not os.path.exists(ready) or not os.path.exists(known) or \
                read(known).decode() != digest(" ".join(command)):
            self.run(command, "gtest.h")
            write_if_new(known, digest(" ".join(command)))
        return flags + ["-include", header]

    def link(self, target, objects, libraries=("-lpthread",)):
        command = [self.cxx, "-o", target + ".new"] + self.link_flags + \
            ["-Wl,--gc-sections"] + list(objects) + list(libraries)
        now = digest(" ".join(command), *(digest(read(o)) for o in objects))
        known = target + ".sig"
        if os.path.exists(target) and os.path.exists(known) and read(known).decode() == now:
            return target
        os.makedirs(os.path.dirname(target), exist_ok=True)
        self.run(command, target)
        os.rename(target + ".new", target)
        write_if_new(known, now)
        return target

    def close(self):
        self.pool.shutdown()

    def forget(self):
        shutil.rmtree(self.work, ignore_errors=True)
