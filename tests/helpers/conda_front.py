"""A small `conda`, over rattler's solver and linker, and a channel of packages that are built here.

Stands in where no conda can be installed: Snakemake calls it as it calls conda. Channels are folders
in `$CONDA_FRONT/channels`, by their names; environments are solved and linked as conda would, and a
`pip:` part is installed by the environment's own pip.
"""

import argparse
import asyncio
import bz2
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import rattler
import yaml

PLATFORM = str(rattler.Platform.current())


def install_front(root: Path) -> dict[str, str]:
    """Put the front end and its `activate` into `root`; environment variables to run it with."""
    (root / "bin").mkdir(parents=True)
    conda = root / "bin/conda"
    conda.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} "$@"\n')
    conda.chmod(0o755)
    (root / "bin/activate").write_text('export CONDA_PREFIX="$1"\nexport PATH="$1/bin:$PATH"\n')
    return {"CONDA_FRONT": str(root), "PATH": f"{root}/bin:{os.environ['PATH']}"}


def build_channel(root: Path, name: str, packages: list[tuple[str, str, dict, list[str]]]) -> None:
    """A channel: packages as (name, version, files, dependencies).

    files: by their place in the environment, bytes; or a path, for a link to it.
    """
    folder = root / "channels" / name
    records = {"noarch": {}, PLATFORM: {}}
    (folder / "noarch").mkdir(parents=True)
    for package, version, files, depends in packages:
        index = {"name": package, "version": version, "build": "0", "build_number": 0}
        index |= {"depends": depends, "subdir": "noarch", "noarch": "generic"}
        index |= {"timestamp": 1_700_000_000_000}
        paths = [_path(place, content) for place, content in files.items()]
        about = {
            "info/index.json": json.dumps(index).encode(),
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
            "info/files": "\n".join(files).encode(),
        }
        archive = folder / "noarch" / f"{package}-{version}-0.tar.bz2"
        raw = BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for place, content in {**about, **files}.items():
                _add(tar, place, content)
        archive.write_bytes(bz2.compress(raw.getvalue(), 1))
        content = archive.read_bytes()
        records["noarch"][archive.name] = index | {
            "md5": hashlib.md5(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
    for subdir, found in records.items():
        (folder / subdir).mkdir(exist_ok=True)
        repodata = {"info": {"subdir": subdir}, "packages": found, "packages.conda": {}}
        (folder / subdir / "repodata.json").write_text(json.dumps(repodata))


def this_python(version: str) -> tuple[str, str, dict, list[str]]:
    """A `python` package that is this machine's interpreter, under the version that is asked for."""
    base = (
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
    files = {
        f"bin/{base.name}": base,
        "bin/python3": base,
        "bin/python": base,
        "pyvenv.cfg": f"home = {base.parent}\ninclude-system-site-packages = false\n".encode(),
    }
    return ("python", version, files, [])


def bundled_pip(version: str) -> tuple[str, str, dict, list[str]]:
    """A `pip` package: the one that this machine's Python carries, under the version asked for."""
    import ensurepip

    [wheel] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    site = Path(sysconfig.get_path("purelib", vars={"base": ""})).relative_to("/")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        files = {str(site / name): archive.read(name) for name in names}
    return ("pip", version, files, ["python"])


def _path(place, content):
    if isinstance(content, Path):
        return {"_path": place, "path_type": "softlink"}
    digest = hashlib.sha256(content).hexdigest()
    return {
        "_path": place,
        "path_type": "hardlink",
        "sha256": digest,
        "size_in_bytes": len(content),
    }


def _add(tar, place, content):
    entry = tarfile.TarInfo(place)
    entry.mode = 0o755 if place.startswith("bin/") else 0o644
    if isinstance(content, Path):
        entry.type, entry.linkname = tarfile.SYMTYPE, str(content)
        tar.addfile(entry)
    else:
        entry.size = len(content)
        tar.addfile(entry, BytesIO(content))


async def create(file: Path, prefix: Path, root: Path) -> None:
    """Solve, link, and let the environment's pip add the `pip:` part."""
    asked = yaml.safe_load(file.read_text())
    channels = [name for name in asked["channels"] if name != "nodefaults"]
    specs = [d for d in asked["dependencies"] if isinstance(d, str)]
    [of_pip] = [d["pip"] for d in asked["dependencies"] if isinstance(d, dict)] or [[]]
    records = await rattler.solve(
        [rattler.Channel((root / "channels" / name).as_uri()) for name in channels],
        specs,
        platforms=[PLATFORM, "noarch"],
    )
    await rattler.install(
        records, target_prefix=prefix, cache_dir=root / "cache", show_progress=False
    )
    if of_pip:
        pip = [prefix / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, "--disable-pip-version-check", *of_pip], check=True)


def main(root: Path) -> None:
    words = sys.argv[1:]
    if words == ["--version"]:
        print("conda 24.7.1")
    elif words == ["info", "--json"]:
        print(json.dumps({"conda_prefix": str(root), "platform": PLATFORM}))
    elif words[:3] == ["config", "--get", "channel_priority"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif words[:2] == ["env", "create"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("--quiet", action="store_true")
        parser.add_argument("--no-default-packages", action="store_true")
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        found = parser.parse_args(words[2:])
        asyncio.run(create(found.file, found.prefix, root))
    elif words[0] != "clean":
        sys.exit(f"this small conda knows nothing of: {' '.join(words)}")


if __name__ == "__main__":
    main(Path(os.environ["CONDA_FRONT"]))
