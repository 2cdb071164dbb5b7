DROP TABLE inbound_texts;
DROP TABLE carrier_callbacks;
DROP TABLE send_attempts;
DROP TABLE messages;
DROP TABLE link_opens;
DROP TABLE links;
