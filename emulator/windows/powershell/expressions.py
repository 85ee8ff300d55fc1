"""Evaluates expressions."""

from __future__ import annotations

from collections.abc import Callable

from emulator.windows.powershell import operators, syntax, types
from emulator.windows.powershell.errors import OutsideSubsetError, script_error
from emulator.windows.powershell.session import ConsoleReader, ConsoleWriter, Input, Session
from emulator.windows.powershell.syntax import Node, Script, reduced
from emulator.windows.powershell.values import (
    NOTHING,
    Array,
    EnumValue,
    Hashtable,
    Members,
    NetObject,
    PSObject,
    ScriptBlock,
    Value,
    collected,
    get_index,
    get_member,
    kind_of,
    plain,
    text,
    truth,
)

CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


class Expressions:
    """The half of the interpreter that has values. `statements` and `pipeline` are the other half's (interpreter.py)."""

    def __init__(self, script: Script, session: Session) -> None:
        self.script, self.session = script, session
        self._kinds: dict[str, Callable[[Node], Value]] = {
            "variable": self._variable,
            "string_literal": lambda node: self.value(node.named_children[0]),
            "verbatim_string_characters": lambda node: syntax.verbatim(script.text(node)),
            "verbatim_here_string_characters": lambda node: syntax.here_string(script.text(node)),
            "expandable_string_literal": self._expandable,
            "integer_literal": lambda node: syntax.whole_number(script.text(node)),
            "real_literal": lambda node: float(script.text(node)),
            "parenthesized_expression": self._parenthesized,
            "sub_expression": lambda node: collected(self._inner(node)),
            "array_expression": lambda node: Array([plain(one) for one in self._inner(node)]),
            "array_literal_expression": lambda node: Array([plain(self.value(one)) for one in node.named_children]),
            "hash_literal_expression": lambda node: self._hash_literal(node, ordered=False),
            "script_block_expression": self._script_block,
            "member_access": self._member_access,
            "invokation_expression": self._invocation,
            "element_access": lambda node: get_index(self.value(node.named_children[0]), self.value(node.named_children[1])),
            "cast_expression": self._cast,
            "expression_with_unary_operator": self._unary,
            "post_increment_expression": lambda node: self._step(node, 1),
            "post_decrement_expression": lambda node: self._step(node, -1),
            "logical_expression": self._logical,
            "type_literal": lambda node: _TypeLiteral(types.type_name(script.text(node)[1:-1])),
        }
        for kind in ("comparison", "additive", "multiplicative", "format", "range", "bitwise"):
            self._kinds[f"{kind}_expression"] = self._binary

    def statements(self, node: Node, emit: Callable[[Value], None]) -> None:
        raise NotImplementedError

    def pipeline(self, node: Node) -> Value:
        raise NotImplementedError

    def value(self, node: Node) -> Value:
        """The value of an expression; NOTHING where a command in it has no output."""
        node = reduced(node)
        evaluate = self._kinds.get(node.type)
        if evaluate is None:
            raise self.script.refuse(node)
        return evaluate(node)

    def variable_name(self, node: Node) -> str:
        """The name of a variable without the dollar sign, in lower case."""
        written = self.script.text(node)
        if not written.startswith("$"):
            raise self.script.refuse(node)
        return written[1:].strip("{}").lower().removeprefix("script:")

    def _variable(self, node: Node) -> Value:
        name, session = self.variable_name(node), self.session
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name == "input":
            return Input(session)
        if name in ("lastexitcode", "psversiontable"):
            return session.last_exit if name == "lastexitcode" else _version_table()
        if name.startswith("env:"):
            return next((value for key, value in session.environment.items() if key.lower() == name[4:]), None)
        name = {"psitem": "_"}.get(name, name)
        if name in session.variables:
            return session.variables[name]
        if session.strict:
            message = f"The variable '${name}' cannot be retrieved because it has not been set."
            raise script_error(message, "VariableIsUndefined", category="InvalidOperation", target=name)
        raise self.script.refuse(node, "a variable that has no value")

    def _expandable(self, node: Node) -> str:
        """A string in double quotes (about_Quoting_Rules). The grammar's children are the variables and subexpressions in it."""
        parts, at = [], node.start_byte + 1
        for one in node.named_children:
            parts.append(syntax.expanded(self.script.between(at, one.start_byte)))
            parts.append(text(self.value(one)))
            at = one.end_byte
        parts.append(syntax.expanded(self.script.between(at, node.end_byte - 1)))
        return "".join(parts)

    def _inner(self, node: Node) -> list[Value]:
        items: list[Value] = []
        for one in node.named_children:
            self.statements(one, items.append)
        return items

    def _parenthesized(self, node: Node) -> Value:
        """A pipeline as a value; the grouping operator writes the value of an assignment in it (about_Operators)."""
        inner = node.named_children[0]
        first = inner.named_children[0] if inner.named_children else inner
        if first.type == "assignment_expression":
            raise self.script.refuse(node, "an assignment as a value")
        return self.pipeline(inner)

    def _hash_literal(self, node: Node, *, ordered: bool) -> Hashtable:
        entries = Members()
        for entry in node.named_children[0].named_children if node.named_children else []:
            key = self._hash_key(entry.named_children[0].named_children[0])
            if key in entries:
                message = f"Duplicate keys '{text(key)}' are not allowed in hash literals."
                raise script_error(message, "DuplicateKeyInHashLiteral", category="ParserError")
            entries[key] = plain(self._statement_value(entry.named_children[1]))
        return Hashtable(entries, ordered=ordered)

    def _statement_value(self, node: Node) -> Value:
        return self.pipeline(node)

    def _hash_key(self, node: Node) -> Value:
        if node.type == "simple_name":
            return self.script.text(node)
        return plain(self.value(node))

    def _script_block(self, node: Node) -> ScriptBlock:
        body = syntax.required(node, "script_block")
        inner = [one for one in body.named_children if one.type != "comment"]
        if any(one.type != "script_block_body" for one in inner):
            raise self.script.refuse(node, "a script block with parameters")

        def invoke(item: Value, emit: Callable[[Value], None]) -> None:
            before = self.session.variables.get("_")
            self.session.variables["_"] = item
            try:
                for one in inner:
                    self.statements(one, emit)
            finally:
                self.session.variables["_"] = before

        return ScriptBlock(invoke, self.script.text(node)[1:-1])

    def member_name(self, node: Node) -> str:
        inner = node.named_children[0]
        if inner.type == "simple_name":
            return self.script.text(inner)
        name = plain(self.value(inner))
        if not isinstance(name, str):
            raise self.script.refuse(node, f"a {kind_of(name)} as the name of a member")
        return name

    def _member_access(self, node: Node) -> Value:
        owner, name = node.named_children[0], self.member_name(node.named_children[1])
        if owner.type == "type_literal":
            return self._static_property(owner, name)
        return get_member(self.value(owner), name, strict=self.session.strict)

    def static_name(self, node: Node) -> str:
        return self.script.text(node)[1:-1].lower().removeprefix("system.")

    def _static_property(self, node: Node, name: str) -> Value:
        key = (self.static_name(node), name.lower())
        if key == ("console", "in"):
            return ConsoleReader(self.session)
        if key == ("console", "out"):
            return ConsoleWriter(self.session)
        if key not in types.STATIC_PROPERTIES:
            raise self.script.refuse(node, f"the static property {name}")
        return types.STATIC_PROPERTIES[key]()

    def store_static(self, target: Node, value: Value) -> None:
        """[Net.ServicePointManager]::SecurityProtocol, the one static property that scripts may set."""
        name = (self.static_name(target.named_children[0]), self.member_name(target.named_children[1]).lower())
        if name != ("net.servicepointmanager", "securityprotocol") or not isinstance(value, EnumValue):
            raise self.script.refuse(target, "an assignment to a static property")
        self.session.variables["_security_protocol"] = value.name

    def arguments(self, node: Node) -> list[Value]:
        lists = [one for one in node.named_children if one.type == "argument_expression_list"]
        return [plain(self.value(one)) for part in lists for one in part.named_children]

    def _invocation(self, node: Node) -> Value:
        """A method call (about_Methods)."""
        owner, name = node.named_children[0], self.member_name(node.named_children[1])
        arguments = self.arguments(node.named_children[2])
        if owner.type == "type_literal":
            kind = self.static_name(owner)
            method = types.STATIC_METHODS.get((kind, name.lower())) or self.session.static_methods.get((kind, name.lower()))
            if method is None:
                raise self.script.refuse(node, f"the static method {name}")
            return method(*arguments)
        value = plain(self.value(owner))
        if value is None:
            raise script_error("You cannot call a method on a null-valued expression.", "InvokeMethodOnNull", category="InvalidOperation")
        if isinstance(value, NetObject):
            return value.call(name, arguments)
        if isinstance(value, Hashtable):
            return _hashtable_method(value, name, arguments)
        if isinstance(value, str):
            return types.text_method(value, name, arguments)
        if isinstance(value, (int, float)) and name.lower() == "tostring" and not arguments:
            return text(value)
        raise self.script.refuse(node, f"{kind_of(value)} has no method {name}")

    def _cast(self, node: Node) -> Value:
        written, operand = node.named_children[0], reduced(node.named_children[1])
        name = self.static_name(written)
        if name in ("ordered", "pscustomobject") and operand.type == "hash_literal_expression":
            table = self._hash_literal(operand, ordered=True)
            return PSObject(table.entries) if name == "pscustomobject" else table
        if name == "wmiclass" and self.session.wmi_class:
            return self.session.wmi_class(text(self.value(operand)))
        if name == "reflection.bindingflags":
            return EnumValue("System.Reflection.BindingFlags", text(self.value(operand)), _binding_flags(text(self.value(operand))))
        return types.convert(self.value(operand), types.type_name(self.script.text(written)[1:-1]))

    def _unary(self, node: Node) -> Value:
        if node.children[0].is_named:
            return self.value(node.children[0])  # a cast or an increment, which the grammar wraps
        operator = self.script.text(node.children[0]).lower()
        if operator not in operators.UNARY:
            raise self.script.refuse(node)
        return operators.UNARY[operator](self.value(node.named_children[0]))

    def _step(self, node: Node, by: int) -> Value:
        name = self.variable_name(node.named_children[0])
        self.session.variables[name] = operators.add(self.session.variables.get(name, 0), by)
        return NOTHING

    def _logical(self, node: Node) -> Value:
        """-and and -or evaluate the right side only where it counts (about_Logical_Operators)."""
        operator = self.script.text(node.children[1]).lower()
        left = truth(self.value(node.children[0]))
        if operator == "-xor":
            return left != truth(self.value(node.children[2]))
        return left if left == (operator == "-or") else truth(self.value(node.children[2]))

    def _binary(self, node: Node) -> Value:
        operator = self.script.text(node.children[1]).lower()
        left = self.value(node.children[0])
        right_node = reduced(node.children[2])
        if operator in ("-is", "-isnot") and right_node.type == "type_literal":
            matches = types.is_type(plain(left), types.type_name(self.script.text(right_node)[1:-1]))
            return matches == (operator == "-is")
        if operator not in operators.BINARY:
            raise self.script.refuse(node)
        right = self.value(right_node)
        if operator == "-match" and isinstance(plain(left), str):
            return self._match(plain(left), right)
        return operators.BINARY[operator](left, right)

    def _match(self, left: str, right: Value) -> bool:
        """-match of one text fills $Matches (about_Automatic_Variables)."""
        match = operators.expression(right).search(left)
        if match:
            groups = {0: match[0], **{number: one for number, one in enumerate(match.groups(), 1) if one is not None}}
            self.session.variables["matches"] = Hashtable(Members(groups))
        return match is not None


