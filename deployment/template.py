"""What template.yaml says about the places where the stack can be deployed."""

from dataclasses import dataclass
from pathlib import Path

from samcli.yamlhelper import yaml_parse


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """Regions with a training image, and the processor of the functions unless a parameter says another."""

    image_regions: frozenset[str]
    architecture: str


def read_template(path: Path) -> TemplateFacts:
    """Return the facts of a template."""
    template = yaml_parse(path.read_text(encoding="utf-8"))
    return TemplateFacts(
        frozenset(template["Mappings"]["TrainingImageAccount"]),
        template["Parameters"]["Architecture"]["Default"],
    )
