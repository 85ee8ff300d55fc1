"""Hosts that run Windows: WinRM, a strict interpreter of a subset of PowerShell, and the machine below it.

Imported where the state has such a host.
"""
