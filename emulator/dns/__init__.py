"""DNS. The name server is in server.py."""
