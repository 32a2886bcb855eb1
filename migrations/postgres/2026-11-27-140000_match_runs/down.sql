DROP TABLE match_items;
DROP TABLE match_runs;
