$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    foreach ($rule in @($request.create)) {
        $new = @{
            Name = [string]$rule.name
            DisplayName = [string]$rule.display_name
            Group = [string]$rule.group
            Direction = 'Inbound'
            Action = 'Allow'
            Enabled = 'True'
            Protocol = 'TCP'
            LocalPort = [string[]]@($rule.ports)
            RemoteAddress = [string[]]@($rule.addresses)
            Profile = [string[]]@($rule.profiles)
        }
        $null = New-NetFirewallRule @new
    }
    foreach ($rule in @($request.update)) {
        $changed = @{
            Name = [string]$rule.name
            NewDisplayName = [string]$rule.display_name
            Direction = 'Inbound'
            Action = 'Allow'
            Enabled = 'True'
            Protocol = 'TCP'
            LocalPort = [string[]]@($rule.ports)
            RemoteAddress = [string[]]@($rule.addresses)
            Profile = [string[]]@($rule.profiles)
        }
        Set-NetFirewallRule @changed
    }
    foreach ($name in @($request.remove)) { Remove-NetFirewallRule -Name ([string]$name) }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
