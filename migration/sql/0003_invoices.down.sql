DROP TABLE enrolments;
DROP TABLE campaigns;
DROP TABLE invoice_lines;
DROP TABLE invoices;
