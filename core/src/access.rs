//! Who may use the gateway: organisations with their first employees, for the command line, and tokens, for the command line
//! and for every request.
//!
//! These use cases stand before any [`Caller`](crate::domain::caller::Caller): the operator at the command line is the
//! authority. Only `Service::me` is a client's. What clients with the scope `admin` do is in [`crate::organizations`] and
//! [`crate::tokens`]; the steps that both ways have in common are here.

pub(crate) mod authority;
mod cache;
pub(crate) mod organizations;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

pub use self::cache::TokenCache;
pub use self::organizations::{NewOrganization, OrganizationDetails};
pub use self::tokens::{Me, NewToken, OwnOrganization};
use crate::error::{Code, Mistake};

/// Names of organisations, people and clients: 1 to 255 characters without control characters.
pub(crate) fn name_mistake(name: &str, at: &str) -> Option<Mistake> {
    if name.trim().is_empty() {
        return Some(Mistake::at(at, "required", "укажите название или имя"));
    }
    if name.chars().count() > 255 {
        return Some(Mistake::at(at, "too_long", "не более 255 знаков").with_max(255));
    }
    let detail = "управляющие знаки не допускаются";
    name.contains(char::is_control).then(|| Mistake::at(at, Code::CharacterNotAllowed.as_str(), detail))
}
