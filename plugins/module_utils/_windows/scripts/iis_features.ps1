$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $results = @()
    foreach ($name in @($request.install)) { $results += Install-WindowsFeature -Name ([string]$name) }
    foreach ($name in @($request.uninstall)) { $results += Uninstall-WindowsFeature -Name ([string]$name) }
    $answers = @($results | ForEach-Object { @{ success = $_.Success; restart = [string]$_.RestartNeeded; code = [string]$_.ExitCode } })
    ConvertTo-Json -InputObject @{ results = @($answers) } -Compress -Depth 3
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
