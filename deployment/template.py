"""What template.yaml says about the places where the stack can be deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from mlops.use_cases.champion_versions import parse_libraries


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """Regions with a training image, the processor of the functions unless a parameter says another, the
    versions of the libraries that score, and the whole template as CloudFormation reads it.
    """

    image_regions: frozenset[str]
    architecture: str
    libraries: Mapping[str, str]
    document: Mapping[str, Any]


def read_template(path: Path) -> TemplateFacts:
    """Return the facts of a template."""
    template = yaml_parse(path.read_text(encoding="utf-8"))
    return TemplateFacts(
        frozenset(template["Mappings"]["TrainingImageAccount"]),
        template["Parameters"]["Architecture"]["Default"],
        parse_libraries(template["Outputs"]["ScoringLibraries"]["Value"]),
        template,
    )
