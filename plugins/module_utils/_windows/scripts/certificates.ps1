$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $certificates = @()
    foreach ($one in @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My')) {
        $certificates += , @{
            subject = $one.Subject
            names = @($one.DnsNameList | ForEach-Object { $_.Unicode })
            thumbprint = $one.Thumbprint
            not_after = $one.NotAfter.ToUniversalTime().ToString('o')
            private_key = $one.HasPrivateKey
        }
    }
    ConvertTo-Json -InputObject @{ certificates = @($certificates) } -Compress -Depth 3
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
