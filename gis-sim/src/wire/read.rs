//! Bytes → [`Request`], as strictly as XSD 16.3.0.0 and the real server's habits ask.
//!
//! The one entry is [`read`]; the server calls it for every POST. It never panics and never takes memory
//! out of proportion to the message, whatever the bytes; how large a message may be is the caller's limit.
//! Structure only: what the schema's annotations ask beyond it is in [`crate::rules`], signatures are in
//! [`crate::signature`].

use roxmltree::{Document as Xml, Node, ParsingOptions};
use uuid::Uuid;

use super::answer;
use super::model::{
    Body, Export, Filter, Header, Objects, Operation, Period, RegistryObject, Request, RequestStatus,
    ResponseStatus, Selection, Version,
};
use super::names::{BASE, DRS, DS, SOAP, SOAP_12, base, drs};
use super::refusal::Refusal;
use super::requester;
use super::scan;
use super::tree::{
    Children, Read, boolean, date, date_time, guid, guids, is, is_schema_hint, text, word, wrong,
};

/// XSD: a list of ids or numbers in a request.
const LIST: usize = 100;

/// Reads one request. `soap_action` is the HTTP header as it came, quoted or not; without one the body
/// decides.
///
/// # Errors
/// A [`Refusal`] that knows how the server would put it.
pub fn read(bytes: &[u8], soap_action: Option<&str>) -> Result<Request, Refusal> {
    let message = scan::readable(bytes).map_err(|reason| Refusal::NotXml(reason.to_owned()))?;
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let xml = Xml::parse_with_options(message, options).map_err(not_xml)?;
    let (header, body) = envelope(xml.root_element())?;
    let operation = operation_of(body)?;
    check_action(operation, soap_action)?;
    Ok(Request {
        header: read_header(header)?,
        body: read_body(operation, body)?,
        signed: signature(body).is_some(),
    })
}

/// The parser's error without what it quotes of the text.
fn not_xml(error: roxmltree::Error) -> Refusal {
    let position = error.pos();
    Refusal::NotXml(format!("not well-formed at line {}, column {}", position.row, position.col))
}

/// `RequestHeader` and the one element of `Body`. Other header elements are let pass, `mustUnderstand` or
/// not (Q40).
fn envelope<'tree, 'text>(root: Node<'tree, 'text>) -> Read<(Node<'tree, 'text>, Node<'tree, 'text>)> {
    if !is(root, (SOAP, "Envelope")) {
        return Err(if is(root, (SOAP_12, "Envelope")) {
            Refusal::SoapVersion
        } else {
            wrong(root, "ожидается soap:Envelope")
        });
    }
    let mut parts = Children::of_attributed(root)?;
    let header = parts.required((SOAP, "Header"))?;
    let body = parts.required((SOAP, "Body"))?;
    parts.finish()?;
    let mut headers = header.children().filter(|node| is(*node, base("RequestHeader")));
    let (Some(request_header), None) = (headers.next(), headers.next()) else {
        return Err(wrong(header, "ожидается один RequestHeader"));
    };
    let mut content = Children::of_attributed(body)?;
    let element = content.any()?;
    content.finish()?;
    Ok((request_header, element))
}

fn operation_of(body: Node<'_, '_>) -> Read<Operation> {
    let name = body.tag_name();
    match (name.namespace(), name.name()) {
        (Some(DRS), "exportDSRsRequest") => Ok(Operation::ExportDebtSubrequests),
        (Some(DRS), "importDSRResponsesRequest") => Ok(Operation::ImportResponses),
        (Some(DRS), "importDRsRequest") => Ok(Operation::ImportDebtRequests),
        (Some(DRS), "exportDRsRequest") => Ok(Operation::ExportDebtRequests),
        (Some(BASE), "getStateRequest") => Ok(Operation::GetState),
        _ => Err(wrong(body, "неизвестная операция")),
    }
}

fn check_action(operation: Operation, soap_action: Option<&str>) -> Read<()> {
    let Some(action) = soap_action else { return Ok(()) };
    let action = action.trim();
    let action = action.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(action);
    // An empty action means "see the body" in SOAP 1.1.
    if action.is_empty() || action.strip_prefix("urn:") == Some(operation.name()) {
        return Ok(());
    }
    Err(Refusal::SoapAction { body: operation.name().to_owned() })
}

/// `RequestHeader` (XSD hcs-base), in its order.
fn read_header(node: Node<'_, '_>) -> Read<Header> {
    // SOAP lets a header entry carry soap:mustUnderstand and soap:actor.
    let soap_only = |attribute: roxmltree::Attribute<'_, '_>| attribute.namespace() == Some(SOAP);
    if !node.attributes().all(soap_only) {
        return Err(wrong(node, "лишний атрибут"));
    }
    let mut parts = Children::of_attributed(node)?;
    let date = date_time(parts.required(base("Date"))?)?;
    let message = guid(parts.required(base("MessageGUID"))?)?;
    let organization = sender(&mut parts)?;
    let operator_signature = match parts.optional(base("IsOperatorSignature")) {
        Some(node) if boolean(node)? => true,
        Some(node) => return Err(wrong(node, "допустимо только значение true")),
        None => false,
    };
    for creator in parts.repeated(base("ISCreator"), usize::MAX)? {
        let mut parts = Children::of(creator)?;
        text(parts.required(base("ISName"))?, 255)?;
        text(parts.required(base("ISOperatorName"))?, 255)?;
        parts.finish()?;
    }
    parts.finish()?;
    Ok(Header { date, message, organization, operator_signature })
}

