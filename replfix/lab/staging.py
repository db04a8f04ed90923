"""Breaking the replication of a lab by a scenario."""

from __future__ import annotations

from replfix.core.replication.applier_error import ApplierError
from replfix.errors import ReplicationError, UsageError
from replfix.lab.narration import Narrator
from replfix.lab.replicate import STOPPED_HINT, channel_state, wait_until_applied, wait_until_stopped
from replfix.lab.scenario import Scenario
from replfix.lab.topologies.topology import PAIR
from replfix.lab.topology import Lab, require_running


def stage(lab: Lab, scenario: Scenario, narrator: Narrator, *, reset: bool = False) -> ApplierError:
    """Stage the scenario on the lab; the error that its first replica stopped with.

    ``reset``: from servers that are as good as new. Without it every channel has to run: ReplicationError when one is
    stopped, ConfigError when a server is down.
    """
    if lab.topology != PAIR.name:
        raise UsageError(
            f"The lab {lab.name!r} has the topology {lab.topology}; the scenarios are for a source with its replicas.",
            "Write rows on both sides yourself, or start another lab: replfix lab up --name NAME.",
        )
    require_running(lab)
    if reset:
        narrator.say("Making the servers as good as new.")
        lab.reset()
    for replica in lab.replicas:
        with replica.session() as session:
            state = channel_state(session)
        if state is None or not state.applier_running:
            raise ReplicationError(f"The channel of {replica} is stopped already.", STOPPED_HINT)
        wait_until_applied(lab.source, replica)
    narrator.say(f"Staging {scenario.name}: {scenario.title}.")
    scenario.stage(lab)
    return wait_until_stopped(lab.replica)
