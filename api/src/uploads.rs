//! How many files an organisation may upload at once (`api.md` §10): each is held in memory while it comes, and small
//! machines have little of it. Counted are the operations that exist to take a file — attachments, imports, registries, the
//! book of accounts — whichever form the body has, because base64 in JSON takes more memory than the same file in a form.
//! Answers are not counted, with files inside or without: an answer is always taken.
//!
//! The place is a value of the handler. It is given back when the handler ends, and when the server drops the handler of
//! a client that has hung up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use debt_core::Code;
use debt_core::ids::OrganizationId;

use crate::problem::{Failure, Problem};

/// When one more try is worth it: most files are here within a second.
const AGAIN: Duration = Duration::from_secs(1);

/// The uploads under way in one instance.
#[derive(Debug)]
pub struct Uploads {
    most: usize,
    /// Organisations that upload something; the others are not here.
    under_way: Mutex<HashMap<OrganizationId, usize>>,
}

/// One upload; it is over when this is dropped.
#[derive(Debug)]
#[must_use = "the upload is over when this is dropped"]
pub struct Upload<'a> {
    uploads: &'a Uploads,
    organization: OrganizationId,
}

impl Uploads {
    /// So many at once for each organisation.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, under_way: Mutex::default() }
    }

    /// Begins an upload of an organisation.
    ///
    /// # Errors
    /// It has as many under way as it may.
    pub fn begin(&self, organization: OrganizationId) -> Result<Upload<'_>, Failure> {
        let mut under_way = self.lock();
        let count = under_way.get(&organization).copied().unwrap_or(0);
        if count >= self.most {
            return Err(too_many(self.most));
        }
        under_way.insert(organization, count + 1);
        Ok(Upload { uploads: self, organization })
    }

    /// A count is never half written, so a panic elsewhere does it no harm.
    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        let mut under_way = self.uploads.lock();
        if let Entry::Occupied(mut count) = under_way.entry(self.organization) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn too_many(most: usize) -> Failure {
    let detail = format!("предел одновременных загрузок вашей организации: {most}");
    Problem::new(Code::TooManyUploads, detail).retry_after(AGAIN).into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn organization(number: u128) -> OrganizationId {
        Uuid::from_u128(number).into()
    }

    #[test]
    fn each_organisation_has_its_places_and_gets_them_back() {
        let uploads = Uploads::new(2);
        let first = uploads.begin(organization(1)).unwrap();
        let second = uploads.begin(organization(1)).unwrap();
        let refused = uploads.begin(organization(1)).unwrap_err();
        assert_eq!((refused.problem().status, refused.problem().code), (429, "too_many_uploads"));
        assert!(refused.problem().detail.ends_with(": 2"));
        let other = uploads.begin(organization(2)).unwrap();

        drop(first);
        let third = uploads.begin(organization(1)).unwrap();
        assert!(uploads.begin(organization(1)).is_err());
        drop((second, third, other));
        assert!(uploads.lock().is_empty(), "who uploads nothing is forgotten");
        assert!(uploads.begin(organization(1)).is_ok());
    }

    #[test]
    fn what_is_refused_takes_no_place() {
        let uploads = Uploads::new(1);
        let only = uploads.begin(organization(1)).unwrap();
        for _ in 0..3 {
            assert!(uploads.begin(organization(1)).is_err());
        }
        assert_eq!(uploads.lock().get(&organization(1)), Some(&1));
        drop(only);
        assert!(uploads.lock().is_empty());
    }
}
