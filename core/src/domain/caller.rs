//! Who asks: a token, the organisation it acts for, perhaps an employee, and what it may do (`api.md` §9).

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error};
use crate::ids::{EmployeeId, OrganizationId, TokenId};

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $label:literal,)+) => {
        /// What a token may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope {
            $($(#[$doc])* $variant,)+
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The scope as tokens and documentation write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it allows, for people.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }
        }
    };
}

scopes! {
    /// Read debt requests, start a sync.
    RequestsRead = "requests:read" => "читать запросы о задолженности и начинать их получение из ГИС ЖКХ",
    /// Read answers with their personal data.
    AnswersRead = "answers:read" => "читать ответы вместе с персональными данными",
    /// Write drafts.
    AnswersWrite = "answers:write" => "готовить черновики ответов",
    /// Submit answers to GIS; includes [`AnswersWrite`](Self::AnswersWrite).
    AnswersSubmit = "answers:submit" => "отправлять ответы в ГИС ЖКХ; включает answers:write",
    /// Upload and delete files.
    AttachmentsWrite = "attachments:write" => "загружать и удалять файлы",
    /// Read the registry of court debts.
    RegistryRead = "registry:read" => "читать реестры судебных задолженностей, сопоставления с ними и справочник лицевых счетов",
    /// Change the registry of court debts.
    RegistryWrite = "registry:write" => "изменять реестры судебных задолженностей и справочник лицевых счетов",
    /// Read settings.
    SettingsRead = "settings:read" => "читать настройки, подразделения и сотрудников",
    /// Change settings.
    SettingsWrite = "settings:write" => "изменять настройки, подразделения и сотрудников",
    /// Manage webhooks.
    WebhooksManage = "webhooks:manage" => "управлять вебхуками",
    /// Read the event feed.
    EventsRead = "events:read" => "читать ленту событий",
    /// Read statistics.
    StatsRead = "stats:read" => "читать статистику",
    /// Read the audit log.
    AuditRead = "audit:read" => "читать журнал действий",
    /// Manage organisations and tokens.
    Admin = "admin" => "управлять организациями и токенами",
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope {0:?}; allowed: {allowed}", allowed = names())]
pub struct UnknownScope(pub String);

fn names() -> String {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Whether the set allows what a scope stands for.
    #[must_use]
    pub fn allow(&self, needed: Scope) -> bool {
        self.0.contains(&needed) || (needed == Scope::AnswersWrite && self.0.contains(&Scope::AnswersSubmit))
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    /// Reads names with spaces or commas between them.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::parse).collect()
    }
}

/// Who asks, on behalf of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token.
    pub token: TokenId,
    /// The client's name, claim `sub`.
    pub subject: String,
    /// The organisation acted for.
    pub organization: OrganizationId,
    /// The employee acted as; `None` for a system.
    pub employee: Option<EmployeeId>,
    /// What may be done.
    pub scopes: Scopes,
}

impl Caller {
    /// Whose drafts are one's own: an employee's, else the client's.
    #[must_use]
    pub fn author(&self) -> String {
        self.employee.map_or_else(|| format!("client:{}", self.subject), |id| format!("employee:{id}"))
    }

    /// Refuses a caller who lacks a scope.
    ///
    /// # Errors
    /// [`Code::ScopeMissing`] with the name of the scope.
    pub fn need(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.allow(scope) {
            return Ok(());
        }
        let detail = format!("токену не дано право «{scope}»; выпустите токен с этим правом");
        Err(Error::refused(Code::ScopeMissing, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submitting_includes_writing_and_nothing_else_is_implied() {
        for given in Scope::ALL {
            let scopes = Scopes::from_iter([*given]);
            for needed in Scope::ALL {
                let implied = *given == Scope::AnswersSubmit && *needed == Scope::AnswersWrite;
                assert_eq!(scopes.allow(*needed), given == needed || implied, "{given} for {needed}");
            }
        }
    }

    #[test]
    fn scopes_are_read_as_tokens_and_people_write_them() {
        let scopes: Scopes = "answers:read,requests:read answers:read".parse().unwrap();
        assert_eq!(scopes.to_string(), "requests:read answers:read");
        assert_eq!("requests:all".parse::<Scopes>(), Err(UnknownScope("requests:all".to_owned())));
    }

    #[test]
    fn an_unknown_scope_is_told_with_those_that_there_are() {
        let refusal = "requests:all".parse::<Scopes>().unwrap_err().to_string();
        assert!(refusal.starts_with("unknown scope \"requests:all\"; allowed: requests:read, "), "{refusal}");
        for scope in Scope::ALL {
            assert!(refusal.contains(scope.as_str()), "{scope}: {refusal}");
        }
    }
}
