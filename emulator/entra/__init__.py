"""Microsoft Entra's login host. The service is in service.py."""
