"""What a binlog holds: statements, transactions and their rows, and how they lie in a table."""
