"""The plans of an endpoint, each in a process of its own: its archive is stored, given up, and deleted."""

from __future__ import annotations

from typing import Any

from tests.proofs.serving import ServingDay


class EndpointMove(ServingDay):
    """The endpoint of a group: planned for its champion, refused by SageMaker, and no longer wanted."""

    def to_the_end(self) -> dict[str, Any]:
        """Plan, give up, plan the removal, and return the archives that are left."""
        self._put_into_service(self._own_registry())
        created = self._plan(self.group, None)
        assert created["step"] == "create model", created
        archives = [self._archives()]
        refused = {**created, "attempts": {f"create model {created['name']}": 2}}
        given_up = self._plan(self.group, refused)
        assert given_up["step"] == "give up", given_up
        moved = self._plan("", {**created, "step": "delete model", "previous": created["name"]})
        assert moved["step"] == "done", moved
        return {"archives": [*archives, self._archives()]}

    def _plan(self, groups: str, before: dict[str, Any] | None) -> dict[str, Any]:
        """Return the next plan, with an endpoint for some groups."""
        self._use({"SERVERLESS_ENDPOINT_GROUPS": groups})
        planned: dict[str, Any] = self.step("plan_endpoint", {"group": self.group, "plan": before})
        planned.pop("model_data_uri")
        return planned

    def _archives(self) -> list[int]:
        """Return the sizes of the stored archives."""
        listed = self.world.cloud.client("s3").list_object_versions(
            Bucket="artifacts", Prefix=f"serving/{self.group}/"
        )
        return sorted({entry["Size"] for entry in listed.get("Versions", [])})
