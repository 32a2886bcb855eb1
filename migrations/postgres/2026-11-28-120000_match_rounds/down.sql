DROP TABLE match_rounds;
