"""The operators of the subset (about_Operators, about_Comparison_Operators, about_Arithmetic_Operators, about_Split, about_Join)."""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.windows.powershell.errors import OutsideSubsetError, script_error
from emulator.windows.powershell.values import Array, EnumValue, Hashtable, NetObject, Value, items_of, kind_of, plain, text, truth

INT64 = range(-(2**63), 2**63)


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def add(left: Value, right: Value) -> Value:
    """Addition of numbers, concatenation of text, append to an array (about_Arithmetic_Operators)."""
    left, right = plain(left), plain(right)
    if isinstance(left, Array):
        return Array([*left, *(right if isinstance(right, Array) else [right])])
    if isinstance(left, str) and not isinstance(right, (Array, Hashtable)):
        return left + text(right)
    if _number(left) and _number(right):
        return _bounded(left + right)
    raise OutsideSubsetError(f"{kind_of(left)} + {kind_of(right)}")


def subtract(left: Value, right: Value) -> Value:
    if _number(left) and _number(right):
        return _bounded(left - right)
    raise OutsideSubsetError(f"{kind_of(left)} - {kind_of(right)}")


def multiply(left: Value, right: Value) -> Value:
    if _number(left) and _number(right):
        return _bounded(left * right)
    raise OutsideSubsetError(f"{kind_of(left)} * {kind_of(right)}")


def divide(left: Value, right: Value) -> Value:
    """Division of whole numbers is a whole number where it is one, else a double (about_Arithmetic_Operators)."""
    if not (_number(left) and _number(right)):
        raise OutsideSubsetError(f"{kind_of(left)} / {kind_of(right)}")
    if right == 0:
        raise script_error("Attempted to divide by zero.", "RuntimeException")
    quotient = left / right
    return left // right if isinstance(left, int) and isinstance(right, int) and left % right == 0 else quotient


def remainder(left: Value, right: Value) -> Value:
    if not (isinstance(left, int) and isinstance(right, int) and _number(left) and _number(right)) or right == 0:
        raise OutsideSubsetError(f"{kind_of(left)} % {kind_of(right)}")
    result = abs(left) % abs(right)
    return -result if left < 0 else result


def _bounded(result: int | float) -> int | float:
    if isinstance(result, int) and result not in INT64:
        raise OutsideSubsetError("a whole number beyond 64 bits")
    return result


def same(left: Value, right: Value, *, case: bool = False) -> bool:
    """-eq of two single values: text without regard to case, an enumeration with its name. Other mixed types are refused."""
    left, right = plain(left), plain(right)
    if left is None or right is None:
        return left is right
    if isinstance(left, EnumValue) or isinstance(right, EnumValue):
        names = [one.name if isinstance(one, EnumValue) else one for one in (left, right)]
        if all(isinstance(one, str) for one in names):
            return str(names[0]).lower() == str(names[1]).lower()
    if isinstance(left, str) and isinstance(right, str):
        return left == right if case else left.lower() == right.lower()
    if (_number(left) and _number(right)) or (isinstance(left, bool) and isinstance(right, bool)):
        return bool(left == right)
    if isinstance(left, NetObject) and isinstance(right, NetObject):
        return left is right
    raise OutsideSubsetError(f"a comparison of {kind_of(left)} with {kind_of(right)}")


def _ordered(left: Value, right: Value) -> int:
    left, right = plain(left), plain(right)
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.lower(), right.lower()
    elif not (_number(left) and _number(right)):
        raise OutsideSubsetError(f"the order of {kind_of(left)} and {kind_of(right)}")
    return int(left > right) - int(left < right)


def like(value: Value, pattern: Value) -> bool:
    """Wildcards * ? [a-c] of the whole text (about_Wildcards)."""
    if not isinstance(pattern, str):
        raise OutsideSubsetError(f"-like {kind_of(pattern)}")
    return wildcard(pattern).fullmatch(text(value)) is not None


def wildcard(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL):
        special = {"*": ".*", "?": "."}.get(part)
        parts.append(special or (part if part.startswith("[") and len(part) > 2 else re.escape(part)))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def expression(pattern: Value) -> re.Pattern[str]:
    """A regular expression in the part that .NET and Python share."""
    if not isinstance(pattern, str) or "(?" in pattern or "\\p" in pattern.lower():
        raise OutsideSubsetError(f"the regular expression {text(pattern)}")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise OutsideSubsetError(f"the regular expression {pattern}: {error}") from None


