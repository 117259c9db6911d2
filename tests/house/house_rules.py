#!/usr/bin/env python3
"""The rules of the house that a machine can hold: include graph, closed headers, mirrored tests, portable paths, layout.

    house_rules.py RULE [ROOT]     prints a line a breach; exit code 1 when there is one, 77 when it cannot be checked
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# What each module rests on directly; it may include whatever these rest on, too.
RESTS_ON = {
    "core": [],
    "symbolic": ["core"],
    "model": ["symbolic"],
    "sbml": ["model"],
    "petab": ["symbolic"],
    "jit": ["model"],
    "simulate": ["jit"],
    "sample": ["core"],
    "store": ["core"],
    "optimize": ["core"],
    "estimate": ["simulate", "petab", "optimize", "sbml"],
    "generate": ["core", "store"],
    "parallel": ["core"],
    "study": ["estimate", "generate", "parallel", "sample", "store"],
    "drivers": ["study"],
}

# A header may include the standard library, the compiler's intrinsics and these, in the modules or folders named ("*": in
# all). Headers in generate/nets are for that folder's .cpp files alone.
HEADER_MAY_INCLUDE = {"fmt/": ["*"], "cereal/": ["estimate"], "torch/": ["generate/nets"], "ATen/": ["generate/nets"]}

SKIPPED = 77
NOT_SOURCE = {".git", "build", "out", ".cache", "__pycache__"}
TEXT_SUFFIXES = {"", ".cpp", ".hpp", ".py", ".sh", ".cmake", ".txt", ".md", ".json", ".yaml", ".yml", ".tsv", ".xml", ".in"}


def allowed_modules(module: str) -> set[str]:
    """The module itself and all that it rests on, directly or not."""
    found, todo = set(), [module]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo.extend(RESTS_ON[current])
    return found


def cpp_files(root: Path, *folders: str) -> list[Path]:
    return sorted(p for f in folders for p in (root / f).rglob("*") if p.suffix in {".cpp", ".hpp"})


def includes(file: Path, pattern: str) -> Iterator[tuple[int, str]]:
    """(line number, what is included) for each include whose opening mark is `pattern`."""
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if match := re.match(rf"\s*#\s*include\s*{pattern}([^\">]+)", line):
            yield number, match[1]


def module_of(root: Path, file: Path) -> str:
    parts = file.relative_to(root).parts
    return parts[1] if parts[0] == "src" else parts[0]


def check_includes(root: Path) -> Iterator[str]:
    """A module includes only what DESIGN's table lets it rest on."""
    for file in cpp_files(root, "src", "drivers"):
        module = module_of(root, file)
        if module not in RESTS_ON:
            yield f"{file}: no module {module} in the table; add it to RESTS_ON if DESIGN has it"
            continue
        for number, name in includes(file, '"'):
            target, slash, _ = name.partition("/")
            if not slash and module != "drivers":
                yield f'{file}:{number}: "{name}"; write "{module}/{name}"'
            elif slash and target not in allowed_modules(module):
                yield f"{file}:{number}: {module} does not rest on {target}"


def check_headers(root: Path) -> Iterator[str]:
    """Third-party headers stay in .cpp files."""
    for file in cpp_files(root, "src"):
        if file.suffix != ".hpp":
            continue
        where_it_is = {"*", module_of(root, file), str(file.parent.relative_to(root / "src"))}
        for number, name in includes(file, "<"):
            standard = re.fullmatch(r"[a-z_0-9]+|[a-z]+intrin\.h", name)
            excepted = any(name.startswith(prefix) and where_it_is & set(where)
                           for prefix, where in HEADER_MAY_INCLUDE.items())
            if not standard and not excepted:
                yield f"{file}:{number}: <{name}> in a header; include it in a .cpp file"


def check_mirror(root: Path) -> Iterator[str]:
    """Every module that has code has tests."""
    for folder in sorted(p for p in (root / "src").iterdir() if p.is_dir()):
        if any(folder.rglob("*.cpp")) and not any((root / "tests" / folder.name).glob("test_*.cpp")):
            yield f"{folder}: no tests/{folder.name}/test_*.cpp"


def text_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name in NOT_SOURCE:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from text_files(path)
        elif path.is_file() and path.suffix in TEXT_SUFFIXES:
            yield path


def check_paths(root: Path) -> Iterator[str]:
    """Nothing names a folder of one person's machine."""
    private = re.compile(r"(?<![\w.}$)])/(?:work|home|root|Users)/\w")
    for file in text_files(root):
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1):
            if private.search(line):
                yield f"{file}:{number}: a path of one machine"


def check_format(root: Path) -> Iterator[str]:
    """Layout as .clang-format says, by version 14 (others differ in details)."""
    program = shutil.which("clang-format-14")
    if program is None:
        print("skipped: there is no clang-format-14; on Debian it is a package of that name")
        sys.exit(SKIPPED)
    for file in cpp_files(root, "src", "drivers", "tests"):
        run = subprocess.run([program, "--dry-run", "-Werror", "-ferror-limit=1", str(file)], capture_output=True)
        if run.returncode != 0:
            yield f"{file}: run clang-format-14 -i on it"


RULES = {
    "includes": check_includes,
    "headers": check_headers,
    "mirror": check_mirror,
    "paths": check_paths,
    "format": check_format,
}


def main() -> int:
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in RULES:
        print(f"usage: {sys.argv[0]} {{{'|'.join(RULES)}}} [ROOT]", file=sys.stderr)
        return 2
    root = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).resolve().parents[2]
    rule = RULES[sys.argv[1]]
    breaches = list(rule(root))
    for breach in breaches:
        print(breach)
    print(f"{len(breaches)} breaches of: {rule.__doc__}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
