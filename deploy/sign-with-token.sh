#!/usr/bin/env bash
# A `command` signer for a key that never leaves its token, by PKCS#11: reads the digest as a line of hex, prints the signature
# in base64. Needs pkcs11-tool (package opensc) and the library of the token's maker.
#
#   [signers.main]
#   kind = "command"
#   program = "/usr/local/bin/sign-with-token.sh"
#   arguments = ["/usr/lib/librtpkcs11ecp.so", "45", "/etc/debtgate/keys/token.pin"]
#   certificate = "/etc/debtgate/keys/org.cert.pem"
#
# The arguments are the library, the id of the key (`pkcs11-tool --module LIBRARY --login --list-objects` shows it) and a file
# with the PIN.
set -euo pipefail
PIN=$(<"$3")
export PIN
read -r digest
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2001 # pairs of digits cannot be named by ${digest//…}
printf '%b' "$(sed 's/../\\x&/g' <<<"$digest")" >"$folder/digest"
# GOSTR3410 signs the digest as it is, without a second one. Its two halves may come in either order.
pkcs11-tool --module "$1" --login --pin env:PIN --sign --mechanism GOSTR3410 --id "$2" \
    --input-file "$folder/digest" --output-file "$folder/signature" >/dev/null
base64 "$folder/signature"
