"""Azure Resource Manager. The service is in service.py."""
