$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $set = [Reflection.BindingFlags]'Public, Instance, SetProperty'
    foreach ($one in @($request.lists)) {
        $property = [string]$one.property
        $entry = New-Object System.DirectoryServices.DirectoryEntry 'IIS://localhost/SmtpSvc/1'
        $list = $entry.Properties[$property].Value
        [Object[]]$value = @()
        $value += , [bool]$one.grant_by_default
        $null = $list.GetType().InvokeMember('GrantByDefault', $set, $null, $list, $value)
        $entry.Properties[$property].Value = $list
        $entry.CommitChanges()
        foreach ($member in @($one.members)) {
            $entry = New-Object System.DirectoryServices.DirectoryEntry 'IIS://localhost/SmtpSvc/1'
            $list = $entry.Properties[$property].Value
            [Object[]]$value = @()
            $value += , [string[]]@($member.entries)
            $null = $list.GetType().InvokeMember([string]$member.name, $set, $null, $list, $value)
            $entry.Properties[$property].Value = $list
            $entry.CommitChanges()
        }
    }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
