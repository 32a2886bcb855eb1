#!/usr/bin/python3
"""Checks signed SOAP messages with libxml2's canonicalization and OpenSSL's GOST engine.

Usage: check_signed_message.py OPENSSL_CONF FILE...

Independent of our own code on purpose: both references, the certificate digest and the signature value of each
file are recomputed. Prints one line a file; the exit status is 1 if any file fails.
"""

import base64
import copy
import os
import subprocess
import sys
import tempfile

from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


def openssl(conf, arguments, data=b""):
    # The configuration goes to this child alone.
    environment = dict(os.environ, OPENSSL_CONF=conf)
    return subprocess.run(["openssl", *arguments], input=data, env=environment, check=True, capture_output=True).stdout


def digest(conf, data):
    return base64.b64encode(openssl(conf, ["dgst", "-md_gost12_256", "-binary"], data)).decode()


def canonical(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)


def content_without_signature(root):
    content = copy.deepcopy(root).find(f"{SOAP}Body")[0]
    content.remove(content.find(f"{DS}Signature"))
    return canonical(content)


def check(conf, path):
    root = etree.parse(path, etree.XMLParser(resolve_entities=False)).getroot()
    signature = root.find(f"{SOAP}Body")[0].find(f"{DS}Signature")
    signed_info = signature.find(f"{DS}SignedInfo")
    properties = signature.find(f"{DS}Object/{XADES}QualifyingProperties/{XADES}SignedProperties")
    certificate = base64.b64decode(signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"))
    expected = [reference.findtext(f"{DS}DigestValue") for reference in signed_info.findall(f"{DS}Reference")]
    assert expected == [digest(conf, content_without_signature(root)), digest(conf, canonical(properties))], "references"
    assert properties.findtext(f".//{XADES}CertDigest/{DS}DigestValue") == digest(conf, certificate), "certificate"
    with tempfile.TemporaryDirectory() as folder:
        key, value = os.path.join(folder, "key"), os.path.join(folder, "value")
        with open(key, "wb") as file:
            file.write(openssl(conf, ["x509", "-inform", "DER", "-noout", "-pubkey"], certificate))
        with open(value, "wb") as file:
            file.write(base64.b64decode(signature.findtext(f"{DS}SignatureValue")))
        openssl(conf, ["dgst", "-md_gost12_256", "-verify", key, "-signature", value], canonical(signed_info))


def main():
    conf, *paths = sys.argv[1:]
    failed = False
    for path in paths:
        try:
            check(conf, path)
            print(f"{path}: ok")
        except (AssertionError, subprocess.CalledProcessError) as error:
            failed = True
            print(f"{path}: FAILED: {error}", getattr(error, "stderr", b"") or b"")
    sys.exit(failed)


if __name__ == "__main__":
    main()
