//! Writes `exportDSRsResult`: subrequests, their addresses and the answers given to them.

use chrono::NaiveDate;

use super::model::{
    Executor, ExportedDebtor, ExportedDocument, FileRef, HousingObject, IdentityDocument, NotFound, NsiRef,
    Paging, Person, Place, Response, Subrequest, SubrequestPage,
};
use super::names::{Name, base, drs, nsi};
use super::write::Xml;

/// `exportDSRsResult`.
pub(super) fn page(xml: &mut Xml<'_>, page: &SubrequestPage) {
    xml.element(drs("exportDSRsResult"), |xml| {
        for item in &page.subrequests {
            xml.element(drs("subrequestData"), |xml| subrequest(xml, item));
        }
        not_found(xml, &page.not_found);
        match page.paging {
            Paging::Absent => {}
            Paging::Empty => xml.element(drs("pagedOutput"), |_| {}),
            Paging::Next(guid) => {
                xml.element(drs("pagedOutput"), |xml| xml.guid(drs("nextSubrequestGUID"), guid));
            }
            Paging::Last => xml.element(drs("pagedOutput"), |xml| xml.text(drs("lastPage"), "true")),
        }
    });
}

fn not_found(xml: &mut Xml<'_>, not_found: &NotFound) {
    match not_found {
        NotFound::Subrequests(guids) if !guids.is_empty() => xml.element(drs("notFound"), |xml| {
            guids.iter().for_each(|guid| xml.guid(drs("subrequestGUID"), *guid));
        }),
        NotFound::Numbers(numbers) if !numbers.is_empty() => xml.element(drs("notFound"), |xml| {
            numbers.iter().for_each(|number| xml.text(drs("requestNumber"), number));
        }),
        NotFound::Subrequests(_) | NotFound::Numbers(_) => {}
    }
}

/// `DSRType`.
fn subrequest(xml: &mut Xml<'_>, item: &Subrequest) {
    xml.guid(drs("subrequestGUID"), item.guid);
    xml.element(drs("requestInfo"), |xml| {
        xml.guid(drs("requestGUID"), item.request);
        xml.text(drs("requestNumber"), &item.number);
        xml.element(drs("organization"), |xml| {
            xml.guid(drs("orgRootGUID"), item.organization.root);
            xml.text(drs("name"), &item.organization.name);
            xml.optional_text(drs("tel"), item.organization.telephone.as_deref());
        });
        xml.element(drs("housingFundObject"), |xml| housing(xml, &item.housing));
        xml.element(drs("period"), |xml| {
            date(xml, base("startDate"), item.period.start);
            date(xml, base("endDate"), item.period.end);
        });
        xml.text(drs("status"), item.status.text());
        date(xml, drs("sentDate"), item.sent);
        date(xml, drs("responseDate"), item.respond_by);
        executor(xml, &item.executor);
    });
    xml.text(drs("responseStatus"), item.response_status.text());
    if let Some(answer) = &item.response {
        xml.element(drs("responseData"), |xml| response(xml, answer));
    }
}

/// `ExportHousingFundObjectInfoType`.
fn housing(xml: &mut Xml<'_>, housing: &HousingObject) {
    match &housing.place {
        Place::House { guid, details } => {
            xml.guid(drs("houseGUID"), *guid);
            xml.optional_text(drs("addressDetails"), details.as_deref());
        }
        Place::Object(object) => {
            xml.guid(drs("HMobjectGUID"), object.guid);
            xml.text(drs("adressType"), &object.kind);
        }
    }
    xml.optional_guid(drs("fiasHouseGUID"), housing.fias_house);
    xml.text(drs("address"), &housing.address);
}

fn response(xml: &mut Xml<'_>, response: &Response) {
    xml.text(drs("hasDebt"), if response.has_debt { "true" } else { "false" });
    for item in &response.debtors {
        xml.element(drs("debtInfo"), |xml| debtor(xml, item));
    }
    for item in &response.additional_files {
        xml.element(drs("additionalFile"), |xml| file(xml, item));
    }
    xml.optional_text(drs("description"), response.description.as_deref());
    executor(xml, &response.executor);
}

/// `ExecutorInfoType`.
fn executor(xml: &mut Xml<'_>, executor: &Executor) {
    xml.element(drs("executorInfo"), |xml| {
        xml.guid(drs("GUID"), executor.guid);
        xml.text(drs("fio"), &executor.name);
    });
}

/// `ExportDebtInfoType`.
fn debtor(xml: &mut Xml<'_>, debtor: &ExportedDebtor) {
    xml.element(drs("person"), |xml| person(xml, &debtor.person));
    for item in &debtor.documents {
        xml.element(drs("document"), |xml| document(xml, item));
    }
}

fn person(xml: &mut Xml<'_>, person: &Person) {
    xml.text(drs("firstName"), &person.first);
    xml.text(drs("lastName"), &person.last);
    xml.optional_text(drs("middleName"), person.middle.as_deref());
    xml.optional_text(drs("snils"), person.snils.as_deref());
    if let Some(document) = &person.document {
        xml.element(drs("document"), |xml| identity_document(xml, document));
    }
}

/// `DocumentType`.
fn identity_document(xml: &mut Xml<'_>, document: &IdentityDocument) {
    nsi_ref(xml, &document.kind);
    xml.optional_text(drs("series"), document.series.as_deref());
    xml.text(drs("number"), &document.number);
}

fn document(xml: &mut Xml<'_>, document: &ExportedDocument) {
    nsi_ref(xml, &document.kind);
    xml.element(drs("attachment"), |xml| file(xml, &document.file));
    if let Some(act) = &document.act {
        xml.element(drs("actType"), |xml| {
            xml.text(drs("number"), &act.number);
            date(xml, drs("date"), act.date);
            if let Some(pronounced) = act.pronounced {
                date(xml, drs("judicalActDatePronouncing"), pronounced);
            }
        });
    }
}

/// `type` of a document: `nsiRef`.
fn nsi_ref(xml: &mut Xml<'_>, reference: &NsiRef) {
    xml.element(drs("type"), |xml| {
        xml.text(nsi("Code"), &reference.code);
        xml.guid(nsi("GUID"), reference.guid);
        xml.optional_text(nsi("Name"), reference.name.as_deref());
    });
}

/// `AttachmentType`.
fn file(xml: &mut Xml<'_>, file: &FileRef) {
    xml.text(base("Name"), &file.name);
    xml.text(base("Description"), &file.description);
    xml.element(base("Attachment"), |xml| xml.guid(base("AttachmentGUID"), file.guid));
    xml.optional_text(base("AttachmentHASH"), file.hash.as_deref());
}

/// `xs:date`, in Moscow's zone when the style asks for zones.
fn date(xml: &mut Xml<'_>, name: Name, date: NaiveDate) {
    let zone = if xml.style.zoned_dates { "+03:00" } else { "" };
    let text = format!("{}{zone}", date.format("%Y-%m-%d"));
    xml.text(name, &text);
}
