"""Runs scripts: statements, pipelines and commands."""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.windows.powershell import operators, types
from emulator.windows.powershell.binding import bind, logged, not_recognized
from emulator.windows.powershell.errors import (
    BreakFlow,
    ContinueFlow,
    ExitFlow,
    Failure,
    Outcome,
    ReturnFlow,
    ScriptError,
    ThrownError,
)
from emulator.windows.powershell.expressions import CONSTANTS, Expressions
from emulator.windows.powershell.session import ErrorRecord, Session
from emulator.windows.powershell.syntax import Node, Script, child, reduced, required
from emulator.windows.powershell.values import (
    NOTHING,
    Array,
    Hashtable,
    Value,
    collected,
    items_of,
    kind_of,
    plain,
    set_index,
    set_member,
    text,
    truth,
)

Emit = Callable[[Value], None]
# Without a meaning of their own.
_LISTS = {"program", "statement_list", "statement_block", "script_block", "script_block_body"}
_READ_ONLY = {*CONSTANTS, "input", "lastexitcode", "psversiontable"}


def execute(source: str, session: Session) -> Outcome:
    """Run a script."""
    try:
        script = Script(source)
        Interpreter(script, session).statements(script.root, session.write)
    except ScriptError as error:
        return Outcome(failure=error.failure)
    except ExitFlow as flow:
        return Outcome(exit_code=flow.code)
    except ReturnFlow:
        pass
    return Outcome()


