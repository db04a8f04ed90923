"""Throw-away real servers, to try replfix on and to train with."""
