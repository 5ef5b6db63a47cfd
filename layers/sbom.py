"""The bill of materials of a layer, in CycloneDX: `python sbom.py FOLDER... --output FILE`.

It lists every package whose metadata is in the folders, installed or as a wheel. It has no time, and its
serial number comes from its content, so the same layer has the same file.
"""

import argparse
import json
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of URLs, in RFC 9562


def main(arguments: list[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parsed = parser.parse_args(arguments)
    text = json.dumps(bill_of_materials(parsed.folders), indent=1, sort_keys=True, ensure_ascii=False)
    parsed.output.write_text(f"{text}\n", encoding="utf-8")
    return 0


def bill_of_materials(folders: list[Path]) -> dict[str, Any]:
    """Return the document, with its components by name."""
    by_reference = {
        component["bom-ref"]: component for folder in folders for component in _components(folder)
    }
    components = [by_reference[reference] for reference in sorted(by_reference)]
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}",
        "version": 1,
        "components": components,
    }


def _components(folder: Path) -> Iterator[dict[str, Any]]:
    for distribution in distributions(path=[str(folder)]):
        yield _component(distribution.metadata)  # type: ignore[arg-type]
    for wheel in folder.glob("*.whl"):
        yield _component(_metadata_of(wheel))


def _metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


def _component(metadata: Message) -> dict[str, Any]:
    name, version = str(metadata["Name"]), str(metadata["Version"])
    address = f"pkg:pypi/{name.lower().replace('_', '-').replace('.', '-')}@{version}"
    component = {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}
    license_ = _license(metadata)
    return {**component, "licenses": [license_]} if license_ else component


def _license(metadata: Message) -> Mapping[str, Any] | None:
    """Return an SPDX expression, or else what the package calls its licence."""
    if expression := metadata.get("License-Expression"):
        return {"expression": str(expression)}
    classifiers = [str(text) for text in metadata.get_all("Classifier") or ()]
    names = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    text = str(metadata.get("License") or "").strip()
    name = text if text and "\n" not in text else ", ".join(names)
    return {"license": {"name": name}} if name else None


if __name__ == "__main__":
    sys.exit(main())