class _TypeLiteral(NetObject):
    def __init__(self, name: str) -> None:
        self.type_name = name


def _hashtable_method(table: Hashtable, name: str, arguments: list[Value]) -> Value:
    name = name.lower()
    if name in ("contains", "containskey") and len(arguments) == 1:
        return arguments[0] in table.entries
    if name == "add" and len(arguments) == 2:
        if arguments[0] in table.entries:
            message = (
                f'Exception calling "Add" with "2" argument(s): "Item has already been added. Key in dictionary: \'{text(arguments[0])}\'"'
            )
            raise script_error(message, "ArgumentException", exception="MethodInvocationException")
        table.entries[arguments[0]] = arguments[1]
        return NOTHING
    if name == "remove" and len(arguments) == 1:
        del table.entries[arguments[0]]
        return NOTHING
    raise OutsideSubsetError(f"hashtable has no method {name}")


def _version_table() -> Hashtable:
    version = PSObject(Members({"Major": 5, "Minor": 1}), "System.Version")
    return Hashtable(Members({"PSVersion": version, "PSEdition": "Desktop"}))


def _binding_flags(names: str) -> int:
    """System.Reflection.BindingFlags."""
    numbers = {"instance": 4, "static": 8, "public": 16, "nonpublic": 32, "invokemethod": 256, "getproperty": 4096, "setproperty": 8192}
    total = 0
    for name in names.split(","):
        if name.strip().lower() not in numbers:
            raise OutsideSubsetError(f"[Reflection.BindingFlags]'{names}'")
        total |= numbers[name.strip().lower()]
    return total
