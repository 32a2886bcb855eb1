//! Opens what GIS replied: a SOAP envelope with a result or a fault, or something that is no SOAP at all.
//!
//! Called by [`crate::http`] with every body, whatever the HTTP status. What must stay true: a reply is taken for
//! what it says and for nothing else; a body that cannot be understood is an error that says where, and never
//! quotes the body except for the title of an HTML page.

use crate::debt_requests::{
    Acknowledgement, GisError, ResultHeader, State, read_acknowledgement, read_error, read_header, read_state,
};
use crate::error::split_code;
use crate::xml::Namespace::{Base, Drs, Soap};
use crate::xml::{Element, Problem, ProblemKind, Reader};

/// Why a body is not the expected reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// GIS answered with a SOAP fault.
    #[error("GIS answered with the fault {}", .0.gis_code())]
    Fault(GisError),
    /// The body is no SOAP message; front ends answer with HTML pages.
    #[error("the reply is not SOAP but a page{}", titled(.title.as_deref()))]
    NotSoap {
        /// Title of the page, shortened.
        title: Option<String>,
    },
    /// There is no body.
    #[error("the reply has no body")]
    Empty,
    /// The body is a broken or an unexpected message.
    #[error("the reply cannot be read: {0}")]
    Malformed(#[from] Problem),
}

fn titled(title: Option<&str>) -> String {
    title.map(|title| format!(" titled {title:?}")).unwrap_or_default()
}

/// Reads the reply to a business request.
///
/// # Errors
/// [`ReplyError`].
pub fn acknowledgement(document: &str) -> Result<Acknowledgement, ReplyError> {
    open(document, |reader, element, header| match element.name() {
        (Some(Base), "AckRequest") => read_acknowledgement(reader, header),
        _ => Err(reader.problem(ProblemKind::Needed("an acknowledgement"))),
    })
}

/// Reads the reply to `getState`.
///
/// # Errors
/// [`ReplyError`].
pub fn state(document: &str) -> Result<State, ReplyError> {
    open(document, |reader, element, header| match element.name() {
        (Some(Drs), "getStateResult") => read_state(reader, header),
        _ => Err(reader.problem(ProblemKind::Needed("a getStateResult"))),
    })
}

/// Walks from the envelope to the one element of the body and lets `read` read it.
fn open<T>(
    document: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Element<'_>, ResultHeader) -> Result<T, Problem>,
) -> Result<T, ReplyError> {
    if document.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(ReplyError::Empty);
    }
    let mut reader = Reader::new(document);
    let is_envelope = reader.root().is_ok_and(|root| matches!(root.name(), (Some(Soap), "Envelope")));
    if !is_envelope {
        return Err(ReplyError::NotSoap { title: title(document) });
    }
    let mut header = ResultHeader::default();
    let mut body = None;
    reader.children(|reader, element| {
        match element.name() {
            (Some(Soap), "Header") => header = read_headers(reader)?,
            // A second body could hide from the check of the signature what is read here.
            (Some(Soap), "Body") if body.is_some() => {
                return Err(reader.problem(ProblemKind::Needed("a single Body")));
            }
            (Some(Soap), "Body") => body = Some(read_body(reader, header, &mut read)?),
            _ => {}
        }
        Ok(())
    })?;
    reader.finish()?;
    match body {
        Some(content) => content.map_err(ReplyError::Fault),
        None => Err(reader.problem(ProblemKind::Needed("a Body")).into()),
    }
}

fn read_headers(reader: &mut Reader<'_>) -> Result<ResultHeader, Problem> {
    let mut header = ResultHeader::default();
    reader.children(|reader, element| {
        if let (Some(Base), "ResultHeader") = element.name() {
            header = read_header(reader)?;
        }
        Ok(())
    })?;
    Ok(header)
}

fn read_body<T>(
    reader: &mut Reader<'_>,
    header: ResultHeader,
    read: &mut impl FnMut(&mut Reader<'_>, &Element<'_>, ResultHeader) -> Result<T, Problem>,
) -> Result<Result<T, GisError>, Problem> {
    let mut content = None;
    reader.children(|reader, element| {
        if content.is_some() {
            return Err(reader.problem(ProblemKind::Needed("a single element in the Body")));
        }
        content = Some(match element.name() {
            (Some(Soap), "Fault") => Err(read_fault(reader)?),
            _ => Ok(read(reader, element, header)?),
        });
        Ok(())
    })?;
    content.ok_or_else(|| reader.problem(ProblemKind::Needed("an element in the Body")))
}

