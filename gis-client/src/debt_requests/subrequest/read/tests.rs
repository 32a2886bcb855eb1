use super::*;
use crate::debt_requests::{AddressType, RequestStatus, ResponseStatus};
use crate::xml::Namespace;

const GUID: &str = "38e02aae-e83f-43c6-b2af-b7dacd0cc0b0";

fn page(content: &str) -> Result<SubrequestPage, ProblemKind> {
    let namespaces = [Drs, Base, Nsi].map(|n: Namespace| format!("xmlns:{}=\"{}\"", n.prefix(), n.uri()));
    let document = format!("<drs:exportDSRsResult {}>{content}</drs:exportDSRsResult>", namespaces.join(" "));
    let mut reader = Reader::new(&document);
    reader.root().unwrap();
    read_page(&mut reader).map_err(|problem| problem.kind)
}

fn subrequest(content: &str) -> Subrequest {
    let content = format!(
        "<drs:subrequestData><drs:subrequestGUID>{GUID}</drs:subrequestGUID>{content}</drs:subrequestData>"
    );
    page(&content).unwrap().subrequests.remove(0)
}

fn request(content: &str) -> Subrequest {
    subrequest(&format!("<drs:requestInfo>{content}</drs:requestInfo>"))
}

#[test]
fn a_subrequest_needs_no_more_than_its_guid() {
    let bare = subrequest("");
    assert_eq!(bare.id.to_string(), GUID);
    assert_eq!(bare.request, RequestInfo::default());
    assert_eq!((bare.response_status, bare.response), (None, None));
    assert!(bare.broken_fields.is_empty());
}

#[test]
fn a_subrequest_without_guid_is_reported() {
    let number = "<drs:requestInfo><drs:requestNumber>17</drs:requestNumber></drs:requestInfo>";
    for guid in ["", "<drs:subrequestGUID/>", "<drs:subrequestGUID>x</drs:subrequestGUID>"] {
        let page = page(&format!(
            "<drs:subrequestData>{guid}{number}</drs:subrequestData>\
             <drs:subrequestData><drs:subrequestGUID>{GUID}</drs:subrequestGUID></drs:subrequestData>"
        ))
        .unwrap();
        assert_eq!(page.subrequests.len(), 1);
        let [unreadable] = page.unreadable.as_slice() else { panic!("{page:?}") };
        assert_eq!(unreadable.request_number.as_deref(), Some("17"));
        assert!(unreadable.position > 0);
    }
}

#[test]
fn what_was_not_found_and_cannot_be_read_is_listed() {
    let long = "x".repeat(999);
    let read = page(&format!(
        "<drs:notFound><drs:subrequestGUID>{GUID}</drs:subrequestGUID><drs:subrequestGUID/>\
         <drs:subrequestGUID>{long}</drs:subrequestGUID></drs:notFound>"
    ));
    let not_found = read.unwrap().not_found;
    assert_eq!(not_found.subrequests.len(), 1);
    assert_eq!(not_found.unreadable, [String::new(), "x".repeat(64)]);
}

#[test]
fn broken_fields_are_named_and_empty_ones_are_absent() {
    let read = request(
        "<drs:requestGUID>x</drs:requestGUID><drs:sentDate>yesterday</drs:sentDate><drs:responseDate/>\
         <drs:housingFundObject><drs:addressDetails/><drs:fiasHouseGUID></drs:fiasHouseGUID>\
         </drs:housingFundObject>",
    );
    assert_eq!(read.broken_fields, ["requestGUID", "sentDate"]);
    assert_eq!(read.request, RequestInfo::default());
}

#[test]
fn blank_text_is_text() {
    let read =
        request("<drs:housingFundObject><drs:addressDetails> </drs:addressDetails></drs:housingFundObject>");
    assert_eq!(read.request.housing.details.unwrap().as_str(), " ");
}

#[test]
fn filler_dates_mean_none_except_in_periods() {
    let read = request(
        "<drs:period><base:startDate>1900-01-01</base:startDate><base:endDate>5000-12-31+03:00</base:endDate></drs:period>\
         <drs:sentDate>1900-01-01+03:00</drs:sentDate><drs:responseDate>5000-01-01</drs:responseDate>",
    );
    assert_eq!((read.request.sent_on, read.request.answer_by), (None, None));
    assert_eq!(read.request.period.start, NaiveDate::from_ymd_opt(1900, 1, 1));
    assert_eq!(read.request.period.end, NaiveDate::from_ymd_opt(5000, 12, 31));
    assert!(read.broken_fields.is_empty());
}

#[test]
fn unknown_words_are_kept() {
    let read = subrequest(
        "<drs:requestInfo><drs:status>Revoked</drs:status><drs:housingFundObject>\
         <drs:adressType>Appartment</drs:adressType></drs:housingFundObject></drs:requestInfo>\
         <drs:responseStatus>Later</drs:responseStatus>",
    );
    assert_eq!(read.request.status, Some(RequestStatus::Unknown("Revoked".to_owned())));
    assert_eq!(read.request.housing.kind, Some(AddressType::Unknown("Appartment".to_owned())));
    assert_eq!(read.response_status, Some(ResponseStatus::Unknown("Later".to_owned())));
}

#[test]
fn parts_of_newer_formats_are_read() {
    let hash = "B285056DBF18D7392D7677369524DD14747459ED8143997E163B2986F92FD42C";
    let read = subrequest(&format!(
        "<drs:responseData><drs:hasDebt>1</drs:hasDebt><drs:debtInfo><drs:document><drs:attachment>\
         <base:AttachmentHASH>{hash}</base:AttachmentHASH></drs:attachment><drs:debtGUID>{GUID}</drs:debtGUID>\
         <drs:cancelledAddress><drs:cancelledAddressText>там</drs:cancelledAddressText>\
         <drs:HMobjectGUID>{GUID}</drs:HMobjectGUID></drs:cancelledAddress></drs:document></drs:debtInfo>\
         <drs:additionalFile><base:Attachment><base:AttachmentGUID>{GUID}</base:AttachmentGUID></base:Attachment>\
         </drs:additionalFile></drs:responseData>"
    ));
    let response = read.response.unwrap();
    assert_eq!(response.has_debt, Some(true));
    let document = &response.debtors[0].documents[0];
    assert_eq!(document.attachment.hash.map(hex::encode_upper).as_deref(), Some(hash));
    assert_eq!(document.debt.unwrap().to_string(), GUID);
    assert_eq!(document.cancelled_address.as_ref().unwrap().object.unwrap().to_string(), GUID);
    assert_eq!(response.additional_files[0].id.unwrap().to_string(), GUID);
}

#[test]
fn the_last_page_has_many_faces_and_a_broken_next_page_is_an_error() {
    for paged in
        ["", "<drs:pagedOutput/>", "<drs:pagedOutput><drs:lastPage>true</drs:lastPage></drs:pagedOutput>"]
    {
        let page = page(paged).unwrap();
        assert_eq!((page.next, page.subrequests.len()), (None, 0), "{paged}");
    }
    let paged = |guid: &str| {
        page(&format!(
            "<drs:pagedOutput><drs:nextSubrequestGUID>{guid}</drs:nextSubrequestGUID></drs:pagedOutput>"
        ))
    };
    assert_eq!(paged(GUID).unwrap().next.unwrap().to_string(), GUID);
    assert!(matches!(paged("soon"), Err(ProblemKind::Needed(_))));
}
