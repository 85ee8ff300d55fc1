$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $get = [Reflection.BindingFlags]'Public, Instance, GetProperty'
    $servers = @()
    foreach ($setting in @(Get-WmiObject -Namespace 'root\MicrosoftIISv2' -Class IIsSmtpServerSetting -Filter "Name='SmtpSvc/1'")) {
        $values = @{}
        foreach ($name in @($request.names)) { $values[[string]$name] = $setting.Properties[[string]$name].Value }
        $bindings = @($setting.ServerBindings | ForEach-Object { @{ address = $_.IP; port = $_.Port; hostname = $_.Hostname } })
        $lists = @{}
        foreach ($property in @('RelayIpList', 'IPSecurity')) {
            $entry = New-Object System.DirectoryServices.DirectoryEntry 'IIS://localhost/SmtpSvc/1'
            $list = $entry.Properties[$property].Value
            $members = $null
            if ($null -ne $list) {
                $members = @{}
                $members['GrantByDefault'] = $list.GetType().InvokeMember('GrantByDefault', $get, $null, $list, $null)
                foreach ($member in @('IPGrant', 'IPDeny', 'DomainGrant', 'DomainDeny')) {
                    $members[$member] = @($list.GetType().InvokeMember($member, $get, $null, $list, $null))
                }
            }
            $lists[$property] = $members
        }
        $servers += , @{ values = $values; bindings = @($bindings); lists = $lists }
    }
    $domains = @()
    foreach ($one in @(Get-WmiObject -Namespace 'root\MicrosoftIISv2' -Class IIsSmtpDomainSetting)) {
        $domains += , @{ name = $one.Name; action = $one.RouteAction }
    }
    ConvertTo-Json -InputObject @{ servers = @($servers); domains = @($domains) } -Compress -Depth 6
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
