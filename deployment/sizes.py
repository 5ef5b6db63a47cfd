"""Whether every function fits into Lambda with its layers."""

from pathlib import Path

from samcli.yamlhelper import yaml_parse

from deployment.errors import DeploymentError

LIMIT_BYTES = 250 * 2**20


def check_sizes(built_template: Path) -> None:
    """Refuse a build that Lambda would refuse after minutes of upload.

    Raises
    ------
    DeploymentError
        A function is too large; symbols of native code that no `strip` removed are the usual reason.
    """
    template = yaml_parse(built_template.read_text(encoding="utf-8"))
    shared = template["Globals"]["Function"]["Layers"]
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        layers = [layer["Ref"] for layer in [*shared, *properties.get("Layers", [])]]
        contents = [template["Resources"][layer]["Properties"]["ContentUri"] for layer in layers]
        folders = [built_template.parent / folder for folder in [properties["CodeUri"], *contents]]
        size_bytes = sum(_size_bytes(folder) for folder in folders)
        if size_bytes > LIMIT_BYTES:
            raise DeploymentError(
                f"{name} has {size_bytes / 2**20:.0f} MiB with its layers, and Lambda takes "
                f"{LIMIT_BYTES // 2**20}: install llvm-strip (`brew install llvm`, `apt-get install llvm`), "
                "put it on PATH, and deploy again."
            )


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
