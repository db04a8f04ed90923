-- Makes a replica of the server it is run on. Running it again starts from a fresh channel.
STOP REPLICA;
SET GLOBAL super_read_only = OFF;
RESET REPLICA ALL;
RESET BINARY LOGS AND GTIDS;
CHANGE REPLICATION SOURCE TO
    SOURCE_HOST = 'source', SOURCE_PORT = 3306, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'repl',
    SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1;
START REPLICA;
SET PERSIST super_read_only = ON;
