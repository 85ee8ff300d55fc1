$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $service = New-Object System.DirectoryServices.DirectoryEntry 'IIS://localhost/SmtpSvc'
    $server = $service.Children.Add('1', 'IIsSmtpServer')
    $server.Properties['ServerBindings'].Value = ':25:'
    $server.CommitChanges()
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
