"""Test hosts: booted Debian systems in a network of their own, in which the emulator stands where Microsoft 365 does."""
