$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $path = [string]$request.path
    foreach ($expected in @($request.sha256)) {
        $hash = Get-FileHash -LiteralPath $path -Algorithm SHA256
        if ($hash.Hash -ne $expected) { throw 'InstallerHash' }
    }
    $process = Start-Process -FilePath $path -ArgumentList ([string[]]@($request.arguments)) -PassThru
    $null = $process.Handle
    $ended = $process.WaitForExit($request.milliseconds)
    if (-not $ended) {
        $ids = @($process.Id)
        for ($i = 0; $i -lt $ids.Count; $i++) {
            $ids += @(Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId = $($ids[$i])" | ForEach-Object { [int]$_.ProcessId })
        }
        foreach ($id in $ids) {
            $null = Get-CimInstance -ClassName Win32_Process -Filter "ProcessId = $id" | Invoke-CimMethod -MethodName Terminate
        }
    }
    ConvertTo-Json -InputObject @{ ended = $ended; code = $process.ExitCode } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
