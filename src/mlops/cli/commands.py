"""The commands by topic: the module and the summary of each. The help needs only this table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

STACK_VARIABLE = "MLOPS_STACK"
TARGET_HELP = (
    f"With --stack, or the environment variable {STACK_VARIABLE}, a command uses a deployed stack: on AWS "
    'with your credentials, or on the local cloud after `eval "$(python -m local env)"`. Otherwise it uses '
    "plain files below --root."
)


class Command(NamedTuple):
    """One command.

    `module`, below `mlops.cli`, has `add_parser(subparsers)`, which sets `run(arguments) -> int`.
    """

    module: str
    summary: str

    @property
    def description(self) -> str:
        """The summary as a sentence."""
        return f"{self.summary[0].upper()}{self.summary[1:]}."


TOPICS: Mapping[str, Mapping[str, Command]] = {
    "Files": {
        "validate": Command("files.validation", "check whether files of data can be used"),
        "train": Command("files.training", "train a model on a CSV file, and register it"),
        "score": Command("files.scoring", "score a CSV file with a trained model"),
        "drift": Command(
            "files.drift", "compare a CSV file with a model's training data, or show the last nightly check"
        ),
    },
    "Datasets, runs and predictions": {
        "datasets": Command("datasets", "list, show, compare and add the files that models are trained on"),
        "runs": Command("runs", "list, show, compare and export training runs"),
        "predict": Command("scoring.predict", "predict rows with the champion now"),
        "predictions": Command("scoring.predictions", "show predictions in the ledger"),
        "labels": Command("scoring.quality", "record the outcomes of predictions on plain files"),
        "quality": Command("scoring.quality", "show how good the predictions of a group were"),
        "features": Command(
            "features", "define, store and read features: right in time, and the newest ones"
        ),
        "forget": Command(
            "operations.forget",
            "remove the rows of a person from all files of a group, older versions included",
        ),
        "forgotten": Command(
            "operations.forget", "list who was forgotten, by digest and not by id, or remove their rows again"
        ),
    },
    "Models": {
        "groups": Command("versions", "list the model groups"),
        "versions": Command("versions", "list the versions of a group"),
        "show": Command("versions", "show everything about a version"),
        "compare": Command("versions", "show the differences between two versions"),
        "tag": Command("versions", "set or remove tags of a version"),
        "note": Command("versions", "add a note to a version"),
        "retrain": Command(
            "retrain", "train a group again on its files and on scored rows whose outcome is known"
        ),
        "audit": Command("audit", "show or export the audit log of a group"),
        "promote": Command("champion", "put an approved version into service"),
        "rollback": Command("champion", "put the previous champion back into service"),
        "snooze": Command("champion", "keep emails and the alarm about drift of a group back"),
    },
    "Approvals": {
        "pending": Command("approvals", "list the versions that are not decided yet"),
        "approve": Command("approvals", "approve a version; write it in full, as on the page"),
        "reject": Command("approvals", "reject a version permanently"),
        "remind": Command("approvals", "email the approvers of a version a new link"),
        "reopen": Command("approvals", "request approval again for a version that has expired"),
        "rotate-key": Command(
            "approvals",
            "replace the key that signs links; links in use keep working until the next replacement",
        ),
        "policy": Command("policy", "show or change who may approve, how many, and how low a gate may be"),
        "confirm": Command(
            "operations.subscriptions",
            "confirm an email subscription; only the AWS account can end it then, no link in an email",
        ),
    },
    "Failures": {
        "retry": Command("operations.retries", "start a failed training again"),
        "replay": Command(
            "operations.dead_letters",
            "start the functions again with the events in their dead-letter queues, each once",
        ),
        "doctor": Command(
            "operations.doctor",
            "check subscriptions, dead letters, executions, quotas, log retention and champions of a stack",
        ),
    },
    "Backups": {
        "backup": Command(
            "operations.backups", "copy the records and objects of a stack, as they are at one moment, to S3"
        ),
        "restore": Command("operations.backups", "restore a backup into an empty stack"),
    },
    "Shell": {
        "completion": Command("completion", "print the completion of these commands for bash or zsh"),
    },
}
COMMANDS: Mapping[str, Command] = {
    name: command for commands in TOPICS.values() for name, command in commands.items()
}
