"""Cmdlets: their declared parameters, and the binding of a command's arguments (about_Parameters, about_CommonParameters)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.windows.powershell.errors import Failure, OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import Array, EnumValue, Hashtable, Members, NetObject, ScriptBlock, Value, kind_of, plain, text

PREFERENCES = ("Stop", "Continue", "SilentlyContinue", "Ignore")


class Runspace(Protocol):
    """What cmdlets need of the session that runs them (session.py)."""

    strict: bool
    variables: dict[str, Value]
    new_object: Callable[[str, list[Value]], Value] | None
    new_com_object: Callable[[str], NetObject] | None

    def report(self, failure: Failure, preference: str = "") -> None: ...


@dataclass(frozen=True)
class Parameter:
    """`kind`: string, int, bool, switch, object, scriptblock, hashtable, or one of these and [] for a list."""

    name: str
    kind: str = "string"
    position: int | None = None
    mandatory: bool = False
    pipeline: bool = False  # takes the pipeline's objects
    choices: Sequence[str] = ()
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class Cmdlet:
    name: str
    run: Callable[[Call], Iterable[Value]]
    parameters: Sequence[Parameter] = ()
    module: str = "Microsoft.PowerShell.Commands"
    error_source: str = ""  # what its error IDs end with, where it is not its class in `module`
    confirms: bool = False  # has -WhatIf and -Confirm; only -Confirm:$false is in the subset

    def parameter(self, name: str) -> Parameter | None:
        name = name.lower()
        return next((one for one in self.parameters if name in (one.name.lower(), *(alias.lower() for alias in one.aliases))), None)


@dataclass
class Call:
    """A cmdlet with its bound arguments. `piped`: the objects of the pipeline, None where it begins with this command."""

    session: Runspace
    cmdlet: Cmdlet
    arguments: Members = field(default_factory=Members)
    piped: list[Value] | None = None
    preference: str = ""

    def get(self, name: str, default: Value = None) -> Value:
        return self.arguments.get(name, default)

    def has(self, name: str) -> bool:
        return name in self.arguments

    def failure(self, message: str, error_id: str, **more: Any) -> ScriptError:
        """A terminating error of this cmdlet."""
        cmdlet = self.cmdlet
        source = cmdlet.error_source or f"{cmdlet.module}.{cmdlet.name.replace('-', '')}Command"
        return script_error(message, f"{error_id},{source}", **more)

    def report(self, message: str, error_id: str, **more: Any) -> None:
        """A non-terminating error: what becomes of it is said by -ErrorAction or $ErrorActionPreference (about_Preference_Variables)."""
        self.session.report(self.failure(message, error_id, **more).failure, self.preference)


def bind(session: Runspace, cmdlet: Cmdlet, named: list[tuple[str, Value]], positional: list[Value], piped: list[Value] | None) -> Call:
    """The call, or the error of the parameter binder."""
    call = Call(session, cmdlet, piped=piped)
    for name, value in named:
        parameter = cmdlet.parameter(name)
        if parameter is None:
            _common(call, name, value)
            continue
        if parameter.name in call.arguments:
            message = f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once."
            raise call.failure(message, "ParameterAlreadyBound", category="InvalidArgument", exception="ParameterBindingException")
        call.arguments[parameter.name] = _fitting(call, parameter, value)
    _bind_positions(call, positional)
    for parameter in cmdlet.parameters:
        if parameter.mandatory and parameter.name not in call.arguments and not (parameter.pipeline and piped is not None):
            names = f"Cannot process command because of one or more missing mandatory parameters: {parameter.name}."
            raise call.failure(names, "MissingMandatoryParameter", category="InvalidArgument", exception="ParameterBindingException")
    if piped is not None and not any(parameter.pipeline for parameter in cmdlet.parameters):
        message = (
            "The input object cannot be bound to any parameters for the command either because the command does not take pipeline input"
        )
        message += " or the input and its properties do not match any of the parameters that take pipeline input."
        raise call.failure(message, "InputObjectNotBound", category="InvalidArgument", exception="ParameterBindingException")
    return call


def _bind_positions(call: Call, positional: list[Value]) -> None:
    places = sorted((one for one in call.cmdlet.parameters if one.position is not None), key=lambda one: one.position or 0)
    free = [one for one in places if one.name not in call.arguments]
    for value in positional:
        if not free:
            message = f"A positional parameter cannot be found that accepts argument '{text(value)}'."
            raise call.failure(message, "PositionalParameterNotFound", category="InvalidArgument", exception="ParameterBindingException")
        parameter = free.pop(0)
        call.arguments[parameter.name] = _fitting(call, parameter, value)


def _common(call: Call, name: str, value: Value) -> None:
    """-ErrorAction, and -Confirm:$false where the cmdlet has it; the other common parameters are outside of the subset."""
    if name.lower() in ("erroraction", "ea") and isinstance(value, str):
        call.preference = next((one for one in PREFERENCES if one.lower() == value.lower()), "")
        if call.preference:
            return
    if name.lower() == "confirm" and call.cmdlet.confirms and value is False:
        return
    if name.lower() in ("erroraction", "ea", "confirm", "whatif", "verbose", "debug", "outvariable", "warningaction", "errorvariable"):
        raise OutsideSubsetError(f"{call.cmdlet.name} -{name} {text(value)}")
    message = f"A parameter cannot be found that matches parameter name '{name}'."
    raise call.failure(message, "NamedParameterNotFound", category="InvalidArgument", exception="ParameterBindingException")


def _fitting(call: Call, parameter: Parameter, value: Value) -> Value:
    value = plain(value)
    kind = parameter.kind
    if kind == "switch":
        if not isinstance(value, bool):
            raise OutsideSubsetError(f"{call.cmdlet.name} -{parameter.name} takes no value")
        return value
    if kind.endswith("[]"):
        values = value if isinstance(value, Array) else [value]
        return Array([_single(call, parameter, kind[:-2], one) for one in values], kind[:-2])
    return _single(call, parameter, kind, value)


def _single(call: Call, parameter: Parameter, kind: str, value: Value) -> Value:
    if isinstance(value, EnumValue) and kind == "string":
        value = value.name
    if value is None and parameter.mandatory and kind != "object":
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is null."
        raise call.failure(
            message,
            "ParameterArgumentValidationErrorNullNotAllowed",
            category="InvalidData",
            exception="ParameterBindingValidationException",
        )
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str, "int": int, "bool": bool, "scriptblock": ScriptBlock, "hashtable": Hashtable, "net": NetObject
    }  # fmt: skip
    if kind != "object" and (not isinstance(value, kinds[kind]) or (kind == "int" and isinstance(value, bool))):
        raise OutsideSubsetError(
            f"{call.cmdlet.name} -{parameter.name}: a {kind_of(value)} where a {kind} is expected; write the conversion"
        )
    if parameter.choices:
        chosen = next((one for one in parameter.choices if one.lower() == str(value).lower()), None)
        if chosen is None:
            listed = ", ".join(parameter.choices)
            message = f"Cannot bind parameter '{parameter.name}'. The value \"{value}\" is not one of {listed}."
            raise call.failure(message, "CannotConvertArgumentNoMessage", category="InvalidArgument", exception="ParameterBindingException")
        return chosen
    return value


def logged(call: Call) -> str:
    """What module logging writes of a call (event 4103, about_Logging): the cmdlet, its arguments and the objects of the pipeline."""
    name = call.cmdlet.name
    lines = [f'CommandInvocation({name}): "{name}"']
    lines += [f'ParameterBinding({name}): name="{key}"; value="{text(value)}"' for key, value in call.arguments.items()]
    target = next((one.name for one in call.cmdlet.parameters if one.pipeline), "InputObject")
    lines += [f'ParameterBinding({name}): name="{target}"; value="{text(value)}"' for value in call.piped or []]
    return "\n".join(lines)


def not_recognized(name: str) -> ScriptError:
    message = f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the "
    message += "spelling of the name, or if a path was included, verify that the path is correct and try again."
    failure = Failure(message, "CommandNotFoundException", "ObjectNotFound", target=name, exception="CommandNotFoundException")
    return ScriptError(failure)
