DROP TABLE court_debts;
DROP TABLE court_debt_registries;
