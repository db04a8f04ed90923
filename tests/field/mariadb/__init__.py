"""On MariaDB, and where MySQL has the same on it too."""