def _filtered(operation: Callable[[Value, Value], bool]) -> Callable[[Value, Value], Value]:
    """Of an array the operator returns the elements that match, of a single value True or False (about_Comparison_Operators)."""

    def compare(left: Value, right: Value) -> Value:
        left = plain(left)
        if isinstance(left, Array):
            return Array([one for one in left if operation(one, right)])
        return operation(left, right)

    return compare


def _split(left: Value, right: Value) -> Value:
    return Array([part for one in items_of(plain(left)) for part in expression(right).split(text(one))])


def _replace(left: Value, right: Value) -> Value:
    pattern, new = (right[0], right[1]) if isinstance(right, Array) and len(right) == 2 else (right, "")
    if not isinstance(new, str) or "$" in new:
        raise OutsideSubsetError("-replace with a substitution")
    done = [expression(pattern).sub(lambda _: new, text(one)) for one in items_of(plain(left))]
    return Array(done) if isinstance(left, Array) else done[0]


def join(left: Value, right: Value) -> str:
    return text(right).join(text(one) for one in items_of(plain(left)))


def formatted(template: Value, values: Value) -> str:
    """The format operator with plain places {0} and digits {0:d2}, {0:x2} (about_Operators)."""
    items = items_of(plain(values))

    def place(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise OutsideSubsetError(f"the format {match[0]}")
        number = int(match[1])
        if number >= len(items):
            message = "Error formatting a string: Index (zero based) must be greater than or equal to zero and less than the size of the "
            message += "argument list.."
            raise script_error(message, "FormatError", category="InvalidOperation")
        if match[2] is None:
            return text(items[number])
        return format(items[number], f"0{match[3]}{match[2].lower()}" if match[2] != "X" else f"0{match[3]}X")

    return re.sub(r"\{\{|\}\}|\{(\d+)(?::([dxDX])(\d+))?\}|[{}]", place, text(template))


def contains(left: Value, right: Value) -> bool:
    """Whether a collection has the value; other types are different values here (about_Comparison_Operators)."""
    return any(_same_kind(one, right) and same(one, right) for one in items_of(plain(left)))


def _same_kind(left: Value, right: Value) -> bool:
    numbers, texts = _number(left) and _number(right), isinstance(left, (str, EnumValue)) and isinstance(right, (str, EnumValue))
    return numbers or texts or type(left) is type(right)


def _bits(operation: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    def run(left: Value, right: Value) -> Value:
        if not (isinstance(left, int) and isinstance(right, int) and _number(left) and _number(right)):
            raise OutsideSubsetError(f"bits of {kind_of(left)} and {kind_of(right)}")
        return operation(left, right)

    return run


def span(left: Value, right: Value) -> Array:
    if not (isinstance(left, int) and isinstance(right, int)):
        raise OutsideSubsetError(f"{kind_of(left)}..{kind_of(right)}")
    return Array(range(left, right + 1) if left <= right else range(left, right - 1, -1))


BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "-eq": _filtered(same),
    "-ne": _filtered(lambda left, right: not same(left, right)),
    "-ceq": _filtered(lambda left, right: same(left, right, case=True)),
    "-cne": _filtered(lambda left, right: not same(left, right, case=True)),
    "-lt": _filtered(lambda left, right: _ordered(left, right) < 0),
    "-le": _filtered(lambda left, right: _ordered(left, right) <= 0),
    "-gt": _filtered(lambda left, right: _ordered(left, right) > 0),
    "-ge": _filtered(lambda left, right: _ordered(left, right) >= 0),
    "-like": _filtered(like),
    "-notlike": _filtered(lambda left, right: not like(left, right)),
    "-match": _filtered(lambda left, right: expression(right).search(text(left)) is not None),
    "-notmatch": _filtered(lambda left, right: expression(right).search(text(left)) is None),
    "-contains": contains,
    "-notcontains": lambda left, right: not contains(left, right),
    "-in": lambda left, right: contains(right, left),
    "-notin": lambda left, right: not contains(right, left),
    "-split": _split,
    "-replace": _replace,
    "-join": join,
    "-f": formatted,
    "-band": _bits(lambda left, right: left & right),
    "-bor": _bits(lambda left, right: left | right),
    "-bxor": _bits(lambda left, right: left ^ right),
    "..": span,
}


def _negative(value: Value) -> Value:
    if not _number(value):
        raise OutsideSubsetError(f"-{kind_of(value)}")
    return -value


UNARY: dict[str, Callable[[Value], Value]] = {
    "-not": lambda value: not truth(value),
    "!": lambda value: not truth(value),
    ",": lambda value: Array([plain(value)]),
    "-join": lambda value: join(value, ""),
    "-": _negative,
}
