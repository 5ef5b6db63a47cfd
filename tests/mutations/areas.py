"""All mutations, by the part of the system that they weaken."""

from __future__ import annotations

from tests.mutations import approval, artifacts, permissions, protection, serving

AREAS = {
    "permissions": permissions.MUTATIONS,
    "protection": protection.MUTATIONS,
    "approval": approval.MUTATIONS,
    "artifacts": artifacts.MUTATIONS,
    "serving": serving.MUTATIONS,
}
