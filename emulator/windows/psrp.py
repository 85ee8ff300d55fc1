"""Runspace pools of the PowerShell Remoting Protocol (MS-PSRP), by the server half of psrpcore."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psrpcore
from psrpcore.types import ErrorCategory, ErrorCategoryInfo, ErrorRecord, HostMethodIdentifier, NETException, PSInvocationState

from emulator.state import WindowsUser
from emulator.windows import soap
from emulator.windows.faults import WsmanFault
from emulator.windows.powershell.errors import Failure, Outcome, OutsideSubsetError, ScriptError
from emulator.windows.powershell.session import Session
from emulator.windows.powershell.values import Array, Value, kind_of, plain
from emulator.windows.runspaces import Runspaces
from emulator.windows.soap import SHELL, Operation

URI = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
_CREATION = "{http://schemas.microsoft.com/powershell}creationXml"
OVERHEAD, FRAGMENT = 4096, 32768


@dataclass
class Channel:
    """What waits to be received of the pool, or of a pipeline."""

    waiting: deque[bytes] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    done: bool = False


@dataclass
class Job:
    """A pipeline: its commands and the objects that were sent to it."""

    pipeline: psrpcore.ServerPipeline
    commands: list[psrpcore.Command]
    inputs: list[Value] = field(default_factory=list)
    has_input: bool = True


class Pool:
    streams = "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"

    def __init__(self, runspaces: Runspaces, user: WindowsUser, operation: Operation, start: Callable[[Callable[[], None]], None]) -> None:
        self._runspaces, self._user, self._start = runspaces, user, start
        self._pool = psrpcore.ServerRunspacePool()
        self._channels: dict[str, Channel] = {"": Channel()}
        self._jobs: dict[uuid.UUID, Job] = {}
        creation = operation.part("Shell").findtext(_CREATION)
        if creation is None:
            raise WsmanFault("schema")
        self._take(base64.b64decode(creation), None)

    def close(self) -> None:
        for channel in self._channels.values():
            channel.changed.set()

    def command(self, operation: Operation) -> str:
        part = operation.part("CommandLine")
        command_id = (part.get("CommandId") or str(uuid.uuid4())).upper()
        identifier = uuid.UUID(command_id)
        self._channels[command_id] = Channel()
        psrpcore.ServerPipeline(self._pool, identifier)
        data = "".join(one.text or "" for one in part.iterfind(f"{{{SHELL}}}Arguments"))
        self._take(base64.b64decode(data), identifier)
        return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"

    def send(self, operation: Operation) -> str:
        part = operation.part("Send").find(f"{{{SHELL}}}Stream")
        if part is None:
            raise WsmanFault("schema")
        command_id = part.get("CommandId")
        self._take(base64.b64decode(part.text or ""), uuid.UUID(command_id) if command_id else None)
        return "<rsp:SendResponse/>"

    def signal(self, operation: Operation) -> str:
        """Stop a pipeline; one that has ended is forgotten."""
        command_id = operation.part("Signal").get("CommandId", "").upper()
        channel = self._channels.get(command_id)
        job = self._jobs.pop(uuid.UUID(command_id), None) if command_id else None
        if job and channel and job.pipeline.state in (PSInvocationState.NotStarted, PSInvocationState.Running):
            if job.pipeline.state == PSInvocationState.NotStarted:
                job.pipeline.start()
            job.pipeline.stop()
            self._flush()
            channel.done = True
            channel.changed.set()
        return "<rsp:SignalResponse/>"

    async def receive(self, operation: Operation) -> str:
        """Fragments that wait, as many as the client's envelope takes; without any, the answer waits, at most OperationTimeout."""
        part = operation.part("Receive").find(f"{{{SHELL}}}DesiredStream")
        command_id = ("" if part is None else part.get("CommandId", "")).upper()
        channel = self._channels.get(command_id)
        if channel is None:
            raise WsmanFault("no_resource")
        try:
            await asyncio.wait_for(channel.changed.wait(), operation.timeout)
        except TimeoutError:
            raise WsmanFault("timeout") from None
        room, xml = (operation.size - OVERHEAD) * 3 // 4, ""
        while channel.waiting and (not xml or len(channel.waiting[0]) <= room):
            room -= len(channel.waiting[0])
            xml += soap.stream("stdout", command_id, channel.waiting.popleft())
        if not channel.waiting and not channel.done:
            channel.changed.clear()
        if command_id:
            state = "Done" if channel.done and not channel.waiting else "Running"
            xml += f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/{state}"/>'
        return f"<rsp:ReceiveResponse>{xml}</rsp:ReceiveResponse>"

    def _take(self, data: bytes, pipeline_id: uuid.UUID | None) -> None:
        """Hand data to the protocol, and do what its messages ask for."""
        self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline_id))
        while (event := self._pool.next_event()) is not None:
            self._handle(event)
        self._flush()

    def _handle(self, event: Any) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            pipeline = self._pool.pipeline_table[event.pipeline_id]
            job = Job(pipeline, list(event.pipeline.commands), has_input=not event.pipeline.no_input)
            self._jobs[event.pipeline_id] = job
            if not job.has_input:
                self._start(lambda: self._run(job))
        elif isinstance(event, psrpcore.PipelineInputEvent):
            self._jobs[event.pipeline_id].inputs.append(_from_psrp(event.data))
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent):
            job = self._jobs[event.pipeline_id]
            self._start(lambda: self._run(job))

    def _flush(self) -> None:
        while (payload := self._pool.data_to_send(FRAGMENT)) is not None:
            channel = self._channels[str(payload.pipeline_id).upper() if payload.pipeline_id else ""]
            channel.waiting.append(bytes(payload.data))
            channel.changed.set()

    def _run(self, job: Job) -> None:
        pipeline = job.pipeline
        if pipeline.pipeline_id not in self._jobs:
            return  # stopped before it began
        pipeline.start()
        session = self._runspaces.session(self._user)
        session.write_error = lambda failure: _write_error(pipeline, failure)
        noise = self._runspaces.machine.noise()
        if noise:
            pipeline.write_output(noise)
        outcome = self._outcome(job, session)
        if outcome.exit_code is not None:
            pipeline.host_call(HostMethodIdentifier.SetShouldExit, [outcome.exit_code])
        if outcome.failure:
            pipeline._change_state(PSInvocationState.Failed, error=_error_record(outcome.failure))  # psrpcore has no public method for it
        else:
            pipeline.complete()
        self._flush()
        channel = self._channels[str(pipeline.pipeline_id).upper()]
        channel.done = True
        channel.changed.set()

    def _outcome(self, job: Job, session: Session) -> Outcome:
        """Run the statements of a pipeline; what the last command of each writes is its output."""
        piped: list[Value] | None = job.inputs if job.has_input else None
        try:
            for command in job.commands:
                piped, outcome = self._command(command, session, piped)
                if outcome.failure or outcome.exit_code is not None:
                    _write(job.pipeline, piped)
                    return outcome
                if command.end_of_statement:
                    _write(job.pipeline, piped)
                    piped = None
            _write(job.pipeline, piped or [])
        except ScriptError as error:
            return Outcome(failure=error.failure)
        except OutsideSubsetError as error:
            return Outcome(failure=self._runspaces.refusal(error))
        return Outcome()

    def _command(self, command: psrpcore.Command, session: Session, piped: list[Value] | None) -> tuple[list[Value], Outcome]:
        """A script, which reads the objects as $input, or a cmdlet. Invoke-Expression is the script that it names."""
        named = [(str(name), _from_psrp(value)) for name, value in command.parameters]
        text = str(command.command_text)
        if not command.is_script and text.lower() != "invoke-expression":
            return self._runspaces.run_cmdlet(session, text, [(n, True if v is None else v) for n, v in named], piped), Outcome()
        if command.is_script and named:
            raise OutsideSubsetError("a script with arguments")
        source = text if command.is_script else next((str(value) for name, value in named if name.lower() == "command"), "")
        output: list[Value] = []
        session.input = deque(piped or [])
        session.write = output.append
        return output, self._runspaces.run_script(source, session)


