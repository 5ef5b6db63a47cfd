"""Where an object was put: why it cannot be used there, and which key was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from unicodedata import category

from mlops.infrastructure.upload_events import FEATURES_FOLDER, PURPOSES, Upload
from mlops.intake.placement.folders import SUCCESS_FILE, closes_folder, is_closing_name, is_in_folder
from mlops.models.group_name import GROUP_NAME_RULE
from mlops.models.settings.nearest import closest

SETTINGS_FILE = "model.toml"
SAME_BUT_FOR_CASE = "group_differs_in_case"

MISPLACED = {
    "unusable_name": "its name has a line break or another control character, or a folder . or ..",
    "outside_a_group": "it is not in the folder of a group",
    "no_group_name": (f"its first folder cannot be a group: the name of a group has {GROUP_NAME_RULE}"),
    "outside_training_and_inference": (
        "of a group only the folders training/, inference/ and labels/ are used"
    ),
    "settings_in_a_folder": f"the settings of a group are in {SETTINGS_FILE}, directly in its folder",
    "closes_nothing": (
        "it marks a folder of parts below training/ as complete, and is not in one; files to score need no"
        " mark, each of them is scored alone"
    ),
    "no_view": (
        "it is not in the folder of a feature view; definitions of views are applied with"
        " `mlops features apply`"
    ),
    "folder_without_name": "there are two slashes after each other in its path",
    SAME_BUT_FOR_CASE: "there is a group whose name differs only in small and capital letters",
}

_PURPOSE_SYNONYMS = {
    **dict.fromkeys(("score", "scoring", "predict", "prediction", "predictions", "infer"), "inference"),
    **dict.fromkeys(("label", "outcome", "outcomes", "truth"), "labels"),
    **dict.fromkeys(("fit", "learn"), "training"),
}
_ANY_GROUP = "<group>"
_NEAR = 0.8


def is_settings_file(upload: Upload) -> bool:
    """Whether the object contains the settings of a group."""
    return upload.group is not None and upload.key == f"{upload.group}/{SETTINGS_FILE}"


def why_misplaced(upload: Upload) -> str | None:
    """Return why an object is not used where it is, a key of `MISPLACED`; None when it is used."""
    folders = upload.key.split("/")[:-1]
    if any(category(character) == "Cc" for character in upload.key) or {".", ".."} & set(folders):
        return "unusable_name"
    if upload.is_in_features:
        return None if upload.view else "no_view"
    if upload.group is None:
        return "no_group_name" if folders else "outside_a_group"
    if is_settings_file(upload):
        return None
    return _why_not_used(upload, folders)


def _why_not_used(upload: Upload, folders: list[str]) -> str | None:
    if _is_settings_name(upload.filename):
        return "settings_in_a_folder"
    if upload.purpose is None:
        return "outside_training_and_inference"
    return _why_not_in_purpose(upload, folders)


def _why_not_in_purpose(upload: Upload, folders: list[str]) -> str | None:
    if is_closing_name(upload.filename) and not closes_folder(upload):
        return "closes_nothing"
    is_nameless = is_in_folder(upload) and not all(folder.strip() for folder in folders)
    return "folder_without_name" if is_nameless else None


def _is_settings_name(name: str) -> bool:
    return name.lower().endswith(".toml")


def same_group(name: str, groups: Iterable[str]) -> str | None:
    """Return the group whose name differs from this one only in small and capital letters."""
    return next((group for group in groups if group != name and group.casefold() == name.casefold()), None)


def probable_keys(upload: Upload, groups: Sequence[str]) -> tuple[str, ...]:
    """Return the keys that were probably meant: at most two, none when there is no guess.

    Parameters
    ----------
    groups
        The names of all groups; a name that is nearly one of them is taken for it.
    """
    printable = "".join(character for character in upload.key if category(character) != "Cc")
    parts = [part.strip() for part in re.split(r"[/\\]", printable)]
    *folders, name = [part for part in parts if part not in ("", ".", "..")] or [SUCCESS_FILE]
    if upload.is_in_features:
        keys = [f"{FEATURES_FOLDER}/<view>/{name}"]
    elif is_closing_name(name):
        keys = [f"{_group(folders[:1], groups)}/training/<folder>/{name}"]
    elif _is_settings_name(name):
        keys = [f"{_group(folders[:1], groups)}/{SETTINGS_FILE}"]
    else:
        keys = ["/".join((*place, name)) for place in _places(folders, groups)]
    return tuple(key for key in keys if key != upload.key)


def _places(folders: list[str], groups: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the folders that were probably meant."""
    purposes = [_purpose(folder) for folder in folders]
    at = next((i for i, purpose in enumerate(purposes) if purpose and i > 0), None)
    if at is not None:
        return [(_group(folders[at - 1 : at], groups), str(purposes[at]), *folders[at + 1 :])]
    if purposes and purposes[0]:  # training/<group>/x.csv, or training/x.csv
        return [(_group(folders[1:2], groups), str(purposes[0]), *folders[2:])]
    return [(_group(folders[:1], groups), purpose) for purpose in ("training", "inference")]


def _purpose(folder: str) -> str | None:
    name = folder.casefold()
    if name in _PURPOSE_SYNONYMS:
        return _PURPOSE_SYNONYMS[name]
    return closest(name, PURPOSES, min_likeness=0.7)


def _group(folder: list[str], groups: Sequence[str]) -> str:
    """Return the group of that name or nearly that name, else a name that a group can have."""
    if not folder:
        return groups[0] if len(groups) == 1 else _ANY_GROUP
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder[0]).strip("-._")[:63]
    if name in groups:
        return name
    near = closest(name.casefold(), map(str.casefold, groups), min_likeness=_NEAR)
    return next((group for group in groups if group.casefold() == near), name or _ANY_GROUP)
