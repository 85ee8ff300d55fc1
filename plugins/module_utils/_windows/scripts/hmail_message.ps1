$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $ids = @()
    foreach ($one in @($request.messages)) {
        $message = New-Object -ComObject hMailServer.Message
        $message.From = [string]$one.sender
        $message.FromAddress = [string]$one.sender
        $message.Subject = [string]$one.subject
        $message.Body = [string]$one.body
        $message.AddRecipient('', [string]$one.recipient)
        $message.Save()
        $ids += $message.ID
    }
    ConvertTo-Json -InputObject @{ ids = @($ids) } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
