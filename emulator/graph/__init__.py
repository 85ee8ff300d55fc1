"""Microsoft Graph. The service is in service.py, one file for each group of resource types."""
