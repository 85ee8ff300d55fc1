"""Services: start and stop with what depends on them, start modes, and what a restart of the host makes of them."""

from __future__ import annotations

from emulator.state import WindowsHost, WindowsService

# Return values of Win32_Service's methods ("StartService method of the Win32_Service class").
OK, ACCESS_DENIED, DEPENDENTS_RUNNING, NOT_ACTIVE, ALREADY_RUNNING, DEPENDENCY_DELETED, DISABLED, INVALID_PARAMETER = (
    0,
    2,
    3,
    6,
    10,
    11,
    14,
    21,
)


class Services:
    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def all(self) -> list[WindowsService]:
        return self._host.services

    def find(self, name: str) -> WindowsService | None:
        """A service by its name or display name."""
        return next((one for one in self._host.services if name.lower() in (one.name.lower(), one.display_name.lower())), None)

    def dependents(self, service: WindowsService) -> list[WindowsService]:
        return [one for one in self._host.services if service.name.lower() in (name.lower() for name in one.depends_on)]

    def start(self, service: WindowsService) -> int:
        """Start a service, and before it the services that it needs; a return value of Win32_Service."""
        if service.state == "Running":
            return ALREADY_RUNNING
        if service.start_mode == "Disabled":
            return DISABLED
        for name in service.depends_on:
            needed = self.find(name)
            if needed is None:
                return DEPENDENCY_DELETED
            if needed.state != "Running" and self.start(needed) != OK:
                return DISABLED
        service.state = "Running"
        service.starts += 1
        return OK

    def stop(self, service: WindowsService, *, force: bool = False) -> int:
        """Stop a service; with `force`, the running services that need it, too."""
        if service.state == "Stopped":
            return NOT_ACTIVE
        running = [one for one in self.dependents(service) if one.state == "Running"]
        if running and not force:
            return DEPENDENTS_RUNNING
        for one in running:
            self.stop(one, force=True)
        service.state = "Stopped"
        return OK

    def boot(self) -> None:
        """Start what is started with Windows, and nothing else."""
        for service in self._host.services:
            service.state = "Stopped"
        for service in self._host.services:
            if service.start_mode == "Auto":
                self.start(service)
