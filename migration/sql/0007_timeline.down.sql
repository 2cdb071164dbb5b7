DROP TABLE attention_items;
DROP TABLE timeline;
