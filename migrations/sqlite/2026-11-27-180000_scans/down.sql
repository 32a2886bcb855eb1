DROP TABLE court_debt_files;
