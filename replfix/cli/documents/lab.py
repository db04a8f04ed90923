"""``replfix.lab/1`` and ``replfix.lab-scenarios/1``: what ``replfix lab`` prints with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from replfix.cli.documents.base import Document, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replfix.lab.proof import Proven
    from replfix.lab.scenario import Scenario
    from replfix.lab.topology import Lab, ServerState


class LabError(Part):
    errno: int
    message: str


class LabChannel(Part):
    receiver_running: bool
    applier_running: bool
    error: LabError | None


class LabServer(Part):
    name: str
    role: str
    host: str
    port: int
    up: bool
    version: str | None
    read_only: bool | None
    super_read_only: bool | None
    channel: LabChannel | None

    @classmethod
    def of(cls, state: ServerState) -> LabServer:
        channel = state.channel
        error = channel.error if channel else None
        return cls(
            name=state.server.name,
            role=state.server.role.value,
            host=state.server.host,
            port=state.server.port,
            up=state.up,
            version=state.version,
            read_only=state.read_only,
            super_read_only=state.super_read_only,
            channel=LabChannel(
                receiver_running=channel.receiver_running,
                applier_running=channel.applier_running,
                error=LabError(errno=error.errno, message=error.message) if error else None,
            )
            if channel
            else None,
        )


class LabDocument(Document):
    """How a lab stands. ``servers`` is empty and ``config`` null after ``down``; ``scenario`` is what was staged by
    this very command."""

    schema_name: Literal["replfix.lab/1"] = "replfix.lab/1"
    name: str
    directory: str
    config: str | None
    servers_from: str | None
    servers: list[LabServer]
    scenario: str | None = None

    @classmethod
    def of(cls, lab: Lab, states: tuple[ServerState, ...], scenario: str | None = None) -> LabDocument:
        return cls(
            name=lab.name,
            directory=str(lab.directory),
            config=str(lab.config_file),
            servers_from=lab.provision.origin,
            servers=[LabServer.of(state) for state in states],
            scenario=scenario,
        )


class LabScenario(Part):
    name: str
    title: str
    story: str
    errno: int
    cause: str

    @classmethod
    def of(cls, scenario: Scenario) -> LabScenario:
        return cls(
            name=scenario.name,
            title=scenario.title,
            story=scenario.story,
            errno=scenario.expects.errno,
            cause=scenario.expects.cause,
        )


class LabScenariosDocument(Document):
    schema_name: Literal["replfix.lab-scenarios/1"] = "replfix.lab-scenarios/1"
    scenarios: list[LabScenario]


class ProofPart(Part):
    what: str
    holds: bool
    seen: str


class DemoDocument(Document):
    """What ``lab demo`` found at the end. ``as_expected``: every command ended with the exit code that it should."""

    schema_name: Literal["replfix.lab-demo/1"] = "replfix.lab-demo/1"
    as_expected: bool
    proof: list[ProofPart]

    @classmethod
    def of(cls, as_expected: bool, proof: Iterable[Proven]) -> DemoDocument:
        return cls(as_expected=as_expected, proof=[ProofPart(what=p.what, holds=p.holds, seen=p.seen) for p in proof])
