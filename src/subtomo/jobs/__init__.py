"""Job folders, the ledger of finished items, executors and progress; knows nothing of the field."""
