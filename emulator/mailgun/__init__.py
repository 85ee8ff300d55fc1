"""The API of Mailgun, a hosted relay."""
