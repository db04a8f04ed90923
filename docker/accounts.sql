-- The accounts of the lab, as replfix/lab/accounts.py has them (a test compares the two). Nothing of it is logged.
SET sql_log_bin = 0;
CREATE USER 'admin'@'%' IDENTIFIED BY 'admin';
GRANT ALL PRIVILEGES ON *.* TO 'admin'@'%' WITH GRANT OPTION;
CREATE USER 'repl'@'%' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%';
CREATE USER 'replfix'@'%' IDENTIFIED BY 'replfix';
GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER, EVENT, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'replfix'@'%';
GRANT REPLICATION_SLAVE_ADMIN, SESSION_VARIABLES_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, BINLOG_ADMIN, REPLICATION_APPLIER ON *.* TO 'replfix'@'%';
