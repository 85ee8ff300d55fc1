"""SMTP: client submission, High Volume Email, Azure Communication Services Email and the MX. servers.py opens their ports."""