class Interpreter(Expressions):
    def __init__(self, script: Script, session: Session) -> None:
        super().__init__(script, session)
        self._inside_try = 0
        self._error: Failure | None = None  # what a catch block handles
        self._statements: dict[str, Callable[[Node, Emit], None]] = {
            "pipeline": self._pipeline_statement,
            "if_statement": self._if,
            "foreach_statement": self._foreach,
            "for_statement": self._for,
            "while_statement": self._while,
            "try_statement": self._try,
            "flow_control_statement": self._flow,
        }

    def statements(self, node: Node, emit: Emit) -> None:
        if node.type in _LISTS:
            for one in node.named_children:
                self.statements(one, emit)
        elif node.type not in ("comment", "empty_statement"):
            self._statement(node, emit)

    def _statement(self, node: Node, emit: Emit) -> None:
        """One statement. A terminating error of a command ends it, and the script only by $ErrorActionPreference or in try."""
        self.session.step()
        run_statement = self._statements.get(node.type)
        if run_statement is None:
            raise self.script.refuse(node)
        try:
            run_statement(node, emit)
        except ScriptError as error:
            self.script.located(error.failure, node)
            if isinstance(error, ThrownError) or self._inside_try or self.session.preference.lower() == "stop":
                raise
            self.session.report(error.failure)

    def _pipeline_statement(self, node: Node, emit: Emit) -> None:
        self.session.failed = False
        first = node.named_children[0]
        if first.type == "assignment_expression":
            self._assign(first)
            return
        for item in self._stream(node):
            emit(plain(item))

    def pipeline(self, node: Node) -> Value:
        """The value of a pipeline, or of a statement that is one."""
        if node.type in self._statements and node.type != "pipeline":
            items: list[Value] = []
            self._statement(node, items.append)
            return collected(items)
        chain = self._chain(node)
        if len(chain.named_children) == 1 and chain.named_children[0].type != "command":
            return self.value(chain.named_children[0])
        return collected(self._stream(node))

    def _chain(self, node: Node) -> Node:
        inner = [one for one in node.named_children if one.type != "comment"]
        if len(inner) != 1 or inner[0].type != "pipeline_chain":
            raise self.script.refuse(node)
        return inner[0]

    def _stream(self, node: Node) -> list[Value]:
        """The objects that a pipeline writes (about_Pipelines)."""
        items: list[Value] | None = None
        for element in self._chain(node).named_children:
            if element.type == "command":
                items = self._command(element, items)
            elif items is None:
                items = items_of(self.value(element))
            else:
                raise self.script.refuse(element)
        return items or []

    def _command(self, node: Node, piped: list[Value] | None) -> list[Value]:
        head = node.named_children[0]
        if head.type == "command_invokation_operator":
            raise self.script.refuse(node, "the operator " + self.script.text(head))
        name = self.script.text(head)
        numbers = re.fullmatch(r"(\d+)\.\.(\d+)", name)
        if numbers and piped is None and len(node.named_children) == 1:  # the grammar takes 1..3 for the name of a command
            return list(operators.span(int(numbers[1]), int(numbers[2])))
        if not re.fullmatch(r"[A-Za-z][\w.-]*", name):
            raise self.script.refuse(node, f"the command {name}")
        named, positional, words = self._elements(child(node, "command_elements"))
        cmdlet = self.session.cmdlets.get(name.lower())
        if cmdlet is None:
            return self._program(name, words)
        call = bind(self.session, cmdlet, named, positional, piped)
        self.session.log(logged(call))
        return list(cmdlet.run(call))

    def _program(self, name: str, words: list[str]) -> list[Value]:
        """A program of Windows: its lines of output, and its exit code in $LASTEXITCODE."""
        done = self.session.native(name, words)
        if done is None:
            self.session.unknown(name)
            raise not_recognized(name)
        self.session.last_exit = done[1]
        return list(done[0])

    def _elements(self, node: Node | None) -> tuple[list[tuple[str, Value]], list[Value], list[str]]:
        """Named and positional arguments, and all of them as words of a command line."""
        named: list[tuple[str, Value]] = []
        positional: list[Value] = []
        words: list[str] = []
        pending: str | None = None
        for one in node.named_children if node else []:
            if one.type == "command_argument_sep":
                continue
            words.append(self.script.text(one))
            if one.type == "argument_list":  # New-Object Type(arguments)
                positional.append(Array(self.arguments(one)))
                continue
            if one.type == "command_parameter":
                if pending is not None:
                    named.append((pending, True))
                pending = self.script.text(one)[1:]
            elif reduced(one).type == "variable" and self.script.text(one).startswith("@"):
                named += self._splatted(one)
            else:
                value = self._argument(one)
                if pending is None:
                    positional.append(value)
                elif self._is_switch(node, pending) and self.script.text(one.prev_sibling or one) != ":":
                    named.append((pending, True))
                    positional.append(value)
                else:
                    named.append((pending, value))
                pending = None
        if pending is not None:
            named.append((pending, True))
        return named, positional, words

    def _is_switch(self, elements: Node | None, name: str) -> bool:
        """A switch takes a value only after a colon (about_Parameters)."""
        command = elements.parent if elements else None
        cmdlet = self.session.cmdlets.get(self.script.text(command.named_children[0]).lower()) if command else None
        parameter = cmdlet.parameter(name) if cmdlet else None
        return parameter is not None and parameter.kind == "switch"

    def _argument(self, node: Node) -> Value:
        if node.type == "generic_token":
            token = self.script.text(node)
            if not re.fullmatch(r"[\w.:\\/*-]+", token):
                raise self.script.refuse(node, "an argument without quotes")
            return token
        return plain(self.value(node))

    def _splatted(self, node: Node) -> list[tuple[str, Value]]:
        """A hash table as parameters (about_Splatting)."""
        table = self.session.variables.get(self.script.text(node)[1:].lower())
        if not isinstance(table, Hashtable):
            raise self.script.refuse(node, "splatting of another value than a hash table")
        return [(text(name), value) for name, value in table.entries.items()]

    def _assign(self, node: Node) -> None:
        target, operator = reduced(node.named_children[0]), self.script.text(node.named_children[1])
        constraint = ""
        if target.type == "expression_with_unary_operator" and target.children[0].type == "cast_expression":
            target = target.children[0]
        if target.type == "cast_expression":
            constraint = types.type_name(self.script.text(target.named_children[0])[1:-1])
            target = reduced(target.named_children[1])
        value = self.pipeline(node.named_children[2])
        if operator != "=":
            if operator not in ("+=", "-=", "*=") or constraint:
                raise self.script.refuse(node)
            old = self.value(target)
            value = operators.BINARY[operator[0]](value if old is NOTHING else old, value) if old is not NOTHING else value
        self._store(target, value, constraint)

    def _store(self, target: Node, value: Value, constraint: str) -> None:
        if target.type == "variable":
            name = self.variable_name(target)
            if name == "null":
                return
            if name in _READ_ONLY or ":" in name:
                raise self.script.refuse(target, "an assignment to")
            if constraint:
                self.session.constraints[name] = constraint
            kept = self.session.constraints.get(name)
            self.session.variables[name] = types.convert(value, kept) if kept else value
        elif target.type == "member_access" and target.named_children[0].type == "type_literal":
            self.store_static(target, value)
        elif target.type == "member_access":
            set_member(self.value(target.named_children[0]), self.member_name(target.named_children[1]), value)
        elif target.type == "element_access":
            set_index(self.value(target.named_children[0]), plain(self.value(target.named_children[1])), value)
        else:
            raise self.script.refuse(target, f"an assignment to {kind_of(None)}")

    def _if(self, node: Node, emit: Emit) -> None:
        clauses = [node, *(child(node, "elseif_clauses") or node).named_children] if child(node, "elseif_clauses") else [node]
        for clause in clauses:
            if truth(self.pipeline(clause.named_children[0])):
                self.statements(required(clause, "statement_block"), emit)
                return
        final = child(node, "else_clause")
        if final:
            self.statements(required(final, "statement_block"), emit)

    def _foreach(self, node: Node, emit: Emit) -> None:
        """foreach ($x in ...) (about_Foreach): $null has no item."""
        name = self.variable_name(node.named_children[0])
        value = self.pipeline(node.named_children[1])
        for item in [] if plain(value) is None else items_of(value):
            self.session.variables[name] = item
            if not self._body(required(node, "statement_block"), emit):
                break

    def _for(self, node: Node, emit: Emit) -> None:
        self._assign(required(required(required(node, "for_initializer"), "pipeline"), "assignment_expression"))
        while truth(self.pipeline(required(node, "for_condition").named_children[0])):
            self.session.step()
            if not self._body(required(node, "statement_block"), emit):
                break
            self.statements(required(node, "for_iterator").named_children[0], emit)

    def _while(self, node: Node, emit: Emit) -> None:
        while truth(self.pipeline(required(node, "while_condition").named_children[0])):
            self.session.step()
            if not self._body(required(node, "statement_block"), emit):
                break

    def _body(self, block: Node, emit: Emit) -> bool:
        """One round of a loop; False where it ended by break."""
        try:
            self.statements(block, emit)
        except BreakFlow:
            return False
        except ContinueFlow:
            return True
        return True

    def _try(self, node: Node, emit: Emit) -> None:
        """try, one catch without types, finally (about_Try_Catch_Finally)."""
        handlers, final = child(node, "catch_clauses"), child(node, "finally_clause")
        clause = handlers.named_children[0] if handlers else None
        if handlers and (len(handlers.named_children) != 1 or child(handlers.named_children[0], "catch_type_list")):
            raise self.script.refuse(handlers, "catch with a type")
        try:
            self._inside_try += 1
            try:
                self.statements(required(node, "statement_block"), emit)
            finally:
                self._inside_try -= 1
        except ScriptError as error:
            if clause is None:
                raise
            self._catch(required(clause, "statement_block"), error, emit)
        finally:
            if final:
                self.statements(required(final, "statement_block"), emit)

    def _catch(self, block: Node, error: ScriptError, emit: Emit) -> None:
        before, outer = self.session.variables.get("_"), self._error
        self.session.variables["_"], self._error = ErrorRecord(error.failure), error.failure
        try:
            self.statements(block, emit)
        finally:
            self.session.variables["_"], self._error = before, outer

    def _flow(self, node: Node, emit: Emit) -> None:
        word = self.script.text(node.children[0]).lower()
        value = self.pipeline(node.named_children[0]) if node.named_children else NOTHING
        if word == "throw":
            raise ThrownError(self._thrown(plain(value)))
        if word == "exit":
            raise ExitFlow(value if isinstance(value, int) else 0)
        if word == "return":
            for item in items_of(value):
                emit(plain(item))
            raise ReturnFlow
        raise {"break": BreakFlow, "continue": ContinueFlow}[word]()

    def _thrown(self, value: Value) -> Failure:
        if value is None and self._error:
            return self._error  # throw in catch: the same error again
        if isinstance(value, ErrorRecord):
            return value.failure
        message = "ScriptHalted" if value is None else text(value)
        return Failure(message, message, "OperationStopped", target=message)
