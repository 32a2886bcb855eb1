//! Reads `exportDSRsResult` into the types of [`super`]. Each function is called after the start of its element
//! and reads it up to its end.

use std::str::FromStr;

use chrono::NaiveDate;

use super::super::state::{is_real_date, parsed, read_date};
use super::{
    CancelledAddress, CourtAct, ExportedAttachment, ExportedDebtDocument, ExportedDebtor,
    ExportedDictionaryEntry, ExportedHousing, ExportedIdentityDocument, ExportedPerson, ExportedResponse,
    NotFound, RequestInfo, RequestedPeriod, RequestingOrganization, Staff, Subrequest, SubrequestPage,
    UnreadableSubrequest,
};
use crate::ids::SubrequestId;
use crate::xml::Namespace::{Base, Drs, Nsi};
use crate::xml::{Problem, ProblemKind, Reader};

/// GIS sends pages of 100.
const USUAL_PAGE: usize = 100;

/// The most characters that are kept of what should be a GUID.
const LONGEST_UNREADABLE: usize = 64;

/// The fields of one subrequest that were there and could not be read.
#[derive(Default)]
struct Broken(Vec<&'static str>);

impl Broken {
    /// A field that `read` understands; an empty one is absent.
    fn field<T>(
        &mut self,
        reader: &mut Reader<'_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let text = reader.text()?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let value = read(text);
        if value.is_none() {
            self.0.push(name);
        }
        Ok(value)
    }

    fn value<T: FromStr>(
        &mut self,
        reader: &mut Reader<'_>,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        self.field(reader, name, |text| text.parse().ok())
    }

    /// A date as it is written.
    fn day(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
        self.field(reader, name, read_date)
    }

    /// A date whose fillers mean that there is none.
    fn date(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
        Ok(self.day(reader, name)?.filter(|date| is_real_date(*date)))
    }
}

/// Text that is absent when it is empty. A blank is kept: it is what people write where nothing may not be written.
fn text<T: From<String>>(reader: &mut Reader<'_>) -> Result<Option<T>, Problem> {
    let text = reader.text()?;
    Ok((!text.is_empty()).then(|| T::from(text.into_owned())))
}

fn word<T: for<'a> From<&'a str>>(reader: &mut Reader<'_>) -> Result<Option<T>, Problem> {
    let text = reader.text()?;
    Ok(Some(text.trim()).filter(|word| !word.is_empty()).map(T::from))
}

// xs:boolean
fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

pub(in super::super) fn read_page(reader: &mut Reader<'_>) -> Result<SubrequestPage, Problem> {
    let mut page =
        SubrequestPage { subrequests: Vec::with_capacity(USUAL_PAGE), ..SubrequestPage::default() };
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "subrequestData") => match read_subrequest(reader)? {
                Ok(subrequest) => page.subrequests.push(subrequest),
                Err(unreadable) => page.unreadable.push(unreadable),
            },
            (Some(Drs), "notFound") => page.not_found = read_not_found(reader)?,
            (Some(Drs), "pagedOutput") => page.next = read_next_page(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(page)
}

// An absent or empty pagedOutput means the last page, as lastPage does. A page that cannot be asked for is an error:
// taken as none, it would cut the list off in silence.
fn read_next_page(reader: &mut Reader<'_>) -> Result<Option<SubrequestId>, Problem> {
    let mut next = None;
    reader.children(|reader, element| {
        if let (Some(Drs), "nextSubrequestGUID") = element.name() {
            let text = reader.text()?;
            let text = text.trim();
            next = if text.is_empty() { None } else { Some(parse_page(reader, text)?) };
        }
        Ok(())
    })?;
    Ok(next)
}

fn parse_page(reader: &Reader<'_>, text: &str) -> Result<SubrequestId, Problem> {
    let page = text.parse().ok();
    page.ok_or_else(|| reader.problem(ProblemKind::Needed("a GUID in nextSubrequestGUID")))
}

fn read_not_found(reader: &mut Reader<'_>) -> Result<NotFound, Problem> {
    let mut not_found = NotFound::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "subrequestGUID") => {
                let text = reader.text()?;
                match parsed(&text) {
                    Some(id) => not_found.subrequests.push(id),
                    None => not_found.unreadable.push(text.chars().take(LONGEST_UNREADABLE).collect()),
                }
            }
            (Some(Drs), "requestNumber") => not_found.numbers.extend(text::<String>(reader)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(not_found)
}

fn read_subrequest(reader: &mut Reader<'_>) -> Result<Result<Subrequest, UnreadableSubrequest>, Problem> {
    let mut broken = Broken::default();
    let mut id = None;
    let mut request = RequestInfo::default();
    let mut response_status = None;
    let mut response = None;
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "subrequestGUID") => id = broken.value(reader, "subrequestGUID")?,
            (Some(Drs), "requestInfo") => request = read_request(reader, &mut broken)?,
            (Some(Drs), "responseStatus") => response_status = word(reader)?,
            (Some(Drs), "responseData") => response = Some(read_response(reader, &mut broken)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(match id {
        Some(id) => Ok(Subrequest { id, request, response_status, response, broken_fields: broken.0 }),
        None => Err(UnreadableSubrequest { position: reader.position(), request_number: request.number }),
    })
}

fn read_request(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<RequestInfo, Problem> {
    let mut request = RequestInfo::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "requestGUID") => request.id = broken.value(reader, "requestGUID")?,
            (Some(Drs), "requestNumber") => request.number = text(reader)?,
            (Some(Drs), "organization") => request.organization = read_organization(reader, broken)?,
            (Some(Drs), "housingFundObject") => request.housing = read_housing(reader, broken)?,
            (Some(Drs), "period") => request.period = read_period(reader, broken)?,
            (Some(Drs), "status") => request.status = word(reader)?,
            (Some(Drs), "sentDate") => request.sent_on = broken.date(reader, "sentDate")?,
            (Some(Drs), "responseDate") => request.answer_by = broken.date(reader, "responseDate")?,
            (Some(Drs), "executorInfo") => request.executor = Some(read_staff(reader, broken)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(request)
}

fn read_organization(
    reader: &mut Reader<'_>,
    broken: &mut Broken,
) -> Result<RequestingOrganization, Problem> {
    let mut organization = RequestingOrganization::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "orgRootGUID") => organization.root = broken.value(reader, "orgRootGUID")?,
            (Some(Drs), "name") => organization.name = text(reader)?,
            (Some(Drs), "tel") => organization.telephone = text(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(organization)
}

fn read_housing(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedHousing, Problem> {
    let mut housing = ExportedHousing::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "houseGUID") => housing.house = broken.value(reader, "houseGUID")?,
            (Some(Drs), "addressDetails") => housing.details = text(reader)?,
            (Some(Drs), "HMobjectGUID") => housing.object = broken.value(reader, "HMobjectGUID")?,
            (Some(Drs), "adressType") => housing.kind = word(reader)?,
            (Some(Drs), "fiasHouseGUID") => housing.fias_house = broken.value(reader, "fiasHouseGUID")?,
            (Some(Drs), "address") => housing.address = text(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(housing)
}

fn read_period(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<RequestedPeriod, Problem> {
    let mut period = RequestedPeriod::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "startDate") => period.start = broken.day(reader, "startDate")?,
            (Some(Base), "endDate") => period.end = broken.day(reader, "endDate")?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(period)
}

fn read_staff(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<Staff, Problem> {
    let mut staff = Staff::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "GUID") => staff.id = broken.value(reader, "GUID")?,
            (Some(Drs), "fio") => staff.name = text(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(staff)
}

fn read_response(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedResponse, Problem> {
    let mut response = ExportedResponse::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "hasDebt") => response.has_debt = broken.field(reader, "hasDebt", truth)?,
            (Some(Drs), "debtInfo") => response.debtors.push(read_debtor(reader, broken)?),
            (Some(Drs), "additionalFile") => response.additional_files.push(read_attachment(reader, broken)?),
            (Some(Drs), "description") => response.comment = text(reader)?,
            (Some(Drs), "executorInfo") => response.executor = Some(read_staff(reader, broken)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(response)
}

fn read_debtor(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedDebtor, Problem> {
    let mut debtor = ExportedDebtor::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "person") => debtor.person = read_person(reader, broken)?,
            (Some(Drs), "document") => debtor.documents.push(read_debt_document(reader, broken)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(debtor)
}

fn read_person(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedPerson, Problem> {
    let mut person = ExportedPerson::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "firstName") => person.first_name = text(reader)?,
            (Some(Drs), "lastName") => person.last_name = text(reader)?,
            (Some(Drs), "middleName") => person.middle_name = text(reader)?,
            (Some(Drs), "snils") => person.snils = text(reader)?,
            (Some(Drs), "document") => person.document = Some(read_identity_document(reader, broken)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(person)
}

fn read_identity_document(
    reader: &mut Reader<'_>,
    broken: &mut Broken,
) -> Result<ExportedIdentityDocument, Problem> {
    let mut document = ExportedIdentityDocument::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "type") => document.kind = read_entry(reader, broken)?,
            (Some(Drs), "series") => document.series = text(reader)?,
            (Some(Drs), "number") => document.number = text(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(document)
}

fn read_entry(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedDictionaryEntry, Problem> {
    let mut entry = ExportedDictionaryEntry::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Nsi), "Code") => entry.code = text(reader)?,
            (Some(Nsi), "GUID") => entry.id = broken.value(reader, "GUID")?,
            (Some(Nsi), "Name") => entry.name = text(reader)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

fn read_debt_document(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedDebtDocument, Problem> {
    let mut document = ExportedDebtDocument::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "type") => document.kind = read_entry(reader, broken)?,
            (Some(Drs), "attachment") => document.attachment = read_attachment(reader, broken)?,
            (Some(Drs), "debtGUID") => document.debt = broken.value(reader, "debtGUID")?,
            (Some(Drs), "actType") => document.court_act = Some(read_court_act(reader, broken)?),
            (Some(Drs), "cancelledAddress") => {
                document.cancelled_address = Some(read_cancelled_address(reader, broken)?);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(document)
}

fn read_attachment(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<ExportedAttachment, Problem> {
    let mut attachment = ExportedAttachment::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "Name") => attachment.name = text(reader)?,
            (Some(Base), "Description") => attachment.description = text(reader)?,
            (Some(Base), "Attachment") => reader.children(|reader, element| {
                if let (Some(Base), "AttachmentGUID") = element.name() {
                    attachment.id = broken.value(reader, "AttachmentGUID")?;
                }
                Ok(())
            })?,
            (Some(Base), "AttachmentHASH") => {
                attachment.hash = broken.field(reader, "AttachmentHASH", hash)?
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(attachment)
}

fn read_court_act(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<CourtAct, Problem> {
    let mut act = CourtAct::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "number") => act.number = text(reader)?,
            (Some(Drs), "date") => act.in_force_on = broken.date(reader, "date")?,
            (Some(Drs), "judicalActDatePronouncing") => {
                act.pronounced_on = broken.date(reader, "judicalActDatePronouncing")?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(act)
}

fn read_cancelled_address(reader: &mut Reader<'_>, broken: &mut Broken) -> Result<CancelledAddress, Problem> {
    let mut address = CancelledAddress::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Drs), "cancelledAddressText") => address.text = text(reader)?,
            (Some(Drs), "fiasHouseGUID") => address.fias_house = broken.value(reader, "fiasHouseGUID")?,
            (Some(Drs), "HCSHouseGUID") => address.house = broken.value(reader, "HCSHouseGUID")?,
            (Some(Drs), "HMobjectGUID") => address.object = broken.value(reader, "HMobjectGUID")?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(address)
}

#[cfg(test)]
mod tests;