def _from_psrp(value: Any) -> Value:
    """Text, numbers and Booleans of the client; other objects are outside of the subset."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    raise OutsideSubsetError(f"input of type {type(value).__name__}")


def _to_psrp(value: Value) -> Any:
    value = plain(value)
    if isinstance(value, Array):
        return [_to_psrp(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise OutsideSubsetError(f"output of a {kind_of(value)}; write it with ConvertTo-Json")


def _write(pipeline: psrpcore.ServerPipeline, values: list[Value]) -> None:
    for value in [_to_psrp(one) for one in values]:
        pipeline.write_output(value)


def _exception(failure: Failure) -> NETException:
    exception = NETException(Message=failure.message, HResult=failure.hresult)
    exception.PSObject.type_names = [f"System.Management.Automation.{failure.exception}", *exception.PSTypeNames]
    return exception


def _category(failure: Failure) -> ErrorCategoryInfo:
    category = getattr(ErrorCategory, failure.category, ErrorCategory.NotSpecified)
    return ErrorCategoryInfo(Category=category, Reason=failure.exception, TargetName=failure.target)


def _error_record(failure: Failure) -> ErrorRecord:
    return ErrorRecord(Exception=_exception(failure), CategoryInfo=_category(failure), FullyQualifiedErrorId=failure.error_id)


def _write_error(pipeline: psrpcore.ServerPipeline, failure: Failure) -> None:
    pipeline.write_error(_exception(failure), _category(failure), fully_qualified_error_id=failure.error_id)
