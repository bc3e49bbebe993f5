"""Prints the names of all functions, one a line: every package in the folder functions."""

import json
import pathlib
import subprocess

metadata = subprocess.run(
    ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"], check=True, capture_output=True
)
for package in sorted(json.loads(metadata.stdout)["packages"], key=lambda package: package["name"]):
    if pathlib.Path(package["manifest_path"]).parts[-3] == "functions":
        print(package["name"])