/// The detail of a fault is optional; then the fault string `CODE: text` tells the same.
fn read_fault(reader: &mut Reader<'_>) -> Result<GisError, Problem> {
    let mut summary = String::new();
    let mut detail = None;
    reader.children(|reader, element| {
        match element.name() {
            (_, "faultstring") => summary = reader.text()?.into_owned(),
            (_, "detail") => reader.children(|reader, element| {
                if let (Some(Base), "Fault") = element.name() {
                    detail = Some(read_error(reader)?);
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    let summary = error_of_summary(&summary);
    Ok(match detail {
        None => summary,
        Some(mut error) => {
            if error.code.is_empty() {
                error.code = summary.code;
            }
            if error.description.is_empty() {
                error.description = summary.description;
            }
            error.stack_trace = error.stack_trace.or(summary.stack_trace);
            error
        }
    })
}

/// Splits `CODE: text`. What follows the first line of a text is a Java stack trace in practice.
fn error_of_summary(summary: &str) -> GisError {
    let (code, text) = split_code(summary).unwrap_or(("", summary));
    let (description, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    let stack_trace = Some(rest.trim_end().to_owned()).filter(|trace| !trace.is_empty());
    GisError { code: code.to_owned(), description: description.trim_end().to_owned(), stack_trace }
}

/// The title of an HTML page. Nothing else of a body that is no SOAP is quoted: it may echo the message.
fn title(page: &str) -> Option<String> {
    const LONGEST: usize = 200;
    const SEARCHED: usize = 64 * 1024;
    let head: String = page.chars().take(SEARCHED).collect();
    let lower = head.to_ascii_lowercase();
    let is_html = ["<!doctype html", "<html"].iter().any(|start| lower.contains(start));
    let at = lower.find("<title").filter(|_| is_html)?;
    let start = at + lower.get(at..)?.find('>')? + 1;
    let words: Vec<_> = head.get(start..)?.split('<').next()?.split_whitespace().collect();
    let short: String =
        words.join(" ").chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debt_requests::{ItemResult, Outcome, Progress};

    const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
    const BASE: &str = "http://dom.gosuslugi.ru/schema/integration/base/";
    const DRS: &str = "http://dom.gosuslugi.ru/schema/integration/drs/";
    const GUID: &str = "3ce0fadb-3896-4c6b-8536-abe88086f9e8";

    fn envelope(body: &str) -> String {
        format!(
            "<q:Envelope xmlns:q=\"{SOAP}\" xmlns:w=\"{BASE}\" xmlns:e=\"{DRS}\"><s:Header xmlns:s=\"{SOAP}\"/>\
             <q:Body>{body}</q:Body></q:Envelope>"
        )
    }

    fn state_of(content: &str) -> Result<State, ReplyError> {
        state(&envelope(&format!("<e:getStateResult>{content}</e:getStateResult>")))
    }

    fn fault_of(content: &str) -> GisError {
        match state(&envelope(&format!("<q:Fault>{content}</q:Fault>"))) {
            Err(ReplyError::Fault(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_acknowledgement_needs_its_guid() {
        let ack = |guid: &str| {
            acknowledgement(&envelope(&format!(
                "<w:AckRequest><w:Ack><w:MessageGUID>{guid}</w:MessageGUID></w:Ack></w:AckRequest>"
            )))
        };
        let read = ack(&GUID.to_uppercase()).unwrap();
        assert_eq!(read.message.to_string(), GUID);
        assert_eq!(read.requester_message, None);
        assert!(matches!(ack("none"), Err(ReplyError::Malformed(_))));
        assert!(matches!(acknowledgement(&envelope("<e:getStateResult/>")), Err(ReplyError::Malformed(_))));
    }

    #[test]
    fn a_state_needs_no_more_than_its_progress() {
        let read = state_of("<w:RequestState> 2\n</w:RequestState>").unwrap();
        assert_eq!((read.progress, read.message, read.outcome), (Progress::Processing, None, None));
        assert!(matches!(state_of(""), Err(ReplyError::Malformed(_))));
    }

    #[test]
    fn items_are_done_only_if_gis_says_so() {
        let item = |content: &str| {
            let read = state_of(&format!(
                "<w:RequestState>3</w:RequestState><e:importResult>{content}</e:importResult>"
            ));
            match read.unwrap().outcome {
                Some(Outcome::Import(results)) => results.into_iter().next().unwrap(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(item("").result, ItemResult::Unclear);
        assert_eq!(item("<w:UniqueNumber>1</w:UniqueNumber>").result, ItemResult::Unclear);
        for filler in ["", " ", "1900-01-01", "1900-01-01T00:00:00", "5000-01-01T00:00:00+03:00"] {
            let date = format!("<w:UpdateDate>{filler}</w:UpdateDate>");
            assert_eq!(item(&date).result, ItemResult::Unclear, "{filler:?}");
        }
        let odd = item("<w:UpdateDate>17.03.2026</w:UpdateDate>");
        assert!(matches!(odd.result, ItemResult::Ok { updated_at: None, .. }));
        let done = item(&format!(
            "<w:TransportGUID>{GUID}</w:TransportGUID><w:UpdateDate>2026-03-17</w:UpdateDate>"
        ));
        assert_eq!(done.transport.unwrap().to_string(), GUID);
        assert!(matches!(done.result, ItemResult::Ok { updated_at: Some(_), .. }));
        let both =
            item("<w:UpdateDate>2026-03-17</w:UpdateDate><w:Error><w:ErrorCode>A</w:ErrorCode></w:Error>");
        assert!(matches!(both.result, ItemResult::Errors(errors) if errors[0].code == "A"));
    }

    #[test]
    fn faults_come_with_and_without_detail() {
        let plain = fault_of("<faultcode>q:Server</faultcode><faultstring>EXP001000: Ошибка.</faultstring>");
        assert_eq!((plain.code.as_str(), plain.description.as_str()), ("EXP001000", "Ошибка."));
        let detailed = fault_of(
            "<faultstring>AUT011003: a</faultstring><detail><w:Fault><w:ErrorCode>INT002029</w:ErrorCode>\
             <w:ErrorMessage>b</w:ErrorMessage><w:StackTrace>ru.lanit.A</w:StackTrace></w:Fault></detail>",
        );
        assert_eq!((detailed.code.as_str(), detailed.description.as_str()), ("INT002029", "b"));
        assert_eq!(detailed.stack_trace.as_deref(), Some("ru.lanit.A"));
        let half = fault_of("<faultstring>AUT011003: a</faultstring><detail><w:Fault/></detail>");
        assert_eq!((half.code.as_str(), half.description.as_str()), ("AUT011003", "a"));
        let bare = fault_of("<faultstring>INT002029 регламентные работы.</faultstring>");
        assert_eq!((bare.code.as_str(), bare.description.as_str()), ("INT002029", "регламентные работы."));
        let unknown = fault_of("<faultstring>Unknown fault occured</faultstring>");
        assert_eq!((unknown.code.as_str(), unknown.description.as_str()), ("", "Unknown fault occured"));
        let java = fault_of("<faultstring>java.lang.Error: x&#10;\tat ru.lanit.B</faultstring>");
        assert_eq!((java.code.as_str(), java.description.as_str()), ("", "java.lang.Error: x"));
        assert_eq!(java.stack_trace.as_deref(), Some("\tat ru.lanit.B"));
    }

    #[test]
    fn pages_tell_their_title() {
        let title = |page: &str| match state(page) {
            Err(ReplyError::NotSoap { title }) => title,
            other => panic!("{other:?}"),
        };
        let html =
            "<!DOCTYPE html><HTML><head><meta><Title lang=ru>\n 502 \tBad  Gateway</Title></head><br></HTML>";
        assert_eq!(title(html).unwrap(), "502 Bad Gateway");
        assert_eq!(title("<html><body>x</body></html>"), None);
        for other in ["Bad Request\nsecret", "secret", "<r/>", "<r><title>secret</title></r>", "<html><title"]
        {
            assert_eq!(title(other), None, "{other:?}");
        }
        let long = format!("<html><title>{}", "я".repeat(1000));
        assert_eq!(title(&long).unwrap().chars().count(), 200);
        assert_eq!(title("<html><title>ЁЁЁ"), Some("ЁЁЁ".to_owned()));
    }

    #[test]
    fn bodies_may_be_empty_or_broken() {
        for body in ["", " \r\n", "\u{feff}"] {
            assert_eq!(state(body), Err(ReplyError::Empty), "{body:?}");
        }
        let whole = envelope("<e:getStateResult><w:RequestState>3</w:RequestState></e:getStateResult>");
        let cut = whole.get(..whole.len() - 20).unwrap();
        let no_body = format!("<q:Envelope xmlns:q=\"{SOAP}\"/>");
        let two_elements = envelope("<e:getStateResult/><e:getStateResult/>");
        let two_bodies = whole.replace("</q:Envelope>", "<q:Body/></q:Envelope>");
        for document in [cut, &no_body, &envelope(""), &two_elements, &two_bodies, &format!("{whole}<x/>")] {
            assert!(matches!(state(document), Err(ReplyError::Malformed(_))), "{document}");
        }
    }
}
