//! A client made of text: it shares nothing with the simulator but the names on the wire.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use gis_sim::scenario::Scenario;
use gis_sim::{Config, Sim, SimHandle};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey, hash};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const BASE: &str = "http://dom.gosuslugi.ru/schema/integration/base/";
pub(crate) const DRS: &str = "http://dom.gosuslugi.ru/schema/integration/drs/";
pub(crate) const SOAP_PATH: &str = "/ext-bus-debtreq-service/services/DebtRequestsAsync";
pub(crate) const FILES: &str = "/ext-bus-file-store-service/rest/debtreq";
const CP: &str = "urn:ietf:params:xml:ns:cpxmlsec:algorithms";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A Monday.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-03-16T09:00:00Z".parse().unwrap()
}

pub(crate) fn scenario(patch: Value) -> Scenario {
    Scenario::default().patched(patch).unwrap()
}

/// A simulator with a few requests, a clock that stands still at the start, and the switches of `patch`.
pub(crate) fn simulator(requests: u64, patch: Value) -> SimHandle {
    let config = Config {
        requests,
        scenario: scenario(patch),
        start: Some(start()),
        frozen: true,
        ..Config::default()
    };
    Sim::start(config).unwrap()
}

/// A simulator that asks for no signatures.
pub(crate) fn lenient(requests: u64, mut patch: Value) -> SimHandle {
    patch["signature"] = json!({ "check": "off" });
    simulator(requests, patch)
}

pub(crate) fn advance(simulator: &SimHandle, seconds: u64) {
    simulator.control().advance(Duration::from_secs(seconds)).unwrap();
}

pub(crate) fn fault(simulator: &SimHandle, rule: Value) -> u64 {
    simulator.control().add_fault(serde_json::from_value(rule).unwrap()).unwrap()
}

/// The subrequests of the client's organisation.
pub(crate) fn subrequests(simulator: &SimHandle, client: &Client) -> Vec<Uuid> {
    let filter = gis_sim::control::SubrequestFilter {
        organization: Some(client.organization),
        limit: Some(1000),
        ..Default::default()
    };
    simulator.control().subrequests(&filter).items.iter().map(|item| item.guid).collect()
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Whether it is XML at all.
    pub(crate) fn readable(&self) -> bool {
        std::str::from_utf8(&self.body).is_ok_and(|text| roxmltree::Document::parse(text).is_ok())
    }

    /// The texts of all elements with this local name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(self.text()).unwrap();
        let named = document.descendants().filter(|node| node.tag_name().name() == name);
        named.map(|node| node.text().unwrap_or_default().to_owned()).collect()
    }

    /// The text of the only element with this local name.
    pub(crate) fn one(&self, name: &str) -> String {
        let mut all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {}", self.text());
        all.remove(0)
    }

    /// The code of a fault, an error message or an item error.
    pub(crate) fn code(&self) -> String {
        self.one("ErrorCode")
    }

    /// The id that an acknowledgement gave.
    pub(crate) fn acknowledged(&self) -> Uuid {
        assert_eq!(self.status, 200, "{}", self.text());
        let document = roxmltree::Document::parse(self.text()).unwrap();
        let ack = document.descendants().find(|node| node.has_tag_name((BASE, "Ack"))).unwrap();
        let id = ack.children().find(|node| node.has_tag_name((BASE, "MessageGUID"))).unwrap();
        id.text().unwrap().parse().unwrap()
    }
}

pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) organization: Uuid,
    keys: Option<KeyPair>,
}

impl Client {
    /// A client that does not sign.
    pub(crate) fn new(simulator: &SimHandle) -> Self {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { http, url: simulator.base_url(), organization: Uuid::from_u128(0xa), keys: None }
    }

    pub(crate) fn signing(simulator: &SimHandle) -> Self {
        let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
        let (from, until) = (start() - TimeDelta::days(1), start() + TimeDelta::days(365));
        let certificate = Certificate::self_signed(&key, "Вымышленный поставщик", from, until).unwrap();
        Self { keys: Some(KeyPair::new(key, certificate).unwrap()), ..Self::new(simulator) }
    }

