"""Files and processes of a Windows host."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.keys import Base64, key


@dataclass
class WindowsFile:
    """A file."""

    path: str = field(metadata=key("its path, as C:\\Setup\\hMailServer.exe, or the URL where the host can download it"))
    content: Base64 = field(default=b"", metadata=key("its content"))
    installs: str = field(default="", metadata=key("of a setup program: the version of hMailServer that it installs, as 5.6.9-B2632"))


@dataclass
class WindowsProcess:
    """A process that is none of the host's services."""

    name: str = field(metadata=key("its name without .exe, as hMailAdmin"))
    id: int = field(default=0, metadata=key("its ID; 0: any free one", least=0))
    parent: int = field(default=0, metadata=key("the ID of the process that has started it", least=0))
    ports: list[int] = field(default_factory=list, metadata=key("the ports that it listens on"))
