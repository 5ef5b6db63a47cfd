"""The trainings of `make demo`: an execution is followed to its approval, and the email is answered."""

from dataclasses import dataclass

from local.errors import LocalCloudError
from local.narrator import Narrator
from local.stack import DeployedStack, version_in

APPROVAL_STATE = "Request approval"
TIMEOUT_SECONDS = 3600  # a person may be asked


@dataclass(frozen=True, slots=True)
class DemoTrainings:
    """Follows the trainings of one group; `by_hand` leaves every answer to a person."""

    say: Narrator
    stack: DeployedStack
    group: str
    by_hand: bool

    def follow(self, execution: str, *, after: int) -> str:
        """Follow a training until its version is in service, and return the version.

        Parameters
        ----------
        after
            The id of the last email before the training.

        Raises
        ------
        LocalCloudError
            If the training ends without a version in service.
        """
        version = ""
        for step in self.stack.steps(execution, timeout_seconds=TIMEOUT_SECONDS):
            self.say.line(f"state: {step.name}")
            if step.name == APPROVAL_STATE:
                version = self._approve(after)
        status = self.stack.status(execution)
        if status != "SUCCEEDED" or not version:
            inbox = f"{self.stack.cloud.endpoint}/_local/inbox"
            raise LocalCloudError(f"Training ended as {status}; see {inbox}")
        return version

    def _approve(self, after: int) -> str:
        email, link = self.stack.wait_for_approval_link(self.group, after=after)
        version = version_in(email["subject"])
        self.say.line(f"email to {email['to']}: {email['subject']}")
        self.say.quote(email["body"])
        if self.by_hand:
            self.say.line("APPROVE=me: open the link above and decide; waiting")
            return version
        answer = self.stack.decide(link, version, "approved")
        if answer.status not in (200, 303):
            raise LocalCloudError(f"The approval page answered {answer.status} to the form.")
        self.say.line(f"opened the page and sent its form: approved (HTTP {answer.status})")
        return version
