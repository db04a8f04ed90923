"""What helps whatever the reason of an error is, and in the words of the framework that met it."""
