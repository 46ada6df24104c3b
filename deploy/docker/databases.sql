-- The services' databases, made when PostgreSQL starts with an empty volume: each service owns one and sees no other.
\set orders_password `cat /run/faultline/postgres/orders`
\set inventory_password `cat /run/faultline/postgres/inventory`
\set payments_password `cat /run/faultline/postgres/payments`
\set reader_password `cat /run/faultline/postgres/reader`

CREATE ROLE orders LOGIN PASSWORD :'orders_password';
CREATE ROLE inventory LOGIN PASSWORD :'inventory_password';
CREATE ROLE payments LOGIN PASSWORD :'payments_password';
-- Who proves from outside that nothing was lost (`faultline verify`); it can change nothing.
CREATE ROLE reader LOGIN PASSWORD :'reader_password' CONNECTION LIMIT 10;
ALTER ROLE reader SET default_transaction_read_only = on;

CREATE DATABASE orders OWNER orders;
CREATE DATABASE inventory OWNER inventory;
CREATE DATABASE payments OWNER payments;
REVOKE CONNECT ON DATABASE orders, inventory, payments FROM PUBLIC;
GRANT CONNECT ON DATABASE orders, inventory, payments TO reader;

\connect orders
ALTER DEFAULT PRIVILEGES FOR ROLE orders GRANT SELECT ON TABLES TO reader;
\connect inventory
ALTER DEFAULT PRIVILEGES FOR ROLE inventory GRANT SELECT ON TABLES TO reader;
\connect payments
ALTER DEFAULT PRIVILEGES FOR ROLE payments GRANT SELECT ON TABLES TO reader;
