"""What is shown of an incident, a plan, a record: built once, and written by Rich, Textual and Markdown."""
