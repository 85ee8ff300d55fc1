"""The interpreter against PowerShell's documented semantics: about_* topics of Windows PowerShell 5.1, and the pages of cmdlets."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.windows.powershell.errors import OutsideSubsetError
from tests.emulator.windows_lab import output, run


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # about_Pipelines, about_Arrays: a pipeline takes an array apart, an assignment collects
        ("1,2 | ForEach-Object { $_ * 2 }", [2, 4]),
        ("$x = Write-Output 1; $x.Count", [1]),
        ("$x = @(Write-Output 1); $x.Count; $x[0]", [1, 1]),
        ("$x = Out-Null; @($x).Count; $null -eq $x", [0, True]),
        ("@($null).Count", [1]),
        ("$a = 1,2; $a += 3; $a.Count; $a[-1]; $a[7]; $a[0,2]", [3, 3, None, 1, 3]),
        (",@(1,2) | ForEach-Object { $_.Count }", [2]),
        ("[Object[]]$one = @(); $one += , [string[]]@('a','b'); $one.Count; $one[0].Count", [1, 2]),
        ("foreach ($i in 1..3) { $i }; foreach ($i in 3..1) { $i }", [1, 2, 3, 3, 2, 1]),
        # about_Properties: Count of a scalar and of $null
        ("$n = $null; $n.Count; (5).Count; 'abc'.Length", [0, 1, 3]),
        ("'ä€'.Length; [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('8J+YgA==')).Length", [2, 2]),
        # about_Hash_Tables, about_PSCustomObject: names without regard to case
        ("$h = @{ Name = 1 }; $h.name; $h['NAME']; $h.other; $h.Count; $h.ContainsKey('nAme')", [1, 1, None, 1, True]),
        ("$h = @{}; $n = 'k'; $h.$n = 5; $h['z'] = 6; $h.Keys | Sort-Object", ["k", "z"]),
        ("$o = [pscustomobject]@{ A = 1 }; $o.a = 2; $o.A; $o.missing", [2, None]),
        # about_Quoting_Rules, about_Special_Characters
        ('$x = 1; "$x $($x + 1) `$x `"q`" a`tb"; \'it\'\'s $x\'; "a""b"', ['1 2 $x "q" a\tb', "it's $x", 'a"b']),
        ('$a = 1,2; "$a"; "$null|$true"', ["1 2", "|True"]),
        ("@'\na $x\n'@", ["a $x"]),
        # about_Comparison_Operators
        ("'A' -eq 'a'; 'A' -ceq 'a'; 1,2,1 -eq 1; 'abc' -like 'A*'; 'abc' -like 'b*'", [True, False, 1, 1, True, False]),
        ("1,2,3 -contains 2; 'B' -in 'a','b'; 'abc' -match 'B(.)'; $Matches[1]; 'abc' -notmatch 'x'", [True, True, True, "c", True]),
        ("$null -eq $null; $null -eq 0; 0 -eq $null; '' -eq $null", [True, False, False, False]),
        ("2 -gt 1; 'b' -lt 'C'; 3 -le 2", [True, True, False]),
        # about_Booleans
        ("if (@(0)) { 1 } else { 2 }; if (@(0,0)) { 1 } else { 2 }; if ('') { 1 } else { 2 }; if (@()) { 1 } else { 2 }", [2, 1, 2, 2]),
        # about_Logical_Operators: the right side is evaluated only where it counts
        ("$true -or (1 / 0); $false -and (1 / 0); -not 1; !$false", [True, False, False, True]),
        # about_Arithmetic_Operators
        ("1 + 2 * 3; 7 / 2; 6 / 2; 7 % 3; -7 % 3; 'a' + 1; -5 + 3; 5 -band 4; 1 -bor 4", [7, 3.5, 3, 1, -1, "a1", -2, 4, 5]),
        # about_Join, about_Split, about_Operators (-f, -replace)
        ("-join ('a','b'); 'a','b' -join ', '; 'a,b' -split ','; '{0}-{1:d3}' -f 'x', 7", ["ab", "a, b", "a", "b", "x-007"]),
        ("'a.b' -replace '\\.', '-'", ["a-b"]),
        # about_Numeric_Literals
        ("0x10; 0xFFFFFFFF; 1.5", [16, -1, 1.5]),
        # about_If, about_For, about_While, about_Break, about_Continue
        ("if ($false) { 1 } elseif ($true) { 2 } else { 3 }", [2]),
        ("for ($i = 0; $i -lt 5; $i++) { if ($i -eq 1) { continue }; if ($i -eq 3) { break }; $i }", [0, 2]),
        ("$i = 0; while ($i -lt 2) { $i += 1 }; $i", [2]),
        ("foreach ($i in $null) { 'never' }", []),
        ("$x = if ($true) { 'a' } else { 'b' }; $x", ["a"]),
        # about_Type_Conversion, about_Type_Operators
        ("[int]'12'; [string]5; [bool]'x'; [int]2.5; [int]3.5; [void]5; 5 -is [int]; 'a' -isnot [int]", [12, "5", True, 2, 4, True, True]),
        ("([byte[]]@(1,2)).Count; [Convert]::ToBase64String([byte[]]@(255))", [2, "/w=="]),
        ("[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('w6Q='))", ["ä"]),
        # about_Splatting, about_Parameters: a switch, and -Name:value
        ("$p = @{ Compress = $true; InputObject = 1 }; ConvertTo-Json @p; ConvertTo-Json 2 -Compress:$true", ["1", "2"]),
    ],
)
def test_documented_examples(script: str, expected: list[Any]) -> None:
    assert output(script) == expected


def test_input_is_an_enumerator_that_is_read_once() -> None:
    """about_Automatic_Variables, $input."""
    assert output("$lines = @($input); $lines.Count; $lines[1]; @($input).Count", "a", "b") == [2, "b", 0]
    assert output('$input | ForEach-Object { "<$_>" }', "a", "b") == ["<a>", "<b>"]


def test_console_input_is_read_by_lines() -> None:
    """TextReader.ReadLine, ReadToEnd: $null and the empty string at the end."""
    assert output("[Console]::In.ReadLine(); [Console]::In.ReadToEnd(); $null -eq [Console]::In.ReadLine()", "a", "b", "c") == [
        "a",
        "b\nc\n",
        True,
    ]


class TestErrors:
    """about_Try_Catch_Finally, about_Throw, about_Preference_Variables, about_CommonParameters, about_PowerShell_exe."""

    def test_catch_has_the_error_and_finally_always_runs(self) -> None:
        script = "try { throw 'boom'; 'never' } catch { $_.Exception.Message; $_.FullyQualifiedErrorId } finally { 'end' }"
        assert output(script) == ["boom", "boom", "end"]

    def test_throw_in_catch_raises_the_same_error(self) -> None:
        ran = run("try { throw 'boom' } catch { throw } ")
        assert [error.message for error in ran.errors] == ["boom"]
        assert ran.code == 1

    def test_throw_ends_the_script_whatever_the_preference(self) -> None:
        ran = run("throw 'boom'; 'never'")
        assert (ran.output, ran.code, ran.errors[0].category) == ([], 1, "OperationStopped")

    def test_a_terminating_error_of_a_command_ends_the_statement_only(self) -> None:
        ran = run("Get-Nothing; 'next'")
        assert (ran.output, ran.code) == (["next"], 0)
        assert ran.errors[0].error_id == "CommandNotFoundException"

    def test_stop_ends_the_script(self) -> None:
        ran = run("$ErrorActionPreference = 'Stop'; Get-Nothing; 'never'")
        assert (ran.output, ran.code) == ([], 1)

    def test_the_exit_code_is_that_of_the_last_command(self) -> None:
        assert run("1; Get-Nothing").code == 1
        assert run("exit 3").code == 3

    def test_an_error_says_where_it_is(self) -> None:
        described = run("1\n  throw 'boom'").errors[0].described()
        assert "At line:2 char:3\r\n+ throw 'boom'" in described
        assert "+ FullyQualifiedErrorId : boom" in described

    @pytest.mark.parametrize(
        ("script", "error_id"),
        [
            ("Write-Output -Bad 1", "NamedParameterNotFound,Microsoft.PowerShell.Commands.WriteOutputCommand"),
            ("Out-Null 1", "PositionalParameterNotFound,Microsoft.PowerShell.Commands.OutNullCommand"),
            ("ConvertFrom-Json", "MissingMandatoryParameter,Microsoft.PowerShell.Commands.ConvertFromJsonCommand"),
            ("$n = $null; $n.ToString()", "InvokeMethodOnNull"),
            ("$n = $null; $n[0]", "NullArray"),
            ("$o = [pscustomobject]@{ a = 1 }; $o.b = 2", "PropertyNotFound"),
            ("[int]'x'", "InvalidCastFromStringToInteger"),
            ("[byte]256", "InvalidCastIConvertible"),
            ("1 / 0", "RuntimeException"),
            ("[Convert]::FromBase64String('*')", "FormatException"),
            ("'{1}' -f 'a'", "FormatError"),
        ],
    )
    def test_errors_have_their_ids(self, script: str, error_id: str) -> None:
        assert [error.error_id for error in run(script).errors] == [error_id]


def test_strict_mode_refuses_missing_variables_and_properties() -> None:
    """Set-StrictMode."""
    assert run("Set-StrictMode -Version Latest; $none").errors[0].error_id == "VariableIsUndefined"
    assert run("Set-StrictMode -Version Latest; $o = [pscustomobject]@{ a = 1 }; $o.b").errors[0].error_id == "PropertyNotFoundStrict"


class TestJson:
    """ConvertTo-Json, ConvertFrom-Json of Windows PowerShell 5.1."""

    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            ("@{ a = 1; b = $null; c = $true; d = 1.5 } | ConvertTo-Json -Compress", '{"a":1,"b":null,"c":true,"d":1.5}'),
            ("@(1) | ConvertTo-Json -Compress", "1"),
            (",@(1) | ConvertTo-Json -Compress", "[1]"),
            ("ConvertTo-Json -InputObject @(1) -Compress", "[1]"),
            ("1,2 | ConvertTo-Json -Compress", "[1,2]"),
            ('"<a>&\'`"" | ConvertTo-Json -Compress', '"\\u003ca\\u003e\\u0026\\u0027\\""'),
            ("@{a=@{b=@{c=@{d=1}}}} | ConvertTo-Json -Compress", '{"a":{"b":{"c":"System.Collections.Hashtable"}}}'),
            ("@{a=@{b=@{c=@{d=1}}}} | ConvertTo-Json -Compress -Depth 3", '{"a":{"b":{"c":{"d":1}}}}'),
        ],
    )
    def test_written(self, script: str, expected: str) -> None:
        assert output(script) == [expected]

    def test_an_array_is_read_as_one_object(self) -> None:
        assert output("$x = ConvertFrom-Json '[[1,2],[3]]'; $x.Count; $x[0].Count") == [2, 2]

    def test_what_is_read_has_its_types(self) -> None:
        script = (
            """$o = @($input)[0] | ConvertFrom-Json; $o.i -is [int]; $o.l -is [long]; $o.n; $o.S; foreach ($x in @($o.list)) { $x.name }"""
        )
        line = '{"i": 1, "l": 5000000000, "n": null, "s": "t", "list": [{"name": "only"}]}'
        assert output(script, line) == [True, True, None, "t", "only"]

    def test_what_is_no_json(self) -> None:
        failure = run("ConvertFrom-Json 'banner text'").errors[0]
        assert failure.message == "Invalid JSON primitive: banner."
        assert failure.error_id == "System.ArgumentException,Microsoft.PowerShell.Commands.ConvertFromJsonCommand"


@pytest.mark.parametrize(
    "script",
    [
        "& hostname",
        "'first'; if (",
        "Write-Output SMTP-Server, Web-WMI",
        ". { 1 }",
        "function F { 1 }",
        "switch (1) { 1 { 2 } }",
        "do { 1 } while ($false)",
        "1 -eq '1'",
        "1 + '1'",
        "$never",
        "[IO.File]::ReadAllText('x')",
        "[System.Net.WebClient]$x = 1",
        "'text'.Normalize()",
        "'x' > file.txt",
        "hostname 2>$null",
        "Write-Output a$b",
        "ConvertTo-Json 1",
        "Write-Output 1 -Verbose",
        "try { 1 } catch [System.Exception] { 2 }",
        "'a' -match '(?<name>a)'",
        "@{ a = 1 } | Out-String",
        "while ($true) { }",
        "$true = 1",
        "$x = ($y = 1)",
        "9223372036854775807 + 1",
        "ConvertTo-Json -Compress -Depth '3' 1",
    ],
)
def test_outside_of_the_subset_is_refused(script: str) -> None:
    """Nothing is guessed; no script can catch the refusal."""
    with pytest.raises(OutsideSubsetError):
        run(script)
    with pytest.raises(OutsideSubsetError):
        run(f"try {{ {script} }} catch {{ 'caught' }}")
