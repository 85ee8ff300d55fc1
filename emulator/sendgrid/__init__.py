"""The API of SendGrid, a hosted relay."""
