"""What an interrupted run left: found, finished and recorded."""
