$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $secrets = @{}
    foreach ($number in @($request.secrets)) {
        $secrets[$number] = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([string]$lines[$number]))
    }
    $app = New-Object -ComObject hMailServer.Application
    foreach ($number in @($request.authenticate)) {
        if ($null -eq $app.Authenticate('Administrator', $secrets[$number])) { throw 'AdministratorPassword' }
    }
    $settings = $app.Settings
    $answer = @{ version = $app.Version; settings = @{}; logging = @{}; collections = @{} }
    foreach ($name in $request.settings) { $answer.settings[$name] = $settings.$name }
    foreach ($name in $request.logging) { $answer.logging[$name] = $settings.Logging.$name }
    foreach ($part in $request.collections) {
        $rows = @()
        $collection = $settings.($part.name)
        for ($i = 0; $i -lt $collection.Count; $i++) {
            $item = $collection.Item($i)
            $row = @{}
            foreach ($name in $part.properties) { $row[$name] = $item.$name }
            $rows += , $row
        }
        $answer.collections[$part.name] = @($rows)
    }
    $domains = @()
    for ($i = 0; $i -lt $app.Domains.Count; $i++) {
        $domain = $app.Domains.Item($i)
        $rows = @()
        for ($j = 0; $j -lt $domain.Accounts.Count; $j++) {
            $account = $domain.Accounts.Item($j)
            $same = $false
            foreach ($one in @($request.passwords)) {
                if ($one.address -eq $account.Address) { $same = $account.ValidatePassword($secrets[$one.secret]) }
            }
            $rows += , @{ id = $account.ID; address = $account.Address; active = $account.Active; same = $same }
        }
        $domains += , @{ id = $domain.ID; name = $domain.Name; active = $domain.Active; accounts = @($rows) }
    }
    $answer.domains = @($domains)
    ConvertTo-Json -InputObject $answer -Compress -Depth 6
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
