$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $times = @()
    foreach ($message in @($request.messages)) {
        [IO.File]::WriteAllText([string]$message.draft, [string]$message.text)
        $times += [IO.File]::GetLastWriteTimeUtc([string]$message.draft).ToString('o')
        [IO.File]::Move([string]$message.draft, [string]$message.file)
    }
    ConvertTo-Json -InputObject @{ times = @($times) } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
