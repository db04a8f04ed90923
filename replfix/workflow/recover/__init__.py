"""What an interrupted run left behind."""