    pub(crate) fn of(self, organization: Uuid) -> Self {
        Self { organization, ..self }
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends bytes as they are.
    pub(crate) async fn post_bytes(
        &self,
        action: &str,
        bytes: impl Into<reqwest::Body>,
    ) -> reqwest::Result<Answer> {
        let request = self.http.post(format!("{}{SOAP_PATH}", self.url));
        let request =
            request.header("Content-Type", "text/xml").header("SOAPAction", format!("urn:{action}"));
        let response = request.body(bytes).send().await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.bytes().await?.to_vec() })
    }

    /// The whole message around a body element, signed when the client signs.
    pub(crate) fn message(&self, guid: Uuid, element: &str, version: &str, content: &str) -> String {
        let open = format!(
            "<d:{element} xmlns:b=\"{BASE}\" xmlns:d=\"{DRS}\" Id=\"signed-data-container\" b:version=\"{version}\">"
        );
        let close = format!("</d:{element}>");
        let signature = match &self.keys {
            Some(keys) => signature(keys, format!("{open}{content}{close}").as_bytes()),
            None => String::new(),
        };
        self.envelope(guid, &format!("{open}{signature}{content}{close}"))
    }

    fn envelope(&self, guid: Uuid, body: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>\
             <b:RequestHeader xmlns:b=\"{BASE}\"><b:Date>2026-03-16T12:00:00.0000000+03:00</b:Date>\
             <b:MessageGUID>{guid}</b:MessageGUID><b:orgPPAGUID>{}</b:orgPPAGUID></b:RequestHeader>\
             </s:Header><s:Body>{body}</s:Body></s:Envelope>",
            self.organization
        )
    }

    pub(crate) async fn try_export(&self, version: &str, content: &str) -> reqwest::Result<Answer> {
        let message = self.message(Uuid::new_v4(), "exportDSRsRequest", version, content);
        self.post_bytes("exportDebtSubrequests", message).await
    }

    pub(crate) async fn export(&self, version: &str, content: &str) -> Answer {
        self.try_export(version, content).await.unwrap()
    }

    pub(crate) fn import_message(&self, guid: Uuid, actions: &[String]) -> String {
        self.message(guid, "importDSRResponsesRequest", "14.0.0.0", &actions.concat())
    }

    pub(crate) async fn try_import(&self, actions: &[String]) -> reqwest::Result<Answer> {
        self.post_bytes("importResponses", self.import_message(Uuid::new_v4(), actions)).await
    }

    pub(crate) async fn import(&self, actions: &[String]) -> Answer {
        self.try_import(actions).await.unwrap()
    }

    pub(crate) async fn try_state(&self, message: Uuid) -> reqwest::Result<Answer> {
        let body = format!(
            "<b:getStateRequest xmlns:b=\"{BASE}\"><b:MessageGUID>{message}</b:MessageGUID></b:getStateRequest>"
        );
        self.post_bytes("getState", self.envelope(Uuid::new_v4(), &body)).await
    }

    pub(crate) async fn state(&self, message: Uuid) -> Answer {
        self.try_state(message).await.unwrap()
    }

    /// The state number of a message.
    pub(crate) async fn progress(&self, message: Uuid) -> String {
        self.state(message).await.one("RequestState")
    }

    /// Sends a package, waits on the simulator's clock, and returns the result.
    pub(crate) async fn delivered(&self, simulator: &SimHandle, actions: &[String]) -> Answer {
        let message = self.import(actions).await.acknowledged();
        advance(simulator, 10);
        self.state(message).await
    }

    /// Exports, waits on the simulator's clock, and returns the result.
    pub(crate) async fn exported(&self, simulator: &SimHandle, version: &str, content: &str) -> Answer {
        let message = self.export(version, content).await.acknowledged();
        advance(simulator, 10);
        self.state(message).await
    }

    /// A request to `/control`.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/control{path}", self.url));
        let response = request.body(body.to_owned()).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }
}

/// The filter form over the weeks around the start.
pub(crate) fn filter(rest: &str) -> String {
    format!(
        "<d:periodOfSendingRequest><b:startDate>2026-02-01</b:startDate><b:endDate>2026-04-30</b:endDate>\
         </d:periodOfSendingRequest>{rest}"
    )
}

pub(crate) fn by_guid(guids: &[Uuid]) -> String {
    guids.iter().map(|guid| format!("<d:subrequestGUID>{guid}</d:subrequestGUID>")).collect()
}

pub(crate) const WITH_RESPONSES: &str = "<d:includeResponses>true</d:includeResponses>";

/// A Send with `content` between `hasDebt` and the end of `responseData`.
pub(crate) fn send_with(subrequest: Uuid, has_debt: bool, content: &str) -> String {
    format!(
        "<d:action><b:TransportGUID>{}</b:TransportGUID><d:subrequestGUID>{subrequest}</d:subrequestGUID>\
         <d:actionType>Send</d:actionType><d:responseData><d:hasDebt>{has_debt}</d:hasDebt>{content}\
         </d:responseData></d:action>",
        transport(subrequest)
    )
}

const EXECUTOR: &str = "<d:executorGUID>23028cb3-2ee5-42b2-977c-b56b81695e65</d:executorGUID>";

