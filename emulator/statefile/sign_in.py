"""State documents of users and of the refresh tokens they were given."""

from __future__ import annotations

from typing import Any

from emulator.state import RefreshToken, User
from emulator.statefile.reader import Node
from emulator.well_known import DIRECTORY_ROLES


def read_user(node: Node | None) -> User:
    """The account behind a mailbox; directory roles by name or template id."""
    if node is None:
        return User()
    names = node.texts("directory_roles")
    unknown = [name for name in names if name not in DIRECTORY_ROLES and name not in DIRECTORY_ROLES.values()]
    if unknown:
        raise node.error(f"{unknown[0]!r} is no directory role; known: {', '.join(DIRECTORY_ROLES)}", "directory_roles")
    user = User(
        enabled=node.flag("enabled", True),
        licensed=node.flag("licensed", None),
        mfa=node.flag("mfa", False),
        directory_roles=[DIRECTORY_ROLES.get(name, name) for name in names],
        tokens_valid_from=node.moment("tokens_valid_from"),
    )
    node.done()
    return user


def user_document(user: User) -> dict[str, Any]:
    return dict(vars(user))


def read_refresh_token(node: Node) -> RefreshToken:
    found = RefreshToken(
        digest=node.text("digest"),
        app_id=node.text("app_id"),
        user_id=node.text("user_id"),
        scope=node.text("scope"),
        issued=node.moment("issued"),
        mfa=node.flag("mfa", False),
    )
    node.done()
    return found


def refresh_token_document(found: RefreshToken) -> dict[str, Any]:
    return dict(vars(found))
