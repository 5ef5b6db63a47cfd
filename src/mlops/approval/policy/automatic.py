"""Which versions are approved without a person."""

from __future__ import annotations

from mlops.approval.policy.effective import EffectivePolicy
from mlops.models.registry import ModelMetadata
from mlops.pipelines.evaluation.gate import judge


def may_approve_automatically(
    model: ModelMetadata, champion: ModelMetadata | None, policy: EffectivePolicy
) -> bool:
    """Return whether the policy allows automatic approval, and nothing of the version asks for a person."""
    return (
        policy.is_automatic and not _requires_person(model, champion) and _passes_default_gate(model, policy)
    )


def _requires_person(model: ModelMetadata, champion: ModelMetadata | None) -> bool:
    """Whether only people may approve: the version was not compared with the champion on the same rows.

    Another champion may be in service since the training.
    """
    if model.gate is None or model.gate.requires_person:
        return True
    compared = model.comparison
    if champion is None or compared is None:
        return champion is not None or compared is not None
    return not compared.comparable or compared.champion_version != champion.version


def _passes_default_gate(model: ModelMetadata, policy: EffectivePolicy) -> bool:
    """Return whether the default gate, with the floors of the policy, passes a version.

    Rules in `model.toml` may pass a model that is worse than the champion: people may approve such a model,
    but it is never approved automatically.
    """
    return judge(model.metrics, model.comparison, floors=policy.gate_floors).passed