pub(crate) fn no_debt(subrequest: Uuid, text: &str) -> String {
    send_with(subrequest, false, &format!("<d:description>{text}</d:description>{EXECUTOR}"))
}

/// A debtor with one paper in the file store.
pub(crate) fn debt(subrequest: Uuid, file: Uuid, hash: &str) -> String {
    let content = format!(
        "{EXECUTOR}<d:debtInfo><d:person><d:firstName>Пётр</d:firstName><d:lastName>Тестов</d:lastName>\
         <d:snils>00000000000</d:snils></d:person><d:document><d:type>\
         <n:Code xmlns:n=\"http://dom.gosuslugi.ru/schema/integration/nsi-base/\">1</n:Code>\
         <n:GUID xmlns:n=\"http://dom.gosuslugi.ru/schema/integration/nsi-base/\">\
         237b587e-0b10-4702-b78c-8d641c3d4d45</n:GUID></d:type><d:attachment><b:Name>order.pdf</b:Name>\
         <b:Description> </b:Description><b:Attachment><b:AttachmentGUID>{file}</b:AttachmentGUID></b:Attachment>\
         <b:AttachmentHASH>{hash}</b:AttachmentHASH></d:attachment></d:document></d:debtInfo>"
    );
    send_with(subrequest, true, &content)
}

pub(crate) fn revoke(subrequest: Uuid) -> String {
    format!(
        "<d:action><b:TransportGUID>{}</b:TransportGUID><d:subrequestGUID>{subrequest}</d:subrequestGUID>\
         <d:actionType>Revoke</d:actionType></d:action>",
        transport(subrequest)
    )
}

/// The transport id that the actions above use for a subrequest.
pub(crate) fn transport(subrequest: Uuid) -> Uuid {
    Uuid::from_u128(subrequest.as_u128() ^ 0xffff)
}

/// XAdES-BES in form A over an element that is written in its exclusive canonical form.
fn signature(keys: &KeyPair, element: &[u8]) -> String {
    const DS: &str = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let digest = |bytes: &[u8]| STANDARD.encode(hash::streebog256(bytes));
    let method = format!("Algorithm=\"{CP}:gostr34112012-256\"");
    let certificate = keys.certificate();
    let issuer = certificate.issuer_name().replace('&', "&amp;").replace('<', "&lt;");
    // In canonical form `ds` is declared where it is first used, in the message at the root of the signature.
    let properties = |ds: &str, xades: &str| {
        format!(
            "<xades:SignedProperties{xades} Id=\"p\"><xades:SignedSignatureProperties>\
             <xades:SigningTime>2026-03-16T12:00:00.000+03:00</xades:SigningTime><xades:SigningCertificate>\
             <xades:Cert><xades:CertDigest><ds:DigestMethod{ds} {method}></ds:DigestMethod>\
             <ds:DigestValue{ds}>{}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial>\
             <ds:X509IssuerName{ds}>{issuer}</ds:X509IssuerName><ds:X509SerialNumber{ds}>{}</ds:X509SerialNumber>\
             </xades:IssuerSerial></xades:Cert></xades:SigningCertificate></xades:SignedSignatureProperties>\
             </xades:SignedProperties>",
            digest(certificate.der()),
            certificate.serial_decimal()
        )
    };
    const XADES: &str = " xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"";
    let reference = |head: &str, transforms: &str, value: String| {
        format!(
            "<ds:Reference {head}><ds:Transforms>{transforms}<ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform>\
             </ds:Transforms><ds:DigestMethod {method}></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue>\
             </ds:Reference>"
        )
    };
    let enveloped =
        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";
    let canonical_properties = properties(&format!(" {DS}"), XADES);
    let info = |ds: &str| {
        format!(
            "<ds:SignedInfo{ds}><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{CP}:gostr34102012-gostr34112012-256\"></ds:SignatureMethod>{}{}\
             </ds:SignedInfo>",
            reference("URI=\"#signed-data-container\"", enveloped, digest(element)),
            reference(
                "Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#p\"",
                "",
                digest(canonical_properties.as_bytes())
            )
        )
    };
    let value = keys.key().sign(&hash::streebog256(info(&format!(" {DS}")).as_bytes())).unwrap();
    format!(
        "<ds:Signature {DS} Id=\"s\">{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>\
         <xades:QualifyingProperties{XADES} Target=\"#s\">{}</xades:QualifyingProperties></ds:Object></ds:Signature>",
        info(""),
        STANDARD.encode(value.as_bytes()),
        STANDARD.encode(certificate.der()),
        properties("", "")
    )
}
