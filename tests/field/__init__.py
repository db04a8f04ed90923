"""Incidents as they were reported, staged with the servers' defaults: a folder for each product, a file for each subject."""
