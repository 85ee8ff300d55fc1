"""The API of SMTP2GO, a hosted relay."""
