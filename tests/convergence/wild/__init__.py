"""Worlds of seeds from 2,000,000 on: definitions that change in the backlog and have drifted on the replica, statements and rows
mixed, the servers' defaults. Tables are simple, and the judge knows them by what the servers show."""
