//! How many answers go into one package while GIS refuses some of them.
//!
//! One bad answer makes GIS refuse its whole package, and to find it takes rounds of waiting that the good ones of the
//! package wait too. So the size follows what GIS says, as the window of TCP does: half after a refusal, one more after each
//! package that was taken, up to what is configured. Each process learns by itself and forgets at its end, which costs a few
//! refusals more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ids::OrganizationId;

/// The present size for each organisation.
#[derive(Debug)]
pub(crate) struct PackageSize {
    most: usize,
    /// Of those for which it is less than the most.
    reduced: Mutex<HashMap<OrganizationId, usize>>,
}

impl PackageSize {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), reduced: Mutex::default() }
    }

    pub(crate) fn of(&self, organization: OrganizationId) -> usize {
        let reduced = self.reduced.lock().unwrap_or_else(PoisonError::into_inner);
        reduced.get(&organization).copied().unwrap_or(self.most)
    }

    /// GIS has refused a package of so many as a whole. The refusal of one answer says nothing of larger packages.
    pub(crate) fn refused(&self, organization: OrganizationId, carried: usize) {
        if carried <= 1 {
            return;
        }
        let mut reduced = self.reduced.lock().unwrap_or_else(PoisonError::into_inner);
        let size = reduced.entry(organization).or_insert(self.most);
        // Half of what was sent, not of the present size: several that were under way together tell the same thing.
        *size = (*size).min(carried / 2);
    }

    /// GIS has given a result for each answer of a package.
    pub(crate) fn taken(&self, organization: OrganizationId) {
        let mut reduced = self.reduced.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = reduced.get_mut(&organization) {
            *size += 1;
            if *size >= self.most {
                reduced.remove(&organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_what_gis_says() {
        let size = PackageSize::new(100);
        let (ours, other) = (OrganizationId::generate(), OrganizationId::generate());
        let seen = |acts: &[&dyn Fn()]| {
            acts.iter().for_each(|act| act());
            size.of(ours)
        };
        let (refused, taken) = (|carried| size.refused(ours, carried), || size.taken(ours));
        assert_eq!(seen(&[&taken]), 100);
        assert_eq!(seen(&[&|| refused(100), &|| refused(100), &|| refused(80)]), 40);
        assert_eq!(seen(&[&taken, &taken]), 42);
        assert_eq!(seen(&[&|| refused(1)]), 42);
        assert_eq!(seen(&[&|| refused(3)]), 1);
        (0..98).for_each(|_| taken());
        assert_eq!((size.of(ours), size.of(other)), (99, 100));
        assert_eq!(seen(&[&taken, &taken]), 100);
    }
}
