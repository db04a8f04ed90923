"""What both faces, the command line and the terminal UI, need to show things to people."""