fn sender(parts: &mut Children<'_, '_>) -> Read<Uuid> {
    if parts.optional(base("Citizen")).is_some() {
        return Err(Refusal::Citizen);
    }
    match parts.optional(base("SenderID")).or_else(|| parts.optional(base("orgPPAGUID"))) {
        Some(node) => guid(node),
        None => Err(parts.unexpected("ожидается элемент orgPPAGUID")),
    }
}

fn read_body(operation: Operation, node: Node<'_, '_>) -> Read<Body> {
    match operation {
        Operation::GetState => {
            // XSD getStateRequest has neither Id nor version nor a signature.
            let mut parts = Children::of(node)?;
            let message = guid(parts.required(base("MessageGUID"))?)?;
            parts.finish()?;
            Ok(Body::GetState(message))
        }
        Operation::ExportDebtSubrequests => {
            let version = version(node, "exportDSRsRequest", &Version::ALL)?;
            Ok(Body::ExportSubrequests(read_export(version, signed_children(node)?)?))
        }
        Operation::ImportResponses => {
            // XSD: fixed="14.0.0.0", which libxml2 does not enforce on an attribute reference.
            version(node, "importDSRResponsesRequest", &[Version::V14])?;
            Ok(Body::ImportResponses(answer::actions(signed_children(node)?)?))
        }
        Operation::ImportDebtRequests => {
            version(node, "importDRsRequest", &[Version::V13, Version::V14])?;
            requester::check_import(signed_children(node)?)?;
            Ok(Body::ImportDebtRequests)
        }
        Operation::ExportDebtRequests => {
            version(node, "exportDRsRequest", &Version::ALL)?;
            requester::check_export(signed_children(node)?)?;
            Ok(Body::ExportDebtRequests)
        }
    }
}

/// `base:version`, one of `allowed`.
fn version(node: Node<'_, '_>, element: &'static str, allowed: &[Version]) -> Read<Version> {
    let version = node.attribute((BASE, "version")).and_then(Version::parse);
    version.filter(|version| allowed.contains(version)).ok_or_else(|| {
        let texts: Vec<_> = allowed.iter().map(|version| version.text()).collect();
        Refusal::Version { element, allowed: texts.join(", ") }
    })
}

/// The content of a `BaseType` after its optional signature; attributes `Id` and `base:version`.
fn signed_children<'tree, 'text>(node: Node<'tree, 'text>) -> Read<Children<'tree, 'text>> {
    let known = |attribute: &roxmltree::Attribute<'_, '_>| {
        matches!((attribute.namespace(), attribute.name()), (None, "Id") | (Some(BASE), "version"))
            || is_schema_hint(attribute)
    };
    if !node.attributes().all(|attribute| known(&attribute)) {
        return Err(wrong(node, "лишний атрибут"));
    }
    let mut parts = Children::of_attributed(node)?;
    parts.optional((DS, "Signature"));
    Ok(parts)
}

fn signature<'tree, 'text>(body: Node<'tree, 'text>) -> Option<Node<'tree, 'text>> {
    body.first_element_child().filter(|node| is(*node, (DS, "Signature")))
}

/// `exportDSRsRequest` after its signature.
fn read_export(version: Version, mut parts: Children<'_, '_>) -> Read<Export> {
    let subrequests = parts.repeated(drs("subrequestGUID"), LIST)?;
    let numbers = if subrequests.is_empty() { parts.repeated(drs("requestNumber"), LIST)? } else { vec![] };
    let selection = if !subrequests.is_empty() {
        Selection::Subrequests(guids(subrequests)?)
    } else if !numbers.is_empty() {
        Selection::Numbers(numbers.into_iter().map(|node| text(node, 30)).collect::<Read<_>>()?)
    } else {
        Selection::Filter(read_filter(&mut parts)?)
    };
    let include_responses = parts.optional(drs("includeResponses")).map(boolean).transpose()?;
    parts.finish()?;
    Ok(Export { version, selection, include_responses })
}

fn read_filter(parts: &mut Children<'_, '_>) -> Read<Filter> {
    Ok(Filter {
        period: period(parts.required(drs("periodOfSendingRequest"))?)?,
        objects: objects(parts)?,
        request_status: parts
            .optional(drs("requestStatus"))
            .map(|node| word(node, RequestStatus::parse))
            .transpose()?,
        // Q30: at most two of the three.
        response_statuses: parts
            .repeated(drs("responseStatus"), 2)?
            .into_iter()
            .map(|node| word(node, ResponseStatus::parse))
            .collect::<Read<_>>()?,
        page: parts.optional(drs("exportSubrequestGUID")).map(guid).transpose()?,
    })
}

fn objects(parts: &mut Children<'_, '_>) -> Read<Objects> {
    let houses = parts.repeated(drs("houseGUID"), LIST)?;
    if !houses.is_empty() {
        return Ok(Objects::Houses(guids(houses)?));
    }
    let objects = parts.repeated(drs("exportHMObjectGUID"), LIST)?;
    if objects.is_empty() {
        return Ok(Objects::Any);
    }
    Ok(Objects::Registry(objects.into_iter().map(registry_object).collect::<Read<_>>()?))
}

/// `ExportHMObjectInfoType`.
pub(super) fn registry_object(node: Node<'_, '_>) -> Read<RegistryObject> {
    let mut parts = Children::of(node)?;
    let guid = guid(parts.required(drs("HMobjectGUID"))?)?;
    let kind = text(parts.required(drs("adressType"))?, 36)?;
    parts.finish()?;
    Ok(RegistryObject { guid, kind })
}

/// `Period` (XSD hcs-base).
pub(super) fn period(node: Node<'_, '_>) -> Read<Period> {
    let mut parts = Children::of(node)?;
    let start = date(parts.required(base("startDate"))?)?;
    let end = date(parts.required(base("endDate"))?)?;
    parts.finish()?;
    Ok(Period { start, end })
}
