DROP TABLE opt_outs;
DROP TABLE consents;
DROP TABLE customers;
