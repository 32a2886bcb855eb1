//! Namespaces of the messages and the element names that the reader and the signature code look for.

/// SOAP 1.1 envelope.
pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// SOAP 1.2 envelope, which the service does not speak.
pub(crate) const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// `hcs-base`.
pub(crate) const BASE: &str = "http://dom.gosuslugi.ru/schema/integration/base/";
/// `hcs-nsi-base`.
pub(crate) const NSI: &str = "http://dom.gosuslugi.ru/schema/integration/nsi-base/";
/// `hcs-debt-requests-types`.
pub(crate) const DRS: &str = "http://dom.gosuslugi.ru/schema/integration/drs/";
/// XML digital signatures.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XAdES 1.3.2.
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// Schema hints such as `xsi:schemaLocation`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A namespace and a local name.
pub(crate) type Name = (&'static str, &'static str);

/// A name of `hcs-base`.
pub(crate) const fn base(local: &'static str) -> Name {
    (BASE, local)
}

/// A name of `hcs-nsi-base`.
pub(crate) const fn nsi(local: &'static str) -> Name {
    (NSI, local)
}

/// A name of `hcs-debt-requests-types`.
pub(crate) const fn drs(local: &'static str) -> Name {
    (DRS, local)
}
