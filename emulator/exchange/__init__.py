"""The Exchange admin API. The service is in service.py, one file for each group of cmdlets."""
