//! A password, and the work that trying it on one file may still cost.
//!
//! Whoever derives a key takes the password from here and pays with the iterations, so that a file with many
//! derivations costs no more than a file with one.

use super::MAX_ITERATIONS;
use super::error::KeyFault;

/// The password of one file.
pub(super) struct Password<'a> {
    text: &'a str,
    /// The iterations that the file has left.
    allowed: u32,
}

impl<'a> Password<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, allowed: MAX_ITERATIONS }
    }

    /// The password, for a derivation with so many iterations.
    pub(super) fn take(&mut self, iterations: u32) -> Result<&'a str, KeyFault> {
        match self.allowed.checked_sub(iterations) {
            Some(left) if iterations > 0 => {
                self.allowed = left;
                Ok(self.text)
            }
            _ => Err(KeyFault::Iterations { wanted: iterations, allowed: self.allowed }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_pays_for_all_derivations_together() {
        let mut password = Password::new("test");
        assert_eq!(password.take(600_000).unwrap(), "test");
        for wanted in [0, 400_001, u32::MAX] {
            let fault = password.take(wanted).unwrap_err();
            assert!(matches!(fault, KeyFault::Iterations { wanted: w, allowed: 400_000 } if w == wanted));
        }
        assert_eq!(password.take(400_000).unwrap(), "test");
        assert!(matches!(password.take(1), Err(KeyFault::Iterations { wanted: 1, allowed: 0 })));
    }
}
