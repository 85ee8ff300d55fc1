$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $ports = @{}
    foreach ($filter in @(Get-NetFirewallPortFilter)) { $ports[$filter.InstanceID] = $filter }
    $addresses = @{}
    foreach ($filter in @(Get-NetFirewallAddressFilter)) { $addresses[$filter.InstanceID] = $filter }
    $rules = @()
    foreach ($rule in @(Get-NetFirewallRule -Direction Inbound)) {
        $port = $ports[$rule.InstanceID]
        $address = $addresses[$rule.InstanceID]
        $rules += , @{
            name = $rule.Name
            display_name = $rule.DisplayName
            group = $rule.Group
            enabled = [string]$rule.Enabled
            action = [string]$rule.Action
            profile = [string]$rule.Profile
            protocol = [string]$port.Protocol
            ports = @($port.LocalPort)
            addresses = @($address.RemoteAddress)
        }
    }
    ConvertTo-Json -InputObject @{ rules = @($rules) } -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
