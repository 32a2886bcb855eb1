//! What a writing request leaves in the audit log (`api.md` §14): who, from where, which operation, on what.

use actix_web::http::header::LOCATION;
use actix_web::{HttpMessage as _, HttpRequest};
use debt_core::Error;
use debt_core::audit::NewAuditEntry;
use debt_core::domain::answer::Confirm;
use debt_core::domain::audit::Actor;
use debt_core::domain::caller::Caller;
use debt_core::idempotency::Reply;
use uuid::Uuid;

use crate::openapi::operation_id;
use crate::telemetry::request::RequestId;
use crate::views::answer_input::{ConfirmCode, confirmed};

/// In front of every path of the API.
const ROOT: &str = "/v1/";

/// What a client says about its request: the dangers that it confirms, and its reason.
#[derive(Default)]
pub(crate) struct Stated {
    confirm: Vec<Confirm>,
    reason: Option<String>,
}

impl Stated {
    /// From the fields of a body; a blank reason is none.
    pub(crate) fn of<'a>(codes: impl IntoIterator<Item = &'a ConfirmCode>, reason: Option<&str>) -> Self {
        let codes: Vec<_> = codes.into_iter().copied().collect();
        let mut confirm = confirmed(&codes);
        confirm.sort_unstable();
        confirm.dedup();
        let reason = reason.filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned);
        Self { confirm, reason }
    }
}

/// A request on its way to the log.
pub(crate) struct Trail {
    entry: NewAuditEntry,
}

impl Trail {
    /// # Errors
    /// The request has reached a route that the document does not have: a mistake of ours.
    pub(crate) fn of(request: &HttpRequest, caller: &Caller, stated: Stated) -> Result<Self, Error> {
        let undocumented = || Error::internal("a writing route that the document does not have");
        let pattern = request.match_pattern().ok_or_else(undocumented)?;
        let action = operation_id(request.method(), &pattern).ok_or_else(undocumented)?;
        let actor = Actor::Client {
            token: caller.token,
            name: caller.subject.clone(),
            employee: caller.employee,
            // Of whoever holds the connection: nothing says that a proxy in front can be trusted to name somebody else.
            ip: request.peer_addr().map(|address| address.ip().to_canonical()),
        };
        let target = target(&pattern, request.match_info().iter().next().map(|(_, value)| value));
        let entry = NewAuditEntry::new(caller.organization, actor, action, target);
        let id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
        let Stated { confirm, reason } = stated;
        Ok(Self { entry: NewAuditEntry { confirm, reason, request_id: id, ..entry } })
    }

    /// The entry, once the reply is known. What was created is where the reply says it is.
    pub(crate) fn entry(self, reply: &Reply) -> NewAuditEntry {
        let location = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(LOCATION.as_str()));
        let created = location.and_then(|(_, path)| path.strip_prefix(ROOT)).map(ToOwned::to_owned);
        NewAuditEntry {
            target: created.unwrap_or(self.entry.target),
            before: reply.before.clone(),
            after: Some(reply.body.clone()).filter(|body| !body.is_empty()),
            ..self.entry
        }
    }
}

/// The object that a route leads to: up to its identifier, where it has one, without what is done to it.
fn target(pattern: &str, identifier: Option<&str>) -> String {
    let path = pattern.strip_prefix(ROOT).unwrap_or(pattern);
    match path.split_once("/{").zip(identifier) {
        None => path.to_owned(),
        Some(((kind, _), text)) => {
            // Clients may write identifiers in several ways; we write them in one.
            let id = Uuid::try_parse(text).map_or_else(|_other| text.to_owned(), |id| id.to_string());
            format!("{kind}/{id}")
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use debt_core::ids::OrganizationId;

    use super::*;

    #[test]
    fn a_route_leads_to_its_object() {
        const ID: &str = "019a4c00-0000-7000-8000-00000000000a";
        let answer = format!("answers/{ID}");
        for (pattern, identifier, expected) in [
            ("/v1/answers/{id}/submit", Some(ID), answer.as_str()),
            ("/v1/answers/{id}", Some("{019A4C00-0000-7000-8000-00000000000A}"), &answer),
            ("/v1/dictionaries/{name}", Some("states"), "dictionaries/states"),
            ("/v1/settings/auto-answer", None, "settings/auto-answer"),
        ] {
            assert_eq!(target(pattern, identifier), expected, "{pattern}");
        }
    }

    #[test]
    fn what_was_created_is_where_the_reply_says() {
        let trail = || Trail {
            entry: NewAuditEntry::new(
                OrganizationId::generate(),
                Actor::Cli,
                "create_answer",
                "debt-requests/1",
            ),
        };
        let reply = |headers: Vec<(String, String)>, body: &'static str| Reply {
            status: 200,
            headers,
            body: Bytes::from_static(body.as_bytes()),
            before: None,
            shown_once: None,
        };
        let located = vec![("location".to_owned(), "/v1/answers/2".to_owned())];
        let entry = trail().entry(&reply(located, "{}"));
        assert_eq!((entry.target.as_str(), entry.after.as_deref()), ("answers/2", Some(b"{}".as_slice())));
        let entry = trail().entry(&reply(Vec::new(), ""));
        assert_eq!((entry.target.as_str(), entry.after), ("debt-requests/1", None));
    }

    #[test]
    fn what_a_client_states_is_kept_once() {
        let codes = [ConfirmCode::RegistryDisagrees, ConfirmCode::DraftExists, ConfirmCode::DraftExists];
        let stated = Stated::of(&codes, Some("  "));
        assert_eq!(stated.confirm, [Confirm::DraftExists, Confirm::RegistryDisagrees]);
        assert_eq!(stated.reason, None);
        assert_eq!(Stated::of([], Some("ошибка")).reason.as_deref(), Some("ошибка"));
    }
}
