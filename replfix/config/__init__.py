"""What replfix is told by ``replfix.toml``, MySQL option files and the environment."""

from replfix.config.model import ConfigFile, Policy
from replfix.config.target import Config, Target, load

__all__ = ["Config", "ConfigFile", "Policy", "Target", "load"]
