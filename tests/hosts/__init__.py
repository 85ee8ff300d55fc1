"""Tests on booted Debian systems: see testbed/."""
