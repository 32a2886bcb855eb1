//! Checks the two requests of the asking side, `importDRsRequest` and `exportDRsRequest`.
//!
//! The simulator plays for suppliers, who have no right to these operations; the content is checked against
//! the schema (a malformed request gets the answer of a malformed request) and dropped.

use roxmltree::Node;

use super::answer::{identity_document, nsi_ref};
use super::names::{Name, base, drs};
use super::read::{period, registry_object};
use super::tree::{Children, Read, date, guid, snils, text, word};

/// XSD: actions, ids, numbers and houses in one request.
const LIST: usize = 100;

/// `importDRsRequest` after its signature.
pub(super) fn check_import(mut parts: Children<'_, '_>) -> Read<()> {
    let actions = parts.repeated(drs("action"), LIST)?;
    if actions.is_empty() {
        return Err(parts.unexpected("ожидается элемент action"));
    }
    parts.finish()?;
    actions.into_iter().try_for_each(check_action)
}

fn check_action(node: Node<'_, '_>) -> Read<()> {
    let mut parts = Children::of(node)?;
    guid(parts.required(base("TransportGUID"))?)?;
    parts.optional(drs("requestGUID")).map(guid).transpose()?;
    word(parts.required(drs("actionType"))?, |text| matches!(text, "Send" | "Revoke").then_some(()))?;
    parts.optional(drs("requestData")).map(check_request).transpose()?;
    parts.finish()
}

/// `ImportDRType`.
fn check_request(node: Node<'_, '_>) -> Read<()> {
    let mut parts = Children::of(node)?;
    check_applicant(parts.required(drs("applicantInfo"))?, Children::required_some)?;
    check_housing(parts.required(drs("housingFundObject"))?)?;
    guid(parts.required(drs("executorGUID"))?)?;
    parts.finish()
}

/// How [`check_applicant`] takes the parts that `ApplicantInfoType` demands and `ApplicantInfoRequestType`
/// does not.
type Take<'tree, 'text> = fn(&mut Children<'tree, 'text>, Name) -> Read<Option<Node<'tree, 'text>>>;

fn check_applicant<'tree, 'text>(node: Node<'tree, 'text>, take: Take<'tree, 'text>) -> Read<()> {
    let mut parts = Children::of(node)?;
    take(&mut parts, drs("firstName"))?.map(|node| text(node, 255)).transpose()?;
    take(&mut parts, drs("lastName"))?.map(|node| text(node, 255)).transpose()?;
    parts.optional(drs("middleName")).map(|node| text(node, 255)).transpose()?;
    take(&mut parts, drs("snils"))?.map(snils).transpose()?;
    take(&mut parts, drs("document"))?.map(identity_document).transpose()?;
    parts.finish()
}

/// `ImportHousingFundObjectInfoType`.
fn check_housing(node: Node<'_, '_>) -> Read<()> {
    let mut parts = Children::of(node)?;
    if let Some(house) = parts.optional(drs("houseGUID")) {
        guid(house)?;
        parts.optional(drs("addressDetails")).map(|node| text(node, 255)).transpose()?;
    } else if let Some(object) = parts.optional(drs("HMObjectGUID")) {
        guid(object)?;
        text(parts.required(drs("AddressType"))?, 36)?;
    } else {
        guid(parts.required(drs("fiasHouseGUID"))?)?;
    }
    parts.finish()
}

/// `exportDRsRequest` after its signature.
pub(super) fn check_export(mut parts: Children<'_, '_>) -> Read<()> {
    let requests = parts.repeated(drs("requestGUID"), LIST)?;
    if !requests.is_empty() {
        parts.finish()?;
        return requests.into_iter().try_for_each(|node| guid(node).map(drop));
    }
    let numbers = parts.repeated(drs("requestNumber"), LIST)?;
    if !numbers.is_empty() {
        parts.finish()?;
        return numbers.into_iter().try_for_each(|node| text(node, 30).map(drop));
    }
    check_filter(&mut parts)?;
    parts.finish()
}

fn check_filter(parts: &mut Children<'_, '_>) -> Read<()> {
    period(parts.required(drs("requestCreationPeriod"))?)?;
    parts.optional(drs("periodOfSendingRequest")).map(period).transpose()?;
    parts.optional(drs("periodOfResponseDate")).map(check_open_period).transpose()?;
    parts
        .optional(drs("applicantInfo"))
        .map(|node| check_applicant(node, Children::optional_some))
        .transpose()?;
    let objects = parts.repeated(drs("exportHMObjectGUID"), LIST)?;
    let houses = if objects.is_empty() { parts.repeated(drs("houseGUID"), LIST)? } else { Vec::new() };
    objects.into_iter().try_for_each(|node| registry_object(node).map(drop))?;
    houses.into_iter().try_for_each(|node| guid(node).map(drop))?;
    for status in parts.repeated(drs("requestStatus"), 4)? {
        let known = ["Draft", "Processing", "Sent", "Processed", "Revoked"];
        word(status, |text| known.contains(&text).then_some(()))?;
    }
    for result in parts.repeated(drs("requestResult"), usize::MAX)? {
        nsi_ref(result)?;
    }
    parts.optional(drs("exportRequestGUID")).map(guid).transpose()?;
    Ok(())
}

/// `PeriodOpen`: either end may be absent.
fn check_open_period(node: Node<'_, '_>) -> Read<()> {
    let mut parts = Children::of(node)?;
    parts.optional(base("startDate")).map(date).transpose()?;
    parts.optional(base("endDate")).map(date).transpose()?;
    parts.finish()
}
