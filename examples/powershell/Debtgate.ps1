# The five journeys of a billing program, and the feed of events, for Windows PowerShell 5.1 and PowerShell 7.
#
#   $env:DEBTGATE_URL = 'http://127.0.0.1:8080'; $env:DEBTGATE_TOKEN = '...'
#   . .\Debtgate.ps1
#   Get-DebtRequest | Format-Table id, request_number, due_on
#   Send-NoDebt -Id 5603dc9c-e161-414c-9787-e40836561101 -OurId BILL-1
#   Send-Debt -Id ... -OurId BILL-2 -LastName ... -FirstName ... -File .\act.pdf
#   Get-Answer -OurId BILL-1
#   Get-Reconciliation -From 2026-11-01 -To 2026-11-30
#   Read-DebtgateEvent -CursorFile .\cursor.txt
$ErrorActionPreference = 'Stop'

# Comes again after a lost connection, 429 and 503. That is safe because every POST below has an Idempotency-Key, or only reads.
# Other errors are application/problem+json: `code` is for programs, `confirmable` says what a person may confirm.
function Invoke-Debtgate {
    param([string] $Method, [string] $Path, [object] $Body, [string] $Key)
    $request = @{
        Method = $Method
        Uri = "$env:DEBTGATE_URL$Path"
        Headers = @{ Authorization = "Bearer $env:DEBTGATE_TOKEN" }
        TimeoutSec = 40
        UseBasicParsing = $true
    }
    if ($env:DEBTGATE_ORGANIZATION) { $request.Headers['Organization-Id'] = $env:DEBTGATE_ORGANIZATION }
    if ($Key) { $request.Headers['Idempotency-Key'] = $Key }
    if ($null -ne $Body) {
        $request.ContentType = 'application/json'
        # PowerShell 5.1 would send a text in the code page of the machine.
        $request.Body = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $Body -Depth 10))
    }
    for ($try = 1; $try -le 5; $try++) {
        try {
            $reply = Invoke-WebRequest @request
            return ConvertFrom-Json ([Text.Encoding]::UTF8.GetString($reply.RawContentStream.ToArray()))
        }
        catch {
            $status = 0
            if ($_.Exception.Response) { $status = [int] $_.Exception.Response.StatusCode }
            if ($try -eq 5 -or @(0, 429, 503) -notcontains $status) {
                if ($_.ErrorDetails) { throw $_.ErrorDetails.Message }
                throw
            }
            Start-Sleep -Seconds (5 * $try)
        }
    }
}

# 1. The requests without an answer.
function Get-DebtRequest {
    $next = $null
    do {
        $path = '/v1/debt-requests?answered=false&has_draft=false&limit=200'
        if ($next) { $path += '&cursor=' + [Uri]::EscapeDataString($next) }
        $page = Invoke-Debtgate -Method GET -Path $path
        $page.items
        $next = $page.next
    } while ($next)
}

# The key comes from our id, so that a repeat tomorrow is a repeat as well.
function Send-Answer {
    param([string] $Id, [string] $OurId, [hashtable] $Content)
    $body = @{ submit = $true; external_id = $OurId } + $Content
    Invoke-Debtgate -Method POST -Path "/v1/debt-requests/$Id/answers" -Body $body -Key "answer-$OurId"
}

# 2. No debt.
function Send-NoDebt {
    param([Parameter(Mandatory)] [string] $Id, [Parameter(Mandatory)] [string] $OurId)
    Send-Answer -Id $Id -OurId $OurId -Content @{ has_debt = $false }
}

# 3. A debt, with a court act: code 1 of NSI 358. GET /v1/dictionaries/document_types has the others.
function Send-Debt {
    param(
        [Parameter(Mandatory)] [string] $Id,
        [Parameter(Mandatory)] [string] $OurId,
        [Parameter(Mandatory)] [string] $LastName,
        [Parameter(Mandatory)] [string] $FirstName,
        [Parameter(Mandatory)] [string] $File
    )
    $path = (Resolve-Path -LiteralPath $File).ProviderPath
    $act = @{
        type_code = '1'
        file_name = [IO.Path]::GetFileName($path)
        content_base64 = [Convert]::ToBase64String([IO.File]::ReadAllBytes($path))
    }
    $debtor = @{ last_name = $LastName; first_name = $FirstName; documents = @($act) }
    Send-Answer -Id $Id -OurId $OurId -Content @{ has_debt = $true; debtors = @($debtor) }
}

# 4. What became of answers. Those under `not_found` may be posted again with the same key.
function Get-Answer {
    param([Parameter(Mandatory)] [string[]] $OurId)
    Invoke-Debtgate -Method POST -Path '/v1/answers/lookup' -Body @{ external_ids = @($OurId) }
}

# 5. Where the requests of a period stand, each counted once.
function Get-Reconciliation {
    param([Parameter(Mandatory)] [string] $From, [Parameter(Mandatory)] [string] $To)
    Invoke-Debtgate -Method GET -Path "/v1/reconciliation?from=$From&to=$To"
}

# What has happened since the last time. 410 cursor_expired: walk the lists with updated_since, remove the file, begin anew.
function Read-DebtgateEvent {
    param([Parameter(Mandatory)] [string] $CursorFile)
    do {
        $path = '/v1/events?limit=200'
        if (Test-Path -LiteralPath $CursorFile) {
            $after = (Get-Content -LiteralPath $CursorFile -Raw).Trim()
            $path += '&after=' + [Uri]::EscapeDataString($after)
        }
        $page = Invoke-Debtgate -Method GET -Path $path
        $page.items
        # Only now: whoever is cut off before reads these events again instead of losing them.
        Set-Content -LiteralPath $CursorFile -Value $page.next -Encoding ASCII
    } while ($page.has_more)
}
