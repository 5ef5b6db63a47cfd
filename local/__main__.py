"""`python -m local up|down|status|env|deploy|drop|check-drift|demo|serve|relay`."""

import argparse
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from local import launcher
from local.cloud import LocalCloud, connect, object_address
from local.environment import variables
from local.errors import LocalCloudError
from mlops.infrastructure.upload_events import PURPOSES

# of the forty outputs of the stack those that a person types or opens
_SHOWN_OUTPUTS = ("BucketName", "Url")
_EXAMPLE = "examples/medication-adherence"
_COMMAND = ".venv/bin/python -m local"
_NEXT = f"""
Next: drop a file on {{pages}}, or try the example:
  1. {_COMMAND} drop {_EXAMPLE}/model.toml medication-adherence
     {_COMMAND} drop {_EXAMPLE}/train.csv medication-adherence
  2. wait for the email with the model, and approve it: {{pages}}inbox
  3. {_COMMAND} drop {_EXAMPLE}/score.csv medication-adherence --folder inference
  4. {_COMMAND} check-drift, then look at the dashboard: {{dashboard}}
Stop: make down"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 on success."""
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:
        if not _is_refused_connection(error):
            raise
        print("The local cloud does not answer: wait a moment, or start it with `make up`.", file=sys.stderr)
        return 1


def _is_refused_connection(error: Exception) -> bool:
    """Tell whether the emulator was not there; its commands without AWS calls start without botocore."""
    return isinstance(error, ConnectionError) or type(error).__name__ == "EndpointConnectionError"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The local cloud of this project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        if name not in ("serve", "relay"):
            added.add_argument("--directory", type=Path, default=launcher.DEFAULT_DIRECTORY)
        return added

    up = command("up", _up, "Start it in the background, or say what is already running.")
    up.add_argument("--port", type=int, help="port on 127.0.0.1 (default: a free one)")
    up.add_argument("--deploy", action="store_true", help="deploy the application too")
    down = command("down", _down, "Stop it and remove its files.")
    down.add_argument("--keep", action="store_true", help="keep logs and decisions")
    command("status", _status, "Say whether it runs and where.")
    command("env", _env, "Print the variables that point AWS tools at it, for eval.")
    deploy = command("deploy", _deploy, "sam build and sam deploy a template into it.")
    deploy.add_argument("--template", type=Path, default=launcher.REPOSITORY_ROOT / "template.yaml")
    deploy.add_argument("--stack", required=True)
    deploy.add_argument("--parameter", action="append", default=[], metavar="KEY=VALUE")
    drop = command("drop", _drop, "Put a file into a folder of a group, as its users do.")
    drop.add_argument("file", type=Path, metavar="FILE")
    drop.add_argument("group", metavar="GROUP")
    drop.add_argument("--folder", choices=PURPOSES, default="training", help="default: training")
    command("check-drift", _check_drift, "Run the daily drift check now.")
    command("demo", _demo, "Deploy the application and walk its whole path on real data.")
    serve = command("serve", _serve, "Run the emulator in the foreground (what `up` starts).")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--instance", required=True)
    relay = command("relay", _relay, "Let containers reach the emulator (what `up --deploy` starts).")
    relay.add_argument("--address", required=True)
    relay.add_argument("--port", type=int, required=True)
    relay.add_argument("--network", type=ip_network, required=True)
    return parser


def _up(options: argparse.Namespace) -> int:
    running = connect(options.directory)
    if running is not None:
        print(f"Already running on {running.endpoint} (pages: {running.endpoint}/_local/).")
    else:
        state = launcher.start(options.directory, options.port)
        print(f"Running on {state.endpoint} (pages: {state.endpoint}/_local/, stop: python -m local down).")
    if options.deploy:
        from local.containers import write_container_template  # noqa: PLC0415 - not needed to start
        from local.deploy import BUILD_DIRECTORY, SOURCES, build, exclusive_build  # noqa: PLC0415
        from local.stack import STACK_NAME, deploy_application  # noqa: PLC0415

        stack = deploy_application(_connected(options))
        template = launcher.REPOSITORY_ROOT / "template.yaml"
        directory = template.parent / BUILD_DIRECTORY
        with exclusive_build(directory):
            built = build(stack.cloud.environment(), template, SOURCES, directory)
        write_container_template(stack.cloud, built, STACK_NAME)
        stack.run_scheduled(
            "WatchApprovals", datetime.now(UTC)
        )  # counts the subscriptions confirmed just now
        named = {**stack.outputs, "DashboardUrl": stack.dashboard_url}
        _print_outputs({name: value for name, value in named.items() if name.endswith(_SHOWN_OUTPUTS)})
        print(_NEXT.format(pages=f"{stack.cloud.endpoint}/_local/", dashboard=stack.dashboard_url))
    return 0


def _drop(options: argparse.Namespace) -> int:
    from local.stack import find_application  # noqa: PLC0415 - boto3 is slow to import

    if not options.file.is_file():
        raise LocalCloudError(f"There is no file {options.file}.")
    stack = find_application(_connected(options))
    address = stack.drop_for(options.group, options.file.name, options.file.read_bytes(), options.folder)
    print(f"Put {address}. Its progress: {stack.cloud.endpoint}/_local/")
    return 0


def _check_drift(options: argparse.Namespace) -> int:
    from local.stack import find_application  # noqa: PLC0415 - boto3 is slow to import

    stack = find_application(_connected(options))
    groups = stack.check_drift()["groups"]
    for group in groups:
        address = object_address(stack.cloud.endpoint, group["report_uri"])
        print(f"{group['group']}: {group['verdict']}, {group['n_rows']:,} rows, report: {address}")
    if not groups:
        print("No group has a champion yet: drop training data, then approve the model.")
    return 0


def _down(options: argparse.Namespace) -> int:
    stopped = launcher.stop(options.directory, keep=options.keep)
    if stopped is None:
        print("Nothing was running.")
    elif stopped.running is not None:
        print(f"Stopped {stopped.running.endpoint}.")
    else:
        print(f"Stopped {stopped.orphans} processes that a killed emulator had left.")
    return 0


def _status(options: argparse.Namespace) -> int:
    running = connect(options.directory)
    print("Not running." if running is None else f"Running on {running.endpoint}.")
    return 1 if running is None else 0


def _env(options: argparse.Namespace) -> int:
    for name, value in variables(_connected(options).endpoint).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    from local.deploy import deploy  # noqa: PLC0415 - boto3 is slow to import and the other commands do without

    parameters = dict(text.split("=", 1) for text in options.parameter)
    _print_outputs(deploy(_connected(options), options.template, options.stack, parameters))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from local.demo import run  # noqa: PLC0415 - not needed by the other commands

    run(options.directory)
    return 0


def _print_outputs(outputs: Mapping[str, str]) -> None:
    for name, value in outputs.items():
        print(f"{name} = {value}")


def _serve(options: argparse.Namespace) -> int:
    from local.server import serve  # noqa: PLC0415 - imports MiniStack, which reads its environment at import

    serve(options.instance)
    return 0


def _relay(options: argparse.Namespace) -> int:
    from local.relay import serve_relay  # noqa: PLC0415 - as above

    serve_relay(options.address, options.port, options.network)
    return 0


def _connected(options: argparse.Namespace) -> LocalCloud:
    running = connect(options.directory)
    if running is None:
        raise LocalCloudError("The local cloud is not running: start it with `python -m local up`.")
    return running


if __name__ == "__main__":
    sys.exit(main())
