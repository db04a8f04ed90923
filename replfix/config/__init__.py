"""The settings from ``replfix.toml``, MySQL option files and the environment."""

from replfix.config.known_servers import Agree, KnownServers
from replfix.config.model import ConfigFile, Policy
from replfix.config.target import Config, Target, load

__all__ = ["Agree", "Config", "ConfigFile", "KnownServers", "Policy", "Target", "load"]
