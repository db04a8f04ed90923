"""What a binlog contains: statements, transactions and their rows, and where an event's columns are in a table."""
