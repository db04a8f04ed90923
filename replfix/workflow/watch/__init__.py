"""What is read again and again while replicas are watched."""
