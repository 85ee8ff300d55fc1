"""The SMTP endpoints of hosted relays."""
