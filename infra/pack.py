"""Packs built functions into zips for Lambda and says how large they are; used by package.sh.

pack.py <architecture> <folder of the binaries> <folder for the zips> <function…>

A zip holds the binary as `bootstrap` and nothing else, with a fixed time and fixed permissions, so that the same binary
makes the same zip (with the same zlib). Fails when a zip is over the budget, or a binary isn't for the architecture or
needs a newer C library than Lambda has.
"""

import hashlib
import pathlib
import re
import struct
import subprocess
import sys
import zipfile

# A package is fetched and unpacked at every cold start.
BUDGET = 4 * 1024 * 1024
# What Amazon Linux 2023, and with it provided.al2023, has.
GLIBC = (2, 34)
# e_machine of an ELF file.
MACHINES = {"x86_64": 62, "arm64": 183}


def c_library(binary):
    """The newest version of the C library that the binary needs."""
    needed = subprocess.run(["readelf", "--wide", "--version-info", binary], check=True, capture_output=True, text=True)
    versions = re.findall(r"\bGLIBC_(\d+)\.(\d+)", needed.stdout)
    return max((int(major), int(minor)) for major, minor in versions)


def pack(binary, package, level=9):
    """Writes the zip, compressed as much as `level` says (0: not at all)."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, binary, zipfile.ZIP_DEFLATED, level)


def main(architecture, binaries, packages, *functions):
    problems, sums = [], []
    print(f"{'function':<20} {'binary':>10} {'zip':>10}  of budget  GLIBC  sha256 of the zip")
    for function in functions:
        path = pathlib.Path(binaries, function)
        binary = path.read_bytes()
        package = pathlib.Path(packages, f"{function}.zip")
        package.parent.mkdir(parents=True, exist_ok=True)
        pack(binary, package)
        size, glibc = package.stat().st_size, c_library(path)
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        sums.append(f"{digest}  {package.name}\n")
        version = ".".join(map(str, glibc))
        print(f"{function:<20} {len(binary):>10,} {size:>10,} {size / BUDGET:>9.0%}   {version:<5}  {digest[:16]}…")
        if size > BUDGET:
            problems.append(f"{function}: {size:,} bytes zipped, and the budget is {BUDGET:,}")
        if glibc > GLIBC:
            problems.append(f"{function}: needs GLIBC {version}, and Lambda has {GLIBC[0]}.{GLIBC[1]}")
        if struct.unpack_from("<H", binary, 18)[0] != MACHINES[architecture]:
            problems.append(f"{function}: isn't built for {architecture}")
    pathlib.Path(packages, "SHA256SUMS").write_text("".join(sums))
    print(f"{packages}/<function>.zip, SHA256SUMS. Deploy them with Architecture={architecture}.")
    return problems


if __name__ == "__main__":
    found = main(*sys.argv[1:])
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
